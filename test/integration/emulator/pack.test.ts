import assert from 'node:assert/strict';
import type { MqttClient } from 'mqtt';
import { type Emulator, startEmulator } from '../../../emulator';
import type { DeviceIdentity } from '../../../protocol';
import { onlineLamp, request } from '../../support/emulator';
import { GATEWAY_1, GATEWAY_2, PLANT, SENSOR_1, SENSOR_2, SENSOR_3, thingTopic } from '../../support/plant';

const TIME = 1_700_000_000_000;

function sub(identity: DeviceIdentity, temperature: unknown = 20.5) {
  return { identity, properties: { temperature: { value: temperature, time: TIME } } };
}

function numbered(count: number, value: unknown = 1): Record<string, unknown> {
  return Object.fromEntries(Array.from({ length: count }, (_, i) => [`p${i}`, value]));
}

describe('pack posts of a gateway in the emulator', () => {
  let emulator: Emulator;
  let gateway: MqttClient;

  const pack = (params: unknown) =>
    request(gateway, thingTopic(GATEWAY_1, 'event/property/pack/post'), params);
  const latest = (identity: DeviceIdentity, property: string) =>
    emulator.devices.get(identity)?.properties[property]?.value;
  /** Nothing of any device is stored, and nobody is told. */
  const nothingStored = () => {
    for (const identity of [GATEWAY_1, SENSOR_1, SENSOR_2, SENSOR_3]) {
      const view = emulator.devices.get(identity);
      assert.deepEqual([view?.properties, view?.events], [{}, []], identity.deviceName);
    }
    assert.deepEqual(
      emulator.messages.list().filter(({ topic }) => topic.includes('/thing/event/')),
      [],
    );
  };

  beforeEach(async () => {
    emulator = await startEmulator({ config: PLANT });
    emulator.topology.add(GATEWAY_1, [SENSOR_1, SENSOR_2]);
    gateway = await onlineLamp(emulator, GATEWAY_1, { parameters: { _ss: 1 } });
  });

  afterEach(async () => {
    await gateway.endAsync(true);
    await emulator.close();
  });

  it('stores for each device and tells applications for each, without sessions of the sub-devices', async () => {
    const { code, data } = await pack({
      properties: { load: { value: 3, time: TIME } },
      events: { started: { value: { reason: 'power' }, time: TIME } },
      subDevices: [
        { ...sub(SENSOR_1, 21), events: { overheated: { value: { temperature: 99 }, time: TIME } } },
        sub(SENSOR_2, 22),
      ],
    });
    assert.deepEqual([code, data], [200, {}]);
    assert.equal(latest(GATEWAY_1, 'load'), 3);
    assert.deepEqual(emulator.devices.get(SENSOR_1)?.properties.temperature, { value: 21, time: TIME });
    assert.equal(latest(SENSOR_2, 'temperature'), 22);
    assert.deepEqual(
      emulator.devices.get(SENSOR_1)?.events.map(({ identifier, value, time }) => [identifier, value, time]),
      [['overheated', { temperature: 99 }, TIME]],
    );
    assert.deepEqual(
      emulator.messages
        .list()
        .map(({ topic }) => topic)
        .filter((topic) => topic.includes('/thing/event/'))
        .sort(),
      [
        '/a1Gateway/gateway-1/thing/event/property/post',
        '/a1Gateway/gateway-1/thing/event/started/post',
        '/a1Sensor/sensor-1/thing/event/overheated/post',
        '/a1Sensor/sensor-1/thing/event/property/post',
        '/a1Sensor/sensor-2/thing/event/property/post',
      ],
    );
  });

  it('takes a single sub-device for a list of one, and the gateway among the sub-devices', async () => {
    assert.equal((await pack({ subDevices: sub(SENSOR_1, 1) })).code, 200);
    assert.equal((await pack({ subDevices: [{ identity: GATEWAY_1, properties: { load: 4 } }] })).code, 200);
    assert.deepEqual([latest(SENSOR_1, 'temperature'), latest(GATEWAY_1, 'load')], [1, 4]);
  });

  it('refuses what is malformed with 460', async () => {
    for (const params of [
      {},
      [],
      'text',
      { properties: {} },
      { properties: [] },
      { properties: 'a' },
      { events: 1, properties: { load: 1 } },
      { subDevices: [] },
      { subDevices: 'a' },
      { subDevices: [sub(SENSOR_1), null] },
      { subDevices: [{ properties: { temperature: 1 } }] },
      { subDevices: [sub(SENSOR_1), { ...sub(SENSOR_2), identity: null }] },
      { subDevices: [sub(SENSOR_1), { ...sub(SENSOR_2), identity: { productKey: 'a1Sensor' } }] },
      { subDevices: [sub(SENSOR_1), { ...sub(SENSOR_2), properties: [1] }] },
    ]) {
      assert.equal((await pack(params)).code, 460, JSON.stringify(params));
    }
    nothingStored();
  });

  it('refuses too much of it: 6106 properties in all, 6356 events in all, 6357 sub-devices', async () => {
    const full = { properties: numbered(199), subDevices: [sub(SENSOR_1)] };
    assert.equal((await pack({ ...full, subDevices: [sub(SENSOR_1), sub(SENSOR_2)] })).code, 6106);
    const event = { value: {} };
    const overheated = { overheated: { value: { temperature: 1 } } };
    const eventful = { identity: SENSOR_1, events: overheated };
    assert.equal((await pack({ events: numbered(20, event), subDevices: [eventful] })).code, 6356);
    const many = Array.from({ length: 21 }, () => sub(SENSOR_1));
    assert.equal((await pack({ subDevices: many })).code, 6357);
    nothingStored();
    assert.equal((await pack(full)).code, 200);
    assert.equal((await pack({ events: numbered(19, event), subDevices: [eventful] })).code, 200);
    assert.equal((await pack({ subDevices: many.slice(1) })).code, 200);
  });

  it('fails as a whole when one sub-device may not report: 6401, 6100, 522', async () => {
    const nobody = { productKey: 'a1Sensor', deviceName: 'nobody' };
    assert.equal((await pack({ subDevices: [sub(SENSOR_1), sub(SENSOR_3)] })).code, 6401);
    assert.equal((await pack({ subDevices: [sub(SENSOR_1), sub(GATEWAY_2)] })).code, 6401);
    assert.equal((await pack({ subDevices: [sub(SENSOR_1), sub(nobody)] })).code, 6100);
    emulator.devices.setEnabled(SENSOR_2, false);
    assert.equal((await pack({ subDevices: [sub(SENSOR_1), sub(SENSOR_2)] })).code, 522);
    nothingStored();
  });

  it('fails as a whole when one value breaks the thing model', async () => {
    for (const [code, bad] of [
      [6320, { identity: SENSOR_2, properties: { pressure: 1 } }],
      [6307, sub(SENSOR_2, 'warm')],
      [6307, sub(SENSOR_2, 1000)],
      [6308, { identity: SENSOR_2, properties: { light: 2 } }],
      [6326, { identity: SENSOR_2, properties: { light: { value: 1, time: 'soon' } } }],
      [6321, { identity: SENSOR_2, events: { exploded: { value: {} } } }],
      [6302, { identity: SENSOR_2, events: { overheated: { value: {} } } }],
      [460, { identity: SENSOR_2, events: { overheated: 'hot' } }],
    ] as const) {
      const { code: answered } = await pack({ properties: { load: 1 }, subDevices: [sub(SENSOR_1), bad] });
      assert.equal(answered, code, JSON.stringify(bad));
    }
    nothingStored();
  });

  it('answers 6201 and 6313 where a fault says so', async () => {
    for (const code of [6201, 6313]) {
      const match = { operation: 'thing.event.property.pack.post' };
      emulator.faults.add({ action: 'refuse', code, times: 1, match });
      assert.equal((await pack({ subDevices: [sub(SENSOR_1)] })).code, code);
    }
  });

  it('takes late data of sub-devices behind the gateway, and of no others', async () => {
    const history = (identity: DeviceIdentity) =>
      request(gateway, thingTopic(GATEWAY_1, 'event/property/history/post'), [
        { identity, properties: [{ temperature: { value: 20, time: TIME } }], events: [] },
      ]);
    assert.equal((await history(SENSOR_1)).code, 200);
    assert.equal(latest(SENSOR_1, 'temperature'), 20);
    assert.equal((await history(SENSOR_3)).code, 6401);
    assert.equal((await history({ ...SENSOR_1, deviceName: 'nobody' })).code, 6100);
  });
});
