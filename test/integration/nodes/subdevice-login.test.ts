import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'mocha';
import { device, emulatorPlatform, propertyPost } from '../../support/flows';
import { startNodeRed } from '../../support/node-red';
import { CLOSED, GATEWAY_1, PLANT, SENSOR_1, SENSOR_2, SENSOR_3, SENSOR_4 } from '../../support/plant';
import { briefly, GatewayFlows } from '../../support/plant-flows';
import { subDeviceLogin, topo } from '../../support/topo-nodes';

const SENSORS = [SENSOR_1, SENSOR_2, SENSOR_3, SENSOR_4];
const MISTYPED = 'mistyped-0123456789abcdef';
const ONLINE = { gateway: GATEWAY_1.deviceName, status: 'ONLINE' };
const OFFLINE = { gateway: GATEWAY_1.deviceName, status: 'OFFLINE' };
const secretOf = (identity: { deviceName: string }) => ({
  ...identity,
  deviceSecret: `secret-of-${identity.deviceName}`,
});
const logout = subDeviceLogin({ id: 'logout', action: 'logout' });

describe('alink-subdevice-login', () => {
  let flows: GatewayFlows;
  before(async () => {
    // Tests log in and out as fast as they go.
    flows = await GatewayFlows.start({ loginsPerMinute: 0 });
  });
  afterEach(async () => {
    await flows.emulator.faults.clear();
    // Those that were logged in go; that others were not is no matter.
    const gone = Promise.any([flows.red.next('out'), flows.red.next('errors')]);
    flows.red.send('logout', { payload: SENSORS });
    await gone;
  });
  after(() => flows.stop());

  const deploy = (extra: object = {}, more: Parameters<GatewayFlows['deploy']>[0] = []) =>
    flows.deploy([
      subDeviceLogin(extra),
      { ...logout, wires: [['out']] },
      { id: 'out', z: 'tab', type: 'test-sink', wires: [] },
      ...more,
    ]);

  it('brings many online in one message, and takes them offline again', async () => {
    await deploy();
    const counted = flows.red.next('statuses', ({ status }) => status?.text === '4 of 4 online');
    const { payload, alink } = await flows.through('login', { payload: SENSORS.map(secretOf) });
    assert.deepEqual(
      payload,
      SENSORS.map((sensor) => ({ ...sensor, ok: true })),
    );
    assert.deepEqual([alink?.status, alink?.problems], ['acknowledged', undefined]);
    for (const sensor of SENSORS) assert.deepEqual(flows.view(sensor), ONLINE);
    await counted;
    const out = await flows.through('logout', { payload: [SENSOR_1, SENSOR_2] }, 'out');
    assert.deepEqual(briefly(out.payload), [
      ['sensor-1', true],
      ['sensor-2', true],
    ]);
    assert.deepEqual(
      SENSORS.map((sensor) => flows.view(sensor)),
      [OFFLINE, OFFLINE, ONLINE, ONLINE],
    );
  });

  it('lets other nodes of the gateway speak for them', async () => {
    await deploy({ wires: [['post']] }, [
      propertyPost({
        device: 'hub',
        identifier: 'temperature',
        value: '7',
        valueType: 'num',
        wires: [['posted']],
      }),
    ]);
    const posted = await flows.through('login', { payload: secretOf(SENSOR_1) }, 'posted');
    assert.deepEqual([posted.alink?.status, posted.alink?.deviceName], ['acknowledged', 'sensor-1']);
    assert.deepEqual(posted.device, SENSOR_1);
  });

  it('tells which of them fail, and why; the others are online', async () => {
    await deploy();
    const [msg, status] = await Promise.all([
      flows.through('login', {
        payload: [{ ...SENSOR_1, deviceSecret: MISTYPED }, secretOf(SENSOR_2), CLOSED, 'x y'],
      }),
      flows.red.next(
        'statuses',
        ({ status }) => status?.fill === 'yellow' && /failed/.test(String(status.text)),
      ),
    ]);
    const [first, second, third, last] = msg.payload as Array<{ ok: boolean; code: unknown }>;
    assert.deepEqual([first?.ok, second?.ok, third?.ok, last?.ok], [false, true, false, false]);
    assert.ok([6287, 401].includes(Number(first?.code)), String(first?.code));
    assert.equal(status.status?.text, '3 of 4 failed');
    assert.ok(Array.isArray(msg.alink?.problems) && msg.alink.problems.length === 3);
    assert.deepEqual(flows.view(SENSOR_2), ONLINE);
  });

  it('is an error when none of them comes online', async () => {
    await deploy();
    flows.emulator.devices.setEnabled(SENSOR_3, false);
    const failed = await flows.through('login', { payload: secretOf(SENSOR_3) }, 'errors');
    flows.emulator.devices.setEnabled(SENSOR_3, true);
    assert.ok([522, 6204].includes(Number(failed.error?.code)), String(failed.error?.code));
    assert.equal(failed.alink?.status, 'refused');
    assert.doesNotMatch(JSON.stringify(failed), /secret-of/);
  });

  it('the gateway itself is refused as its own sub-device', async () => {
    await deploy();
    const failed = await flows.through('login', { payload: GATEWAY_1 }, 'errors');
    assert.equal(failed.error?.code, 6402);
    assert.match(failed.error?.message ?? '', /cannot be its own gateway/);
  });

  it('on a device that is no gateway it says so, and goes on saying so while that is online', async () => {
    const plain = { productKey: 'a1Plain', deviceName: 'plain-01' };
    const { deviceSecret } = flows.emulator.provisionDevice(plain);
    const online = flows.red.next('plain', ({ payload }) => payload === 'online');
    const wrong = flows.red.next('statuses', ({ status }) => status?.fill === 'red');
    const shown: unknown[] = [];
    const see = ({ status }: { status: { fill: string; source: { id: string } } }) => {
      if (status.source.id === 'login') shown.push(status.fill);
    };
    flows.red.events.on('test-sink:statuses', see);
    await deploy({ device: 'no-hub' }, [
      { ...device({ id: 'no-hub', ...plain }), credentials: { deviceSecret } },
      { id: 'life', z: 'tab', type: 'alink-lifecycle', device: 'no-hub', initial: true, wires: [['plain']] },
      { id: 'plain', z: 'tab', type: 'test-sink', wires: [] },
    ]);
    assert.match((await wrong).status?.text ?? '', /^bad setting/);
    await online;
    const failed = await flows.through('login', { payload: SENSOR_1 }, 'errors');
    assert.equal(failed.error?.code, 'badSettings');
    flows.red.events.off('test-sink:statuses', see);
    assert.deepEqual(new Set(shown.slice(shown.indexOf('red'))), new Set(['red']));
  });

  it('brings them back after a lost connection, until they are logged out', async () => {
    await deploy();
    await flows.through('login', { payload: [SENSOR_1, SENSOR_2].map(secretOf) });
    await flows.through('logout', { payload: SENSOR_2 }, 'out');
    const back = flows.red.next('statuses', ({ status }) => status?.text === '1 of 1 online');
    flows.emulator.faults.dropConnections();
    await flows.red.next('states', ({ payload }) => payload === 'online');
    await back;
    assert.deepEqual(
      [SENSOR_1, SENSOR_2].map((sensor) => flows.view(sensor)),
      [ONLINE, OFFLINE],
    );
  });

  it('stays online through a deploy of its own', async () => {
    await deploy();
    await flows.through('login', { payload: SENSOR_1 });
    const logins = () =>
      flows.emulator.exchanges.list().filter(({ topic }) => topic?.includes('combine/')).length;
    const before = logins();
    await deploy({ name: 'changed' });
    assert.deepEqual(flows.view(SENSOR_1), ONLINE);
    assert.equal(logins(), before);
  });

  it('keeps secrets of messages on disk only when asked', async () => {
    await deploy();
    await flows.through('login', { payload: secretOf(SENSOR_4) });
    assert.equal(stored('sensor-4'), false);
    await flows.through('logout', { payload: SENSOR_4 }, 'out');
    await deploy({ store: true });
    await flows.through('login', { payload: secretOf(SENSOR_4) });
    assert.equal(stored('sensor-4'), true);
  });

  it('says that one is not logged in', async () => {
    await deploy();
    const { error } = await flows.through('logout', { payload: SENSOR_3 }, 'errors');
    assert.equal(error?.code, 520);
  });

  function stored(deviceName: string): boolean {
    const folder = join(flows.red.userDir, 'alink', 'secrets');
    if (!existsSync(folder)) return false;
    return readdirSync(folder).some((file) =>
      readFileSync(join(folder, file), 'utf8').includes(`"${deviceName}"`),
    );
  }
});

