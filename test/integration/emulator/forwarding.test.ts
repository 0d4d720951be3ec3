import assert from 'node:assert/strict';
import * as models from '@alicloud/iot20180120';
import type { MqttClient } from 'mqtt';
import { type Emulator, type PlatformMessage, startEmulator } from '../../../emulator';
import { cloudClient } from '../../support/cloud';
import {
  closed,
  LAMP_1,
  LAMP_2,
  lampClient,
  nextMessage,
  onlineLamp,
  PRODUCT,
  request,
  suback,
} from '../../support/emulator';

const { productKey, deviceName } = LAMP_1;
const S = `/sys/${productKey}/${deviceName}/thing`;
const NOW = Date.UTC(2026, 0, 1);

describe('emulator: messages to applications', () => {
  let emulator: Emulator;
  let lamp: MqttClient;

  beforeEach(async () => {
    emulator = await startEmulator({ clock: () => NOW, config: { products: [PRODUCT] } });
    lamp = await onlineLamp(emulator, LAMP_1, { parameters: { _ss: 1 } });
  });

  afterEach(async () => {
    await lamp.endAsync(true);
    await emulator.close();
  });

  const about = (part: string) => (message: PlatformMessage) => message.topic.includes(part);
  const bodies = (part: string) => emulator.messages.list(about(part)).map(({ json }) => json);
  const iotId = () => emulator.devices.get(LAMP_1)?.iotId;

  it('tells that a device came and went', async () => {
    await lamp.endAsync(true);
    const topic = `/as/mqtt/status/${productKey}/${deviceName}`;
    await emulator.messages.waitFor((message) => message.topic === topic && message.text.includes('offline'));
    const [online, offline] = bodies('/as/mqtt/status/') as Array<Record<string, unknown>>;
    assert.deepEqual(online, {
      status: 'online',
      iotId: iotId(),
      productKey,
      deviceName,
      time: '2026-01-01 08:00:00.000',
      utcTime: '2026-01-01T00:00:00.000Z',
      lastTime: '2026-01-01 08:00:00.000',
      utcLastTime: '2026-01-01T00:00:00.000Z',
      clientIp: '127.0.0.1',
    });
    assert.equal(offline?.status, 'offline');
  });

  it('tells stored values and leaves out what was dropped', async () => {
    await request(lamp, `${S}/event/property/post`, {
      temperature: { value: 20.5, time: NOW - 5 },
      light: 'on',
    });
    assert.deepEqual(bodies('/thing/event/property/post'), [
      {
        iotId: iotId(),
        productKey,
        deviceName,
        gmtCreate: NOW,
        deviceType: 'CustomCategory',
        items: { temperature: { value: 20.5, time: NOW - 5 } },
      },
    ]);
    await request(lamp, `${S}/event/property/post`, { light: 'on' });
    assert.equal(bodies('/thing/event/property/post').length, 1);
  });

  it('tells events, and no event that was refused', async () => {
    await request(lamp, `${S}/event/overheated/post`, { value: { temperature: 99.5 }, time: NOW });
    await request(lamp, `${S}/event/overheated/post`, { value: { temperature: 'hot' } });
    assert.deepEqual(bodies('/thing/event/overheated/post'), [
      {
        iotId: iotId(),
        productKey,
        deviceName,
        gmtCreate: NOW,
        identifier: 'overheated',
        name: 'Overheated',
        type: 'alert',
        value: { temperature: 99.5 },
        time: NOW,
      },
    ]);
  });

  it('tells each sample of a batch, and late data as history', async () => {
    await lamp.subscribeAsync(`${S}/event/property/batch/post_reply`);
    await request(lamp, `${S}/event/property/batch/post`, {
      properties: {
        temperature: [
          { value: 1.5, time: NOW - 2 },
          { value: 2.5, time: NOW - 1 },
        ],
        light: [{ value: 1, time: NOW }],
      },
    });
    const items = (bodies('/thing/event/property/post') as Array<{ items: unknown }>).map(
      (body) => body.items,
    );
    assert.deepEqual(items, [
      { temperature: { value: 1.5, time: NOW - 2 }, light: { value: 1, time: NOW } },
      { temperature: { value: 2.5, time: NOW - 1 } },
    ]);
    await request(lamp, `${S}/event/property/history/post`, [
      {
        identity: LAMP_1,
        properties: [{ light: { value: 0, time: NOW - 9 } }],
        events: [{ overheated: { value: { temperature: 80.5 }, time: NOW - 9 } }],
      },
    ]);
    assert.equal(bodies(`/${productKey}/${deviceName}/thing/event/property/history/post`).length, 1);
    assert.equal(bodies('/thing/event/overheated/history/post').length, 1);
  });

  it('tells the life of a device without its secret', async () => {
    const identity = { productKey, deviceName: 'lamp-3' };
    emulator.provisionDevice(identity);
    emulator.devices.setEnabled(identity, false);
    emulator.devices.setEnabled(identity, false);
    emulator.devices.setEnabled(identity, true);
    emulator.devices.delete(identity);
    const told = bodies('/lamp-3/thing/lifecycle') as Array<Record<string, unknown>>;
    assert.deepEqual(
      told.map(({ action }) => action),
      ['create', 'disable', 'enable', 'delete'],
    );
    assert.equal(told[0]?.deviceSecret, '');
  });

  it('passes messages on own topics as they are, to whoever lists, waits or listens', async () => {
    const heard: string[] = [];
    const end = emulator.messages.listen(({ topic }) => heard.push(topic));
    const topic = `/${productKey}/${deviceName}/user/update`;
    const payload = Buffer.from([0, 255, 1]);
    await lamp.publishAsync(topic, payload, { qos: 1 });
    const { bytes, seq } = await emulator.messages.waitFor(about('/user/update'));
    assert.deepEqual(Buffer.from(bytes), payload);
    assert.deepEqual(heard, [topic]);
    end();
    await lamp.publishAsync(`/${productKey}/${deviceName}/user/update/error`, 'x', { qos: 1 });
    assert.equal(heard.length, 1);
    const listed = await fetch(`${emulator.httpUrl}/emulator/messages?since=${seq}`);
    const entries = (await listed.json()) as Array<{ topic: string; payload: string }>;
    assert.deepEqual(
      entries.map((entry) => [entry.topic, entry.payload]),
      [[`/${productKey}/${deviceName}/user/update/error`, 'x']],
    );
    const filtered = await fetch(`${emulator.httpUrl}/emulator/messages?topic=/as/%23&format=text`);
    assert.match(await filtered.text(), /^\S+ \/as\/mqtt\/status\/\S+ \{"status":"online".*\}\n$/);
  });
});

