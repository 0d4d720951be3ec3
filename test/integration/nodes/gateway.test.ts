import assert from 'node:assert/strict';
import * as models from '@alicloud/iot20180120';
import { after, afterEach, before, describe, it } from 'mocha';
import type { DeviceIdentity } from '../../../protocol';
import { catchAll, device, eventOut, lifecycle, propertyPost, sink, statusOf } from '../../support/flows';
import {
  gateway,
  METER_MODEL,
  meter,
  meterIdentity,
  plantProducts,
  platformOf,
  RAW_METER,
} from '../../support/gateway-flows';
import {
  CloudSide,
  DOUBLE,
  type PlatformRefusal,
  propertySet,
  serviceIn,
  serviceReply,
  work,
} from '../../support/request-flows';
import { type FlowMessage, type FlowNode, type Runtime, startRuntime } from '../../support/runtime';
import { rawIn, rawOut, topicIn, topicOut } from '../../support/topic-nodes';

const SECRET = '0123456789abcdef0123456789abcdef';

/** One of the two ways in which a thing may be there. */
interface Way {
  title: string;
  identity: DeviceIdentity;
  nodes: (extra?: object) => FlowNode[];
  /** Id of its config node. */
  id: string;
}

const WAYS: Way[] = [
  {
    title: 'a direct device',
    identity: meterIdentity(0),
    id: 'device',
    nodes: (extra = {}) => [
      device({
        ...meterIdentity(0),
        thingModel: JSON.stringify(METER_MODEL),
        credentials: { deviceSecret: SECRET },
        ...extra,
      }),
    ],
  },
  {
    title: 'a sub-device',
    identity: meterIdentity(1),
    id: 'm-1',
    nodes: (extra = {}) => [gateway(), meter(1, extra)],
  },
];