describe('secrets of messages', () => {
  it('are in no line that Node-RED prints, at any level', async function () {
    this.timeout(60_000);
    const { deviceName, productKey } = GATEWAY_1;
    const good = secretOf(SENSOR_1);
    const bad = { ...SENSOR_2, deviceSecret: MISTYPED };
    const platform = emulatorPlatform({ emulatorConfig: JSON.stringify(PLANT) });
    const tab = { z: 'tab', x: 100, y: 100 };
    const red = await startNodeRed({
      settings: { logging: { console: { level: 'trace', metrics: true, audit: true } } },
      flows: [
        { id: 'tab', type: 'tab', label: 'test' },
        platform,
        device({ id: 'hub', deviceName, productKey, role: 'gateway', thingModelSource: 'none' }),
        {
          ...tab,
          id: 'start',
          type: 'inject',
          props: [{ p: 'payload' }, { p: 'device', v: JSON.stringify(good), vt: 'json' }],
          once: true,
          onceDelay: 0.1,
          payload: JSON.stringify([good, bad]),
          payloadType: 'json',
          wires: [['login', 'topo']],
        },
        { ...subDeviceLogin({ store: true, wires: [['print']] }), ...tab },
        { ...topo({ value: 'device', wires: [['print']] }), ...tab },
        { ...tab, id: 'catch', type: 'catch', scope: null, wires: [['print']] },
        { ...tab, id: 'print', type: 'debug', active: true, console: true, complete: 'true' },
      ],
    });
    const printed = () => red.output().split(/ok: true/).length > 2 && /ok: false/.test(red.output());
    try {
      await until(printed);
    } finally {
      await red.stop();
    }
    for (const secret of [good.deviceSecret, MISTYPED]) assert.ok(!red.output().includes(secret), secret);
  });
});

async function until(condition: () => boolean): Promise<void> {
  const end = Date.now() + 15_000;
  while (!condition()) {
    assert.ok(Date.now() < end, 'it did not come to that');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