describe('emulator: topic routes', () => {
  const APP = { productKey: 'a1App', deviceName: 'phone' };
  const TO_PHONE = '/a1App/phone/user/get';
  const TO_LAMP = `/${productKey}/${deviceName}/user/get`;
  let emulator: Emulator;
  let lamp: MqttClient;
  let phone: MqttClient;

  before(async () => {
    const app = {
      productKey: APP.productKey,
      devices: [{ deviceName: 'phone', deviceSecret: 'secret-of-phone' }],
      topics: [
        { topic: '/user/update', operation: 'publish' },
        { topic: '/user/#', operation: 'subscribe' },
      ],
    };
    emulator = await startEmulator({
      config: {
        products: [PRODUCT, app],
        routes: [
          { from: `/${productKey}/+/user/update`, to: TO_PHONE },
          { from: `/${productKey}/${deviceName}/user/#`, to: TO_PHONE },
          { from: '/a1App/phone/user/update', to: TO_LAMP },
          { from: `/as/mqtt/status/${productKey}/+`, to: '/a1App/phone/user/status/{deviceName}' },
          { from: `/${productKey}/+/thing/event/property/post`, to: '/a1App/phone/user/values' },
          { from: TO_PHONE, to: TO_LAMP },
        ],
      },
    });
    phone = await onlineLamp(emulator, APP, { clean: false });
    lamp = await onlineLamp(emulator, LAMP_1, { parameters: { _ss: 1 } });
    assert.deepEqual(await suback(lamp, { [TO_LAMP]: 1 }), [1]);
    assert.deepEqual(await suback(phone, { '/a1App/phone/user/#': 1 }), [1]);
  });

  after(async () => {
    await Promise.all([lamp.endAsync(true), phone.endAsync(true)]);
    await emulator.close();
  });

  it('lets two devices talk, each with its own triple, each message once', async () => {
    const since = emulator.exchanges.latest;
    const atPhone = nextMessage(phone);
    await lamp.publishAsync(`/${productKey}/${deviceName}/user/update`, 'hello phone', { qos: 1 });
    assert.deepEqual(await atPhone, { topic: TO_PHONE, text: 'hello phone', qos: 1 });
    const atLamp = nextMessage(lamp);
    await phone.publishAsync('/a1App/phone/user/update', 'hello lamp', { qos: 1 });
    assert.deepEqual(await atLamp, { topic: TO_LAMP, text: 'hello lamp', qos: 1 });
    // Two routes lead there, and what they bring is not routed again.
    const down = emulator.exchanges.list(({ kind, seq }) => kind === 'down' && seq > since);
    assert.deepEqual(
      down.map(({ topic }) => topic),
      [TO_PHONE, TO_LAMP],
    );
  });

  it("routes the platform's own messages", async () => {
    const values = nextMessage(phone);
    await request(lamp, `${S}/event/property/post`, { light: 1 });
    const { topic, text } = await values;
    assert.equal(topic, '/a1App/phone/user/values');
    assert.equal(JSON.parse(text).items.light.value, 1);
    const status = nextMessage(phone);
    const other = await onlineLamp(emulator, LAMP_2);
    assert.equal((await status).topic, '/a1App/phone/user/status/lamp-2');
    await other.endAsync(true);
  });

  it('takes routes by the API', async () => {
    const cloud = cloudClient(emulator);
    const srcTopic = `/${productKey}/${LAMP_2.deviceName}/user/update/error`;
    const dstTopic = ['/a1App/phone/user/errors', 'nowhere'];
    const created = await cloud.createTopicRouteTable(
      new models.CreateTopicRouteTableRequest({ srcTopic, dstTopic }),
    );
    assert.deepEqual([created.body?.isAllSucceed, created.body?.failureTopics?.topic], [false, ['nowhere']]);
    const { body } = await cloud.queryTopicRouteTable(
      new models.QueryTopicRouteTableRequest({ topic: srcTopic }),
    );
    assert.deepEqual(body?.dstTopics?.topic, [dstTopic[0]]);
    const reverse = await cloud.queryTopicReverseRouteTable(
      new models.QueryTopicReverseRouteTableRequest({ topic: dstTopic[0] ?? '' }),
    );
    assert.deepEqual(reverse.body?.srcTopics?.topic, [srcTopic]);
    const other = await onlineLamp(emulator, LAMP_2);
    const arrived = new Promise<string>((resolve) => {
      phone.on('message', (topic, payload) => {
        if (topic === dstTopic[0]) resolve(payload.toString());
      });
    });
    await other.publishAsync(srcTopic, 'broken', { qos: 1 });
    assert.equal(await arrived, 'broken');
    await other.endAsync(true);
    const deleted = await cloud.deleteTopicRouteTable(
      new models.DeleteTopicRouteTableRequest({ srcTopic, dstTopic: dstTopic.slice(0, 1) }),
    );
    assert.equal(deleted.body?.isAllSucceed, true);
    const none = await cloud.queryTopicRouteTable(
      new models.QueryTopicRouteTableRequest({ topic: srcTopic }),
    );
    assert.deepEqual(none.body?.dstTopics?.topic, []);
  });

  it('keeps messages for a device that is away', async () => {
    const gone = closed(phone);
    emulator.faults.kick(APP);
    await gone;
    await lamp.publishAsync(`/${productKey}/${deviceName}/user/update`, 'while away', { qos: 1 });
    await emulator.messages.waitFor(({ text }) => text === 'while away');
    phone = lampClient(emulator, APP, { clean: false });
    assert.equal((await nextMessage(phone)).text, 'while away');
    const sent = emulator.exchanges.list(({ kind, text }) => kind === 'down' && text === 'while away');
    assert.deepEqual(
      sent.map(({ topic, note }) => [topic, note]),
      [[TO_PHONE, 'queued']],
    );
  });
});
