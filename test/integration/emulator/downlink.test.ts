import assert from 'node:assert/strict';
import type Iot from '@alicloud/iot20180120';
import * as models from '@alicloud/iot20180120';
import { afterEach, beforeEach, describe, it } from 'mocha';
import type { MqttClient } from 'mqtt';
import { type Emulator, startEmulator } from '../../../emulator';
import { cloudClient } from '../../support/cloud';
import { onlineLamp, suback } from '../../support/emulator';

const LAMP = { productKey: 'a1Workshop', deviceName: 'lamp-1' };
const OTHER = { productKey: 'a1Workshop', deviceName: 'lamp-2' };
const S = '/sys/a1Workshop/lamp-1';
const number = { type: 'int', specs: { min: '0', max: '1000' } };
const service = (identifier: string, callType: string) => ({
  identifier,
  name: identifier,
  callType,
  inputData: [{ identifier: 'number', name: 'Number', required: true, dataType: number }],
  outputData: [{ identifier: 'result', name: 'Result', required: true, dataType: number }],
});
const PRODUCT = {
  productKey: LAMP.productKey,
  thingModel: {
    profile: { productKey: LAMP.productKey },
    properties: [
      { identifier: 'level', name: 'Level', accessMode: 'rw', dataType: number },
      { identifier: 'power', name: 'Power', accessMode: 'r', dataType: number },
    ],
    events: [],
    services: [service('slowly', 'async'), service('quickly', 'sync')],
  },
  devices: [
    { deviceName: 'lamp-1', deviceSecret: 'secret-of-lamp-1' },
    { deviceName: 'lamp-2', deviceSecret: 'secret-of-lamp-2' },
  ],
};

interface Request {
  topic: string;
  qos: number;
  body: { id: string; method?: string; params?: Record<string, unknown>; version?: string };
}

