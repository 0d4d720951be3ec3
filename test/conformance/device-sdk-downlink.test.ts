import assert from 'node:assert/strict';
import { once } from 'node:events';
import Iot, * as models from '@alicloud/iot20180120';
import { Config } from '@alicloud/openapi-client';
import { type Device, device } from 'alibabacloud-iot-device-sdk';
import { type Emulator, startEmulator } from '../../emulator';

const KEY = { id: 'key', secret: 'secret of key' };
const LAMP = { productKey: 'a1Workshop', deviceName: 'lamp-1' };
const number = { type: 'int', specs: { min: '0', max: '1000' } };
const service = (identifier: string, callType: string) => ({
  identifier,
  name: identifier,
  callType,
  required: false,
  method: `thing.service.${identifier}`,
  inputData: [{ identifier: 'number', name: 'Number', dataType: number }],
  outputData: [{ identifier: 'result', name: 'Result', dataType: number }],
});
const PRODUCT = {
  productKey: LAMP.productKey,
  thingModel: {
    profile: { productKey: LAMP.productKey },
    properties: [{ identifier: 'level', name: 'Level', accessMode: 'rw', required: false, dataType: number }],
    events: [],
    services: [service('slowly', 'async'), service('quickly', 'sync')],
  },
  devices: [{ deviceName: LAMP.deviceName, deviceSecret: 'secret-of-lamp-1' }],
};
// The SDK is CommonJS with a default export of its own.
const Client = (Iot as unknown as { default?: typeof Iot }).default ?? Iot;

