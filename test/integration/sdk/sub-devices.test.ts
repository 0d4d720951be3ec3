import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'mocha';
import { isJsonObject, parseJson } from '../../../protocol';
import { openConnections, openDevice, openSubDevice } from '../../../sdk';
import { isError, rejection, state } from '../../support/sdk-device';
import { again, gate, METER_PRODUCT_SECRET, meter, SdkPlant, secretOf } from '../../support/sdk-plant';

/** A sub-device's life on the emulator, from its registration to its logout. */
describe('sub-devices of the SDK', () => {
  let plant: SdkPlant;

  afterEach(() => plant.stop());

  it('are added and logged in by themselves, and are devices like any other', async () => {
    plant = await SdkPlant.start();
    const [device] = await plant.online(1);
    assert.ok(device);
    assert.deepEqual(plant.codes('thing.topo.add'), [200]);
    assert.deepEqual(plant.codes('session.login'), [200]);
    assert.equal(plant.emulator.devices.get(meter(0))?.status, 'ONLINE');
    assert.deepEqual(plant.emulator.devices.get(meter(0))?.connectedAs, gate(1));

    await device.postProperties({ temperature: 21.5 });
    await device.postEvent('overheated', { temperature: 90 });
    const view = plant.emulator.devices.get(meter(0));
    assert.equal(view?.properties.temperature?.value, 21.5);
    assert.equal(view?.events[0]?.identifier, 'overheated');
    assert.deepEqual((await device.request('thing.dsltemplate.get', {})).code, 200);
    assert.equal(device.lastReported().get('temperature')?.value, 21.5);
  });

  it('need no subscriptions: the login asks the platform to push', async () => {
    plant = await SdkPlant.start();
    await plant.online(5);
    const topics = plant.emulator.exchanges.list().filter(({ kind }) => kind === 'subscribe');
    assert.deepEqual(
      topics.filter(({ topic }) => topic?.includes('/meter-')),
      [],
    );
  });

  it('ask for the answers that are not pushed by themselves, when they expect the first', async () => {
    plant = await SdkPlant.start();
    const [device] = await plant.online(1);
    for (let i = 0; i < 2; i++) {
      const outcome = await device?.postProperties([{ temperature: i }, { temperature: 20 + i }]);
      assert.equal(outcome?.method, 'thing.event.property.batch.post');
    }
    const topics = plant.emulator.exchanges
      .list(({ kind, topic }) => kind === 'subscribe' && topic?.includes('/meter-') === true)
      .map(({ topic }) => topic);
    assert.deepEqual(topics, [`/sys/a1Meters/meter-0/thing/event/property/batch/post_reply`]);
  });

  it('subscribe each topic of theirs where the platform wants it', async () => {
    plant = await SdkPlant.start({ gateway: { subscribeEach: true } });
    const [device] = await plant.online(1);
    await device?.postProperties({ temperature: 20 });
    const logins = plant.emulator.exchanges.list().filter(({ operation }) => operation === 'session.login');
    assert.ok(!logins.some(({ text }) => text.includes('_ss')));
  });

  it('subscribe also what their gateway takes for them, there and then or before they came', async () => {
    plant = await SdkPlant.start({ gateway: { subscribeEach: true } });
    const gateway = await plant.gateway();
    const take = (kind: 'propertySet' | 'service') =>
      gateway.onRequest({ kind }, (request) => void request.answer({}).catch(() => undefined), {
        subDevices: true,
      });
    const stop = take('propertySet');
    const [device] = await plant.online(1);
    take('service');
    await device?.postProperties({ temperature: 20 });
    const subscribed = () => {
      const own = { ...meter(0) };
      return plant.emulator.devices.get(own)?.subscriptions.map((filter) => filter.split('/thing/')[1]) ?? [];
    };
    for (const topic of [
      'service/property/set',
      'service/+',
      'disable',
      'enable',
      'delete',
      'event/+/post_reply',
    ])
      assert.ok(subscribed().includes(topic), `${topic} in ${subscribed()}`);
    stop();
  });

  it('take what the platform asks of them, their own handlers or the gateway’s', async () => {
    plant = await SdkPlant.start();
    const gateway = await plant.gateway();
    const [first, second] = await plant.online(2);
    assert.ok(first && second);
    const asked: string[] = [];
    first.onRequest({ kind: 'propertySet' }, (request) => {
      asked.push(`own ${request.identity.deviceName}`);
      void request.answer({});
    });
    gateway.onRequest(
      { kind: 'propertySet' },
      (request) => {
        asked.push(`gateway ${request.identity.deviceName}`);
        void request.answer({}).catch(() => undefined);
      },
      { subDevices: true },
    );
    const set = (i: number) =>
      plant.emulator.publishToDevice(
        meter(i),
        `/sys/${meter(i).productKey}/${meter(i).deviceName}/thing/service/property/set`,
        JSON.stringify({
          id: String(i),
          version: '1.0',
          params: { light: 1 },
          method: 'thing.service.property.set',
        }),
      );
    const answers = new Promise<void>((done) => {
      let left = 2;
      const look = () => {
        left = 2 - plant.codes('thing.service.property.set').length;
        if (left === 0) done();
        else setImmediate(look);
      };
      look();
    });
    set(0);
    set(1);
    await answers;
    assert.deepEqual(asked, ['own meter-0', 'gateway meter-0', 'gateway meter-1']);
  });

  it('are registered by the gateway when they have no secret, and the secret is kept', async () => {
    plant = await SdkPlant.start();
    const devices = [
      plant.open(0, { authentication: { kind: 'subRegister' } }),
      plant.open(1, { authentication: { kind: 'subRegister' } }),
      plant.open(2, { authentication: { kind: 'productRegister', productSecret: METER_PRODUCT_SECRET } }),
    ];
    await Promise.all(devices.map((device) => state(device, 'online')));
    const before = plant.codes('thing.sub.register');
    assert.ok(before.length > 0 && before.every((code) => code === 200), before.join());
    assert.deepEqual(plant.codes('thing.proxy.provisioning.product_register'), [200]);
    for (const i of [0, 1, 2]) {
      assert.deepEqual(await plant.secretStore.read(meter(i), '127.0.0.1'), {
        deviceSecret: secretOf(meter(i)),
      });
    }
    await Promise.all(devices.map((device) => device.release()));
    const device = plant.open(0, { authentication: { kind: 'subRegister' } });
    await state(device, 'online');
    assert.deepEqual(plant.codes('thing.sub.register'), before, 'not registered again');
  });

  it('are registered thirty at a time', async () => {
    plant = await SdkPlant.start({ meters: 65 });
    const devices = Array.from({ length: 65 }, (_, i) =>
      plant.open(i, { authentication: { kind: 'subRegister' } }),
    );
    await Promise.all(devices.map((device) => state(device, 'online')));
    const sizes = plant.emulator.exchanges
      .list()
      .filter(({ kind, operation }) => kind === 'up' && operation === 'thing.sub.register')
      .map(({ text }) => (parseJson(text) as { params: unknown[] }).params.length);
    assert.ok(Math.max(...sizes) <= 30, sizes.join());
    assert.equal(
      sizes.reduce((sum, size) => sum + size, 0),
      65,
      'each once',
    );
  });

  it('log in fifty at a time, below the platform’s rate', async () => {
    plant = await SdkPlant.start({ meters: 250, limits: { loginsPerSecond: 200 } });
    await plant.online(250);
    assert.deepEqual(plant.codes('session.batchLogin'), [200, 200, 200, 200, 200]);
    assert.deepEqual(plant.codes('session.login'), []);
  });

  it('log out when nobody wants them any more, and leave the gateway to the others', async () => {
    plant = await SdkPlant.start();
    const [first, second] = await plant.online(2);
    await first?.release();
    assert.equal(plant.emulator.devices.get(meter(0))?.status, 'OFFLINE');
    assert.deepEqual(plant.codes('session.logout'), [200]);
    await second?.postProperties({ temperature: 1 });
    await second?.release();
    assert.equal(openConnections(), 0, 'the gateway goes with the last');
    assert.equal(plant.emulator.devices.get(gate(1))?.status, 'OFFLINE');
  });

  it('outlive a deploy together with their gateway, which adds, removes and changes others', async () => {
    plant = await SdkPlant.start();
    const lingering = (i: number, more = {}) => ({
      ...plant.meterOptions(i, { lingerMs: 60_000, ...more }),
      gateway: { ...plant.gateOptions(), lingerMs: 60_000 },
    });
    const before = [0, 1, 2].map((i) => openSubDevice(lingering(i)));
    for (const device of before) device.connect();
    await Promise.all(before.map((device) => state(device, 'online')));
    const connects = () =>
      plant.emulator.exchanges
        .list()
        .filter(({ kind, identity }) => kind === 'connect' && identity?.deviceName === 'gate-1').length;
    assert.equal(connects(), 1);
    let lost = 0;
    await Promise.all(before.map((device) => device.release()));

    // 0 stays, 1 changes, 2 goes, 3 is new.
    const kept = openSubDevice(lingering(0));
    kept.onState(({ name }) => {
      if (name !== 'online') lost++;
    });
    const changed = openSubDevice(lingering(1, { cleanSession: true }));
    const added = openSubDevice(lingering(3));
    for (const device of [kept, changed, added]) device.connect();
    await Promise.all([changed, added].map((device) => state(device, 'online')));
    assert.equal(connects(), 1, 'the gateway was not dropped');
    assert.equal(lost, 0, 'nor was the one that stays');
    await kept.postProperties({ temperature: 3 });
  });

  it('are refused when two definitions differ, or the gateway is none', async () => {
    plant = await SdkPlant.start();
    await plant.online(1);
    assert.throws(
      () => openSubDevice(plant.meterOptions(0, { cleanSession: true })),
      isError('definitionConflict'),
    );
    const { gateway: _, ...plain } = plant.gateOptions(2);
    assert.throws(() => openSubDevice({ ...plant.meterOptions(1), gateway: plain }), isError('badSettings'));
    assert.throws(
      () => openSubDevice({ ...plant.meterOptions(1), identity: gate(1) }),
      isError('badSettings'),
    );
    assert.throws(() =>
      openSubDevice(plant.meterOptions(1, { identity: { productKey: '', deviceName: 'x' } })),
    );
  });

  it('share the answer about the thing model of their product', async () => {
    plant = await SdkPlant.start({ meters: 20 });
    const devices = Array.from({ length: 20 }, (_, i) =>
      plant.open(i, { thingModel: { mode: 'strict', fetch: true } }),
    );
    await Promise.all(devices.map((device) => state(device, 'online')));
    await Promise.all(devices.map((device) => device.postProperties({ temperature: 1 })));
    const asked = plant.codes('thing.dsltemplate.get').length;
    assert.equal(asked, 1);
    const error = await rejection((devices[7] ?? assert.fail()).postProperties({ temperature: 'hot' }));
    assert.equal(error.key, 'thingModel');
  });

  it('are kept apart from what was never theirs', async () => {
    plant = await SdkPlant.start();
    const gateway = await plant.gateway();
    const [device] = await plant.online(1);
    assert.equal(device?.gateway, undefined);
    assert.deepEqual(
      gateway.gateway.subDevices().map(({ identity, state: { name } }) => [identity.deviceName, name]),
      [['meter-0', 'online']],
    );
    const handle = gateway.gateway.subDevice(meter(0));
    await handle?.postProperties({ temperature: 7 });
    await handle?.release();
    assert.equal(gateway.gateway.subDevice(meter(4)), undefined);
    assert.equal(device?.state.name, 'online', 'a further handle takes nothing away');
  });

  it('never show a secret', async () => {
    plant = await SdkPlant.start();
    const lines: string[] = [];
    const log = (line: object) => lines.push(JSON.stringify(line));
    const gateway = openDevice({ ...plant.gateOptions(), log });
    gateway.connect();
    await state(gateway, 'online');
    const wrong = openSubDevice({
      ...plant.meterOptions(0),
      authentication: { kind: 'deviceSecret', deviceSecret: 'a wrong secret' },
      log,
    });
    wrong.connect();
    const refused = await state(wrong, 'refused');
    assert.equal(refused.reason?.code, 401, 'the topology already wants a signature');
    assert.ok(lines.length > 0);
    for (const line of [...lines, JSON.stringify(refused)]) {
      assert.ok(!line.includes('a wrong secret') && !line.includes('secret-of'), line);
    }
  });

  it('sign what they present, in the spellings of each message', async () => {
    plant = await SdkPlant.start();
    await plant.online(1);
    const texts = plant.emulator.exchanges.list();
    const sent = (operation: string) => {
      const exchange = texts.find((one) => one.kind === 'up' && one.operation === operation);
      const body = parseJson(exchange?.text ?? '');
      assert.ok(isJsonObject(body));
      return body.params;
    };
    const [addition] = sent('thing.topo.add') as Array<Record<string, string>>;
    assert.equal(addition?.signmethod, 'hmacSha256');
    const login = sent('session.login') as Record<string, string>;
    assert.equal(login.signMethod, 'hmacSha256');
    assert.equal(login.clientId, 'a1Meters.meter-0|_ss=1|');
    assert.equal(login.cleanSession, 'false');
  });

  it('come back with the connection', async () => {
    plant = await SdkPlant.start();
    const devices = await plant.online(5);
    for (let round = 0; round < 2; round++) {
      const back = Promise.all(devices.map((device) => again(device, 'online')));
      plant.emulator.faults.dropConnections();
      await back;
      await Promise.all(devices.map((device) => device.postProperties({ temperature: round })));
    }
    assert.deepEqual(plant.codes('session.batchLogin'), [200, 200, 200]);
    assert.deepEqual(plant.codes('thing.topo.add'), [200], 'the topology still has them');
  });
});
