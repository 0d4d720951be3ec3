import assert from 'node:assert/strict';
import type Iot from '@alicloud/iot20180120';
import * as models from '@alicloud/iot20180120';
import { afterEach, beforeEach, describe, it } from 'mocha';
import type { MqttClient } from 'mqtt';
import { type Emulator, startEmulator } from '../../../emulator';
import { cloudClient } from '../../support/cloud';
import { nextMessage, onlineLamp, suback } from '../../support/emulator';

const LAMP = { productKey: 'a1Workshop', deviceName: 'lamp-1' };
const OTHER = { productKey: 'a1Workshop', deviceName: 'lamp-2' };
const S = '/sys/a1Workshop/lamp-1';
const number = { type: 'int', specs: { min: '0', max: '1000' } };
const service = (identifier: string, callType: string) => ({
  identifier,
  name: identifier,
  callType,
  inputData: [{ identifier: 'number', name: 'Number', dataType: number }],
  outputData: [{ identifier: 'result', name: 'Result', required: true, dataType: number }],
});
const MODEL = {
  profile: { productKey: LAMP.productKey },
  properties: [{ identifier: 'level', name: 'Level', accessMode: 'rw', dataType: number }],
  events: [],
  services: [service('slowly', 'async'), service('quickly', 'sync')],
};
const devices = [LAMP, OTHER].map(({ deviceName }) => ({
  deviceName,
  deviceSecret: `secret-of-${deviceName}`,
}));

interface Message {
  topic: string;
  body: { id: string; params?: { number?: number } };
}