/** What the vendor's device SDK does with what its cloud SDK asks, both unmodified, with the emulator between them. */
describe("the vendor's device SDK, asked by the vendor's cloud SDK", () => {
  let emulator: Emulator;
  let cloud: Iot;
  let client: Device;

  before(async () => {
    emulator = await startEmulator({ config: { products: [PRODUCT], accessKeys: [KEY] } });
    cloud = new Client(
      new Config({
        accessKeyId: KEY.id,
        accessKeySecret: KEY.secret,
        endpoint: new URL(emulator.httpUrl).host,
        protocol: 'http',
        regionId: 'cn-shanghai',
      }),
    );
    client = device({
      ...LAMP,
      deviceSecret: 'secret-of-lamp-1',
      brokerUrl: emulator.addresses.mqtt ?? '',
    });
    await once(client as unknown as NodeJS.EventEmitter, 'connect');
    // Its subscriptions go out one by one; the one for RRPC is its last.
    await emulator.exchanges.waitFor(
      ({ kind, topic }) => kind === 'subscribe' && topic?.endsWith('/rrpc/request/+') === true,
    );
  });

  after(async () => {
    await new Promise<void>((resolve) => client.end(true, resolve));
    await emulator.close();
  });

  it('onProps gets the values that are set, with the types of the thing model', async () => {
    const set = new Promise<{ params: Record<string, unknown> }>((resolve) => client.onProps(resolve));
    const { body } = await cloud.setDeviceProperty(
      new models.SetDevicePropertyRequest({ ...LAMP, items: '{"level":7}' }),
    );
    assert.equal(body?.success, true, body?.errorMessage);
    assert.deepEqual((await set).params, { level: 7 });
  });

  it('onService answers an asynchronous call', async () => {
    client.onService('slowly', ({ id, params }, reply) => {
      reply({ id, code: 200, data: { result: Number(params.number) * 2 } });
    });
    await emulator.exchanges.waitFor(
      ({ kind, topic }) => kind === 'subscribe' && topic?.endsWith('/thing/service/slowly') === true,
    );
    const { body } = await cloud.invokeThingService(
      new models.InvokeThingServiceRequest({ ...LAMP, identifier: 'slowly', args: '{"number":4}' }),
    );
    assert.equal(body?.success, true, body?.errorMessage);
    const answer = await emulator.exchanges.waitFor(
      ({ kind, topic }) => kind === 'up' && topic?.endsWith('/thing/service/slowly_reply') === true,
    );
    assert.match(answer.text, /"result":8/);
  });

  it('onService answers a synchronous call over RRPC, and the caller gets its result', async () => {
    client.onService('quickly', ({ id, params }, reply) => {
      reply({ id, code: 200, data: { result: Number(params.number) + 1 } }, 'sync');
    });
    const call = (value: number) =>
      cloud.invokeThingService(
        new models.InvokeThingServiceRequest({ ...LAMP, identifier: 'quickly', args: `{"number":${value}}` }),
      );
    const answers = await Promise.all([1, 2, 3].map(call));
    assert.deepEqual(
      answers.map(({ body }) => JSON.parse(body?.data?.result ?? 'null')),
      [{ result: 2 }, { result: 3 }, { result: 4 }],
    );
  });

  it('a raw RRPC is answered on its own topic', async () => {
    const emitter = client as unknown as NodeJS.EventEmitter;
    const listen = (topic: string, payload: Buffer) => {
      if (!topic.includes('/rrpc/request/')) return;
      client.publish(topic.replace('/request/', '/response/'), `pong ${payload}`);
    };
    emitter.on('message', listen);
    try {
      const { body } = await cloud.rRpc(
        new models.RRpcRequest({
          ...LAMP,
          requestBase64Byte: Buffer.from('ping').toString('base64'),
          timeout: 5000,
        }),
      );
      assert.equal(body?.rrpcCode, 'SUCCESS', body?.errorMessage);
      assert.equal(Buffer.from(body?.payloadBase64Byte ?? '', 'base64').toString(), 'pong ping');
    } finally {
      emitter.off('message', listen);
    }
  });

  it('postTags and deleteTags are acknowledged, and the cloud sees the tags', async () => {
    const tags = [
      { attrKey: 'hall', attrValue: '3' },
      { attrKey: 'line', attrValue: 'B' },
    ];
    const posted = await new Promise<{ code: number }>((resolve) => client.postTags(tags, resolve));
    assert.equal(posted.code, 200);
    const props = async () => {
      const { body } = await cloud.queryDeviceProp(new models.QueryDevicePropRequest(LAMP));
      return JSON.parse(body?.props ?? '{}') as object;
    };
    assert.deepEqual(await props(), { hall: '3', line: 'B' });
    const deleted = await new Promise<{ code: number }>((resolve) => client.deleteTags(['hall'], resolve));
    assert.equal(deleted.code, 200);
    assert.deepEqual(await props(), { line: 'B' });
  });

  it('the shadow is updated, read, set by the cloud and deleted', async () => {
    const messages: Array<{ method: string; payload: { state?: object; status?: string } }> = [];
    let arrived: () => void = () => undefined;
    client.onShadow((message) => {
      messages.push(message);
      arrived();
    });
    const next = async () => {
      if (messages.length === 0) await new Promise<void>((resolve) => (arrived = resolve));
      const message = messages.shift();
      assert.ok(message);
      return message;
    };
    client.postShadow({ level: 5 });
    assert.equal((await next()).payload.status, 'success');
    client.getShadow();
    const got = await next();
    assert.deepEqual((got.payload.state as { reported?: object }).reported, { level: 5 });
    const { body: shadow } = await cloud.getDeviceShadow(new models.GetDeviceShadowRequest(LAMP));
    const document = JSON.parse(shadow?.shadowMessage ?? '{}') as { state: object; version: number };
    assert.deepEqual(document.state, { reported: { level: 5 } });
    const { body: updated } = await cloud.updateDeviceShadow(
      new models.UpdateDeviceShadowRequest({
        ...LAMP,
        shadowMessage: JSON.stringify({
          method: 'update',
          state: { desired: { level: 9 } },
          version: document.version + 1,
        }),
      }),
    );
    assert.equal(updated?.success, true, updated?.errorMessage);
    const control = await next();
    assert.equal(control.method, 'control');
    assert.deepEqual((control.payload.state as { desired?: object }).desired, { level: 9 });
    client.deleteShadow();
    assert.equal((await next()).payload.status, 'success');
  });
});
