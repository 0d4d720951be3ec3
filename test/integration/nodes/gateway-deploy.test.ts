import assert from 'node:assert/strict';
import { DisableThingRequest, EnableThingRequest } from '@alicloud/iot20180120';
import { after, before, describe, it } from 'mocha';
import type { DeviceIdentity } from '../../../protocol';
import { catchAll, lifecycle, propertyPost, sink, statusOf } from '../../support/flows';
import {
  GATEWAY,
  gateway,
  meter,
  meterIdentity,
  plantProducts,
  platformOf,
} from '../../support/gateway-flows';
import { CloudSide } from '../../support/request-flows';
import { type FlowMessage, type FlowNode, type Runtime, startRuntime } from '../../support/runtime';

const NONE = { thingModelSource: 'none' };
const WRONG_SECRET = { credentials: { deviceSecret: 'ffffffffffffffffffffffffffffffff' } };

describe('deploys of a gateway and its sub-devices', () => {
  let red: Runtime;
  let plant: CloudSide;
  before(async () => {
    plant = await CloudSide.start(plantProducts(8), { loginsPerMinute: 0 });
    red = await startRuntime();
  });
  after(async () => {
    await red.stop();
    await plant.emulator.close();
  });

  const flow = (subDevices: FlowNode[], gate: object = {}): FlowNode[] => [
    platformOf(plant.emulator),
    gateway(gate),
    ...subDevices,
    propertyPost({ device: 'gate' }),
    lifecycle({ device: 'gate', own: true, subDevices: true }),
    sink(),
    sink('states'),
    ...catchAll(),
  ];
  /** What went over the gateway's connection, and how often it connected. */
  const count = (kind: string, topic = '') =>
    plant.emulator.exchanges.list(
      (exchange) =>
        exchange.kind === kind &&
        exchange.identity?.deviceName === GATEWAY.deviceName &&
        (exchange.topic ?? '').includes(topic),
    ).length;
  const logins = () =>
    plant.emulator.exchanges
      .list(({ kind, topic }) => kind === 'up' && /combine\/(batch_)?login$/.test(topic ?? ''))
      .flatMap(({ json }) => JSON.stringify(json).match(/meter-\d+(?=")/g) ?? []);
  const isOnline = (identity: DeviceIdentity) =>
    plant.emulator.devices.get(identity)?.connectedAs !== undefined;

  async function post(n: number): Promise<FlowMessage> {
    const answered = Promise.race([red.next('sink'), red.next('errors')]);
    red.send('post', { device: meterIdentity(n), payload: { level: n } });
    return answered;
  }

  /** Deploys and waits until each of these is at work. */
  async function deploy(
    nodes: FlowNode[],
    type: 'full' | 'nodes',
    working: readonly number[],
  ): Promise<void> {
    await red.deploy(nodes, type);
    for (const n of working) {
      const { alink } = await post(n);
      assert.equal(alink?.status, 'acknowledged', `meter ${n}: ${JSON.stringify(alink)}`);
    }
  }

  for (const type of ['full', 'nodes'] as const) {
    it(`a sub-device that comes, changes or goes drops neither gateway nor others: ${type} deploy`, async () => {
      await deploy(flow([meter(0, NONE), meter(1, NONE)]), type, [0, 1]);
      const connects = count('connect');
      const before = logins();
      await deploy(flow([meter(0, NONE), meter(1, NONE), meter(2, NONE)]), type, [0, 1, 2]);
      assert.deepEqual(logins().slice(before.length), ['meter-2']);

      const seen = logins().length;
      await deploy(
        flow([meter(0, NONE), meter(1, { ...NONE, cleanSession: true }), meter(2, NONE)]),
        type,
        [0, 1, 2],
      );
      assert.deepEqual(logins().slice(seen), ['meter-1']);

      const logouts = count('up', '/logout');
      const gone = plant.emulator.exchanges.waitFor(
        ({ kind, topic, json }) =>
          kind === 'up' && (topic ?? '').endsWith('/logout') && JSON.stringify(json).includes('meter-2'),
        { since: plant.emulator.exchanges.latest, timeoutMs: 8000 },
      );
      await deploy(flow([meter(0, NONE), meter(1, { ...NONE, cleanSession: true })]), type, [0, 1]);
      await gone;
      assert.equal(count('up', '/logout'), logouts + 1);
      assert.deepEqual(
        [0, 1].map((n) => isOnline(meterIdentity(n))),
        [true, true],
      );
      assert.equal(count('connect'), connects);
    });
  }

  it('fifty full deploys log nobody in again, and leak nothing', async () => {
    const nodes = flow([meter(0, NONE), meter(1, NONE)]);
    await deploy(nodes, 'full', [0, 1]);
    const [connects, before] = [count('connect'), logins().length];
    const listeners = () =>
      red.events
        .eventNames()
        .filter((name) => !String(name).startsWith('test-sink:'))
        .reduce((sum, name) => sum + red.events.listenerCount(name), 0);
    const first = listeners();
    for (let i = 0; i < 50; i++) await red.deploy(nodes, 'full');
    await deploy(nodes, 'full', [0, 1]);
    assert.equal(count('connect'), connects);
    assert.equal(logins().length, before);
    assert.equal(listeners(), first);
  });

  it('a gateway that changes connects anew, with all behind it', async () => {
    await deploy(flow([meter(0, NONE), meter(1, NONE)]), 'nodes', [0, 1]);
    const connects = count('connect');
    await deploy(flow([meter(0, NONE), meter(1, NONE)], { keepAlive: '120' }), 'nodes', [0, 1]);
    assert.equal(count('connect'), connects + 1);
  });

  it('messages on their way get their outcome when their sub-device is deleted', async () => {
    await deploy(flow([meter(0, NONE), meter(3, NONE)]), 'nodes', [0, 3]);
    const outcomes: FlowMessage[] = [];
    const ten = (msg: FlowMessage) => outcomes.push(msg) === 10;
    const done = Promise.race([red.next('sink', ten), red.next('errors', ten)]);
    for (let i = 0; i < 10; i++) red.send('post', { device: meterIdentity(3), payload: { level: i }, i });
    await red.deploy(flow([meter(0, NONE)]), 'nodes');
    await done;
    assert.equal(outcomes.length, 10);
    assert.equal((await post(0)).alink?.status, 'acknowledged');
  });

  it('one with a wrong secret holds up no other, and says so itself', async () => {
    const red_ = red.next('statuses', ({ status }) => status?.fill === 'red');
    await deploy(
      [
        ...flow([
          meter(0, NONE),
          meter(4, { ...NONE, ...WRONG_SECRET, requestTimeout: '1' }),
          meter(5, NONE),
        ]),
        propertyPost({ id: 'own', device: 'm-4' }),
        ...statusOf('own'),
      ],
      'full',
      [0, 5],
    );
    assert.match((await red_).status?.text ?? '', /refused.*\((401|6287)\)/);
    const failed = await post(4);
    assert.equal(failed.alink?.deviceName, 'meter-4');
    assert.equal(failed.error?.code, 'waitingTimeout');
    assert.match(failed.error?.message ?? '', /not sent\. The platform answered (401|6287): .*signature/);
  });

  it('an unused gateway connects nothing; a used one brings up those that no node names', async () => {
    const unused = [platformOf(plant.emulator), gateway({ deviceName: GATEWAY.deviceName }), meter(6, NONE)];
    const closed = plant.emulator.exchanges.waitFor(({ kind }) => kind === 'disconnect', {
      since: plant.emulator.exchanges.latest,
      timeoutMs: 8000,
    });
    await red.deploy(unused);
    await closed;
    const connects = count('connect');
    await red.deploy(unused);
    assert.equal(count('connect'), connects);
    assert.equal(isOnline(meterIdentity(6)), false);
    const up = red.next(
      'states',
      ({ alink }) => alink?.deviceName === 'meter-6' && alink.status === 'online',
    );
    await red.deploy(flow([meter(6, NONE)]), 'nodes');
    await up;
    assert.equal(isOnline(meterIdentity(6)), true);
  });

  it('a sub-device alone brings up its gateway, and no other sub-device', async () => {
    const closed = plant.emulator.exchanges.waitFor(({ kind }) => kind === 'disconnect', {
      since: plant.emulator.exchanges.latest,
      timeoutMs: 8000,
    });
    await red.deploy([platformOf(plant.emulator)]);
    await closed;
    const answered = red.next('sink');
    await red.deploy([
      platformOf(plant.emulator),
      gateway(),
      meter(0, NONE),
      meter(7, NONE),
      propertyPost({ device: 'm-7' }),
      sink(),
      ...catchAll(),
    ]);
    red.send('post', { payload: { level: 1 } });
    assert.equal((await answered).alink?.deviceName, 'meter-7');
    assert.equal(isOnline(meterIdentity(0)), false);
  });

  it('two definitions of one sub-device that differ are an error that names it', async () => {
    const failed = red.next('errors');
    await red.deploy([
      platformOf(plant.emulator),
      gateway(),
      meter(0, NONE),
      meter('twin', { ...NONE, deviceName: 'meter-0', cleanSession: true }),
      propertyPost({ device: 'm-0' }),
      propertyPost({ id: 'own', device: 'm-twin' }),
      sink(),
      ...catchAll(),
    ]);
    const { error } = await failed;
    assert.equal(error?.code, 'definitionConflict');
    assert.match(error?.message ?? '', /cleanSession/);
  });

  it('what the cloud does to a sub-device shows at its nodes, with code and reason', async () => {
    const shown = (fill: string) => red.next('statuses', ({ status }) => status?.fill === fill);
    const green = shown('green');
    await red.deploy([
      ...flow([meter(0, NONE), meter(1, NONE)]),
      propertyPost({ id: 'own', device: 'm-1' }),
      ...statusOf('own'),
    ]);
    await green;
    const disabled = shown('red');
    await plant.cloud.disableThing(new DisableThingRequest(meterIdentity(1)));
    assert.equal((await disabled).status?.text, 'refused: disabled (522)');
    assert.equal((await post(0)).alink?.status, 'acknowledged');
    const back = shown('green');
    await plant.cloud.enableThing(new EnableThingRequest(meterIdentity(1)));
    await back;
    assert.equal((await post(1)).alink?.status, 'acknowledged');
  });

  it('platform, gateway and sub-device may be part of a subflow', async () => {
    const z = 'plant';
    const inside = [platformOf(plant.emulator), gateway(), meter(0, NONE), meter(1, NONE)];
    const answered = red.next('sink');
    await red.deploy([
      {
        id: z,
        type: 'subflow',
        name: 'plant',
        in: [{ x: 1, y: 1, wires: [{ id: 'inner' }] }],
        out: [{ x: 9, y: 1, wires: [{ id: 'inner', port: 0 }] }],
      },
      ...inside.map((node) => ({ ...node, z })),
      propertyPost({ id: 'inner', z, device: 'gate', wires: [] }),
      { id: 'use', type: `subflow:${z}`, z: 'tab', wires: [['sink']] },
      sink(),
      ...catchAll(),
    ]);
    red.send('use', { device: meterIdentity(1), payload: { level: 3 } });
    const { alink } = await answered;
    assert.equal(alink?.status, 'acknowledged');
    assert.equal(alink.deviceName, 'meter-1');
  });
});