/** What goes wrong between the platform and a device; the calls come from the vendor's cloud SDK. */
describe('emulator: requests to devices that go wrong', () => {
  let emulator: Emulator;
  let cloud: Iot;
  let lines: string[];
  const clients: MqttClient[] = [];

  beforeEach(async () => {
    lines = [];
    emulator = await startEmulator({
      config: {
        products: [
          { productKey: LAMP.productKey, thingModel: MODEL, devices },
          { productKey: 'a1Free', devices },
        ],
        limits: { propertiesPerDevice: 12 },
      },
      log: (line) => lines.push(line),
    });
    cloud = cloudClient(emulator);
  });

  afterEach(async () => {
    await Promise.all(clients.splice(0).map((client) => client.endAsync(true)));
    await emulator.close();
  });

  async function lamp(identity = LAMP, parameters: Record<string, number> = { _ss: 1 }): Promise<MqttClient> {
    const client = await onlineLamp(emulator, identity, { parameters });
    clients.push(client);
    return client;
  }

  /** The given number of messages, in the order of their arrival. */
  function gather(client: MqttClient, count: number): Promise<Message[]> {
    return new Promise((resolve) => {
      const messages: Message[] = [];
      client.on('message', (topic, payload) => {
        messages.push({ topic, body: JSON.parse(payload.toString()) as Message['body'] });
        if (messages.length === count) resolve(messages);
      });
    });
  }

  const invoke = async (identifier: string, args: object) =>
    (
      await cloud.invokeThingService(
        new models.InvokeThingServiceRequest({ ...LAMP, identifier, args: JSON.stringify(args) }),
      )
    ).body;
  const set = async (items: object, identity = LAMP) =>
    (
      await cloud.setDeviceProperty(
        new models.SetDevicePropertyRequest({ ...identity, items: JSON.stringify(items) }),
      )
    ).body;
  const rrpc = async (more: object, identity = LAMP) =>
    (
      await cloud.rRpc(
        new models.RRpcRequest({ ...identity, requestBase64Byte: btoa('ping'), timeout: 1000, ...more }),
      )
    ).body;
  const responseTo = (topic: string) => topic.replace('/request/', '/response/');

  it('takes answers to 200 services in whatever order they come, both kinds at a time', async () => {
    const client = await lamp();
    const arrived = gather(client, 200);
    const told = new Map<string, unknown>();
    const allTold = new Promise<void>((resolve) => {
      emulator.messages.listen(({ topic, text }) => {
        if (!topic.endsWith('/thing/downlink/reply/message')) return;
        const { requestId, data } = JSON.parse(text) as { requestId: string; data: { result: number } };
        assert.equal(told.has(requestId), false, 'told twice');
        told.set(requestId, data.result);
        if (told.size === 100) resolve();
      });
    });
    const results = Promise.all(
      Array.from({ length: 200 }, async (_, value) => {
        const answer = await invoke(value % 2 === 0 ? 'slowly' : 'quickly', { number: value });
        assert.equal(answer?.success, true, answer?.errorMessage);
        return { value, id: answer?.data?.messageId ?? '', result: answer?.data?.result ?? '' };
      }),
    );
    const requests = await arrived;
    // Every 37th of 200: each once, none in its place.
    const shuffled = requests.map((_, i) => requests[(i * 37) % requests.length]);
    for (const request of shuffled) {
      if (request === undefined) continue;
      const { topic, body } = request;
      const answer = JSON.stringify({ id: body.id, code: 200, data: { result: body.params?.number } });
      const reply = topic.includes('/rrpc/') ? responseTo(topic) : `${topic}_reply`;
      client.publish(reply, answer);
      client.publish(reply, answer);
    }
    for (const { value, id, result } of await results) {
      if (value % 2 === 1) assert.deepEqual(JSON.parse(result), { result: value });
      else assert.equal(result, '', id);
    }
    await allTold;
    for (const { value, id } of await results) {
      if (value % 2 === 0) assert.equal(told.get(id), value);
    }
  });

  it('gives a late answer to nobody, least of all to the next caller', async () => {
    const client = await lamp();
    const first = nextMessage(client);
    const early = rrpc({});
    const { topic } = await first;
    assert.equal((await early)?.rrpcCode, 'TIMEOUT');
    const since = emulator.exchanges.latest;
    client.publish(responseTo(topic), 'late');
    await emulator.exchanges.waitFor(({ kind }) => kind === 'up', { since });
    assert.ok(lines.some((line) => line.includes(`nobody waits for the answer on ${responseTo(topic)}`)));
    client.on('message', (on) => client.publish(responseTo(on), 'in time'));
    const second = await rrpc({});
    assert.deepEqual([second?.rrpcCode, atob(second?.payloadBase64Byte ?? '')], ['SUCCESS', 'in time']);
    assert.equal(typeof second?.messageId, 'number');
  });

  it('says nothing about a request that was lost or held up on its way', async () => {
    const client = await lamp();
    const operation = 'thing.service.property.set';
    const since = emulator.messages.latest;
    const match = { direction: 'down', operation } as const;
    emulator.faults.add({ action: 'drop', times: 1, match });
    await set({ level: 1 });
    emulator.faults.add({ action: 'delay', ms: 20, times: 1, match });
    const arrived = nextMessage(client);
    const { data } = (await set({ level: 2 })) ?? {};
    const { id } = JSON.parse((await arrived).text) as { id: string };
    assert.equal(id, data?.messageId);
    client.publish(`${S}/thing/service/property/set_reply`, JSON.stringify({ id, code: 200, data: {} }));
    const told = await emulator.messages.waitFor(({ topic }) => topic.includes('downlink'), { since });
    const { requestId, code } = JSON.parse(told.text) as { requestId: string; code: number };
    // The first message is that of the second request: nothing was said of the lost one.
    assert.deepEqual([requestId, code], [id, 200]);
  });

  it('lets nobody wait for a device that is deleted meanwhile', async () => {
    const client = await lamp();
    const arrived = nextMessage(client);
    const started = performance.now();
    const answer = rrpc({ timeout: 8000 });
    await arrived;
    emulator.devices.delete(LAMP);
    assert.equal((await answer)?.rrpcCode, 'TIMEOUT');
    assert.ok(performance.now() - started < 4000);
  });

  it('takes an answer of one device for no request to another', async () => {
    const [client, stranger] = [await lamp(), await lamp(OTHER)];
    client.on('message', (topic, payload) => {
      const { id } = JSON.parse(payload.toString()) as { id: string };
      stranger.publish(`${topic}_reply`, JSON.stringify({ id, code: 200, data: { result: 666 } }), () => {
        stranger.publish(
          `${S.replace('lamp-1', 'lamp-2')}/thing/service/slowly_reply`,
          `{"id":"${id}","code":200}`,
          () => client.publish(`${topic}_reply`, JSON.stringify({ id, code: 200, data: { result: 1 } })),
        );
      });
    });
    const since = emulator.messages.latest;
    await invoke('slowly', { number: 1 });
    const told = await emulator.messages.waitFor(({ topic }) => topic.includes('downlink'), { since });
    const { deviceName, data } = JSON.parse(told.text) as { deviceName: string; data: unknown };
    assert.deepEqual([deviceName, data], ['lamp-1', { result: 1 }]);
  });

  it('notes output that breaks the thing model, and hands it on', async () => {
    const client = await lamp();
    const outputs: unknown[] = [{ result: 'many' }, {}, 'done', [1]];
    client.on('message', (topic, payload) => {
      const { id } = JSON.parse(payload.toString()) as { id: string };
      client.publish(responseTo(topic), JSON.stringify({ id, code: 200, data: outputs.shift() }));
    });
    for (const expected of [...outputs]) {
      lines.length = 0;
      const answer = await invoke('quickly', { number: 1 });
      assert.equal(answer?.success, true, answer?.errorMessage);
      assert.deepEqual(JSON.parse(answer?.data?.result ?? ''), expected);
      assert.equal(lines.filter((line) => line.includes('output of quickly: result')).length, 1);
    }
  });

  it('broadcasts to all of a product that are online, subscribed or not', async () => {
    const arrived = [await lamp(LAMP, {}), await lamp(OTHER, {})].map(nextMessage);
    const { productKey } = LAMP;
    const broadcast = async (more: object) =>
      (
        await cloud.pubBroadcast(
          new models.PubBroadcastRequest({ productKey, messageContent: btoa('all'), ...more }),
        )
      ).body;
    const answer = await broadcast({});
    const messages = await Promise.all(arrived);
    assert.deepEqual(
      messages.map(({ topic, text }) => [topic, text]),
      ['lamp-1', 'lamp-2'].map((name) => [
        `/sys/a1Workshop/${name}/broadcast/request/${answer?.messageId}`,
        'all',
      ]),
    );
    const refusals: Array<[object, string]> = [
      [{ topicFullName: '/broadcast/a1Other/news' }, 'iot.messagebroker.InvalidFormattedTopicName'],
      [{ topicFullName: '/broadcast/a1Workshop/+' }, 'iot.messagebroker.InvalidFormattedTopicName'],
      [{ messageContent: '' }, 'MissingMessageContent'],
      [{ messageContent: '?' }, 'iot.messagebroker.MessageContentIsNotBase64Encode'],
      [{ messageContent: 'A'.repeat(90_000) }, 'iot.common.InvalidFormattedParameter'],
      [{ productKey: 'a1None' }, 'iot.prod.NotExistedProduct'],
    ];
    for (const [parameters, code] of refusals) assert.equal((await broadcast(parameters))?.code, code);
  });

  it('sends payloads as large as MQTT takes, whether the SDK puts them into the query or the body', async () => {
    const client = await lamp(LAMP, { _ss: 1, ext: 1 });
    const [topicFullName, topic] = ['/a1Workshop/lamp-1/user/get', '/a1Workshop/lamp-1/user/ask'];
    await suback(client, { [topicFullName]: 1, [`/ext/rrpc/+${topic}`]: 0 });
    client.on('message', (on, payload) => {
      if (on.startsWith('/ext/')) client.publish(on, String(payload.length));
    });
    const largest = Buffer.alloc(256 * 1024, 251).toString('base64');
    const arrived = nextMessage(client);
    const pub = async (messageContent: string) =>
      (
        await cloud.pub(
          new models.PubRequest({ productKey: LAMP.productKey, topicFullName, messageContent, qos: 1 }),
        )
      ).body;
    assert.equal((await pub(largest))?.success, true);
    assert.equal((await arrived).topic, topicFullName);
    assert.equal((await pub(`AAAA${largest}`))?.code, 'iot.common.InvalidFormattedParameter');
    const answer = await rrpc({ topic, requestBase64Byte: largest, timeout: 5000 });
    assert.deepEqual([answer?.rrpcCode, atob(answer?.payloadBase64Byte ?? '')], ['SUCCESS', '262144']);
  });

  it('asks on the own topics of a device only', async () => {
    const client = await lamp(LAMP, { ext: 1 });
    await suback(client, { '/ext/rrpc/#': 0 });
    const since = emulator.exchanges.latest;
    for (const topic of [
      'user/ask',
      '/a1Workshop/lamp-2/user/ask',
      '/a1Workshop/lamp-1/+',
      '/a1Workshop/lamp-1/#',
    ]) {
      assert.equal((await rrpc({ topic }))?.code, 'iot.messagebroker.InvalidFormattedTopicName', topic);
    }
    assert.equal((await rrpc({ timeout: 8001 }))?.code, 'iot.messagebroker.InvalidTimeoutValue');
    assert.equal((await rrpc({ timeout: '' }))?.code, 'MissingTimeout');
    assert.equal((await rrpc({ deviceName: 'nobody' }))?.code, 'iot.device.NotExistedDevice');
    assert.deepEqual(
      emulator.exchanges.list(({ kind, seq }) => kind === 'down' && seq > since),
      [],
    );
  });

  it('refuses devices that are disabled, unknown or were never there', async () => {
    const many = async (deviceName: string[], productKey = LAMP.productKey) =>
      (
        await cloud.setDevicesProperty(
          new models.SetDevicesPropertyRequest({ productKey, deviceName, items: '{"level":1}' }),
        )
      ).body?.code;
    assert.equal((await set({ level: 1 }))?.code, 'iot.device.InactiveDevice');
    await lamp();
    emulator.devices.setEnabled(LAMP, false);
    assert.equal((await set({ level: 1 }))?.code, 'iot.device.Disabled');
    assert.equal(await many(['lamp-1']), 'iot.device.Disabled');
    assert.equal(await many(['lamp-2']), 'iot.device.InactiveDevice');
    assert.equal(await many(['nobody']), 'iot.device.NotExistedDevice');
    assert.equal(await many([]), 'MissingDeviceName');
    assert.equal(await many(['lamp-1'], 'a1None'), 'iot.prod.NotExistedProduct');
  });

  it('bounds what is set and wanted, without a thing model too', async () => {
    const free = { productKey: 'a1Free', deviceName: 'lamp-1' };
    const client = await onlineLamp(emulator, free, { parameters: { _ss: 1 } });
    clients.push(client);
    const named = (count: number, first = 0) =>
      Object.fromEntries(Array.from({ length: count }, (_, i) => [`p${first + i}`, 1]));
    const want = async (items: object) =>
      (
        await cloud.setDeviceDesiredProperty(
          new models.SetDeviceDesiredPropertyRequest({
            ...free,
            items: JSON.stringify(items),
            versions: '{}',
          }),
        )
      ).body;
    const tooMany = 'iot.device.TooManyDevicePropertiesPerTime';
    assert.equal((await set(named(201), free))?.code, tooMany);
    assert.equal((await set(named(200), free))?.success, true);
    assert.equal((await want(named(11)))?.code, tooMany);
    assert.equal((await want(named(10)))?.success, true);
    assert.equal((await want(named(3, 10)))?.code, tooMany);
    assert.equal((await want(named(10)))?.success, true);
    // Names of what every object has are names like others.
    assert.equal(
      (await want({ constructor: 1, toString: 2 }))?.data?.versions,
      '{"constructor":1,"toString":1}',
    );
  });
});
