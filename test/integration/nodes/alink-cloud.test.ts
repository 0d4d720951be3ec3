import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'mocha';
import { catchAll, device, emulatorPlatform, propertyPost, sink } from '../../support/flows';
import { type FlowMessage, type FlowNode, type Runtime, startRuntime } from '../../support/runtime';

function cloud(action: string, extra: object = {}): FlowNode {
  return {
    id: 'cloud',
    z: 'tab',
    type: 'alink-cloud',
    platform: 'platform',
    device: 'device',
    action,
    identifier: '',
    topic: '',
    qos: '1',
    timeout: '',
    value: 'payload',
    valueType: 'msg',
    parameters: '{}',
    parametersType: 'json',
    wires: [['answers']],
    ...extra,
  };
}

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
    assert.ok(payload);
    await deploy(cloud('NoSuchAction'));
    assert.equal((await call({})).error?.code, 'InvalidAction.NotFound');
  });

  it('sends bytes to a device that does not listen, and says so', async () => {
    await deploy(cloud('RRpc', { topic: 'user/ask', timeout: '1' }));
    const { error } = await call({ payload: Buffer.from('ping') });
    assert.equal(error?.code, 'HALFCONN');
    assert.match(error?.message ?? '', /subscribe/);
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

  describe('against a door of its own', () => {
    let server: Server;
    let calls: Array<{ url: string; body: string; authorization: string }>;
    let answer: (response: import('node:http').ServerResponse) => void;
    before(async () => {
      server = createServer((request, response) => {
        let body = '';
        request.on('data', (chunk: Buffer) => {
          body += chunk;
        });
        request.on('end', () => {
          const { authorization = '' } = request.headers;
          calls.push({ url: request.url ?? '', body, authorization });
          answer(response);
        });
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    });
    after(() => {
      server.closeAllConnections();
      server.close();
    });

    async function own(extra: object = {}): Promise<void> {
      calls = [];
      const { port } = server.address() as AddressInfo;
      await deploy(
        {
          id: 'real',
          type: 'alink-platform',
          kind: 'custom',
          host: '127.0.0.1',
          openApiUrl: `http://127.0.0.1:${port}`,
          credentials: { accessKeyId: 'my-key', accessKeySecret: 'my-secret' },
          ...extra,
        },
        cloud('GetDeviceStatus', { platform: 'real' }),
      );
    }

    it('signs with the key of the platform node, and never repeats a call', async () => {
      answer = (response) =>
        response
          .writeHead(500, { 'content-type': 'application/json' })
          .end('{"Code":"iot.system.SystemException"}');
      await own();
      const { error } = await call({});
      assert.equal(calls.length, 1);
      assert.match(calls[0]?.authorization ?? '', /^ACS3-HMAC-SHA256 Credential=my-key,/);
      assert.ok(error);
      assert.equal(JSON.stringify([calls, error]).includes('my-secret'), false);
    });

    it('gives up on an answer that is none, and on one that breaks off', async () => {
      answer = (response) => response.end('<html>');
      await own();
      assert.ok((await call({})).error);
      answer = (response) => response.destroy();
      const { error } = await call({});
      assert.equal(error?.code, 'cloudUnreachable');
      assert.doesNotMatch(error?.message ?? '', /Signature|AccessKeyId/);
    });

    it('refuses plain http to another machine', async () => {
      await own({ openApiUrl: 'http://iot.example.com' });
      assert.match((await call({})).error?.message ?? '', /https/);
    });
  });
});
