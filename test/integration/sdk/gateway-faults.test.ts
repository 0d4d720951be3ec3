import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, it } from 'mocha';
import { type Device, type GatewayNotice, openSubDevice, type SubDeviceState } from '../../../sdk';
import { rejection, state } from '../../support/sdk-device';
import { again, gate, METER_PRODUCT_SECRET, meter, QUICK, SdkPlant, secretOf } from '../../support/sdk-plant';

/** What can go wrong with the sub-devices of a gateway, made to happen. */
describe('faults at a gateway', () => {
  let plant: SdkPlant;

  afterEach(() => plant.stop());

  function reasons(states: readonly SubDeviceState[]): Record<string, number | string | undefined> {
    return Object.fromEntries(
      states.map(({ identity, state: { name, reason } }) => [identity.deviceName, reason?.code ?? name]),
    );
  }

  it('cut during login: all are online after the next connect, none twice', async () => {
    plant = await SdkPlant.start({ meters: 120 });
    plant.emulator.faults.add({ action: 'kick', match: { operation: 'session.batchLogin' }, times: 1 });
    await plant.online(120);
    const logins = plant.codes('session.batchLogin').filter((code) => code === 200);
    assert.equal(logins.length, 3);
    assert.equal(
      plant.emulator.devices.list().filter((one) => plant.emulator.devices.get(one)?.status === 'ONLINE')
        .length,
      121,
    );
  });

  it('cut between login and its answer: the next login takes the place of the lost one', async () => {
    plant = await SdkPlant.start();
    plant.emulator.faults.add({ action: 'loseReply', match: { operation: 'session.login' }, times: 1 });
    const device = plant.open(0);
    const cut = new Promise<void>((done) => {
      const look = () => (plant.codes('session.login').length > 0 ? done() : setImmediate(look));
      look();
    });
    await cut;
    plant.emulator.faults.dropConnections();
    await state(device, 'online');
    await device.postProperties({ temperature: 1 });
  });

  it('cut during registration: the secret that was delivered is asked for again', async () => {
    plant = await SdkPlant.start();
    plant.emulator.faults.add({ action: 'loseReply', match: { operation: 'thing.sub.register' }, times: 1 });
    const device = plant.open(0, { authentication: { kind: 'subRegister' } });
    await new Promise<void>((done) => {
      const look = () => (plant.codes('thing.sub.register').length > 0 ? done() : setImmediate(look));
      look();
    });
    plant.emulator.faults.dropConnections();
    await state(device, 'online');
    assert.deepEqual(plant.codes('thing.sub.register'), [200, 200]);
    assert.deepEqual(await plant.secretStore.read(meter(0), '127.0.0.1'), {
      deviceSecret: secretOf(meter(0)),
    });
  });

  it('cut while the secret is being stored: it is stored all the same, and not asked for again', async () => {
    plant = await SdkPlant.start();
    const { secretStore } = plant;
    const device = openSubDevice({
      ...plant.meterOptions(0),
      authentication: { kind: 'subRegister' },
      secretStore: {
        read: (...args) => secretStore.read(...args),
        write: async (...args) => {
          plant.emulator.faults.dropConnections();
          await new Promise<void>((done) => {
            const stop = device.onState(({ name }) => {
              if (name !== 'waiting') return;
              queueMicrotask(() => stop());
              done();
            });
          });
          await secretStore.write(...args);
        },
      },
    });
    device.connect();
    await state(device, 'online');
    assert.deepEqual(plant.codes('thing.sub.register'), [200]);
  });

  it('a secret that cannot be stored: the sub-device says so and does not go online with it', async () => {
    plant = await SdkPlant.start();
    const device = openSubDevice({
      ...plant.meterOptions(0),
      authentication: { kind: 'subRegister' },
      secretStore: {
        read: async () => undefined,
        write: async () => {
          throw new Error('the disk is full');
        },
      },
    });
    device.connect();
    assert.equal((await state(device, 'refused')).reason?.key, 'secretStore');
    assert.deepEqual(plant.codes('session.login'), []);
  });

  it('half of a batch is refused: each has its own reason, the other half is online', async () => {
    plant = await SdkPlant.start({ meters: 20 });
    const gateway = await plant.gateway();
    plant.emulator.topology.add(
      gate(1),
      Array.from({ length: 20 }, (_, i) => meter(i)),
    );
    const wrong = { kind: 'deviceSecret', deviceSecret: 'wrong' } as const;
    for (const i of [10, 11, 12]) plant.emulator.devices.setEnabled(meter(i), false);
    for (const i of [13, 14, 15]) plant.emulator.devices.delete(meter(i));
    const devices = Array.from({ length: 20 }, (_, i) =>
      plant.open(i, i >= 16 ? { authentication: wrong } : {}),
    );
    await Promise.all(devices.map((device, i) => state(device, i < 10 ? 'online' : 'refused')));
    const result = reasons(gateway.gateway.subDevices());
    for (let i = 0; i < 10; i++) assert.equal(result[`meter-${i}`], 'online');
    assert.deepEqual(
      [10, 11, 12].map((i) => result[`meter-${i}`]),
      [522, 522, 522],
    );
    assert.ok(
      [13, 14, 15].every((i) => [521, 6100, 6401].includes(Number(result[`meter-${i}`]))),
      JSON.stringify(result),
    );
    assert.deepEqual(
      [16, 17, 18, 19].map((i) => result[`meter-${i}`]),
      [6287, 6287, 6287, 6287],
    );
    await devices[3]?.postProperties({ temperature: 3 });
  });

  it('half of an addition is refused: the others are added', async () => {
    plant = await SdkPlant.start({ meters: 10, limits: { subDevicesPerGateway: 5 } });
    const gateway = await plant.gateway();
    const results = await gateway.gateway.addTopology(
      Array.from({ length: 10 }, (_, i) => ({
        identity: meter(i),
        deviceSecret: i === 2 ? 'wrong' : secretOf(meter(i)),
      })),
    );
    const codes = results.map(({ error }) => error?.code ?? 200).sort();
    assert.deepEqual(codes, [200, 200, 200, 200, 200, 401, 6400, 6400, 6400, 6400]);
    assert.equal(results[2]?.error?.code, 401);
    assert.equal((await gateway.gateway.getTopology()).length, 5);
  });

  it('a sub-device logs in elsewhere: it says so, comes back, and gives way in the end', async () => {
    plant = await SdkPlant.start();
    const gateway = await plant.gateway();
    const notices: GatewayNotice[] = [];
    gateway.gateway.onNotice((notice) => notices.push(notice));
    const [device, other] = await plant.online(2);
    assert.ok(device && other);
    for (let i = 0; i < 2; i++) {
      const back = again(device, 'online');
      plant.emulator.faults.kick(meter(0));
      await back;
    }
    plant.emulator.faults.kick(meter(0));
    await state(device, 'conflict');
    assert.deepEqual(
      notices
        .filter(({ type }) => type === 'kicked')
        .map(({ error, devices }) => [error?.code, devices[0]?.deviceName]),
      [[427, 'meter-0']],
      'told on two topics and three times within two seconds, heard once',
    );
    assert.equal(other.state.name, 'online');
  });

  it('the cloud takes a sub-device out of the topology: it stays out until the cloud puts it back', async () => {
    plant = await SdkPlant.start();
    const gateway = await plant.gateway();
    const types: string[] = [];
    gateway.gateway.onNotice(({ type }) => types.push(type));
    const [device, other] = await plant.online(2);
    assert.ok(device && other);
    plant.emulator.topology.remove([meter(0)]);
    const refused = await state(device, 'refused');
    assert.equal(refused.reason?.code, 6401);
    const error = await rejection(device.postProperties({ temperature: 1 }, { timeoutMs: 200 }));
    assert.equal(error.key, 'waitingTimeout');
    assert.equal(plant.codes('thing.topo.add').length, 1, 'not put back behind the cloud’s back');

    const back = again(device, 'online');
    plant.emulator.topology.add(gate(1), [meter(0)]);
    await back;
    await device.postProperties({ temperature: 2 });
    assert.ok(types.includes('removed') && types.includes('added'), types.join());
    assert.equal(other.state.name, 'online');
  });

  it('a sub-device is disabled and enabled: offline at once, back at once', async () => {
    plant = await SdkPlant.start();
    const gateway = await plant.gateway();
    const types: string[] = [];
    gateway.gateway.onNotice(({ type }) => types.push(type));
    const [device] = await plant.online(1);
    assert.ok(device);
    plant.emulator.devices.setEnabled(meter(0), false);
    assert.equal((await state(device, 'refused')).reason?.code, 522);
    const back = state(device, 'online');
    plant.emulator.devices.setEnabled(meter(0), true);
    await back;
    assert.ok(types.includes('disabled') && types.includes('enabled'), types.join());
  });

  it('a sub-device is deleted while its messages are in flight: each of them ends', async () => {
    plant = await SdkPlant.start();
    const [device, other] = await plant.online(2);
    assert.ok(device && other);
    plant.emulator.faults.add({ action: 'delay', ms: 50, match: { deviceName: 'meter-0', topic: '/sys/#' } });
    const posts = Array.from({ length: 20 }, (_, i) => rejection(device.postProperties({ temperature: i })));
    await other.postProperties({ temperature: 1 });
    plant.emulator.devices.delete(meter(0));
    const errors = await Promise.all(posts);
    assert.ok(
      errors.every(({ key, code }) => key === 'disconnected' || code === 520 || code === 521),
      [...new Set(errors.map(({ key, code }) => `${key} ${code}`))].join(),
    );
    await state(device, 'refused');
    await other.postProperties({ temperature: 2 });
  });

  it('a message without a session is failed with 520, and the sub-device logs in again', async () => {
    plant = await SdkPlant.start();
    const [device] = await plant.online(1);
    assert.ok(device);
    // The platform forgets the session and the notice gets lost.
    plant.emulator.faults.add({ action: 'drop', match: { direction: 'down', topic: '/ext/#' }, times: 2 });
    plant.emulator.faults.kick(meter(0));
    const back = again(device, 'online');
    const error = await rejection(device.postProperties({ temperature: 1 }));
    assert.ok(error.code === 520 || error.key === 'disconnected', `${error.key} ${error.code}`);
    await back;
    await device.postProperties({ temperature: 2 });
  });

  it('the gateway is kicked: it comes back with all its sub-devices', async () => {
    plant = await SdkPlant.start({ meters: 60 });
    const devices = await plant.online(60);
    const back = Promise.all(devices.map((device) => again(device, 'online')));
    plant.emulator.faults.kick(gate(1));
    await back;
    await Promise.all(devices.map((device) => device.postProperties({ temperature: 5 })));
  });

  it('more at once than may be online: as many as may are, the others say why', async () => {
    plant = await SdkPlant.start({ meters: 120, limits: { onlineSubDevicesPerGateway: 75 } });
    const devices = Array.from({ length: 120 }, (_, i) => plant.open(i));
    const names = await Promise.all(
      devices.map(
        (device) =>
          new Promise<string>((done) => {
            device.onState(({ name, reason }) => {
              if (name === 'online') done('online');
              if (name === 'refused') done(`refused ${reason?.code}`);
            });
          }),
      ),
    );
    assert.equal(names.filter((name) => name === 'online').length, 75);
    assert.equal(names.filter((name) => name === 'refused 428').length, 45);
  });

  it('the platform answers nothing that can be read for a while: nobody is stuck', async () => {
    plant = await SdkPlant.start({ requestTimeoutMs: 300 });
    plant.emulator.faults.add({ action: 'malformReply', match: { operation: 'thing.topo.get' }, times: 1 });
    plant.emulator.faults.add({
      action: 'malformReply',
      match: { operation: 'session.batchLogin' },
      times: 1,
    });
    plant.emulator.topology.add(gate(1), [meter(0), meter(1), meter(2)]);
    await plant.online(3);
    assert.ok(plant.codes('session.batchLogin').length >= 2);
  });

  it('an instance that signs only the part before the bar: logins go on without what is behind it', async () => {
    plant = await SdkPlant.start();
    // What such an instance says to the first of them.
    plant.emulator.faults.add({
      action: 'refuse',
      code: 6287,
      match: { operation: 'session.login' },
      times: 1,
    });
    const [first] = await plant.online(1);
    assert.ok(first);
    await first.postProperties({ temperature: 1 });
    const logins = plant.emulator.exchanges
      .list()
      .filter(({ operation, kind }) => operation === 'session.login' && kind === 'up');
    assert.deepEqual(
      logins.map(({ text }) => text.includes('_ss')),
      [true, false],
    );
    const second = plant.open(1);
    await state(second, 'online');
    const last = plant.emulator.exchanges
      .list()
      .filter(({ operation, kind }) => operation === 'session.login' && kind === 'up')
      .at(-1);
    assert.ok(!last?.text.includes('_ss'), 'remembered');
    await second.postProperties({ temperature: 1 });
  });

  it('sub-devices that only messages know: in, through a cut, and out again', async () => {
    plant = await SdkPlant.start();
    const { gateway } = await plant.gateway();
    const results = await gateway.login([
      { identity: meter(0), deviceSecret: secretOf(meter(0)) },
      { identity: meter(1), deviceSecret: 'wrong' },
      { identity: meter(2) },
      { identity: meter(3), productSecret: METER_PRODUCT_SECRET },
      { identity: { productKey: 'a/b', deviceName: '' } },
    ]);
    assert.deepEqual(
      results.map(({ error }) => error?.code ?? 'online'),
      ['online', 401, 'online', 'online', 460],
    );
    assert.deepEqual(
      gateway.subDevices().map(({ identity }) => identity.deviceName),
      ['meter-0', 'meter-2', 'meter-3'],
      'who could not log in is forgotten',
    );
    assert.equal(await plant.secretStore.read(meter(0), '127.0.0.1'), undefined, 'not kept unless asked');
    const handle = gateway.subDevice(meter(0)) as Device;
    const back = again(handle, 'online');
    plant.emulator.faults.dropConnections();
    await back;
    await handle.postProperties({ temperature: 8 });
    await handle.release();
    assert.deepEqual(
      (await gateway.logout([meter(0), meter(4)])).map(({ error }) => error?.code ?? 'out'),
      ['out', 520],
    );
    assert.equal(plant.emulator.devices.get(meter(0))?.status, 'OFFLINE');
    const stored = await gateway.login([{ identity: meter(0), deviceSecret: secretOf(meter(0)) }], {
      store: true,
    });
    assert.equal(stored[0]?.error, undefined);
    assert.deepEqual(await plant.secretStore.read(meter(0), '127.0.0.1'), {
      deviceSecret: secretOf(meter(0)),
    });
  });

  it('what applications ask to add is registered, added and logged in, and comes back after a restart', async () => {
    plant = await SdkPlant.start();
    const first = await plant.gateway();
    const admitted = new Promise<string[]>((done) => {
      const names: string[] = [];
      first.gateway.admit(({ identity, error }) => {
        assert.equal(error, undefined);
        names.push(identity.deviceName);
        if (names.length === 2) done(names.sort());
      });
    });
    await plant.emulator.topology.notifyAdd(gate(1), [meter(0), meter(1)]);
    assert.deepEqual(await admitted, ['meter-0', 'meter-1']);
    assert.equal(plant.emulator.devices.get(meter(1))?.status, 'ONLINE');
    await first.release();
    assert.equal(plant.emulator.devices.get(meter(1))?.status, 'OFFLINE');

    const registrations = plant.codes('thing.sub.register').length;
    const second = await plant.gateway();
    const returned = new Promise<void>((done) => {
      let left = 2;
      second.gateway.admit(() => {
        if (--left === 0) done();
      });
    });
    await returned;
    assert.equal(plant.emulator.devices.get(meter(1))?.status, 'ONLINE');
    assert.equal(plant.codes('thing.sub.register').length, registrations, 'with the secret that was kept');
  });

  it('a damaged secret keeps out its own sub-device only, and whoever takes them in is told', async () => {
    plant = await SdkPlant.start();
    const { secretStore } = plant;
    for (const i of [0, 1])
      await secretStore.write(meter(i), '127.0.0.1', { deviceSecret: secretOf(meter(i)) });
    const first = await plant.gateway();
    for (const i of [0, 1]) {
      const added = await first.gateway.addTopology([
        { identity: meter(i), deviceSecret: secretOf(meter(i)) },
      ]);
      assert.equal(added[0]?.error, undefined);
    }
    await first.release();
    const damaged = readdirSync(plant.folder).filter((name) => name.includes('meter-0'));
    assert.equal(damaged.length, 1);
    writeFileSync(join(plant.folder, damaged[0] ?? ''), '{"deviceSec');

    const { gateway } = await plant.gateway();
    const results = await new Promise<Record<string, string>>((done) => {
      const byName: Record<string, string> = {};
      gateway.admit(({ identity, error }) => {
        byName[identity.deviceName] = error?.key ?? 'in';
        if (Object.keys(byName).length === 2) done(byName);
      });
    });
    assert.deepEqual(results, { 'meter-0': 'secretStore', 'meter-1': 'in' });
  });

  it('the gateway is offline when a sub-device is wanted: its state says why, and it waits', async () => {
    plant = await SdkPlant.start();
    await plant.emulator.faults.stopListening();
    const device = plant.open(0);
    const waiting = await state(device, 'waiting');
    assert.equal(waiting.reason?.key, 'gatewayOffline');
    const post = device.postProperties({ temperature: 4 });
    await plant.emulator.faults.startListening();
    await post;
    assert.equal(plant.emulator.devices.get(meter(0))?.properties.temperature?.value, 4);
    assert.deepEqual(QUICK.backoff, { first: 10, longest: 20 });
  });
});
