import assert from 'node:assert/strict';
import type { MqttClient } from 'mqtt';
import { type Emulator, startEmulator } from '../../../emulator';
import { UnknownDeviceError } from '../../../emulator/options';
import { SIGN_METHODS } from '../../../protocol';
import { onlineLamp, request } from '../../support/emulator';
import {
  GATEWAY_1,
  GATEWAY_2,
  PLAIN,
  PLANT,
  presented,
  SENSOR_1,
  SENSOR_2,
  SENSOR_3,
  SENSOR_4,
  thingTopic,
} from '../../support/plant';

const NOBODY = { productKey: SENSOR_1.productKey, deviceName: 'nobody' };

describe('topology of a gateway in the emulator', () => {
  let emulator: Emulator;
  let gateway: MqttClient;

  const ask = (operation: string, params: unknown) =>
    request(gateway, thingTopic(GATEWAY_1, operation), params);
  const topology = async () => (await ask('topo/get', {})).data;
  const told = <T>(topic: string) =>
    emulator.messages
      .list()
      .filter((message) => message.topic === topic)
      .map(({ json }) => json as T);

  beforeEach(async () => {
    emulator = await startEmulator({
      config: { ...PLANT, limits: { subDevicesPerGateway: 3, topoAddBatch: 4 } },
    });
    gateway = await onlineLamp(emulator, GATEWAY_1, { parameters: { _ss: 1 } });
  });

  afterEach(async () => {
    await gateway.endAsync(true);
    await emulator.close();
  });

  it('adds a list or a single sub-device and answers with those it added', async () => {
    const list = await ask('topo/add', [presented(SENSOR_1), presented(SENSOR_2)]);
    assert.deepEqual([list.code, list.data], [200, [SENSOR_1, SENSOR_2]]);
    const single = await ask('topo/add', presented(SENSOR_3));
    assert.deepEqual([single.code, single.data], [200, [SENSOR_3]]);
    assert.deepEqual(await topology(), [SENSOR_1, SENSOR_2, SENSOR_3]);
  });

  it('takes every sign method, either spelling of its name, and a signature over what was sent', async () => {
    for (const method of SIGN_METHODS) {
      const { signmethod, ...rest } = presented(SENSOR_1, { method });
      assert.equal((await ask('topo/add', { ...rest, signMethod: signmethod.toUpperCase() })).code, 200);
    }
    const { signmethod: _, ...silent } = presented(SENSOR_2, { method: 'hmacmd5' });
    assert.equal((await ask('topo/add', silent)).code, 200, 'hmacmd5 when no method is named');
    const barred = presented(SENSOR_2, { clientId: 'a1Sensor.sensor-2|_ss=1|' });
    assert.equal((await ask('topo/add', barred)).code, 200, 'the whole clientId');
    const front = { ...presented(SENSOR_2, { clientId: 'front' }), clientId: 'front|_ss=1|' };
    assert.equal((await ask('topo/add', front)).code, 200, 'what is in front of the bar');
    const number = { ...presented(SENSOR_2), timestamp: 1_700_000_000_000 };
    assert.equal((await ask('topo/add', number)).code, 200, 'a time stamp that is a number');
  });

  it('refuses what is malformed with 460', async () => {
    const { sign: _, ...unsigned } = presented(SENSOR_1);
    const { deviceName: __, ...unnamed } = presented(SENSOR_1);
    for (const params of [[], {}, 'text', [1], [[]], unsigned, unnamed, [presented(SENSOR_1), null]]) {
      assert.equal((await ask('topo/add', params)).code, 460, JSON.stringify(params));
    }
    const many = [SENSOR_1, SENSOR_2, SENSOR_3, SENSOR_4, SENSOR_1].map((one) => presented(one));
    assert.equal((await ask('topo/add', many)).code, 460, 'more than topoAddBatch');
    assert.deepEqual(await topology(), []);
  });

  it('refuses a wrong signature, and one of a method without a formula, with 401', async () => {
    assert.equal((await ask('topo/add', presented(SENSOR_1, { deviceSecret: 'wrong' }))).code, 401);
    assert.equal((await ask('topo/add', { ...presented(SENSOR_1), signmethod: 'Sha256' })).code, 401);
    assert.equal((await ask('topo/add', { ...presented(SENSOR_1), timestamp: '1' })).code, 401);
  });

  it('refuses gateways as sub-devices with 401', async () => {
    assert.equal((await ask('topo/add', presented(GATEWAY_2))).code, 401);
  });

  it('refuses whatever only gateways do with 460 to a product that is said to be none', async () => {
    const plain = await onlineLamp(emulator, PLAIN, { parameters: { _ss: 1 } });
    try {
      for (const [operation, params] of [
        ['topo/add', [presented(SENSOR_1)]],
        ['topo/get', {}],
        ['sub/register', [SENSOR_1]],
        ['event/property/pack/post', { properties: { light: 1 } }],
      ] as const) {
        assert.equal((await request(plain, thingTopic(PLAIN, operation), params)).code, 460, operation);
      }
    } finally {
      await plain.endAsync(true);
    }
  });

  it('refuses itself with 6402, an unknown device with 6100, a disabled one with 6204, all or nothing', async () => {
    emulator.devices.setEnabled(SENSOR_2, false);
    for (const [code, bad] of [
      [6402, GATEWAY_1],
      [6100, NOBODY],
      [6204, SENSOR_2],
    ] as const) {
      assert.equal((await ask('topo/add', [presented(SENSOR_1), presented(bad)])).code, code);
    }
    assert.deepEqual(await topology(), []);
  });

  it('refuses more than the quota of registered sub-devices with 6400, but not those that are there', async () => {
    const all = [SENSOR_1, SENSOR_2, SENSOR_3].map((one) => presented(one));
    assert.equal((await ask('topo/add', all)).code, 200);
    assert.equal((await ask('topo/add', presented(SENSOR_4))).code, 6400);
    assert.equal((await ask('topo/add', all)).code, 200);
    assert.equal((await ask('topo/delete', [SENSOR_1])).code, 200);
    assert.equal((await ask('topo/add', presented(SENSOR_4))).code, 200);
  });

  it('moves a sub-device that is behind another gateway, and tells that one', async () => {
    const other = await onlineLamp(emulator, GATEWAY_2, { parameters: { _ss: 1 } });
    try {
      await request(other, thingTopic(GATEWAY_2, 'topo/add'), presented(SENSOR_1));
      assert.equal((await ask('topo/add', presented(SENSOR_1))).code, 200);
      await emulator.exchanges.waitFor(
        ({ operation, identity, text }) =>
          operation === 'thing.topo.change' &&
          identity?.deviceName === GATEWAY_2.deviceName &&
          text.includes('"status":1'),
      );
      assert.deepEqual((await request(other, thingTopic(GATEWAY_2, 'topo/get'), {})).data, []);
      assert.deepEqual(await topology(), [SENSOR_1]);
    } finally {
      await other.endAsync(true);
    }
  });

  it('deletes all or nothing: 6100 for an unknown device, 6401 for one that is not behind the gateway', async () => {
    await ask('topo/add', [presented(SENSOR_1), presented(SENSOR_2)]);
    assert.equal((await ask('topo/delete', [SENSOR_1, NOBODY])).code, 6100);
    assert.equal((await ask('topo/delete', [SENSOR_1, SENSOR_3])).code, 6401);
    assert.equal((await ask('topo/delete', [])).code, 460);
    assert.equal((await ask('topo/delete', [{ productKey: 'a1Sensor' }])).code, 460);
    assert.deepEqual(await topology(), [SENSOR_1, SENSOR_2]);
    assert.equal((await ask('topo/delete', SENSOR_1)).code, 200);
    assert.deepEqual(await topology(), [SENSOR_2]);
  });

  it('tells the topology whatever the params are', async () => {
    await ask('topo/add', presented(SENSOR_1));
    for (const params of [{}, '{}', [], undefined, null, [SENSOR_2]]) {
      const { code, data } = await ask('topo/get', params);
      assert.deepEqual([code, data], [200, [SENSOR_1]], JSON.stringify(params));
    }
  });

  it('answers 429 and 6203 where a fault says so', async () => {
    for (const code of [429, 6203]) {
      emulator.faults.add({ action: 'refuse', code, times: 1, match: { operation: 'thing.topo.add' } });
      assert.equal((await ask('topo/add', presented(SENSOR_1))).code, code);
    }
  });

  it('tells the gateway of each change, after the answer, and applications', async () => {
    const arrived: string[] = [];
    gateway.on('message', (topic, payload) => {
      const { params } = JSON.parse(payload.toString()) as { params?: { status: number; subList: unknown } };
      arrived.push(
        params === undefined ? topic.slice(-9) : `${params.status} ${JSON.stringify(params.subList)}`,
      );
    });
    const changed = (status: number) =>
      emulator.exchanges.waitFor(
        ({ operation, text }) => operation === 'thing.topo.change' && text.includes(`"status":${status}`),
      );
    await ask('topo/add', [presented(SENSOR_1)]);
    await changed(0);
    emulator.devices.setEnabled(SENSOR_1, false);
    await changed(8);
    emulator.devices.setEnabled(SENSOR_1, true);
    await changed(2);
    await ask('topo/delete', [SENSOR_1]);
    await changed(1);
    await ask('topo/get', {});
    const list = JSON.stringify([SENSOR_1]);
    assert.deepEqual(arrived, [
      'add_reply',
      `0 ${list}`,
      `8 ${list}`,
      `2 ${list}`,
      'ete_reply',
      `1 ${list}`,
      'get_reply',
    ]);
    const iotId = emulator.devices.get(SENSOR_1)?.iotId;
    const messages = told<{ action: string; messageCreateTime: number }>(
      `/${GATEWAY_1.productKey}/${GATEWAY_1.deviceName}/thing/topo/lifecycle`,
    );
    assert.deepEqual(
      messages.map(({ action }) => action),
      ['create', 'disable', 'enable', 'delete'],
    );
    const created = messages[0]?.messageCreateTime;
    assert.equal(typeof created, 'number');
    assert.deepEqual(messages[0], {
      action: 'create',
      gwIotId: emulator.devices.get(GATEWAY_1)?.iotId,
      gwProductKey: GATEWAY_1.productKey,
      gwDeviceName: GATEWAY_1.deviceName,
      devices: [{ iotId, ...SENSOR_1 }],
      messageCreateTime: created,
    });
  });

  it('forgets a sub-device, and a gateway with its sub-devices, when they are deleted', async () => {
    await ask('topo/add', [presented(SENSOR_1), presented(SENSOR_2)]);
    emulator.devices.delete(SENSOR_1);
    assert.deepEqual(await topology(), [SENSOR_2]);
    emulator.devices.delete(GATEWAY_1);
    const [last] = told<{ action: string; devices: Array<{ deviceName: string }> }>(
      `/${GATEWAY_1.productKey}/${GATEWAY_1.deviceName}/thing/topo/lifecycle`,
    ).slice(-1);
    assert.deepEqual(
      [last?.action, last?.devices.map(({ deviceName }) => deviceName)],
      ['delete', ['sensor-2']],
    );
  });

  it('tells applications what was found; 6250 for an unknown product, 6280 for a bad name, 460 otherwise', async () => {
    await gateway.subscribeAsync(thingTopic(GATEWAY_1, 'list/found_reply'));
    const found = [SENSOR_1, { productKey: 'a1Sensor', deviceName: 'newcomer' }];
    assert.equal((await ask('list/found', found)).code, 200);
    const [message] = told<{ devices: unknown }>(
      `/${GATEWAY_1.productKey}/${GATEWAY_1.deviceName}/thing/list/found`,
    );
    assert.deepEqual(message?.devices, [
      { iotId: emulator.devices.get(SENSOR_1)?.iotId, ...SENSOR_1 },
      found[1],
    ]);
    assert.equal((await ask('list/found', { productKey: 'a1None', deviceName: 'newcomer' })).code, 6250);
    assert.equal((await ask('list/found', [{ productKey: 'a1Sensor', deviceName: 'a b' }])).code, 6280);
    assert.equal((await ask('list/found', [{ productKey: 'a1Sensor' }])).code, 460);
    assert.equal(told(`/${GATEWAY_1.productKey}/${GATEWAY_1.deviceName}/thing/list/found`).length, 1);
  });
});

