import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'mocha';
import {
  closeAllDevices,
  type Device,
  openConnections,
  openSubDevice,
  type SubDeviceResult,
} from '../../../sdk';
import { isError, state } from '../../support/sdk-device';
import { gate, meter, SdkPlant, secretOf } from '../../support/sdk-plant';

/** Who keeps a sub-device, and what becomes of it when another one lets go. */
describe('life of sub-devices', () => {
  let plant: SdkPlant;

  afterEach(() => plant.stop());

  it('one that cannot be opened leaves no gateway behind', async () => {
    plant = await SdkPlant.start();
    assert.throws(
      () => openSubDevice(plant.meterOptions(1, { identity: { productKey: '', deviceName: 'x' } })),
      isError('badSettings'),
    );
    assert.throws(() => openSubDevice({ ...plant.meterOptions(1), identity: gate(1) }));
    const { gateway: _, ...plain } = plant.gateOptions(2);
    assert.throws(() => openSubDevice({ ...plant.meterOptions(1), gateway: plain }), isError('badSettings'));
    assert.equal(openConnections(), 0);
  });

  it('a stored secret that the emulator has forgotten is asked for anew', async () => {
    plant = await SdkPlant.start();
    const { mqtt = 0 } = plant.emulator.ports;
    const gateway = {
      ...plant.gateOptions(),
      platform: { kind: 'emulator', host: '127.0.0.1', ports: { tcp: mqtt }, httpUrl: '' } as const,
    };
    await plant.secretStore.write(meter(0), 'emulator', { deviceSecret: 'of an earlier run' });
    const device = openSubDevice({
      ...plant.meterOptions(0),
      gateway,
      authentication: { kind: 'subRegister' },
    });
    device.connect();
    const { reason } = await Promise.race([state(device, 'online'), state(device, 'refused')]);
    assert.equal(reason, undefined);
    assert.deepEqual(await plant.secretStore.read(meter(0), 'emulator'), {
      deviceSecret: secretOf(meter(0)),
    });
  });

  it('a login that is given up ends no other login of the same sub-device', async () => {
    plant = await SdkPlant.start();
    const { gateway } = await plant.gateway();
    plant.emulator.faults.add({
      action: 'delay',
      ms: 100,
      match: { operation: 'session.login' },
      times: 1,
    });
    const devices = [{ identity: meter(0), deviceSecret: secretOf(meter(0)) }];
    const results = await Promise.all([
      gateway.login(devices, { timeoutMs: 50 }),
      gateway.login(devices, { timeoutMs: 5000 }),
    ]);
    assert.deepEqual(
      results.map(([result]) => result?.error?.key),
      ['timeout', undefined],
    );
    assert.equal(plant.emulator.devices.get(meter(0))?.status, 'ONLINE');
  });

  it('a login ends with the gateway, whoever waits for it', async () => {
    plant = await SdkPlant.start();
    const { gateway } = await plant.gateway();
    plant.emulator.faults.add({ action: 'drop', match: { operation: 'session.login' } });
    const login = gateway.login([{ identity: meter(0), deviceSecret: secretOf(meter(0)) }]);
    await state(gateway.subDevice(meter(0)) as Device, 'connecting');
    await closeAllDevices();
    assert.deepEqual(
      (await login).map(({ error }) => error?.key),
      ['closed'],
    );
  });

  it('one that is logged in by message while it lingers stays', async () => {
    plant = await SdkPlant.start();
    const { gateway } = await plant.gateway();
    const device = plant.open(0, { lingerMs: 60_000 });
    await state(device, 'online');
    await device.release();
    const [result] = await gateway.login([{ identity: meter(0), deviceSecret: secretOf(meter(0)) }]);
    assert.equal(result?.error, undefined);
    assert.deepEqual(await gateway.logout([meter(0)]), [{ identity: meter(0) }]);
    assert.equal(plant.emulator.devices.get(meter(0))?.status, 'OFFLINE');
  });

  it('settings of its own take the place of a login by message', async () => {
    plant = await SdkPlant.start();
    const { gateway } = await plant.gateway();
    await gateway.login([{ identity: meter(0), deviceSecret: secretOf(meter(0)) }]);
    const device = plant.open(0, { cleanSession: true });
    await state(device, 'online');
    await device.postProperties({ temperature: 1 });
    const [refused] = await gateway.logout([meter(0)]);
    assert.equal(refused?.error?.details.rule, 'subDeviceConfigured');
    await device.release();
    assert.equal(plant.emulator.devices.get(meter(0))?.status, 'OFFLINE');
    assert.deepEqual(gateway.subDevices(), []);
  });

  it('whoever is told of admissions and fails harms nobody; each is told once', async () => {
    plant = await SdkPlant.start();
    const { gateway } = await plant.gateway();
    await gateway.register([{ identity: meter(0) }]);
    await gateway.addTopology([{ identity: meter(0) }]);
    const told: SubDeviceResult[] = [];
    gateway.admit(() => {
      throw new Error('somebody else’s fault');
    });
    const done = new Promise<void>((resolve) => {
      gateway.admit((result) => {
        told.push(result);
        resolve();
      });
    });
    await done;
    await gateway.getTopology();
    assert.deepEqual(told, [{ identity: meter(0) }]);
  });

  it('a time limit of a request about several holds for all of them', async () => {
    plant = await SdkPlant.start();
    const { gateway } = await plant.gateway();
    plant.emulator.faults.add({ action: 'drop', match: { operation: 'thing.topo.add' } });
    plant.emulator.faults.add({ action: 'drop', match: { operation: 'thing.topo.delete' } });
    plant.emulator.faults.add({ action: 'drop', match: { operation: 'thing.sub.register' } });
    const [device, options] = [{ identity: meter(0), deviceSecret: secretOf(meter(0)) }, { timeoutMs: 40 }];
    const results = await Promise.all([
      gateway.addTopology([device], options),
      gateway.deleteTopology([meter(0)], options),
      gateway.register([{ identity: meter(1) }], options),
    ]);
    assert.deepEqual(
      results.flat().map(({ error }) => [error?.key, error?.details.seconds]),
      [
        ['timeout', 0],
        ['timeout', 0],
        ['timeout', 0],
      ],
    );
  });

  it('one that is refused meanwhile is tried at once when a message asks, with the secret of the message', async () => {
    plant = await SdkPlant.start();
    const { gateway } = await plant.gateway();
    const devices = [{ identity: meter(0), deviceSecret: secretOf(meter(0)) }];
    await gateway.login(devices);
    const refuse = async () => {
      plant.emulator.faults.add({
        action: 'refuse',
        code: 6287,
        match: { operation: 'session.login' },
        times: 2,
      });
      const refused = new Promise<void>((done) => {
        const stop = gateway.onSubDevice(({ state: { name } }) => {
          if (name !== 'refused') return;
          queueMicrotask(() => stop());
          done();
        });
      });
      plant.emulator.faults.dropConnections();
      await refused;
      plant.emulator.faults.clear();
    };
    await refuse();
    assert.deepEqual(await gateway.login(devices), [{ identity: meter(0) }]);
    assert.equal(plant.emulator.devices.get(meter(0))?.status, 'ONLINE');
    await refuse();
    const [other] = await gateway.login([{ identity: meter(0), deviceSecret: 'another' }]);
    assert.equal(other?.error?.code, 6287);
    assert.deepEqual(gateway.subDevices(), []);
  });
});
