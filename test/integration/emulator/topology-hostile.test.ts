import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { MqttClient } from 'mqtt';
import { type Emulator, startEmulator } from '../../../emulator';
import type { DeviceIdentity } from '../../../protocol';
import { onlineLamp, request } from '../../support/emulator';
import {
  GATEWAY_1,
  GATEWAY_2,
  PLANT,
  presented,
  proxied,
  SENSOR_1,
  SENSOR_2,
  SENSOR_3,
  SENSOR_4,
  thingTopic,
} from '../../support/plant';

const SENSORS = [SENSOR_1, SENSOR_2, SENSOR_3, SENSOR_4];
const QUOTA = 3;
const OPERATIONS = [
  'topo/add',
  'topo/delete',
  'topo/get',
  'list/found',
  'sub/register',
  'sub/unregister',
  'proxy/provisioning/product_register',
  'event/property/pack/post',
  'event/property/history/post',
];

const device = fc.constantFrom<DeviceIdentity>(
  ...SENSORS,
  GATEWAY_1,
  GATEWAY_2,
  { productKey: '__proto__', deviceName: 'constructor' },
  { productKey: 'a1Sensor', deviceName: '__proto__' },
);
const junk = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.constantFrom('{}', '[]', '"', '__proto__', 'x'.repeat(2000), 1e308, -0),
);
/** What a gateway might say of a device: all right, or with one field gone or replaced. */
const entry = fc
  .tuple(
    device,
    fc.constantFrom<(one: DeviceIdentity) => object>(
      (one) => presented(one),
      (one) => proxied(one),
      (one) => ({ identity: one, properties: { temperature: 20 } }),
      (one) => one,
    ),
    fc.option(fc.tuple(fc.nat(10), fc.option(junk)), { freq: 2 }),
  )
  .map(([one, write, damage]) => {
    const fields = Object.entries(write(one));
    if (damage === null) return Object.fromEntries(fields);
    const [at, value] = damage;
    fields.splice(
      at % fields.length,
      1,
      ...(value === null ? [] : [['clientId', value] as [string, unknown]]),
    );
    const [name = ''] = fields[at % Math.max(1, fields.length)] ?? [];
    return Object.fromEntries([...fields, ...(value === null ? [] : [[name, value] as [string, unknown]])]);
  });
const params = fc.oneof(
  { weight: 3, arbitrary: fc.array(entry, { maxLength: 4 }) },
  { weight: 2, arbitrary: entry },
  { weight: 1, arbitrary: junk },
  fc.array(entry, { maxLength: 3 }).map((proxieds) => ({ proxieds })),
  fc.array(entry, { maxLength: 3 }).map((deviceList) => ({ deviceList, signMethod: 'hmacsha256' })),
  fc.array(entry, { maxLength: 3 }).map((subDevices) => ({ subDevices, properties: { load: 1 } })),
);

describe('topology under hostile requests', () => {
  let emulator: Emulator;
  let gateways: Array<[DeviceIdentity, MqttClient]>;
  const failures: string[] = [];

  before(async () => {
    emulator = await startEmulator({
      config: { ...PLANT, limits: { subDevicesPerGateway: QUOTA } },
      log: (line) => {
        if (line.includes(' failed: ')) failures.push(line);
      },
    });
    gateways = await Promise.all(
      [GATEWAY_1, GATEWAY_2].map(async (identity): Promise<[DeviceIdentity, MqttClient]> => {
        const client = await onlineLamp(emulator, identity, { parameters: { _ss: 1 } });
        await client.subscribeAsync(thingTopic(identity, 'list/found_reply'));
        return [identity, client];
      }),
    );
  });

  after(async () => {
    await Promise.all(gateways.map(([, client]) => client.endAsync(true)));
    await emulator.close();
  });

  it('answers everything, keeps its rules, and changes nothing when it refuses', async () => {
    let accepted = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...OPERATIONS),
        params,
        fc.boolean(),
        async (operation, given, first) => {
          const [identity, client] = gateways[first ? 0 : 1] as [DeviceIdentity, MqttClient];
          const before = topologyOf(emulator);
          const { code } = await request(client, thingTopic(identity, operation), given);
          assert.equal(typeof code, 'number');
          const after = topologyOf(emulator);
          if (code === 200) accepted++;
          else assert.deepEqual(after, before, `${operation} ${code}`);
          for (const [gateway, subDevices] of Object.entries(after)) {
            assert.ok(subDevices.length <= QUOTA, gateway);
            assert.ok(!subDevices.some((name) => name.startsWith('gateway')), gateway);
          }
          const all = Object.values(after).flat();
          assert.equal(new Set(all).size, all.length, 'behind one gateway at a time');
        },
      ),
      { numRuns: 400 },
    );
    assert.deepEqual(failures, []);
    assert.ok(accepted > 20, `only ${accepted} were right`);
  });
});

function topologyOf(emulator: Emulator): Record<string, string[]> {
  return Object.fromEntries(
    [GATEWAY_1, GATEWAY_2].map((gateway) => [
      gateway.deviceName,
      emulator.topology.subDevices(gateway).map(({ deviceName }) => deviceName),
    ]),
  );
}