describe('a sub-device is used like a direct device', () => {
  let red: Runtime;
  let plant: CloudSide;
  /** What each way came to, by step. */
  const outcomes = new Map<string, unknown[]>();

  before(async () => {
    plant = await CloudSide.start(plantProducts(2));
    red = await startRuntime();
  });
  afterEach(() => plant.emulator.faults.clear());
  after(async () => {
    await red.stop();
    await plant.emulator.close();
  });

  async function deploy({ nodes, id, identity }: Way, flow: FlowNode[], extra: object = {}): Promise<void> {
    const online = red.next(
      'states',
      ({ payload, alink }) => payload === 'online' && alink?.deviceName === identity.deviceName,
    );
    await red.deploy([
      platformOf(plant.emulator),
      ...nodes(extra),
      ...flow.map((node) => ('device' in node ? { ...node, device: id } : node)),
      lifecycle({ device: id }),
      ...['sink', 'answered', 'published', 'states'].map((name) => sink(name)),
      ...catchAll(),
    ]);
    await online;
  }

  /** The message without what differs from one moment to the next, and with the same name for either thing. */
  function plain({ title: _, ...way }: Way, value: unknown): unknown {
    const text = JSON.stringify(value, (key, entry: unknown) =>
      ['id', '_msgid', 'time', 'request', 'source', 'iotId'].includes(key) ? undefined : entry,
    );
    return JSON.parse(text.replaceAll(way.identity.deviceName, 'meter').replaceAll(`"${way.id}"`, '"thing"'));
  }

  /** Does the same with both, and holds what came of it against each other. */
  function alike(title: string, step: (way: Way) => Promise<unknown>): void {
    for (const way of WAYS) {
      it(`${title}: ${way.title}`, async () => {
        const outcome = plain(way, await step(way));
        outcomes.set(title, [...(outcomes.get(title) ?? []), outcome]);
        const [first, second] = outcomes.get(title) ?? [];
        if (second !== undefined) assert.deepEqual(second, first);
      });
    }
  }

  async function send(id: string, msg: object, to: string): Promise<FlowMessage> {
    const arrived = red.next(to);
    red.send(id, msg);
    return arrived;
  }

  alike('property post', async (way) => {
    await deploy(way, [propertyPost()]);
    const good = await send('post', { payload: { level: 5 }, keep: 'me' }, 'sink');
    assert.equal(good.alink?.status, 'acknowledged');
    const view = plant.emulator.devices.get(way.identity);
    assert.equal(view?.properties.level?.value, 5);
    const bad = await send('post', { payload: { level: 'much' } }, 'errors');
    assert.match(bad.error?.message ?? '', /level must be an integer/);
    return [good, bad.alink, bad.error?.message];
  });

  alike('event', async (way) => {
    await deploy(way, [eventOut()]);
    const good = await send('event', { payload: { temperature: 90 } }, 'sink');
    const events = plant.emulator.devices.get(way.identity)?.events.length;
    assert.equal(events, 1);
    const bad = await send('event', { payload: {}, device: { deviceName: 'other' } }, 'errors');
    return [good, bad.error?.message];
  });

  alike('property set and get', async (way) => {
    await deploy(way, [propertySet({ subDevices: true })]);
    await plant.subscribed('/thing/service/property/set', way.identity).catch(() => undefined);
    const arrived = red.next('sink');
    const answer = await plant.set({ level: 7 }, way.identity);
    const msg = await arrived;
    assert.deepEqual(msg.payload, { level: 7 });
    const asked = await plant.get(['level'], '77', way.identity);
    return [msg, answer, asked];
  });

  alike('services', async (way) => {
    await deploy(way, [serviceIn(), work(DOUBLE), serviceReply()]);
    const sync = await plant.call('double', { number: 4 }, { identity: way.identity });
    assert.deepEqual(sync, { result: 8 });
    const slow = await plant.invoke('slowly', { number: 5 }, way.identity);
    const none = await plant
      .call('double', { number: -1 }, { identity: way.identity })
      .catch((thrown: PlatformRefusal) => thrown.code);
    return [sync, slow, none];
  });

  alike('own topics', async (way) => {
    await deploy(way, [topicIn(), topicOut()]);
    await plant.subscribed('/user/get', way.identity);
    const published = await send('out', { topic: 'user/update', payload: { a: 1 } }, 'published');
    const arrived = red.next('sink');
    const { productKey, deviceName } = way.identity;
    await plant.cloud.pub(
      new models.PubRequest({
        productKey,
        topicFullName: `/${productKey}/${deviceName}/user/get`,
        messageContent: Buffer.from('hello').toString('base64'),
        qos: 1,
      }),
    );
    return [published, await arrived];
  });

  alike('a further request', async (way) => {
    const request = {
      id: 'request',
      z: 'tab',
      type: 'alink-request',
      device: 'device',
      operation: 'thing.deviceinfo.update',
      source: 'payload',
      entries: [],
      pushes: false,
      timeout: '',
      wires: [['sink']],
    };
    await deploy(way, [request]);
    const msg = await send('request', { payload: [{ attrKey: 'hall', attrValue: '3' }] }, 'sink');
    assert.deepEqual(plant.emulator.devices.get(way.identity)?.tags, { hall: '3' });
    return msg;
  });

  alike('the life of it', async (way) => {
    const states: string[] = [];
    const note = ({ payload }: FlowMessage) => states.push(String(payload));
    red.events.on('test-sink:states', note);
    const green = red.next('statuses', ({ status }) => status?.fill === 'green');
    await deploy(way, [propertyPost(), ...statusOf('post')]);
    assert.equal((await green).status?.text, 'online');
    red.events.off('test-sink:states', note);
    return states;
  });

  for (const sub of [false, true]) {
    it(`raw data of ${sub ? 'a sub-device' : 'a direct device'}`, async () => {
      const way = WAYS[sub ? 1 : 0] as Way;
      const raw = { ...way, identity: { ...way.identity, productKey: RAW_METER } };
      const settings = { productKey: RAW_METER, thingModelSource: 'none' };
      const reply = {
        id: 'reply',
        z: 'tab',
        type: 'alink-service-reply',
        value: 'payload',
        valueType: 'msg',
        wires: [],
      };
      await deploy(raw, [rawIn(), rawOut(), reply], settings);
      const answered = await send(
        'raw-out',
        { payload: Buffer.from([0, 0, 0, 0, 9, 0, 205, 1]) },
        'answered',
      );
      assert.deepEqual(answered.payload, Buffer.from([2, 0, 0, 0, 9, 2]));
      assert.equal(answered.alink?.deviceName, way.identity.deviceName);
      const arrived = red.next('sink');
      await plant.cloud.setDeviceProperty(
        new models.SetDevicePropertyRequest({ ...raw.identity, items: '{"light":1}' }),
      );
      assert.equal((await arrived).alink?.deviceName, way.identity.deviceName);
    });
  }
});