describe('topology of an emulator in the same process', () => {
  let emulator: Emulator;
  const NOWHERE = { productKey: 'a1None', deviceName: 'none' };

  beforeEach(async () => {
    emulator = await startEmulator({ config: PLANT });
  });

  afterEach(() => emulator.close());

  it('is told and changed without a signature and without a quota', () => {
    emulator.topology.add(GATEWAY_1, [SENSOR_1, SENSOR_2]);
    emulator.topology.add(GATEWAY_2, [SENSOR_2]);
    assert.deepEqual(emulator.topology.subDevices(GATEWAY_1), [SENSOR_1]);
    assert.deepEqual(emulator.topology.gatewayOf(SENSOR_2), GATEWAY_2);
    assert.equal(emulator.topology.remove([SENSOR_1, SENSOR_3]), 1);
    assert.equal(emulator.topology.gatewayOf(SENSOR_1), undefined);
  });

  it('refuses what cannot be: unknown devices, a gateway behind another, a gateway that is none', async () => {
    const { topology } = emulator;
    for (const wrong of [
      () => topology.subDevices(NOWHERE),
      () => topology.gatewayOf(NOWHERE),
      () => topology.add(NOWHERE, [SENSOR_1]),
      () => topology.add(GATEWAY_1, [SENSOR_1, NOWHERE]),
      () => topology.remove([NOWHERE]),
    ]) {
      assert.throws(wrong, UnknownDeviceError);
    }
    await assert.rejects(topology.notifyAdd(NOWHERE, [SENSOR_1]), UnknownDeviceError);
    assert.throws(() => topology.add(GATEWAY_1, [SENSOR_1, GATEWAY_2]), RangeError);
    assert.throws(() => topology.add(PLAIN, [SENSOR_1]), RangeError);
    assert.throws(() => topology.add(SENSOR_1, [SENSOR_1]), RangeError);
    assert.deepEqual(topology.subDevices(GATEWAY_1), []);
  });

  it('tells applications that a gateway which is away was not asked', async () => {
    const id = await emulator.topology.notifyAdd(GATEWAY_1, [SENSOR_1]);
    const message = await emulator.messages.waitFor(({ topic }) => topic.endsWith('/downlink/reply/message'));
    const { requestId, code } = message.json as { requestId: string; code: number };
    assert.deepEqual([requestId, code], [id, 9200]);
  });

  it('holds 1,500 sub-devices of a gateway unless told otherwise', async () => {
    const names = Array.from({ length: 1501 }, (_, i) => ({ productKey: 'a1Many', deviceName: `sub-${i}` }));
    for (const identity of names) emulator.provisionDevice(identity);
    emulator.topology.add(GATEWAY_1, names.slice(0, 1499));
    const gateway = await onlineLamp(emulator, GATEWAY_1, { parameters: { _ss: 1 } });
    const add = async (identity = SENSOR_1) =>
      (await request(gateway, thingTopic(GATEWAY_1, 'topo/add'), presented(identity))).code;
    assert.deepEqual([await add(SENSOR_1), await add(SENSOR_2), await add(SENSOR_1)], [200, 6400, 200]);
    const { data } = await request(gateway, thingTopic(GATEWAY_1, 'topo/get'), {});
    assert.equal((data as unknown[]).length, 1500);
    await gateway.endAsync(true);
  });
});

describe('topology where products come into being by themselves', () => {
  it('lets any device be a gateway, and any other its sub-device', async () => {
    const emulator = await startEmulator({ autoProvision: true });
    const [one, two] = [
      { productKey: 'a1New', deviceName: 'one' },
      { productKey: 'a1New', deviceName: 'two' },
    ];
    const gateway = await onlineLamp(emulator, one, { parameters: { _ss: 1 } });
    try {
      const add = await request(
        gateway,
        thingTopic(one, 'topo/add'),
        presented(two, { deviceSecret: 'any' }),
      );
      assert.deepEqual([add.code, add.data], [200, [two]]);
      await gateway.subscribeAsync(thingTopic(one, 'list/found_reply'));
      const found = await request(gateway, thingTopic(one, 'list/found'), [
        { productKey: 'a1Newer', deviceName: 'three' },
      ]);
      assert.equal(found.code, 200);
    } finally {
      await gateway.endAsync(true);
      await emulator.close();
    }
  });
});