/** The platform's side of requests to devices; the calls come from the vendor's cloud SDK, the device is plain MQTT.js. */
describe('emulator: requests to devices', () => {
  let emulator: Emulator;
  let cloud: Iot;
  const clients: MqttClient[] = [];

  beforeEach(async () => {
    emulator = await startEmulator({ config: { products: [PRODUCT] } });
    cloud = cloudClient(emulator);
  });

  afterEach(async () => {
    await Promise.all(clients.splice(0).map((client) => client.endAsync(true)));
    await emulator.close();
  });

  async function lamp(ext = 0, identity = LAMP): Promise<MqttClient> {
    const client = await onlineLamp(emulator, identity, { parameters: { _ss: 1, ext } });
    clients.push(client);
    return client;
  }

  /** Hands each request to a device; what it returns is published on the given topic. */
  function serve(
    client: MqttClient,
    answer: (request: Request) => [topic: string, body: unknown] | undefined,
  ) {
    client.on('message', (topic, payload, { qos }) => {
      const result = answer({ topic, qos, body: JSON.parse(payload.toString()) });
      if (result) client.publish(result[0], JSON.stringify(result[1]), { qos: qos as 0 | 1 });
    });
  }

  const invoke = (identifier: string, args: object | string, more: object = {}) =>
    cloud.invokeThingService(
      new models.InvokeThingServiceRequest({
        ...LAMP,
        identifier,
        args: typeof args === 'string' ? args : JSON.stringify(args),
        ...more,
      }),
    );

  it('sets properties with the types of the thing model, and tells applications what came of it', async () => {
    const client = await lamp();
    const asked = new Promise<Request>((resolve) => {
      serve(client, (request) => {
        resolve(request);
        return [`${request.topic}_reply`, { id: request.body.id, code: 460, data: {}, message: 'no' }];
      });
    });
    const { body } = await cloud.setDeviceProperty(
      new models.SetDevicePropertyRequest({ ...LAMP, items: '{"level":"7"}' }),
    );
    const { topic, body: request } = await asked;
    assert.equal(topic, `${S}/thing/service/property/set`);
    assert.equal(request.id, body?.data?.messageId);
    assert.deepEqual(
      [request.method, request.params, request.version],
      ['thing.service.property.set', { level: 7 }, '1.0.0'],
    );
    const told = await emulator.messages.waitFor(({ topic: on }) =>
      on.endsWith('/thing/downlink/reply/message'),
    );
    const { requestId, code, message } = JSON.parse(told.text) as Record<string, unknown>;
    assert.deepEqual([requestId, code, message], [request.id, 460, 'no']);
  });

  it('refuses what breaks the thing model before a device sees it', async () => {
    await lamp();
    const set = async (items: string) =>
      (await cloud.setDeviceProperty(new models.SetDevicePropertyRequest({ ...LAMP, items }))).body?.code;
    assert.equal(await set('{"colour":1}'), 'iot.thing.PropertyNotExisted');
    assert.equal(await set('{"power":1}'), 'iot.thing.PropertyReadOnly');
    assert.equal(await set('{"level":1001}'), 'iot.thing.InvalidPropertyValue');
    assert.equal(await set('[1]'), 'iot.common.InvalidFormattedParameter');
    assert.equal(await set('{"__proto__":1}'), 'iot.thing.PropertyNotExisted');
    assert.equal((await invoke('dance', {})).body?.code, 'iot.thing.ServiceNotExisted');
    assert.equal((await invoke('quickly', { number: 'many' })).body?.code, 'iot.thing.InvalidServiceInput');
    assert.equal((await invoke('quickly', {})).body?.code, 'iot.thing.InvalidServiceInput');
    assert.deepEqual(
      emulator.exchanges.list(({ kind }) => kind === 'down'),
      [],
    );
  });

  it('calls 200 synchronous services at a time, each answered on its own, in both topic forms', async () => {
    for (const ext of [0, 1]) {
      const client = await lamp(ext);
      const topics = new Set<string>();
      serve(client, ({ topic, body }) => {
        topics.add(topic);
        const reply = topic.startsWith('/ext/') ? topic : topic.replace('/request/', '/response/');
        return [reply, { id: body.id, code: 200, data: { result: Number(body.params?.number) * 2 } }];
      });
      const results = await Promise.all(
        Array.from({ length: 200 }, async (_, value) => {
          const { body } = await invoke('quickly', { number: value });
          assert.equal(body?.success, true, body?.errorMessage);
          return JSON.parse(body?.data?.result ?? '{}').result;
        }),
      );
      assert.deepEqual(
        results,
        Array.from({ length: 200 }, (_, value) => value * 2),
      );
      assert.equal(topics.size, 200);
      const start = ext === 1 ? '/ext/rrpc/' : `${S}/rrpc/request/`;
      assert.ok([...topics].every((topic) => topic.startsWith(start)));
      await clients.pop()?.endAsync(true);
    }
  });

  it('tells the caller of a code, silence, a device that is away and one that does not listen', async () => {
    assert.equal((await invoke('quickly', { number: 1 })).body?.code, 'iot.device.InactiveDevice');
    const client = await lamp();
    serve(client, ({ topic, body }) =>
      body.params?.number === 1
        ? [
            topic.replace('/request/', '/response/'),
            { id: body.id, code: 100_001, data: {}, message: 'empty' },
          ]
        : undefined,
    );
    const refused = (await invoke('quickly', { number: 1 })).body;
    assert.deepEqual([refused?.success, refused?.code, refused?.errorMessage], [false, '100001', 'empty']);
    const rrpc = async (more: object) =>
      (
        await cloud.rRpc(
          new models.RRpcRequest({ ...LAMP, requestBase64Byte: btoa('{"id":"1"}'), timeout: 1000, ...more }),
        )
      ).body;
    assert.equal((await rrpc({}))?.rrpcCode, 'TIMEOUT');
    assert.equal((await rrpc({ timeout: 999 }))?.code, 'iot.messagebroker.InvalidTimeoutValue');
    assert.equal((await rrpc({ requestBase64Byte: '***' }))?.success, false);
    assert.equal((await rrpc({ topic: '/a1Workshop/lamp-1/user/ask' }))?.rrpcCode, 'HALFCONN');
    await client.endAsync();
    await emulator.exchanges.waitFor(({ kind }) => kind === 'disconnect');
    assert.equal((await rrpc({}))?.rrpcCode, 'OFFLINE');
    assert.equal((await invoke('quickly', { number: 2 })).body?.code, 'iot.messagebroker.OFFLINE');
  });

  it('has RRPC on custom topics for who subscribed them', async () => {
    const client = await lamp(1);
    const topic = '/a1Workshop/lamp-1/user/ask';
    assert.deepEqual(await suback(client, { [`/ext/rrpc/+${topic}`]: 0 }), [0]);
    client.on('message', (from, payload) => client.publish(from, `pong ${payload}`));
    const { body } = await cloud.rRpc(
      new models.RRpcRequest({ ...LAMP, topic, requestBase64Byte: btoa('ping'), timeout: 5000 }),
    );
    assert.deepEqual([body?.rrpcCode, atob(body?.payloadBase64Byte ?? '')], ['SUCCESS', 'pong ping']);
  });

  it('ignores answers that are late, double, of others or unreadable', async () => {
    const client = await lamp();
    serve(client, ({ topic, body }) => {
      const reply = topic.replace('/request/', '/response/');
      const answer = { id: body.id, code: 200, data: { result: 1 } };
      client.publish(`${S}/rrpc/response/no-such`, JSON.stringify(answer));
      client.publish(`${S}/thing/service/slowly_reply`, 'not json');
      client.publish(reply, JSON.stringify(answer));
      return [reply, answer];
    });
    const { body } = await invoke('quickly', { number: 1 });
    assert.deepEqual(JSON.parse(body?.data?.result ?? '{}'), { result: 1 });
    const again = await invoke('quickly', { number: 1 });
    assert.equal(again.body?.success, true);
  });

  it('hands on an answer that nobody can read as an error of the device', async () => {
    const client = await lamp();
    client.on('message', (topic) => client.publish(topic.replace('/request/', '/response/'), 'nonsense'));
    const { body } = await invoke('quickly', { number: 1 });
    assert.deepEqual([body?.success, body?.code], [false, '500']);
  });

  it('keeps a record of services, with input and output', async () => {
    const client = await lamp();
    serve(client, ({ topic, body }) => [
      topic.includes('/rrpc/') ? topic.replace('/request/', '/response/') : `${topic}_reply`,
      { id: body.id, code: 200, data: { result: 9 } },
    ]);
    await invoke('slowly', { number: 3 });
    await emulator.messages.waitFor(({ topic }) => topic.endsWith('/thing/downlink/reply/message'));
    await invoke('quickly', { number: 4 });
    const { body } = await cloud.queryDeviceServiceData(
      new models.QueryDeviceServiceDataRequest({
        ...LAMP,
        asc: 1,
        startTime: 0,
        endTime: 9e12,
        pageSize: 10,
      }),
    );
    assert.deepEqual(
      body?.data?.list?.serviceInfo?.map(({ identifier, inputData, outputData }) => [
        identifier,
        inputData,
        outputData,
      ]),
      [
        ['slowly', '{"number":3}', '{"result":9}'],
        ['quickly', '{"number":4}', '{"result":9}'],
      ],
    );
  });

  it('keeps a request for a device whose session lasts, and says when there is nobody to keep it for', async () => {
    const first = await onlineLamp(emulator, LAMP, { clean: false, parameters: { _ss: 1 } });
    await first.endAsync();
    const set = () =>
      cloud.setDeviceProperty(new models.SetDevicePropertyRequest({ ...LAMP, items: '{"level":3}' }));
    await set();
    const second = await onlineLamp(emulator, LAMP, { clean: false, parameters: { _ss: 1 } });
    clients.push(second);
    const [exchange] = emulator.exchanges.list(({ topic }) => topic?.endsWith('/property/set') === true);
    assert.equal(exchange?.note, 'queued');
    await second.endAsync(true);
    await lamp().then((client) => client.endAsync());
    await emulator.exchanges.waitFor(({ kind, seq }) => kind === 'disconnect' && seq > (exchange?.seq ?? 0));
    const since = emulator.messages.latest;
    await set();
    const told = await emulator.messages.waitFor(
      ({ topic }) => topic.endsWith('/thing/downlink/reply/message'),
      { since },
    );
    assert.equal((JSON.parse(told.text) as { code: number }).code, 9201);
  });

  it('sends to many devices at once, and to all by broadcast', async () => {
    const both = [await lamp(), await lamp(0, OTHER)];
    const arrived = both.map(
      (client) =>
        new Promise<string[]>((resolve) => {
          const topics: string[] = [];
          client.on('message', (topic) => {
            topics.push(topic.replace(/\d+$/, 'N'));
            if (topics.length === 4) resolve(topics);
          });
        }),
    );
    for (const client of both) await suback(client, { '/broadcast/a1Workshop/news': 0 });
    for (const client of both)
      await suback(client, { '/sys/a1Workshop/+/broadcast/request/+': 0 }).catch(() => []);
    const deviceName = ['lamp-1', 'lamp-2'];
    const { productKey } = LAMP;
    const messageContent = btoa('hello');
    await cloud.setDevicesProperty(
      new models.SetDevicesPropertyRequest({ productKey, deviceName, items: '{"level":1}' }),
    );
    await cloud.invokeThingsService(
      new models.InvokeThingsServiceRequest({
        productKey,
        deviceName,
        identifier: 'slowly',
        args: '{"number":1}',
      }),
    );
    await cloud.pubBroadcast(
      new models.PubBroadcastRequest({
        productKey,
        messageContent,
        topicFullName: '/broadcast/a1Workshop/news',
      }),
    );
    for (const client of both) await suback(client, { [`/a1Workshop/${nameOf(client)}/user/get`]: 1 });
    await cloud.batchPub(
      new models.BatchPubRequest({
        productKey,
        deviceName,
        messageContent,
        topicShortName: 'user/get',
        qos: 1,
      }),
    );
    const [first, second] = await Promise.all(arrived);
    assert.deepEqual(first, [
      `${S}/thing/service/property/set`,
      `${S}/thing/service/slowly`,
      '/broadcast/a1Workshop/news',
      '/a1Workshop/lamp-1/user/get',
    ]);
    assert.equal(second?.length, 4);
  });

  it('publishes to the topics of a device, and refuses those of others', async () => {
    const client = await lamp();
    await suback(client, { '/a1Workshop/lamp-1/user/get': 1 });
    const arrived = new Promise<[string, string, number]>((resolve) => {
      client.on('message', (topic, payload, { qos }) => resolve([topic, payload.toString(), qos]));
    });
    const pub = async (topicFullName: string, messageContent = btoa('hello')) =>
      (
        await cloud.pub(
          new models.PubRequest({ productKey: LAMP.productKey, topicFullName, messageContent, qos: 1 }),
        )
      ).body;
    assert.equal((await pub('/a1Workshop/lamp-1/user/get'))?.success, true);
    assert.deepEqual(await arrived, ['/a1Workshop/lamp-1/user/get', 'hello', 1]);
    assert.equal((await pub('/a1Workshop/nobody/user/get'))?.success, false);
    assert.equal((await pub('/a1Workshop/lamp-1/user/+'))?.success, false);
    assert.equal((await pub('/a1Workshop/lamp-1/user/get', '###'))?.success, false);
  });

  it('keeps desired values with versions, pushes them to who is there, and refuses a version that is old', async () => {
    const want = async (items: object, versions?: object) =>
      (
        await cloud.setDeviceDesiredProperty(
          new models.SetDeviceDesiredPropertyRequest({
            ...LAMP,
            items: JSON.stringify(items),
            versions: JSON.stringify(versions ?? {}),
          }),
        )
      ).body;
    assert.equal((await want({ level: 5 }))?.data?.versions, '{"level":1}');
    assert.equal((await want({ level: 6 }, { level: 0 }))?.code, 'iot.thing.DesiredPropertyVersionConflict');
    const client = await lamp();
    const pushed = new Promise<unknown>((resolve) => {
      serve(client, ({ body }) => {
        resolve(body.params);
        return undefined;
      });
    });
    assert.equal((await want({ level: 6 }, { level: 1 }))?.data?.versions, '{"level":2}');
    assert.deepEqual(await pushed, { level: 6 });
    const { body } = await cloud.queryDeviceDesiredProperty(
      new models.QueryDeviceDesiredPropertyRequest({ ...LAMP, identifier: ['level', 'nothing'] }),
    );
    assert.deepEqual(
      body?.data?.list?.desiredPropertyInfo?.map(({ identifier, value, version }) => [
        identifier,
        value,
        version,
      ]),
      [['level', '6', 2]],
    );
  });

  it('makes, shows and deletes products', async () => {
    const { body } = await cloud.createProduct(
      new models.CreateProductRequest({ productName: 'Pumps of hall 3', nodeType: 0, dataFormat: 1 }),
    );
    const productKey = body?.data?.productKey ?? '';
    assert.equal(body?.success, true);
    const shown = await cloud.queryProduct(new models.QueryProductRequest({ productKey }));
    assert.equal(shown.body?.data?.productName, 'Pumps of hall 3');
    await cloud.registerDevice(new models.RegisterDeviceRequest({ productKey, deviceName: 'pump-1' }));
    const listed = await cloud.queryDevice(new models.QueryDeviceRequest({ productKey, pageSize: 10 }));
    assert.deepEqual(
      listed.body?.data?.deviceInfo?.map(({ deviceName }) => deviceName),
      ['pump-1'],
    );
    assert.equal(
      (await cloud.deleteProduct(new models.DeleteProductRequest({ productKey }))).body?.success,
      false,
    );
    await cloud.deleteDevice(new models.DeleteDeviceRequest({ productKey, deviceName: 'pump-1' }));
    assert.equal(
      (await cloud.deleteProduct(new models.DeleteProductRequest({ productKey }))).body?.success,
      true,
    );
  });
});

function nameOf(client: MqttClient): string {
  return String(client.options.username).split('&')[0] ?? '';
}
