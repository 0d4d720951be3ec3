import assert from 'node:assert/strict';
import { SetDeviceDesiredPropertyRequest } from '@alicloud/iot20180120';
import { after, before, describe, it } from 'mocha';
import { type Emulator, startEmulator } from '../../../emulator';
import { cloudClient } from '../../support/cloud';
import { catchAll, device, GREENHOUSE_MODEL, sink } from '../../support/flows';
import { type FlowMessage, type FlowNode, type Runtime, startRuntime } from '../../support/runtime';

const SECRET = '0123456789abcdef0123456789abcdef';

describe('alink-request', () => {
  let red: Runtime;
  let emulator: Emulator;
  before(async () => {
    const devices = [{ deviceName: 'house-01', deviceSecret: SECRET }];
    emulator = await startEmulator({
      config: { products: [{ productKey: 'a1Greenhouse', thingModel: GREENHOUSE_MODEL, devices }] },
    });
    red = await startRuntime();
  });
  after(async () => {
    await red.stop();
    await emulator.close();
  });

  const request = (operation: string, extra: object = {}): FlowNode => ({
    id: 'request',
    z: 'tab',
    type: 'alink-request',
    device: 'device',
    operation,
    source: 'payload',
    entries: [],
    pushes: false,
    timeout: '',
    wires: [['sink']],
    ...extra,
  });

  async function ask(node: FlowNode, payload: unknown, to = 'sink'): Promise<FlowMessage> {
    await red.deploy([
      {
        id: 'platform',
        type: 'alink-platform',
        kind: 'custom',
        host: '127.0.0.1',
        mqttPort: String(emulator.ports.mqtt),
      },
      { ...device(), credentials: { deviceSecret: SECRET } },
      node,
      sink(),
      ...catchAll(),
    ]);
    const answered = red.next(to);
    red.send('request', { payload });
    return answered;
  }

  it('tags are written from the form, read and deleted', async () => {
    const str = (value: string) => ({ value, type: 'str' });
    const entries = [
      { attrKey: str('room'), attrValue: str('12') },
      { attrKey: str('floor'), attrValue: { value: 'payload.floor', type: 'msg' } },
    ];
    const updated = await ask(request('thing.deviceinfo.update', { source: 'form', entries }), { floor: 3 });
    assert.deepEqual(updated.payload, {});
    const { id, ...info } = updated.alink ?? {};
    assert.match(String(id), /^\d+$/);
    assert.deepEqual(info, {
      status: 'acknowledged',
      productKey: 'a1Greenhouse',
      deviceName: 'house-01',
      operation: 'thing.deviceinfo.update',
      method: 'thing.deviceinfo.update',
      code: 200,
      message: 'success',
    });
    assert.deepEqual((await ask(request('thing.deviceinfo.get'), ['floor'])).payload, [
      { attrKey: 'floor', attrValue: '3' },
    ]);
    await ask(request('thing.deviceinfo.delete'), { attrKey: 'floor' });
    assert.deepEqual((await ask(request('thing.deviceinfo.get'), [])).payload, [
      { attrKey: 'room', attrValue: '12' },
    ]);
  });

  for (const [operation, payload] of [
    ['thing.dsltemplate.get', undefined],
    ['thing.dynamicTsl.get', {}],
    ['thing.property.desired.get', ['heater']],
    ['thing.property.desired.delete', { heater: {} }],
    ['thing.config.log.get', {}],
    ['thing.log.post', { logLevel: 'INFO', module: 'pump', code: '200', logContent: 'runs' }],
    ['_thing.diag.post', { p: { rssi: -50, time: 1600000000000 }, model: 'format=simple' }],
    ['codec.topic.update', [{ topic: '/a1Greenhouse/house-01/user/update', operation: 'compress' }]],
    ['thing.job.get', { taskId: '$next' }],
    ['thing.reset', undefined],
  ] as const) {
    it(`${operation} is answered`, async () => {
      const answer = await ask(request(operation), payload);
      assert.equal(answer.alink?.status, 'acknowledged');
      assert.equal(answer.alink?.code, 200);
    });
  }

  for (const [operation, payload, code] of [
    ['thing.job.update', { taskId: 'none', status: 'FAILED' }, 460],
    ['thing.config.get', {}, 6710],
    ['thing.file.upload.mqtt.cancel', { uploadId: 'none' }, 78122],
    ['thing.deviceinfo.update', [{ attrKey: '9 lives', attrValue: 'x' }], 460],
  ] as const) {
    it(`${operation}: a refusal of the platform is an error with its code`, async () => {
      const refused = await ask(request(operation), payload, 'errors');
      const { status, ...alink } = refused.alink ?? {};
      assert.deepEqual([status, alink.code, alink.operation], ['refused', code, operation]);
    });
  }

  it('a desired value is cleared only in the version that was read', async () => {
    const { productKey, deviceName } = { productKey: 'a1Greenhouse', deviceName: 'house-01' };
    await cloudClient(emulator).setDeviceDesiredProperty(
      new SetDeviceDesiredPropertyRequest({ productKey, deviceName, items: '{"heater":1}', versions: '{}' }),
    );
    const get = request('thing.property.desired.get');
    const wanted = { heater: { value: 1, version: 1 } };
    assert.deepEqual((await ask(get, 'heater')).payload, wanted);
    await ask(request('thing.property.desired.delete'), { heater: { version: 7 } });
    assert.deepEqual((await ask(get, 'heater')).payload, wanted);
    const entries = [{ identifier: { value: 'heater', type: 'str' }, version: { value: '1', type: 'num' } }];
    await ask(request('thing.property.desired.delete', { source: 'form', entries }), undefined);
    assert.deepEqual((await ask(get, 'heater')).payload, {});
  });

  it('a missing parameter never leaves the node', async () => {
    const failed = await ask(request('thing.job.update'), {}, 'errors');
    assert.equal(failed.alink?.code, 'invalidInput');
    assert.match(String(failed.alink?.message), /taskId/);
  });

  it('an operation that is not in the list is an error', async () => {
    const failed = await ask(request('thing.event.property.post'), {}, 'errors');
    assert.equal(failed.alink?.code, 'badSettings');
  });
});
