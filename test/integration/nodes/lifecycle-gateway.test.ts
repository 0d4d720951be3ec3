import assert from 'node:assert/strict';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { after, before, describe, it } from 'mocha';
import { type Emulator, startEmulator } from '../../../emulator';
import type { DeviceIdentity } from '../../../protocol';
import { lifecycle, sink, statusOf } from '../../support/flows';
import { GATEWAY, gateway, meter, meterIdentity } from '../../support/gateway-flows';
import { type FlowMessage, type FlowNode, type Runtime, startRuntime } from '../../support/runtime';
import { subDeviceLogin } from '../../support/topo-nodes';

const MANY = 1500;

describe('alink-lifecycle of a gateway on the emulator', () => {
  let red: Runtime;
  let emulator: Emulator;
  before(async () => {
    emulator = await startEmulator({
      limits: { loginsPerSecond: 0, loginsPerMinute: 0, subDevicesPerGateway: 0 },
    });
    red = await startRuntime();
  });
  after(async () => {
    await red.stop();
    await emulator.close();
  });

  const credentials = (identity: DeviceIdentity) => ({
    credentials: { deviceSecret: emulator.provisionDevice(identity).deviceSecret },
  });
  const plant = (meters: readonly number[], identity = GATEWAY): FlowNode[] => [
    {
      id: 'platform',
      type: 'alink-platform',
      kind: 'custom',
      host: '127.0.0.1',
      mqttPort: String(emulator.ports.mqtt),
    },
    gateway({ loginsPerSecond: '0', ...identity, ...credentials(identity) }),
    ...meters.map((n) => meter(n, credentials(meterIdentity(n)))),
    sink('states'),
  ];
  const all = { device: 'gate', own: true, subDevices: true, notices: true };

  function record(): FlowMessage[] {
    const seen: FlowMessage[] = [];
    red.events.removeAllListeners('test-sink:states');
    red.events.on('test-sink:states', (msg: FlowMessage) => seen.push(msg));
    return seen;
  }

  it('tells gateway and sub-devices apart, and that all come back after the connection was cut', async () => {
    const seen = record();
    await red.deploy([...plant([1, 2]), lifecycle({ ...all, notices: false })]);
    await until(() => count(seen, 'online') === 3);
    assert.deepEqual(told(seen), ['gate-01 online', 'meter-1 online', 'meter-2 online']);
    assert.deepEqual(
      seen.filter(({ device }) => device !== undefined).map(({ device }) => device),
      told(seen)
        .slice(1)
        .map((text) => ({ productKey: 'a1Meter', deviceName: text.split(' ')[0] })),
    );
    emulator.faults.kick(GATEWAY);
    await until(() => count(seen, 'online') === 6);
    const names = ['gate-01', 'meter-1', 'meter-2'];
    for (const name of names) {
      const own = seen.filter(({ topic }) => String(topic).endsWith(name)).map(({ payload }) => payload);
      assert.deepEqual(own, ['online', 'offline', 'online'], name);
    }
  });

  it('tells that the cloud disabled a sub-device and enabled it, with code and sentence', async () => {
    const seen = record();
    await red.deploy([
      ...plant([1, 2]),
      lifecycle(all),
      lifecycle({ id: 'ofOne', device: 'm-1', wires: [['one']] }),
      sink('one'),
    ]);
    const ofOne: FlowMessage[] = [];
    red.events.on('test-sink:one', (msg: FlowMessage) => ofOne.push(msg));
    await until(() => count(seen, 'online') === 3 && count(ofOne, 'online') === 1);
    seen.length = 0;
    emulator.devices.setEnabled(meterIdentity(1), false);
    await until(() => count(seen, 'refused') === 1 && count(seen, 'kicked') === 1);
    const refused = seen.find(({ payload }) => payload === 'refused');
    assert.deepEqual([refused?.alink?.code, refused?.alink?.deviceName], [522, 'meter-1']);
    assert.match(String(refused?.alink?.message), /disabled/);
    emulator.devices.setEnabled(meterIdentity(1), true);
    await until(() => count(seen, 'online') === 1);
    assert.ok(
      told(seen).every((text) => text.startsWith('meter-1 ')),
      String(told(seen)),
    );
    await until(() => ofOne.length === seen.length + 1);
    assert.deepEqual(told(ofOne), ['meter-1 online', ...told(seen)]);
  });

  it(`tells ${MANY} sub-devices that come online, lose their gateway and come back, and Node-RED goes on`, async function () {
    this.timeout(60_000);
    // The one of the tests before stays for some seconds after its last user.
    const other = { ...GATEWAY, deviceName: 'gate-02' };
    const seen = record();
    const statuses: string[] = [];
    red.events.on('test-sink:statuses', ({ status }: FlowMessage) => statuses.push(String(status?.text)));
    await red.deploy([
      ...plant([], other),
      lifecycle({ ...all, own: false }),
      ...statusOf('lifecycle'),
      subDeviceLogin({ device: 'gate', timeout: '50' }),
      sink(),
    ]);
    const devices = Array.from({ length: MANY }, (_, i) => {
      const identity = { productKey: 'a1Meter', deviceName: `many-${i}` };
      return { ...identity, deviceSecret: emulator.provisionDevice(identity).deviceSecret };
    });
    const delay = monitorEventLoopDelay({ resolution: 5 });
    delay.enable();
    const results = red.next('sink', undefined, 50_000);
    red.send('login', { payload: devices });
    await results;
    await until(() => count(seen, 'online') === MANY && statuses.at(-1) === `${MANY} of ${MANY} online`);
    emulator.faults.kick(other);
    await until(() => count(seen, 'online') === 2 * MANY && statuses.at(-1) === `${MANY} of ${MANY} online`);
    delay.disable();
    assert.equal(count(seen, 'offline'), MANY);
    assert.ok(statuses.length < 60, `${statuses.length} statuses`);
    const worst = delay.percentile(99) / 1e6;
    assert.ok(worst < 500, `p99 of the event loop's delay: ${worst} ms`);
  });
});

function count(seen: readonly FlowMessage[], payload: string): number {
  return seen.filter((msg) => msg.payload === payload).length;
}

function told(seen: readonly FlowMessage[]): string[] {
  return seen.map(({ topic, payload }) => `${String(topic).split('/')[1]} ${payload}`);
}

async function until(holds: () => boolean): Promise<void> {
  const end = Date.now() + 30_000;
  while (!holds()) {
    assert.ok(Date.now() < end, 'it did not come to that');
    await new Promise((done) => setTimeout(done, 5));
  }
}
