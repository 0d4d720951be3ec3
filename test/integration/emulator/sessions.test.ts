import assert from 'node:assert/strict';
import type { MqttClient } from 'mqtt';
import { type Emulator, startEmulator } from '../../../emulator';
import {
  closed,
  connack,
  LAMP_1,
  LAMP_2,
  lampClient,
  nextMessage,
  onlineLamp,
  PRODUCT,
  request,
  suback,
} from '../../support/emulator';

const OWN = `/${LAMP_1.productKey}/${LAMP_1.deviceName}`;
const OTHER = `/${LAMP_2.productKey}/${LAMP_2.deviceName}`;
const GET = `${OWN}/user/get`;

describe('emulator: sessions and topics', () => {
  let emulator: Emulator;
  let now = 0;
  const clients: MqttClient[] = [];

  const lamp = async (
    ...args: Parameters<typeof onlineLamp> extends [unknown, ...infer Rest] ? Rest : never
  ) => {
    const client = await onlineLamp(emulator, ...args);
    clients.push(client);
    return client;
  };

  beforeEach(async () => {
    now = Date.UTC(2026, 0, 1);
    emulator = await startEmulator({
      clock: () => now,
      config: { products: [PRODUCT] },
      limits: { sessionQueue: 3 },
    });
  });

  afterEach(async () => {
    for (const client of clients.splice(0)) await client.endAsync(true);
    await emulator.close();
  });

  /** A lamp that has not got CONNACK yet: what waits for it comes right behind. */
  const connectingLamp = (settings: Parameters<typeof lampClient>[2]) => {
    const client = lampClient(emulator, LAMP_1, settings);
    clients.push(client);
    return client;
  };

  /** Everything that arrives until a message with this text. */
  const upTo = (client: MqttClient, last: string) =>
    new Promise<string[]>((resolve) => {
      const texts: string[] = [];
      client.on('message', (_topic, payload) => {
        texts.push(payload.toString());
        if (texts.at(-1) === last) resolve(texts);
      });
    });

  it('keeps the newest QoS 1 messages for a session that is not clean, for seven days', async () => {
    const first = await lamp(LAMP_1, { clean: false, signedClientId: 'first' });
    await first.subscribeAsync(GET, { qos: 1 });
    await first.endAsync();
    await emulator.exchanges.waitFor(({ kind }) => kind === 'disconnect');
    assert.equal(emulator.publishToDevice(LAMP_1, GET, 'too old', 1), 'queued');
    now += 7 * 24 * 3_600_000;
    assert.equal(emulator.publishToDevice(LAMP_1, GET, 'b', 1), 'queued');
    assert.equal(emulator.publishToDevice(LAMP_1, GET, 'lost', 0), 'offline');
    const second = connectingLamp({ clean: false, signedClientId: 'second' });
    const texts = upTo(second, 'end');
    assert.equal(await connack(second), 0);
    emulator.publishToDevice(LAMP_1, GET, 'end', 1);
    assert.deepEqual(await texts, ['b', 'end']);

    await second.endAsync();
    await emulator.exchanges.waitFor(({ kind }) => kind === 'disconnect', {
      since: emulator.exchanges.latest - 3,
    });
    for (const text of ['1', '2', '3', '4', '5']) emulator.publishToDevice(LAMP_1, GET, text, 1);
    assert.equal(emulator.devices.get(LAMP_1)?.waiting, 3);
    assert.deepEqual(await upTo(connectingLamp({ clean: false }), '5'), ['3', '4', '5']);
  });

  it('keeps nothing for a clean session', async () => {
    const first = await lamp(LAMP_1, { clean: true });
    await first.subscribeAsync(GET, { qos: 1 });
    await first.endAsync();
    await emulator.exchanges.waitFor(({ kind }) => kind === 'disconnect');
    assert.equal(emulator.publishToDevice(LAMP_1, GET, 'a', 1), 'notSubscribed');
    const second = await lamp(LAMP_1, { clean: false });
    assert.equal(emulator.publishToDevice(LAMP_1, GET, 'b', 1), 'notSubscribed');
    await second.endAsync();
  });

  it('sends again what was not acknowledged, marked as duplicate', async () => {
    const deaf = await lamp(LAMP_1, { clean: false });
    await deaf.subscribeAsync(GET, { qos: 1 });
    deaf.handleMessage = () => undefined;
    emulator.publishToDevice(LAMP_1, GET, 'once more', 1);
    const gone = closed(deaf);
    deaf.stream.destroy();
    await gone;
    await emulator.exchanges.waitFor(({ kind }) => kind === 'disconnect');
    const client = connectingLamp({ clean: false });
    const duplicate = await new Promise<boolean>((resolve) =>
      client.once('message', (_topic, _payload, packet) => resolve(packet.dup)),
    );
    assert.equal(duplicate, true);
  });

  it('serves the system topics without SUBSCRIBE when _ss=1, and each message once', async () => {
    const topic = `/sys${OWN}/thing/event/property/post`;
    const served = await lamp(LAMP_1, { parameters: { _ss: 1 } });
    const texts = upTo(served, 'end');
    await request(served, topic, { temperature: 20.5 });
    await served.subscribeAsync([`${topic}_reply`, `/sys${OWN}/thing/event/+/post_reply`, `${GET}`], {
      qos: 1,
    });
    await request(served, topic, { temperature: 20.5 });
    emulator.publishToDevice(LAMP_1, GET, 'end', 1);
    assert.equal((await texts).length, 3);

    const plain = await lamp(LAMP_2);
    const since = emulator.exchanges.latest;
    plain.publish(`/sys${OTHER}/thing/event/property/post`, '{"id":"1","params":{"temperature":1.5}}');
    const { note } = await emulator.exchanges.waitFor(({ kind }) => kind === 'down', { since });
    assert.equal(note, 'notSubscribed');
  });

  it('refuses single subscriptions with 0x80 and grants the rest', async () => {
    const client = await lamp();
    const wanted: Array<[string, 0 | 1 | 2, number]> = [
      [`/sys${OWN}/thing/#`, 1, 1],
      [`/sys${OWN}/rrpc/request/+`, 0, 0],
      [`/sys/${LAMP_1.productKey}/+/thing/#`, 1, 128],
      [`/sys${OTHER}/thing/event/property/post_reply`, 1, 128],
      [`/sys/${LAMP_1.productKey}/lamp-10/thing/#`, 1, 128],
      ['#', 1, 128],
      ['/+/+/user/get', 1, 128],
      [GET, 2, 128],
      [`${OWN}/user/get`, 1, 1],
      [`${OWN}/user/update`, 1, 128],
      [`${OWN}/user/+`, 1, 128],
      [`${OTHER}/user/get`, 1, 128],
      [`/shadow/get${OWN}`, 1, 1],
      [`/shadow/get${OTHER}`, 1, 128],
      [`/ota/device/upgrade${OWN}`, 1, 1],
      [`/ext/ntp${OWN}/response`, 0, 0],
      ['/ext/rrpc/+/anything', 0, 0],
      [`/broadcast/${LAMP_1.productKey}/news`, 1, 1],
      ['/broadcast/other/news', 1, 128],
      ['$SYS/#', 1, 128],
    ];
    for (const [topic, qos, expected] of wanted) {
      const [granted] = await suback(client, { [topic]: qos });
      assert.equal(granted, expected, topic);
    }
    assert.deepEqual(await suback(client, { [GET]: 1, '#': 1 }), [1, 128]);
  });

  it('drops what a device may not publish, and keeps the connection', async () => {
    const client = await lamp(LAMP_1, { parameters: { _ss: 1 } });
    const other = await lamp(LAMP_2, { parameters: { _ss: 1 } });
    await other.subscribeAsync([`${OTHER}/user/get`, `/sys${OTHER}/#`], { qos: 1 });
    const strange: string[] = [];
    other.on('message', (topic) => strange.push(topic));
    for (const topic of [
      GET,
      `${OTHER}/user/get`,
      `/sys${OTHER}/thing/event/property/post`,
      `/sys${OTHER}/thing/service/property/set`,
      `/sys${OWN}/thing/no/such/operation`,
      'somewhere',
    ]) {
      const since = emulator.exchanges.latest;
      await client.publishAsync(topic, '{"id":"1","params":{"temperature":1.5}}', { qos: 1 });
      const { note } = await emulator.exchanges.waitFor(({ kind }) => kind === 'up', { since });
      assert.match(note ?? '', /^dropped: /, topic);
    }
    await client.publishAsync(`${OWN}/user/update`, 'kept', { qos: 1, retain: true });
    await emulator.exchanges.waitFor(({ note }) => note === 'dropped: retain is not supported');
    assert.equal(client.connected, true);
    // A round trip of the other one: had anything been sent to it, it would have come before.
    await request(other, `/sys${OTHER}/thing/event/property/post`, { temperature: 1.5 });
    assert.deepEqual(strange, [`/sys${OTHER}/thing/event/property/post_reply`]);
    assert.deepEqual(emulator.devices.get(LAMP_2)?.history('temperature').length, 1);
  });

  it('closes the connection on QoS 2', async () => {
    const client = await lamp();
    const gone = closed(client);
    client.publish(`${OWN}/user/update`, 'x', { qos: 2 });
    await gone;
    assert.match((await emulator.exchanges.waitFor(({ kind }) => kind === 'disconnect')).note ?? '', /QoS 2/);
  });

  it('forgets a subscription on UNSUBSCRIBE', async () => {
    const client = await lamp();
    await client.subscribeAsync(GET, { qos: 1 });
    const arrived = nextMessage(client);
    assert.equal(emulator.publishToDevice(LAMP_1, GET, 'a', 0), 'sent');
    assert.equal((await arrived).qos, 0);
    await client.unsubscribeAsync(GET);
    assert.equal(emulator.publishToDevice(LAMP_1, GET, 'b', 1), 'notSubscribed');
  });

  it('drops a payload that is too large, and the connection on a packet without end', async () => {
    const client = await lamp();
    const since = emulator.exchanges.latest;
    await client.publishAsync(`${OWN}/user/update`, Buffer.alloc(256 * 1024), { qos: 1 });
    assert.equal((await emulator.exchanges.waitFor(({ kind }) => kind === 'up', { since })).note, undefined);
    await client.publishAsync(`${OWN}/user/update`, Buffer.alloc(256 * 1024 + 1), { qos: 1 });
    const { note } = await emulator.exchanges.waitFor(({ kind }) => kind === 'up', { since: since + 1 });
    assert.match(note ?? '', /too large/);
    const gone = closed(client);
    client.publish(`${OWN}/user/update`, Buffer.alloc(1024 * 1024), { qos: 1 });
    await gone;
  });
});
