import assert from 'node:assert/strict';
import * as models from '@alicloud/iot20180120';
import { after, afterEach, before, describe, it } from 'mocha';
import type { DeviceIdentity } from '../../../protocol';
import { catchAll, eventOut, lifecycle, propertyPost, sink } from '../../support/flows';
import {
  GATEWAY,
  gateway,
  METER,
  meter,
  meterIdentity,
  meters,
  plantProducts,
  platformOf,
  RAW_METER,
} from '../../support/gateway-flows';
import { CloudSide, DOUBLE, propertySet, serviceIn, serviceReply, work } from '../../support/request-flows';
import { type FlowMessage, type FlowNode, type Runtime, startRuntime } from '../../support/runtime';
import { rawIn, rawOut, topicIn, topicOut } from '../../support/topic-nodes';
import { subDeviceLogin } from '../../support/topo-nodes';

const SECRET = '0123456789abcdef0123456789abcdef';

const COUNT = 30;
const AT_GATE = { device: 'gate' };

describe('one node serves all sub-devices of a gateway', () => {
  let red: Runtime;
  let plant: CloudSide;

  before(async () => {
    plant = await CloudSide.start(plantProducts(COUNT + 5), { loginsPerMinute: 0 });
    red = await startRuntime();
  });
  afterEach(() => plant.emulator.faults.clear());
  after(async () => {
    await red.stop();
    await plant.emulator.close();
  });

  /** Deploys and waits until the gateway and those of its meters are online. */
  async function deploy(flow: FlowNode[], subDevices: FlowNode[] = meters(3)): Promise<void> {
    // Those of the deploy before are there for some seconds more.
    const awaited = new Set(
      [gateway(), ...subDevices].map((node) => `${node.productKey}/${node.deviceName}`),
    );
    const all = red.next('states', ({ payload, alink }) => {
      if (payload === 'online') awaited.delete(`${alink?.productKey}/${alink?.deviceName}`);
      return awaited.size === 0;
    });
    await red.deploy([
      platformOf(plant.emulator),
      gateway(),
      ...subDevices,
      ...flow,
      lifecycle({ ...AT_GATE, own: true, subDevices: true }),
      ...['sink', 'answered', 'published', 'states'].map((name) => sink(name)),
      ...catchAll(),
    ]);
    await all;
  }

  /** What becomes of messages that go into a node, in the order in which they come out. */
  async function sendAll(id: string, msgs: readonly object[], to = 'sink'): Promise<FlowMessage[]> {
    const out: FlowMessage[] = [];
    const take = (msg: FlowMessage) => {
      out.push(msg);
      return out.length === msgs.length;
    };
    const done = Promise.race([red.next(to, take), red.next('errors', take)]);
    for (const msg of msgs) red.send(id, msg);
    await done;
    return out;
  }

  const sendOne = async (id: string, msg: object, to = 'sink') =>
    (await sendAll(id, [msg], to))[0] as FlowMessage;
  const property = (identity: DeviceIdentity, name = 'level') =>
    plant.emulator.devices.get(identity)?.properties[name]?.value;
  const sent = (since: number, method: string) =>
    plant.emulator.exchanges
      .list(({ kind, topic }) => kind === 'up' && (topic ?? '').endsWith(method))
      .filter(({ seq }) => seq > since);

  it('reports of thirty go in packs, each with an outcome of its own', async () => {
    await deploy([propertyPost(AT_GATE)], meters(COUNT));
    const { latest } = plant.emulator.exchanges;
    const msgs = Array.from({ length: COUNT }, (_, n) => ({
      device: meterIdentity(n),
      payload: { level: n },
      n,
    }));
    const out = await sendAll('post', msgs);
    assert.equal(out.length, COUNT);
    for (const { n, device, alink } of out) {
      assert.deepEqual(device, meterIdentity(n as number));
      assert.deepEqual(
        { ...alink, id: undefined },
        {
          ...meterIdentity(n as number),
          id: undefined,
          status: 'acknowledged',
          code: 200,
          message: 'success',
          method: 'thing.event.property.pack.post',
        },
      );
    }
    for (let n = 0; n < COUNT; n++) assert.equal(property(meterIdentity(n)), n);
    const packs = sent(latest, '/pack/post');
    assert.ok(packs.length >= 2 && packs.length <= 4, `${packs.length} packs`);
  });

  // Nobody used them before, so they are online only when they are.
  const NUMBERS = [30, 31, 32, 33];
  it('a report that breaks the thing model fails alone, at the node and at the platform', async () => {
    await deploy(
      [propertyPost(AT_GATE)],
      NUMBERS.map((n) => meter(n, n === 32 ? { thingModelMode: 'off' } : {})),
    );
    const values = [1, 'much', 5000, 4];
    const out = await sendAll(
      'post',
      NUMBERS.map((n, i) => ({ device: meterIdentity(n), payload: { level: values[i] }, n })),
    );
    const byMeter = NUMBERS.map((n) => out.find((msg) => msg.n === n));
    assert.deepEqual(
      byMeter.map((msg) => msg?.alink?.status),
      ['acknowledged', 'failed', 'refused', 'acknowledged'],
    );
    assert.deepEqual(
      byMeter.map((msg) => msg?.alink?.deviceName),
      NUMBERS.map((n) => meterIdentity(n).deviceName),
    );
    assert.match(byMeter[1]?.error?.message ?? '', /level must be an integer/);
    assert.equal(typeof byMeter[2]?.error?.code, 'number');
    assert.equal(property(meterIdentity(33)), 4);
  });

  it('the gateway itself is meant without msg.device, and by its own names', async () => {
    await deploy([propertyPost(AT_GATE)]);
    const { latest } = plant.emulator.exchanges;
    for (const device of [
      undefined,
      null,
      '',
      GATEWAY,
      GATEWAY.deviceName,
      `${GATEWAY.productKey}/${GATEWAY.deviceName}`,
    ]) {
      const { alink } = await sendOne('post', { device, payload: { load: 1 } });
      assert.equal(alink?.status, 'acknowledged');
      assert.equal(alink?.deviceName, GATEWAY.deviceName);
    }
    assert.equal(sent(latest, '/pack/post').length, 0);
  });

  const FORMS: Array<[title: string, device: unknown]> = [
    ['both names', meterIdentity(2)],
    ['both names and more', { ...meterIdentity(2), deviceSecret: 'not to be kept' }],
    ['a deviceName alone', { deviceName: 'meter-2' }],
    ['a blank productKey', { productKey: '', deviceName: 'meter-2' }],
    ['text', `${METER}/meter-2`],
    ['a deviceName as text', 'meter-2'],
  ];
  it('msg.device chooses in each form, and leaves with both names and nothing else', async () => {
    await deploy([propertyPost(AT_GATE)]);
    for (const [title, device] of FORMS) {
      const msg = await sendOne('post', { device, payload: { level: 8 } });
      assert.equal(msg.alink?.status, 'acknowledged', `${title} ${JSON.stringify(msg.error)}`);
      assert.deepEqual(msg.device, meterIdentity(2), title);
    }
  });

  it('msg.device that names nobody here is an error that says what to do', async () => {
    await deploy(
      [propertyPost(AT_GATE), propertyPost({ id: 'own', device: 'm-1' })],
      [
        ...meters(2),
        meter('twin', { deviceName: 'meter-1', productKey: RAW_METER, thingModelSource: 'none' }),
      ],
    );
    for (const [device, reason] of [
      [meterIdentity(99), /a1Meter\/meter-99 is no sub-device of this gateway; deploy a device/],
      [{ deviceName: 'meter-99' }, /meter-99 is no sub-device/],
      ['meter-1', /msg\.device\.productKey is missing/],
      [{ deviceName: 'meter-1' }, /msg\.device\.productKey is missing/],
      [{ productKey: METER }, /msg\.device must be \{"productKey"/],
      [{ productKey: 5, deviceName: 'meter-1' }, /msg\.device must be/],
      ['a/b/c', /msg\.device must be/],
      [7, /msg\.device must be/],
      [['meter-1'], /msg\.device must be/],
      [JSON.parse('{"__proto__":{"deviceName":"meter-1"}}'), /msg\.device must be/],
    ] as const) {
      const msg = await sendOne('post', { device, payload: { level: 1 } });
      assert.match(msg.error?.message ?? '', reason, JSON.stringify(device));
      assert.equal(msg.error?.code, 'invalidInput');
      assert.equal(msg.alink?.status, 'failed');
    }
    const other = await sendOne('own', { device: meterIdentity(0), payload: { level: 1 } });
    assert.match(other.error?.message ?? '', /this node’s device is no gateway/);
    const text = await sendOne('own', { device: 'a lamp in another collection', payload: { level: 1 } });
    assert.equal(text.alink?.status, 'acknowledged');
  });

  it('every node with an input goes by msg.device', async () => {
    const request = {
      id: 'request',
      z: 'tab',
      type: 'alink-request',
      ...AT_GATE,
      operation: 'thing.deviceinfo.update',
      source: 'payload',
      entries: [],
      pushes: false,
      timeout: '',
      wires: [['sink']],
    };
    const raw = meter('raw', { deviceName: 'meter-0', productKey: RAW_METER, thingModelSource: 'none' });
    await deploy([eventOut(AT_GATE), topicOut(AT_GATE), rawOut(AT_GATE), request], [...meters(3), raw]);
    const [one, two] = [meterIdentity(1), meterIdentity(2)];

    const event = await sendOne('event', { device: one, payload: { temperature: 60 } });
    assert.equal(event.alink?.method, 'thing.event.property.pack.post');
    assert.equal(plant.emulator.devices.get(one)?.events.length, 1);

    const topic = await sendOne('out', { device: two, topic: 'user/update', payload: 'x' }, 'published');
    assert.equal(topic.alink?.topic, `/${METER}/meter-2/user/update`);
    assert.equal(topic.alink?.deviceName, 'meter-2');

    const bytes = await sendOne(
      'raw-out',
      { device: { productKey: RAW_METER, deviceName: 'meter-0' }, payload: [0, 0, 0, 0, 5, 0, 205, 1] },
      'answered',
    );
    assert.deepEqual(bytes.payload, Buffer.from([2, 0, 0, 0, 5, 2]));
    assert.equal(bytes.alink?.productKey, RAW_METER);

    await sendOne('request', { device: two, payload: [{ attrKey: 'hall', attrValue: '9' }] });
    assert.deepEqual(plant.emulator.devices.get(two)?.tags, { hall: '9' });
    assert.deepEqual(plant.emulator.devices.get(GATEWAY)?.tags, {});
  });

  it('a property set of a sub-device finds its way to the flow and back', async () => {
    await deploy([
      propertySet({ ...AT_GATE, subDevices: true, wires: [['sink', 'post']] }),
      propertyPost({ ...AT_GATE, wires: [['answered']] }),
    ]);
    const arrived = red.next('sink');
    const reported = red.next('answered');
    assert.equal((await plant.set({ level: 42 }, meterIdentity(1))).code, 200);
    const msg = await arrived;
    assert.deepEqual(msg.payload, { level: 42 });
    assert.deepEqual(msg.device, meterIdentity(1));
    assert.equal(msg.alink?.deviceName, 'meter-1');
    assert.equal((await reported).alink?.status, 'acknowledged');
    assert.equal(property(meterIdentity(1)), 42);
  });

  it('services of sub-devices are answered for whom they were called', async () => {
    await deploy([serviceIn({ ...AT_GATE, subDevices: true }), work(DOUBLE), serviceReply()]);
    const answers = await Promise.all(
      [0, 1, 2].map((n) => plant.call('double', { number: n }, { identity: meterIdentity(n) })),
    );
    assert.deepEqual(answers, [{ result: 0 }, { result: 2 }, { result: 4 }]);
  });

  it('without the box a node of the gateway takes nothing that is for a sub-device', async () => {
    await deploy([propertySet(AT_GATE)]);
    const heard: unknown[] = [];
    const note = (msg: unknown) => heard.push(msg);
    red.events.on('test-sink:sink', note);
    assert.notEqual((await plant.set({ level: 1 }, meterIdentity(1))).code, 200);
    red.events.off('test-sink:sink', note);
    assert.deepEqual(heard, []);
  });

  it('topics of sub-devices are subscribed for each', async () => {
    await deploy([topicIn({ ...AT_GATE, topic: 'user/get', subDevices: true })]);
    for (const identity of [meterIdentity(0), meterIdentity(2), GATEWAY]) {
      await plant.subscribed('/user/get', identity).catch(() => undefined);
      const arrived = red.next('sink');
      const { productKey, deviceName } = identity;
      await plant.cloud.pub(
        new models.PubRequest({
          productKey,
          topicFullName: `/${productKey}/${deviceName}/user/get`,
          messageContent: Buffer.from(deviceName).toString('base64'),
          qos: 1,
        }),
      );
      const msg = await arrived;
      assert.equal(msg.payload, deviceName);
      assert.deepEqual(msg.device, identity === GATEWAY ? undefined : identity);
      assert.equal(msg.alink?.deviceName, deviceName);
    }
  });

  it('raw data of a sub-device comes with its names', async () => {
    const raw = meter('raw', { deviceName: 'meter-0', productKey: RAW_METER, thingModelSource: 'none' });
    await deploy([rawIn({ ...AT_GATE, subDevices: true })], [raw]);
    const arrived = red.next('sink');
    const identity = { productKey: RAW_METER, deviceName: 'meter-0' };
    await plant.cloud.setDeviceProperty(
      new models.SetDevicePropertyRequest({ ...identity, items: '{"light":1}' }),
    );
    assert.deepEqual((await arrived).device, identity);
  });

  it('those that were logged in by a message are served like those of the deploy', async () => {
    const login = subDeviceLogin({ ...AT_GATE, wires: [['published']] });
    await deploy(
      [
        login,
        propertyPost(AT_GATE),
        propertySet({ ...AT_GATE, subDevices: true, wires: [['answered']] }),
        topicIn({ ...AT_GATE, topic: 'user/get', subDevices: true, wires: [['answered']] }),
      ],
      [meter(0)],
    );
    const identity = meterIdentity(34);
    const early = await sendOne('post', { device: identity, payload: { level: 1 } });
    assert.match(early.error?.message ?? '', /is no sub-device of this gateway/);
    await sendOne('login', { payload: [{ ...identity, deviceSecret: SECRET }] }, 'published');
    const reported = await sendOne('post', { device: identity, payload: { level: 34 } });
    assert.equal(reported.alink?.method, 'thing.event.property.pack.post');
    assert.equal(property(identity), 34);

    const set = red.next('answered');
    assert.equal((await plant.set({ level: 2 }, identity)).code, 200);
    assert.deepEqual((await set).device, identity);
    const told = red.next('answered');
    const { productKey, deviceName } = identity;
    await plant.cloud.pub(
      new models.PubRequest({
        productKey,
        topicFullName: `/${productKey}/${deviceName}/user/get`,
        messageContent: Buffer.from('hello').toString('base64'),
        qos: 1,
      }),
    );
    assert.deepEqual((await told).device, identity);
  });
});
