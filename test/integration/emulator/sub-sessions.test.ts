import assert from 'node:assert/strict';
import type { MqttClient } from 'mqtt';
import { type Emulator, type EmulatorOptions, startEmulator } from '../../../emulator';
import {
  closed,
  LAMP_1,
  LAMP_2,
  nextMessage,
  onlineLamp,
  PRODUCT,
  request,
  suback,
} from '../../support/emulator';
import {
  batchLogin,
  batchLogout,
  combine,
  GATE_1,
  GATE_2,
  GATEWAYS,
  leave,
  login,
  loginOf,
  logout,
  messageOn,
  onlineGateway,
  stand,
} from '../../support/gateway';

const POST = `/sys/${LAMP_1.productKey}/${LAMP_1.deviceName}/thing/event/property/post`;
const GET = `/${LAMP_1.productKey}/${LAMP_1.deviceName}/user/get`;
const ERRORS = `/ext/error/${GATE_1.productKey}/${GATE_1.deviceName}`;

describe('sessions of sub-devices', () => {
  let emulator: Emulator;
  let gate: MqttClient;
  const clients: MqttClient[] = [];

  async function start(options: EmulatorOptions = {}) {
    const { config = {}, ...rest } = options;
    const products = [PRODUCT, GATEWAYS];
    emulator = await startEmulator({ config: { products, ...(config as object) }, ...rest });
    stand(emulator, GATE_1, [LAMP_1, LAMP_2]);
    gate = await gateway();
  }

  async function gateway(identity = GATE_1): Promise<MqttClient> {
    const client = await onlineGateway(emulator, identity);
    clients.push(client);
    return client;
  }

  beforeEach(() => start());

  afterEach(async () => {
    for (const client of clients.splice(0)) client.end(true);
    await emulator.close();
  });

  it('logs in and out, and tells who and applications', async () => {
    const answer = await login(gate, GATE_1, loginOf(LAMP_1));
    assert.deepEqual([answer.code, answer.data], [200, { ...LAMP_1 }]);
    const view = emulator.devices.get(LAMP_1);
    assert.deepEqual([view?.status, view?.gateway, view?.connectedAs], ['ONLINE', GATE_1, GATE_1]);
    const status = `/as/mqtt/status/${LAMP_1.productKey}/${LAMP_1.deviceName}`;
    const states = () =>
      emulator.messages
        .list(({ topic }) => topic === status)
        .map(({ json }) => (json as { status: string }).status);
    assert.deepEqual(states(), ['online']);

    const out = await logout(gate, GATE_1, { ...LAMP_1 });
    assert.deepEqual([out.code, out.data], [200, { ...LAMP_1 }]);
    assert.equal(emulator.devices.get(LAMP_1)?.status, 'OFFLINE');
    assert.deepEqual(states(), ['online', 'offline']);
    assert.equal((await logout(gate, GATE_1, { ...LAMP_1 })).code, 520);
  });

  it('stores reports of the sub-device and calls it, as if it had connected itself', async () => {
    await login(gate, GATE_1, loginOf(LAMP_1));
    assert.equal((await request(gate, POST, { temperature: 21.5 })).code, 200);
    assert.equal(emulator.devices.get(LAMP_1)?.properties.temperature?.value, 21.5);
    const up = emulator.exchanges.list(({ operation }) => operation === 'thing.event.property.post');
    assert.deepEqual(up[0]?.identity, LAMP_1);
    const set = messageOn(gate, POST.replace('event/property/post', 'service/property/set'));
    const topic = POST.replace('event/property/post', 'service/property/set');
    assert.equal(emulator.publishToDevice(LAMP_1, topic, '{"id":"1"}', 1), 'sent');
    assert.equal(await set, '{"id":"1"}');
  });

  it('refuses with the code of the reason', async () => {
    const wrong = { ...loginOf(LAMP_1), sign: 'ab'.repeat(32) };
    const cases: Array<[number, unknown]> = [
      [6287, wrong],
      [6287, { ...loginOf(LAMP_1), signMethod: 'Sha256' }],
      [6287, { ...loginOf(LAMP_1), timestamp: '1' }],
      [6100, loginOf({ ...LAMP_1, deviceName: 'nobody' })],
      [6401, loginOf(GATE_2)],
      [6401, loginOf(GATE_1)],
      [460, {}],
      [460, []],
      [460, 'text'],
      [460, [loginOf(LAMP_1), loginOf(LAMP_2)]],
      [460, { ...loginOf(LAMP_1), sign: 7 }],
      [460, { ...loginOf(LAMP_1), productKey: 'a/b' }],
      [460, { ...loginOf(LAMP_1), deviceName: undefined }],
      [460, { ...loginOf(LAMP_1), cleanSession: 'perhaps' }],
      [460, { ...loginOf(LAMP_1), clientId: 'x'.repeat(1000) }],
      [460, { ...loginOf(LAMP_1), clientId: ['x'] }],
    ];
    for (const [code, params] of cases) {
      const answer = await login(gate, GATE_1, params);
      assert.equal(answer.code, code, JSON.stringify(params).slice(0, 200));
    }
    emulator.devices.setEnabled(LAMP_1, false);
    assert.equal((await login(gate, GATE_1, loginOf(LAMP_1))).code, 522);
    emulator.devices.delete(LAMP_1);
    assert.equal((await login(gate, GATE_1, loginOf(LAMP_1))).code, 521);
    assert.deepEqual([...new Set([LAMP_2].map((lamp) => emulator.devices.get(lamp)?.status))], ['UNACTIVE']);
  });

  it('takes every form that sources show', async () => {
    const { signMethod: _, ...bare } = loginOf(LAMP_1, { signMethod: 'hmacsha1' });
    const { signMethod: __, ...md5 } = loginOf(LAMP_1, { signMethod: 'hmacmd5' });
    const plain = `${LAMP_1.productKey}.${LAMP_1.deviceName}`;
    const accepted: unknown[] = [
      { ...bare, signmethod: 'HmacSHA1' },
      { ...bare, signMethod: 'hmacSha1', sign: bare.sign?.toUpperCase() },
      md5,
      loginOf(LAMP_1, { clientId: `${plain}|_ss=1,lan=C|`, signed: plain }),
    ];
    for (const params of accepted) {
      assert.equal((await login(gate, GATE_1, params)).code, 200, JSON.stringify(params));
    }
    // The limit of 5 a minute is near; a fresh sub-device for the rest.
    const lists: unknown[] = [
      { deviceList: [{ ...loginOf(LAMP_2), signMethod: undefined }], signMethod: 'hmacsha256' },
      [loginOf(LAMP_2)],
      JSON.stringify({ deviceList: [loginOf(LAMP_2)] }),
    ];
    for (const params of lists) {
      const answer = await batchLogin(gate, GATE_1, params);
      assert.deepEqual([answer.code, answer.data], [200, [{ ...LAMP_2 }]], JSON.stringify(params));
    }
    const number = loginOf(LAMP_2, { timestamp: '1700000000001' });
    assert.equal((await login(gate, GATE_1, { ...number, timestamp: 1700000000001 })).code, 200);
    assert.equal((await batchLogout(gate, GATE_1, { deviceList: [LAMP_1] })).code, 200);
    assert.equal((await batchLogout(gate, GATE_1, [LAMP_2])).code, 200);
  });

  it('logs in a batch as a whole or not at all', async () => {
    const bad = { ...loginOf(LAMP_2), sign: '00' };
    const refused = await batchLogin(gate, GATE_1, { deviceList: [loginOf(LAMP_1), bad] });
    assert.deepEqual([refused.code, refused.data], [6287, [LAMP_2]]);
    assert.equal(emulator.devices.get(LAMP_1)?.connectedAs, undefined);
    const twice = { deviceList: [loginOf(LAMP_1), loginOf(LAMP_1)] };
    assert.equal((await batchLogin(gate, GATE_1, twice)).code, 460);
    const flood = Array.from({ length: 4000 }, () => ({ ...LAMP_1 }));
    assert.equal((await batchLogin(gate, GATE_1, { deviceList: flood })).code, 460);
    const both = { deviceList: [loginOf(LAMP_1), loginOf(LAMP_2)] };
    assert.equal((await batchLogin(gate, GATE_1, both)).code, 200);
    const strange = await batchLogout(gate, GATE_1, [LAMP_1, GATE_2]);
    assert.deepEqual([strange.code, strange.data], [520, [GATE_2]]);
    assert.equal(emulator.devices.get(LAMP_1)?.connectedAs?.deviceName, GATE_1.deviceName);
  });

  it('lets the gateway speak for a sub-device only while it is logged in', async () => {
    assert.deepEqual(await suback(gate, { [GET]: 1, [`/sys/${GET.slice(1)}/#`]: 1 }), [128, 128]);
    const told = messageOn(gate, ERRORS);
    await gate.publishAsync(POST, '{"id":"77","params":{"temperature":1.5}}', { qos: 1 });
    assert.deepEqual(JSON.parse(await told), {
      id: '77',
      code: 520,
      message: JSON.parse(await told).message,
      data: { ...LAMP_1 },
    });
    assert.equal(emulator.devices.get(LAMP_1)?.properties.temperature, undefined);

    await login(gate, GATE_1, loginOf(LAMP_1));
    assert.deepEqual(await suback(gate, { [GET]: 1 }), [1]);
    assert.equal((await request(gate, POST, { temperature: 1.5 })).code, 200);
    const arrived = nextMessage(gate);
    assert.equal(emulator.publishToDevice(LAMP_1, GET, 'a', 1), 'sent');
    assert.deepEqual(await arrived, { topic: GET, text: 'a', qos: 1 });

    await logout(gate, GATE_1, LAMP_1);
    const again = messageOn(gate, ERRORS);
    // The route that was remembered went with the session.
    await gate.publishAsync(POST, '{"id":78,"params":{"temperature":2.5}}', { qos: 0 });
    assert.equal(JSON.parse(await again).id, 78);
    assert.equal(emulator.devices.get(LAMP_1)?.properties.temperature?.value, 1.5);
    assert.equal(emulator.publishToDevice(LAMP_1, GET, 'b', 1), 'notSubscribed');
  });

  it('pushes without SUBSCRIBE only to logins that ask for it', async () => {
    const topic = POST.replace('event/property/post', 'service/property/set');
    await login(gate, GATE_1, loginOf(LAMP_1, { parameters: {} }));
    assert.equal(emulator.publishToDevice(LAMP_1, topic, 'x'), 'notSubscribed');
    assert.deepEqual(await suback(gate, { [topic]: 1 }), [1]);
    assert.equal(emulator.publishToDevice(LAMP_1, topic, 'x'), 'sent');
    await gate.unsubscribeAsync(topic);
    assert.equal(emulator.publishToDevice(LAMP_1, topic, 'x'), 'notSubscribed');
  });

  it('ends with the connection of the gateway', async () => {
    await batchLogin(gate, GATE_1, { deviceList: [loginOf(LAMP_1), loginOf(LAMP_2)] });
    const since = emulator.messages.latest;
    await gate.endAsync();
    const gone = (name: string) =>
      emulator.messages.waitFor(
        ({ topic, text }) => topic.endsWith(`/${name}`) && text.includes('"status":"offline"'),
        { since },
      );
    await Promise.all([gone('lamp-1'), gone('lamp-2'), gone('gate-1')]);
    assert.deepEqual(
      [LAMP_1, LAMP_2].map((lamp) => emulator.devices.get(lamp)?.status),
      ['OFFLINE', 'OFFLINE'],
    );
    gate = await gateway();
    assert.equal((await logout(gate, GATE_1, LAMP_1)).code, 520);
  });

  it('ends when the gateway connects a second time, although its first connection never closed', async () => {
    await login(gate, GATE_1, loginOf(LAMP_1));
    const gone = closed(gate);
    const second = await gateway();
    await gone;
    assert.equal(emulator.devices.get(LAMP_1)?.connectedAs, undefined);
    assert.equal(emulator.devices.get(GATE_1)?.status, 'ONLINE');
    assert.equal((await login(second, GATE_1, loginOf(LAMP_1))).code, 200);
    assert.equal(emulator.devices.get(LAMP_1)?.status, 'ONLINE');
  });

  it('keeps QoS 1 messages of a session that is not clean, and sends unacknowledged ones again', async () => {
    await login(gate, GATE_1, loginOf(LAMP_1, { cleanSession: 'false' }));
    await gate.subscribeAsync(GET, { qos: 1 });
    await logout(gate, GATE_1, LAMP_1);
    assert.equal(emulator.publishToDevice(LAMP_1, GET, 'kept', 1), 'queued');
    assert.equal(emulator.publishToDevice(LAMP_1, GET, 'lost', 0), 'offline');
    assert.equal(emulator.devices.get(LAMP_1)?.waiting, 1);
    const topics: string[] = [];
    gate.on('message', (topic) => topics.push(topic));
    const arrived = messageOn(gate, GET);
    await login(gate, GATE_1, loginOf(LAMP_1, { cleanSession: 'false' }));
    assert.equal(await arrived, 'kept');
    assert.deepEqual(topics, [combine(GATE_1, 'login_reply'), GET]);
    await logout(gate, GATE_1, LAMP_1);
    await login(gate, GATE_1, loginOf(LAMP_1));
    assert.equal(emulator.publishToDevice(LAMP_1, GET, 'x', 1), 'notSubscribed');
  });

  it('a login that does not say whether it is clean is not', async () => {
    const { cleanSession: _, ...silent } = loginOf(LAMP_1);
    await login(gate, GATE_1, silent);
    await gate.subscribeAsync(GET, { qos: 1 });
    await logout(gate, GATE_1, LAMP_1);
    await login(gate, GATE_1, silent);
    assert.equal(emulator.publishToDevice(LAMP_1, GET, 'still heard', 1), 'sent');
  });
});

