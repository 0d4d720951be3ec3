import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { cloud } from '../../support/cloud-node';
import { catchAll, device, emulatorPlatform, propertyPost, sink } from '../../support/flows';
import { type FlowMessage, type FlowNode, type Runtime, startRuntime } from '../../support/runtime';

/** The node against the embedded emulator, signed and answered as on the platform. */
describe('alink-cloud', () => {
  let red: Runtime;
  before(async () => {
    red = await startRuntime();
  });
  after(() => red.stop());

  async function deploy(...nodes: FlowNode[]): Promise<void> {
    await red.deploy([
      emulatorPlatform(),
      device(),
      propertyPost(),
      sink(),
      sink('answers'),
      ...catchAll(),
      ...nodes,
    ]);
    const posted = red.next('sink');
    red.send('post', { payload: { temperature: 21.5, heater: 0 } });
    await posted;
  }

  async function call(msg: object): Promise<FlowMessage> {
    const answer = Promise.race([red.next('answers'), red.next('errors')]);
    red.send('cloud', msg);
    return answer;
  }

  it('reads what the device reported, and its status', async () => {
    await deploy(cloud('QueryDevicePropertyStatus'), { ...cloud('GetDeviceStatus'), id: 'status' });
    const { payload, alink, kept } = await call({ kept: 1 });
    const rows = (payload as { List: { PropertyStatusInfo: Array<Record<string, string>> } }).List
      .PropertyStatusInfo;
    assert.equal(rows.find(({ Identifier }) => Identifier === 'temperature')?.Value, '21.5');
    assert.deepEqual([alink?.status, alink?.action, kept], ['acknowledged', 'QueryDevicePropertyStatus', 1]);
    const status = red.next('answers');
    red.send('status', {});
    assert.equal(((await status).payload as { Status: string }).Status, 'ONLINE');
  });

  it('sets a property, and says in words what the platform refuses', async () => {
    await deploy(cloud('SetDeviceProperty'));
    const done = await call({ payload: { heater: 1 } });
    assert.equal(done.alink?.status, 'acknowledged');
    assert.ok((done.payload as { MessageId: string }).MessageId);
    const refused = await call({ payload: { colour: 1 } });
    assert.equal(refused.error?.code, 'iot.thing.PropertyNotExisted');
    assert.match(refused.error?.message ?? '', /no such property/);
    assert.deepEqual(
      [refused.alink?.status, refused.alink?.code],
      ['refused', 'iot.thing.PropertyNotExisted'],
    );
  });

  it('takes the device from the message, and the parameters from message and dialog', async () => {
    await deploy(cloud('RegisterDevice', { parameters: '{"Nickname":"third house"}' }));
    const names = { productKey: 'a1Greenhouse', deviceName: 'house-03' };
    const made = await call({ device: names });
    assert.equal((made.payload as { DeviceName: string }).DeviceName, 'house-03');
    const again = await call({ device: names });
    assert.equal(again.error?.code, 'iot.device.AlreadyExistedDeviceName');
  });

  it('calls any action by its name, with lists and objects among its parameters', async () => {
    await deploy(
      cloud('BatchGetDeviceState', { parameters: 'parameters', parametersType: 'msg', device: '' }),
    );
    const { payload, error } = await call({
      parameters: { ProductKey: 'a1Greenhouse', DeviceName: ['house-01'] },
    });
    assert.equal(error, undefined);
    const { DeviceStatusList } = payload as { DeviceStatusList: { DeviceStatus: Array<{ Status: string }> } };
    assert.equal(DeviceStatusList.DeviceStatus[0]?.Status, 'ONLINE');
    await deploy(cloud('NoSuchAction'));
    assert.equal((await call({})).error?.code, 'InvalidAction.NotFound');
  });

  it('sends bytes to a device that does not listen, and says so', async () => {
    await deploy(cloud('RRpc', { topic: 'user/nobody', timeout: '1' }));
    const { error } = await call({ payload: Buffer.from('ping') });
    assert.equal(error?.code, 'HALFCONN');
    assert.match(error?.message ?? '', /no node of its flow takes this topic/);
  });

  it('names the field that is missing or wrong', async () => {
    await deploy(cloud('not a name'));
    assert.match((await call({})).error?.message ?? '', /action/);
    await deploy(cloud('SetDeviceProperty', { platform: '' }));
    assert.match((await call({ payload: {} })).error?.message ?? '', /platform/);
    await deploy(cloud('SetDeviceProperty'));
    const { error } = await call({ payload: { heater: () => 1 } });
    assert.match(error?.message ?? '', /Items/);
    await deploy(
      { ...emulatorPlatform({ kind: 'public', region: 'cn-shanghai' }), id: 'real' },
      cloud('GetDeviceStatus', { platform: 'real' }),
    );
    assert.equal((await call({})).error?.code, 'credentialsMissing');
  });
});
