import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'mocha';
import { type Emulator, type EmulatorLimits, startEmulator } from '../../../emulator';
import type { DeviceIdentity, Json } from '../../../protocol';
import {
  type AlinkError,
  closeAllDevices,
  type Device,
  type DeviceOptions,
  type Gateway,
  openDevice,
  openSubDevice,
} from '../../../sdk';
import { PRODUCT } from '../../support/emulator';
import { GATE_1, GATEWAYS, leave, stand } from '../../support/gateway';
import { rejection, state } from '../../support/sdk-device';

const PACK = 'thing.event.property.pack.post';
const METER = 'a1Meter';
const meter = (i: number): DeviceIdentity => ({ productKey: METER, deviceName: `meter-${i}` });
const METERS = {
  productKey: METER,
  thingModel: { ...PRODUCT.thingModel, profile: { productKey: METER } },
};

/** The SDK's gateway and the emulator, which checks each pack as a whole. */
describe('packs of a gateway', () => {
  let emulator: Emulator;
  let device: Device;
  let gateway: Gateway;
  let options: DeviceOptions;

  afterEach(async () => {
    await closeAllDevices();
    await emulator.close();
  });

  /** A gateway that is online, with sub-devices in its topology that have no session. */
  async function plant(count: number, limits: Partial<EmulatorLimits> = {}): Promise<void> {
    const devices = Array.from({ length: count }, (_, i) => ({
      deviceName: `meter-${i}`,
      deviceSecret: `secret-of-meter-${i}`,
    }));
    emulator = await startEmulator({ config: { products: [GATEWAYS, { ...METERS, devices }] }, limits });
    stand(
      emulator,
      GATE_1,
      devices.map((_, i) => meter(i)),
    );
    options = {
      identity: GATE_1,
      platform: { kind: 'custom', host: '127.0.0.1' },
      transport: 'tcp',
      port: emulator.ports.mqtt ?? 0,
      authentication: { kind: 'deviceSecret', deviceSecret: 'secret-of-gate-1' },
      gateway: {},
      timing: { backoff: { first: 10, longest: 20 } },
    };
    device = openDevice(options);
    device.connect();
    await state(device, 'online');
    assert.ok(device.gateway);
    gateway = device.gateway;
  }

  const packs = () =>
    emulator.exchanges.list().filter(({ operation, kind }) => operation === PACK && kind === 'up');
  const storedValue = (identity: DeviceIdentity, identifier: string): Json | undefined =>
    emulator.devices.get(identity)?.properties[identifier]?.value;
  const codeOf = (result: PromiseSettledResult<unknown>) =>
    result.status === 'fulfilled' ? 200 : (result.reason as AlinkError).code;

  it('bring values and events of things without a session, and the gateway’s own', async () => {
    await plant(3);
    const time = Date.now() - 60_000;
    const outcomes = await Promise.all([
      gateway.postProperties(meter(0), { temperature: 20, light: 1 }, { time }),
      gateway.postEvent(meter(1), 'overheated', { temperature: 99 }),
      gateway.postProperties(meter(2), [
        { temperature: 1, time: time + 1 },
        { temperature: 2, time: time + 2 },
      ]),
      gateway.postProperties(GATE_1, { load: 0.5 }),
    ]);
    assert.deepEqual(new Set(outcomes.map(({ method }) => method)), new Set([PACK]));
    assert.equal(packs().length, 2);
    assert.equal(emulator.devices.get(meter(0))?.properties.temperature?.time, time);
    assert.deepEqual([storedValue(meter(0), 'light'), storedValue(GATE_1, 'load')], [1, 0.5]);
    assert.deepEqual(
      emulator.devices.get(meter(1))?.events.map(({ identifier }) => identifier),
      ['overheated'],
    );
    assert.deepEqual(
      emulator.devices
        .get(meter(2))
        ?.history('temperature')
        .map(({ value }) => value),
      [1, 2],
    );
  });

  it('that hold something bad are sent again without it', async () => {
    await plant(20);
    leave(emulator, meter(3));
    emulator.devices.setEnabled(meter(8), false);
    emulator.devices.delete(meter(15));
    const results = await Promise.allSettled(
      Array.from({ length: 20 }, (_, i) =>
        gateway.postProperties(meter(i), { temperature: i === 11 ? 1000 : i }),
      ),
    );
    const refused = results.map((result, i) => [i, codeOf(result)]).filter(([, code]) => code !== 200);
    assert.deepEqual(refused, [
      [3, 6401],
      [8, 522],
      [11, 6307],
      [15, 6100],
    ]);
    for (const i of [0, 1, 2, 4, 19]) assert.equal(storedValue(meter(i), 'temperature'), i);
    assert.equal(storedValue(meter(11), 'temperature'), undefined);
    assert.ok(packs().length < 35, `${packs().length} packs`);
  });

  it('are made smaller where the platform takes less', async () => {
    await plant(20, { packEvents: 4, packSubDevices: 7 });
    await Promise.all(
      Array.from({ length: 20 }, (_, i) => [
        gateway.postProperties(meter(i), { temperature: i }),
        gateway.postEvent(meter(i), 'overheated', { temperature: i }),
      ]).flat(),
    );
    for (let i = 0; i < 20; i++) {
      assert.equal(storedValue(meter(i), 'temperature'), i);
      assert.equal(emulator.devices.get(meter(i))?.events.length, 1);
    }
  });

  it('check values of an open sub-device with its thing model; many values of one go by its own door', async () => {
    await plant(1);
    const open = openSubDevice({
      gateway: options,
      identity: meter(0),
      authentication: { kind: 'deviceSecret', deviceSecret: 'secret-of-meter-0' },
      thingModel: { mode: 'strict', document: METERS.thingModel as unknown as Json },
    });
    open.connect();
    await state(open, 'online');
    assert.equal(
      (await rejection(gateway.postProperties(meter(0), { temperature: 'warm' }))).key,
      'thingModel',
    );
    const [, batch] = await Promise.all([
      gateway.postProperties(meter(0), { temperature: 1 }),
      gateway.postProperties(meter(0), [{ temperature: 2 }, { temperature: 3 }]),
      gateway.postProperties(meter(0), { temperature: '4' }),
    ]);
    assert.equal(batch.method, 'thing.event.property.batch.post');
    const history = emulator.devices
      .get(meter(0))
      ?.history('temperature')
      .map(({ value }) => value);
    assert.deepEqual(history, [1, 2, 3, 4]);
    assert.equal(open.lastReported().get('temperature')?.value, 4);
    assert.equal(packs().length, 2);
  });

  it('of 1,500 sub-devices that report at once are 75 messages', async () => {
    await plant(1500, { exchanges: 10_000 });
    const all = Array.from({ length: 1500 }, (_, i) =>
      gateway.postProperties(meter(i), { temperature: i % 100 }),
    );
    await Promise.all(all);
    assert.equal(packs().length, 75);
    for (let i = 0; i < 1500; i++) assert.equal(storedValue(meter(i), 'temperature'), i % 100);
  });

  it('that are on their way when the connection is cut fail and are not sent again; the others wait', async () => {
    await plant(3);
    const earlier = Date.now();
    emulator.faults.add({ action: 'kick', match: { operation: PACK }, times: 1 });
    const lost = rejection(gateway.postProperties(meter(0), { temperature: 1 }, { packWindowMs: 0 }));
    const waiting = gateway.postProperties(meter(0), { temperature: 2 }, { packWindowMs: 0 });
    const { key, retry } = await lost;
    const measured = Date.now();
    assert.deepEqual([key, retry], ['disconnected', 'slow']);
    const offline = gateway.postProperties(meter(1), { temperature: 3 });
    await Promise.all([waiting, offline]);
    const history = emulator.devices
      .get(meter(0))
      ?.history('temperature')
      .map(({ value }) => value);
    assert.deepEqual(history, [2]);
    for (const i of [0, 1]) {
      const { time = 0 } = emulator.devices.get(meter(i))?.properties.temperature ?? {};
      assert.ok(time >= earlier && time <= measured + 5, 'the time of measurement, not of arrival');
    }
  });

  it('that are refused for the moment fail as a whole and are not tried again', async () => {
    await plant(5);
    emulator.faults.add({ action: 'refuse', code: 429, match: { operation: PACK }, times: 1 });
    const all = Array.from({ length: 5 }, (_, i) => gateway.postProperties(meter(i), { temperature: i }));
    assert.deepEqual((await Promise.allSettled(all)).map(codeOf), [429, 429, 429, 429, 429]);
    assert.equal(packs().length, 1);
  });
});
