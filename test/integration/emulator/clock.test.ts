import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { type Emulator, startEmulator } from '../../../emulator';
import { closeAllDevices, type Device, type DeviceOptions, openDevice } from '../../../sdk';
import { state } from '../../support/sdk-device';

const IDENTITY = { productKey: 'a1Test', deviceName: 'board-1' };
const DAYS = 24 * 3_600_000;

/** A board whose clock is wrong, on a platform whose clock is right. */
describe('the platform’s time', () => {
  let emulator: Emulator;
  /** How far the board is behind, ms. */
  const behind = 20 * 365 * DAYS;

  beforeEach(async () => {
    emulator = await startEmulator({ autoProvision: true, clock: () => Date.now() + behind });
  });

  afterEach(async () => {
    await closeAllDevices();
    await emulator.close();
  });

  function open(more: Partial<DeviceOptions> = {}): Device {
    const { deviceSecret } = emulator.provisionDevice(IDENTITY);
    return openDevice({
      identity: IDENTITY,
      platform: { kind: 'custom', host: '127.0.0.1' },
      transport: 'tcp',
      port: emulator.ports.mqtt ?? 0,
      authentication: { kind: 'deviceSecret', deviceSecret },
      correctTime: true,
      ...more,
    });
  }

  const stored = (identifier: string) => emulator.devices.get(IDENTITY)?.properties[identifier]?.time ?? 0;
  const near = (actual: number, expected: number) => {
    assert.ok(Math.abs(actual - expected) < 2000, `${new Date(actual).toISOString()} is not near`);
  };

  it('corrects times of reports, explicit ones too, also of those made before it was known', async () => {
    const device = open();
    const made = Date.now();
    const before = [
      device.postProperties({ stamped: 1 }),
      device.postProperties({ explicit: { value: 1, time: made - 60_000 } }),
      device.postProperties([
        { batch: { value: 1, time: made - 2000 } },
        { batch: { value: 2, time: made - 1000 } },
      ]),
      device.postEvent('hot', { t: 1 }, { time: made - 5000 }),
    ];
    device.connect();
    await Promise.all(before);
    near(stored('stamped'), made + behind);
    near(stored('explicit'), made - 60_000 + behind);
    near(stored('batch'), made - 1000 + behind);
    near(emulator.devices.get(IDENTITY)?.events[0]?.time ?? 0, made - 5000 + behind);
    near((device.clockOffset ?? 0) + Date.now(), Date.now() + behind);
    await device.postProperties({ later: { value: 1, time: Date.now() } });
    near(stored('later'), Date.now() + behind);
  });

  it('leaves texts alone that look like its marks', async () => {
    const device = open();
    device.connect();
    await state(device, 'online');
    await device.postProperties({ note: { value: '"@local:1:2@"', time: Date.now() } });
    assert.equal(emulator.devices.get(IDENTITY)?.properties.note?.value, '"@local:1:2@"');
  });

  it('is not waited for without end when the platform does not tell it', async () => {
    emulator.faults.add({ match: { direction: 'up', operation: 'ext.ntp.request' }, action: 'drop' });
    const device = open({ timing: { clockMs: 50 } });
    const made = Date.now();
    const posted = device.postProperties({ stamped: 1 });
    device.connect();
    await posted;
    assert.equal(device.clockOffset, undefined);
    near(stored('stamped'), made);
  });

  it('is not asked for unless wanted', async () => {
    const device = open({ correctTime: false });
    device.connect();
    await device.postProperties({ a: 1 });
    assert.equal(device.clockOffset, undefined);
    assert.deepEqual(
      emulator.exchanges.list(({ operation }) => operation === 'ext.ntp.request'),
      [],
    );
  });
});
