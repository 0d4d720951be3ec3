import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'mocha';
import {
  CLOSED,
  GATEWAY_1,
  SENSOR_1,
  SENSOR_2,
  SENSOR_3,
  SENSOR_4,
  SENSOR_PRODUCT,
} from '../../support/plant';
import { briefly, GatewayFlows } from '../../support/plant-flows';
import { subDeviceLogin, topo } from '../../support/topo-nodes';

const secretOf = (identity: { deviceName: string }) => ({
  ...identity,
  deviceSecret: `secret-of-${identity.deviceName}`,
});
const MISTYPED = 'mistyped-0123456789abcdef';
const BEHIND = { gateway: GATEWAY_1.deviceName, status: 'UNACTIVE' };

describe('alink-topo', () => {
  let flows: GatewayFlows;
  before(async () => {
    flows = await GatewayFlows.start();
  });
  afterEach(() => flows.emulator.faults.clear());
  after(() => flows.stop());

  it('adds, lists and removes sub-devices', async () => {
    await flows.deploy([
      topo(),
      topo({ id: 'get', action: 'get' }),
      topo({ id: 'delete', action: 'delete' }),
    ]);
    const added = await flows.through('topo', { payload: [SENSOR_1, SENSOR_2].map(secretOf) });
    assert.deepEqual(added.payload, [
      { ...SENSOR_1, ok: true },
      { ...SENSOR_2, ok: true },
    ]);
    assert.deepEqual(flows.view(SENSOR_1), BEHIND);
    const listed = await flows.through('get', {});
    assert.deepEqual(listed.payload, [SENSOR_1, SENSOR_2]);
    const removed = await flows.through('delete', { payload: SENSOR_1 });
    assert.deepEqual(removed.payload, [{ ...SENSOR_1, ok: true }]);
    assert.deepEqual([removed.device, removed.alink?.method], [SENSOR_1, 'thing.topo.delete']);
    assert.equal(flows.view(SENSOR_1).gateway, undefined);
    assert.deepEqual((await flows.through('get', {})).payload, [SENSOR_2]);
  });

  it('tells which of them the platform refuses, and why', async () => {
    await flows.deploy([topo()]);
    const { payload, alink } = await flows.through('topo', {
      payload: [{ ...SENSOR_1, deviceSecret: MISTYPED }, secretOf(SENSOR_3), GATEWAY_1],
    });
    assert.deepEqual(briefly(payload), [
      ['sensor-1', false, 401],
      ['sensor-3', true],
      ['gateway-1', false, 6402],
    ]);
    const problems = alink?.problems as string[];
    assert.match(problems[0] ?? '', /^a1Sensor\/sensor-1: .*401/);
    assert.deepEqual(flows.view(SENSOR_3), BEHIND);
    const none = await flows.through(
      'topo',
      { payload: [{ ...SENSOR_1, deviceSecret: MISTYPED }] },
      'errors',
    );
    assert.equal(none.error?.code, 401);
    assert.ok(!JSON.stringify(none).includes(MISTYPED));
  });

  it('registers what has no secret, stores it, and never tells it', async () => {
    await flows.deploy([topo()]);
    const { payload } = await flows.through('topo', { payload: [SENSOR_4, CLOSED] });
    assert.deepEqual(briefly(payload), [
      ['sensor-4', true],
      ['closed-1', false, (payload as Array<{ code: unknown }>)[1]?.code],
    ]);
    assert.deepEqual(flows.view(SENSOR_4), BEHIND);
    const folder = join(flows.red.userDir, 'alink', 'secrets');
    const stored = readdirSync(folder).map((file) => readFileSync(join(folder, file), 'utf8'));
    assert.ok(stored.some((text) => text.includes('"sensor-4"') && text.includes('secret-of-sensor-4')));
    assert.doesNotMatch(JSON.stringify(payload), /secret-of/);
  });

  it('hands a secret out only when it is asked to', async () => {
    await flows.deploy([
      topo({ action: 'register' }),
      topo({ id: 'open', action: 'register', handOut: true }),
    ]);
    assert.deepEqual((await flows.through('topo', { payload: SENSOR_1 })).payload, [
      { ...SENSOR_1, ok: true },
    ]);
    assert.deepEqual((await flows.through('open', { payload: SENSOR_2 })).payload, [
      { ...secretOf(SENSOR_2), ok: true },
    ]);
    const refused = await flows.through('open', { payload: CLOSED }, 'errors');
    assert.equal(refused.alink?.status, 'refused');
  });

  it('registers with the secret of the product', async () => {
    const { productKey, productSecret } = SENSOR_PRODUCT;
    const node = topo({ action: 'productRegister', productKey, handOut: true });
    await flows.deploy([{ ...node, credentials: { productSecret } }]);
    const { payload } = await flows.through('topo', {
      payload: ['sensor-1', { deviceName: 'sensor-2', productSecret: MISTYPED }],
    });
    const [first, second] = payload as [object, { ok: boolean; code: unknown }];
    assert.deepEqual(first, { ...secretOf(SENSOR_1), ok: true });
    assert.equal(second.ok, false);
    assert.equal(typeof second.code, 'number');
    assert.ok(![MISTYPED, productSecret].some((secret) => JSON.stringify(payload).includes(secret)));
  });

  it('reports what was found', async () => {
    await flows.deploy([topo({ action: 'found' })]);
    const { payload } = await flows.through('topo', { payload: [SENSOR_1, SENSOR_2] });
    assert.deepEqual(briefly(payload), [
      ['sensor-1', true],
      ['sensor-2', true],
    ]);
    const told = flows.emulator.messages.list(({ topic }) => topic.includes('list/found'));
    assert.equal(told.length, 1);
  });

  it('admits what an application asks for, and brings it back after the next start', async () => {
    await flows.deploy([topo({ action: 'handle', notify: 'admit' })]);
    const admitted = flows.red.next('sink');
    askToAdd([SENSOR_4]);
    const { topic, payload, device } = await admitted;
    assert.deepEqual([topic, payload, device], ['admit', [{ ...SENSOR_4, ok: true }], SENSOR_4]);
    assert.deepEqual(flows.view(SENSOR_4), { gateway: GATEWAY_1.deviceName, status: 'ONLINE' });
    await flows.red.deploy([]);
    await until(() => flows.view(SENSOR_4).status === 'OFFLINE');
    const again = flows.red.next('sink', (msg) => (msg.device as typeof SENSOR_4).deviceName === 'sensor-4');
    await flows.deploy([topo({ action: 'handle', notify: 'admit' })]);
    assert.equal((await again).alink?.status, 'acknowledged');
    assert.equal(flows.view(SENSOR_4).status, 'ONLINE');
  });

  it('passes notices on, for a flow that decides what is admitted', async () => {
    await flows.deploy([
      topo({ id: 'notices', action: 'get', notify: 'pass', wires: [['posted']] }),
      topo({ action: 'handle', notify: 'pass', wires: [['sink']] }),
    ]);
    const asked = flows.red.next('posted', ({ topic }) => topic === 'addRequested');
    askToAdd([SENSOR_3, CLOSED]);
    const notice = await asked;
    assert.deepEqual(notice.payload, [SENSOR_3, CLOSED]);
    // The node hears of requests too.
    const admitted = flows.red.next('sink', ({ topic }) => topic === 'decided');
    const [first] = notice.payload as unknown[];
    flows.red.send('topo', { topic: 'decided', payload: [first] });
    const { payload } = await admitted;
    assert.deepEqual(payload, [{ ...SENSOR_3, ok: true }]);
    assert.equal(flows.view(SENSOR_3).status, 'ONLINE');
    assert.notEqual(flows.view(CLOSED).status, 'ONLINE');
  });

  it('says in time when the gateway is away, whatever it was to do', async () => {
    const nodes = ['get', 'found', 'add', 'delete', 'register', 'handle'].map((action) =>
      topo({ id: `to-${action}`, action, notify: 'pass', timeout: '1' }),
    );
    await flows.deploy(nodes);
    await flows.emulator.faults.stopListening();
    flows.emulator.faults.dropConnections();
    await flows.red.next('states', ({ payload }) => payload === 'offline');
    const failed = nodes.map(({ id }) =>
      flows.red.next('errors', ({ error }) => error?.source.id === id, 3000),
    );
    for (const { id } of nodes) flows.red.send(id, { payload: CLOSED });
    for (const { error } of await Promise.all(failed)) {
      assert.match(String(error?.code), /^(timeout|waitingTimeout)$/, error?.source.id);
    }
  });

  it('logs out what it removes', async () => {
    await flows.deploy([
      topo({ id: 'login', action: 'handle', notify: 'pass' }),
      topo({ id: 'delete', action: 'delete' }),
      topo({ id: 'add' }),
      subDeviceLogin({ id: 'count' }),
    ]);
    await flows.through('login', { payload: SENSOR_2 });
    assert.deepEqual(flows.view(SENSOR_2), { gateway: GATEWAY_1.deviceName, status: 'ONLINE' });
    // Other tests may have left some; one that is gone is no longer one of those that should be online.
    const counted = flows.red.next('statuses', ({ status }) => {
      const [, online, total] = /^(\d+) of (\d+) online/.exec(String(status?.text)) ?? [];
      return status?.text === 'online' || (online !== undefined && online === total);
    });
    await flows.through('delete', { payload: SENSOR_2 });
    await counted;
    assert.deepEqual(flows.view(SENSOR_2), { gateway: undefined, status: 'OFFLINE' });
    // Putting it back is no login.
    await flows.through('add', { payload: SENSOR_2 });
    assert.deepEqual(flows.view(SENSOR_2), { gateway: GATEWAY_1.deviceName, status: 'OFFLINE' });
  });

  function askToAdd(devices: readonly object[]): void {
    const { productKey, deviceName } = GATEWAY_1;
    const body = { id: '77', version: '1.0', method: 'thing.topo.add.notify', params: devices };
    const topic = `/sys/${productKey}/${deviceName}/thing/topo/add/notify`;
    flows.emulator.publishToDevice(GATEWAY_1, topic, JSON.stringify(body), 1);
  }
});

async function until(condition: () => boolean): Promise<void> {
  const end = Date.now() + 10_000;
  while (!condition()) {
    assert.ok(Date.now() < end, 'it did not come to that');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