describe('sessions of sub-devices that end from above', () => {
  let emulator: Emulator;
  let gate: MqttClient;
  const clients: MqttClient[] = [];

  async function start(options: EmulatorOptions = {}) {
    emulator = await startEmulator({ config: { products: [PRODUCT, GATEWAYS] }, ...options });
    stand(emulator, GATE_1, [LAMP_1, LAMP_2]);
    gate = await onlineGateway(emulator);
    clients.push(gate);
    await login(gate, GATE_1, loginOf(LAMP_1));
  }

  afterEach(async () => {
    for (const client of clients.splice(0)) client.end(true);
    await emulator.close();
  });

  async function kicked(cause: () => unknown): Promise<number> {
    const both = Promise.all(
      [ERRORS, combine(GATE_1, 'logout_reply')].map((topic) => messageOn(gate, topic)),
    );
    await cause();
    const [first, second] = (await both).map((text) => JSON.parse(text));
    assert.deepEqual(first, second);
    assert.deepEqual(first.data, { ...LAMP_1 });
    assert.match(first.id, /^\d+$/);
    assert.equal(emulator.devices.get(LAMP_1)?.connectedAs?.deviceName === GATE_1.deviceName, false);
    return first.code;
  }

  it('tells the gateway why, on both topics', async () => {
    await start();
    assert.equal(await kicked(() => emulator.faults.kick(LAMP_1)), 427);
    await login(gate, GATE_1, loginOf(LAMP_1));
    assert.equal(await kicked(() => emulator.devices.setEnabled(LAMP_1, false)), 522);
    emulator.devices.setEnabled(LAMP_1, true);
    await login(gate, GATE_1, loginOf(LAMP_1));
    assert.equal(await kicked(() => leave(emulator, LAMP_1)), 6401);
    stand(emulator, GATE_1, [LAMP_1]);
    await login(gate, GATE_1, loginOf(LAMP_1));
    assert.equal(await kicked(() => emulator.devices.delete(LAMP_1)), 521);
    assert.equal(gate.connected, true);
  });

  it('goes to whoever logs in last: another gateway, or the device itself', async () => {
    await start();
    const other = await onlineGateway(emulator, GATE_2);
    clients.push(other);
    // The topology moves first, which ends the session already.
    assert.equal(await kicked(() => stand(emulator, GATE_2, [LAMP_1])), 6401);
    assert.equal((await login(other, GATE_2, loginOf(LAMP_1))).code, 200);
    stand(emulator, GATE_1, [LAMP_1]);
    await login(gate, GATE_1, loginOf(LAMP_1));
    let direct: MqttClient | undefined;
    assert.equal(
      await kicked(async () => {
        direct = await onlineLamp(emulator, LAMP_1, { parameters: { _ss: 1 } });
      }),
      427,
    );
    assert.ok(direct);
    clients.push(direct);
    assert.equal((await request(direct, POST, { temperature: 3.5 })).code, 200);
    const gone = closed(direct);
    await login(gate, GATE_1, loginOf(LAMP_1));
    await gone;
    const view = emulator.devices.get(LAMP_1);
    assert.deepEqual([view?.status, view?.connectedAs], ['ONLINE', GATE_1]);
  });

  it('keeps silent where the limits say so', async () => {
    await start({ limits: { kickOnErrorTopic: false } });
    const topics: string[] = [];
    gate.on('message', (topic) => topics.push(topic));
    const told = messageOn(gate, combine(GATE_1, 'logout_reply'));
    emulator.faults.kick(LAMP_1);
    assert.equal(JSON.parse(await told).code, 427);
    await login(gate, GATE_1, loginOf(LAMP_1));
    assert.deepEqual(topics, [combine(GATE_1, 'logout_reply'), combine(GATE_1, 'login_reply')]);
  });

  it('tells the sub-device itself when somebody subscribed that', async () => {
    await start();
    const own = (name: string) => `/sys/${LAMP_1.productKey}/${LAMP_1.deviceName}/thing/${name}`;
    await gate.subscribeAsync(['disable', 'enable', 'delete'].map(own), { qos: 1 });
    const order: string[] = [];
    gate.on('message', (topic) => order.push(topic));
    const told = messageOn(gate, own('disable'));
    assert.equal(await kicked(() => emulator.devices.setEnabled(LAMP_1, false)), 522);
    const { params, method } = JSON.parse(await told);
    assert.deepEqual([params, method], [{}, 'thing.disable']);
    assert.equal(order[0], own('disable'));
    // The answer comes when the session is over; that is no failed message of which the gateway need hear.
    await gate.publishAsync(own('disable_reply'), '{"id":"1","code":200,"data":{}}', { qos: 1 });
    assert.equal(emulator.exchanges.list(({ text }) => text.includes('520')).length, 0);
    const back = messageOn(gate, own('enable'));
    emulator.devices.setEnabled(LAMP_1, true);
    assert.equal(JSON.parse(await back).method, 'thing.enable');
    await login(gate, GATE_1, loginOf(LAMP_1));
    await gate.subscribeAsync(own('delete'), { qos: 1 });
    const deleted = messageOn(gate, own('delete'));
    assert.equal(await kicked(() => emulator.devices.delete(LAMP_1)), 521);
    assert.equal(JSON.parse(await deleted).method, 'thing.delete');
  });

  it('is deleted while its messages are on their way', async () => {
    await start();
    await login(gate, GATE_1, loginOf(LAMP_2));
    emulator.faults.add({ action: 'delay', ms: 300, match: { deviceName: LAMP_1.deviceName } });
    emulator.faults.add({ action: 'delay', ms: 320, match: { deviceName: LAMP_2.deviceName } });
    // Acknowledged: it has arrived.
    await gate.publishAsync(POST, '{"id":"1","params":{"temperature":1.5}}', { qos: 1 });
    const later = request(gate, POST.replace('lamp-1', 'lamp-2'), { temperature: 2.5 });
    assert.equal(await kicked(() => emulator.devices.delete(LAMP_1)), 521);
    assert.equal((await later).code, 200);
    const posts = emulator.exchanges.list(({ operation }) => operation === 'thing.event.property.post');
    assert.deepEqual(new Set(posts.map(({ identity }) => identity?.deviceName)), new Set(['lamp-2']));
  });

  it('obeys faults aimed at the sub-device or at the login', async () => {
    await start();
    emulator.faults.add({ action: 'refuse', code: 429, match: { operation: 'session.login' }, times: 1 });
    assert.equal((await login(gate, GATE_1, loginOf(LAMP_2))).code, 429);
    emulator.faults.add({ action: 'kick', match: { deviceName: LAMP_1.deviceName }, times: 1 });
    assert.equal(await kicked(() => gate.publish(POST, '{"id":"1","params":{}}')), 427);
    assert.equal(gate.connected, true);
  });
});

