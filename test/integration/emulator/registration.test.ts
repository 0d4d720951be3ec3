import assert from 'node:assert/strict';
import type { MqttClient } from 'mqtt';
import { type Emulator, startEmulator } from '../../../emulator';
import { onlineLamp, request } from '../../support/emulator';
import {
  CLOSED,
  GATEWAY_1,
  GATEWAY_2,
  PLANT,
  proxied,
  SENSOR_1,
  SENSOR_2,
  SENSOR_3,
  thingTopic,
} from '../../support/plant';

const NOBODY = { productKey: SENSOR_1.productKey, deviceName: 'nobody' };
const NOWHERE = { productKey: 'a1None', deviceName: 'sensor-1' };

interface ProductRegistered {
  successes: unknown[];
  failures: Array<{ deviceName: string; errorDetail: { code: number } }>;
}

describe('registration of sub-devices in the emulator', () => {
  let emulator: Emulator;
  let gateway: MqttClient;

  const ask = (operation: string, params: unknown) =>
    request(gateway, thingTopic(GATEWAY_1, operation), params);
  const productRegister = async (params: unknown) => {
    const { code, data } = await ask('proxy/provisioning/product_register', params);
    return { code, ...(data as ProductRegistered) };
  };
  const secretOf = ({ deviceName }: { deviceName: string }) => `secret-of-${deviceName}`;

  beforeEach(async () => {
    emulator = await startEmulator({ config: { ...PLANT, limits: { subRegisterBatch: 3 } } });
    gateway = await onlineLamp(emulator, GATEWAY_1, { parameters: { _ss: 1 } });
  });

  afterEach(async () => {
    await gateway.endAsync(true);
    await emulator.close();
  });

  it('tells the secrets of a list or of a single sub-device, as often as it is asked', async () => {
    const expected = [SENSOR_1, SENSOR_2].map((identity) => ({
      iotId: emulator.devices.get(identity)?.iotId,
      ...identity,
      deviceSecret: secretOf(identity),
    }));
    for (let time = 1; time <= 2; time++) {
      const { code, data } = await ask('sub/register', [SENSOR_1, SENSOR_2]);
      assert.deepEqual([code, data], [200, expected]);
    }
    assert.deepEqual((await ask('sub/register', SENSOR_1)).data, expected.slice(0, 1));
    // Also when it was online before: row 56 knows no 6289, and the answer may have been lost.
    const sensor = await onlineLamp(emulator, SENSOR_1);
    await sensor.endAsync(true);
    assert.equal((await ask('sub/register', SENSOR_1)).code, 200);
    assert.deepEqual(emulator.topology.subDevices(GATEWAY_1), [], 'the topology is another matter');
  });

  it('refuses with the codes of row 56, all or nothing', async () => {
    emulator.topology.add(GATEWAY_2, [SENSOR_3]);
    for (const [code, params] of [
      [460, []],
      [460, {}],
      [460, [1]],
      [460, [{ productKey: 'a1Sensor' }]],
      [460, [SENSOR_1, SENSOR_1]],
      [460, [SENSOR_1, SENSOR_2, SENSOR_3, NOBODY]],
      [5005, [SENSOR_1, NOWHERE]],
      [6100, [SENSOR_1, NOBODY]],
      [6288, [CLOSED]],
      [6402, [GATEWAY_1]],
      [401, [GATEWAY_2]],
      [6619, [SENSOR_1, SENSOR_3]],
    ] as const) {
      const { code: answered, data } = await ask('sub/register', params);
      assert.deepEqual([answered, data], [code, {}], JSON.stringify(params));
    }
    emulator.topology.add(GATEWAY_1, [SENSOR_3]);
    assert.equal(
      (await ask('sub/register', [SENSOR_3])).code,
      200,
      'behind this gateway it may be registered',
    );
  });

  it('registers devices that come into being where that is allowed, and names that break the rule with 6280', async () => {
    const open = await startEmulator({ autoProvision: true });
    const one = { productKey: 'a1New', deviceName: 'gateway' };
    const client = await onlineLamp(open, one, { parameters: { _ss: 1 } });
    try {
      const ask = (params: unknown) => request(client, thingTopic(one, 'sub/register'), params);
      const { code, data } = await ask([{ productKey: 'a1Newer', deviceName: 'meter' }]);
      const [registered] = data as Array<{ deviceSecret: string }>;
      assert.equal(code, 200);
      assert.match(registered?.deviceSecret ?? '', /^[0-9a-f]{32}$/);
      assert.equal((await ask([{ productKey: 'a1Newer', deviceName: 'm' }])).code, 6280);
      open.provisionDevice({ productKey: 'a1Newest', deviceName: 'first' });
      assert.equal((await ask([{ productKey: 'a1Newest', deviceName: 'second' }])).code, 200);
    } finally {
      await client.endAsync(true);
      await open.close();
    }
  });

  it('takes a registration back', async () => {
    await ask('sub/register', [SENSOR_1]);
    emulator.topology.add(GATEWAY_1, [SENSOR_1]);
    assert.equal((await ask('sub/unregister', [SENSOR_1, SENSOR_2])).code, 6401);
    assert.equal((await ask('sub/unregister', [NOBODY])).code, 6100);
    assert.equal((await ask('sub/unregister', [])).code, 460);
    assert.deepEqual(emulator.topology.subDevices(GATEWAY_1), [SENSOR_1]);
    assert.equal((await ask('sub/unregister', [SENSOR_1])).code, 200);
    assert.deepEqual(emulator.topology.subDevices(GATEWAY_1), []);
    assert.equal(emulator.devices.get(SENSOR_1)?.status, 'UNACTIVE');
  });

  it('registers with the secret of the product, each sub-device for itself', async () => {
    const { random: _, ...incomplete } = proxied(SENSOR_3);
    const answer = await productRegister({
      proxieds: [proxied(SENSOR_1), proxied(SENSOR_2, 'wrong'), incomplete],
    });
    assert.equal(answer.code, 200);
    assert.deepEqual(answer.successes, [{ ...SENSOR_1, deviceSecret: secretOf(SENSOR_1) }]);
    assert.deepEqual(answer.failures, [
      { ...SENSOR_2, errorDetail: { code: 6600 } },
      { ...SENSOR_3, errorDetail: { code: 460 } },
    ]);
    for (const [code, entry] of [
      [5005, proxied(NOWHERE)],
      [6100, proxied(NOBODY)],
      [6288, proxied(CLOSED)],
      [6292, { ...proxied(SENSOR_1), signMethod: 'Sha256' }],
      [6402, proxied(GATEWAY_1)],
      [401, proxied(GATEWAY_2)],
      [460, 'text'],
      [460, { ...proxied(SENSOR_1), productKey: {} }],
    ] as const) {
      const { successes, failures } = await productRegister({ proxieds: [entry] });
      assert.deepEqual([successes, failures.map(({ errorDetail }) => errorDetail.code)], [[], [code]]);
    }
  });

  it('takes a single one and a bare list, and refuses what holds none or too many with 460', async () => {
    assert.equal((await productRegister(proxied(SENSOR_1))).successes.length, 1);
    assert.equal((await productRegister([proxied(SENSOR_1)])).successes.length, 1);
    const many = [SENSOR_1, SENSOR_2, SENSOR_3, NOBODY].map((one) => proxied(one));
    for (const params of [{ proxieds: [] }, { proxieds: null }, [], 'text', { proxieds: many }]) {
      assert.equal((await productRegister(params)).code, 460, JSON.stringify(params));
    }
  });

  it('takes a sub-device away from another gateway, and leaves it to topo add to put it behind this one', async () => {
    emulator.topology.add(GATEWAY_2, [SENSOR_1]);
    emulator.topology.add(GATEWAY_1, [SENSOR_2]);
    const { successes } = await productRegister({ proxieds: [proxied(SENSOR_1), proxied(SENSOR_2)] });
    assert.equal(successes.length, 2);
    assert.deepEqual(emulator.topology.subDevices(GATEWAY_2), []);
    assert.deepEqual(emulator.topology.subDevices(GATEWAY_1), [SENSOR_2]);
  });

  it('answers 429, 500, 5244 and 6203 where a fault says so', async () => {
    for (const code of [429, 500, 5244, 6203]) {
      emulator.faults.add({ action: 'refuse', code, times: 1, match: { operation: 'thing.sub.register' } });
      assert.equal((await ask('sub/register', [SENSOR_1])).code, code);
    }
  });
});