describe('limits of sub-devices', () => {
  const clients: MqttClient[] = [];
  let emulator: Emulator;
  let now = 0;

  async function start(limits: EmulatorOptions['limits']): Promise<MqttClient> {
    now = Date.UTC(2024, 0, 1);
    const config = { products: [PRODUCT, GATEWAYS] };
    emulator = await startEmulator({ config, limits: limits ?? {}, clock: () => now });
    stand(emulator, GATE_1, [LAMP_1, LAMP_2]);
    const gate = await onlineGateway(emulator);
    clients.push(gate);
    return gate;
  }

  afterEach(async () => {
    for (const client of clients.splice(0)) client.end(true);
    await emulator.close();
  });

  it('refuses the sixth login of a minute', async () => {
    const gate = await start({});
    for (let i = 0; i < 5; i++) assert.equal((await login(gate, GATE_1, loginOf(LAMP_1))).code, 200);
    assert.equal((await login(gate, GATE_1, loginOf(LAMP_1))).code, 429);
    assert.equal((await login(gate, GATE_1, loginOf(LAMP_2))).code, 200);
    now += 60_000;
    assert.equal((await login(gate, GATE_1, loginOf(LAMP_1))).code, 200);
  });

  it('refuses more logins a second than a gateway may do, whatever became of them', async () => {
    const gate = await start({ loginsPerSecond: 2 });
    const nobody = loginOf({ ...LAMP_1, deviceName: 'nobody' });
    assert.equal((await login(gate, GATE_1, nobody)).code, 6100);
    const both = { deviceList: [loginOf(LAMP_1), loginOf(LAMP_2)] };
    assert.equal((await batchLogin(gate, GATE_1, both)).code, 429);
    now += 1000;
    assert.equal((await batchLogin(gate, GATE_1, both)).code, 200);
  });

  it('refuses more than may be online, counting those only once that log in again', async () => {
    const gate = await start({ onlineSubDevicesPerGateway: 1 });
    assert.equal((await login(gate, GATE_1, loginOf(LAMP_1))).code, 200);
    assert.equal((await login(gate, GATE_1, loginOf(LAMP_1))).code, 200);
    assert.equal((await login(gate, GATE_1, loginOf(LAMP_2))).code, 428);
    await logout(gate, GATE_1, LAMP_1);
    assert.equal((await login(gate, GATE_1, loginOf(LAMP_2))).code, 200);
  });

  it('knows no limit of 0', async () => {
    const gate = await start({
      loginsPerMinute: 0,
      loginsPerSecond: 0,
      onlineSubDevicesPerGateway: 0,
      loginBatch: 0,
    });
    for (let i = 0; i < 10; i++) assert.equal((await login(gate, GATE_1, loginOf(LAMP_1))).code, 200);
  });

  it('takes no gateway for one whose product says that it is none', async () => {
    emulator = await startEmulator({
      config: {
        products: [PRODUCT, { ...GATEWAYS, nodeType: 'device' }],
      },
    });
    const gate = await onlineGateway(emulator);
    clients.push(gate);
    assert.equal((await login(gate, GATE_1, loginOf(LAMP_1))).code, 460);
    assert.equal(emulator.devices.get(LAMP_1)?.status, 'UNACTIVE');
  });
});
