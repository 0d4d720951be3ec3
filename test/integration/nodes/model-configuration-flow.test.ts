import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import type { JsonObject } from '../../../protocol';
import { cloud } from '../../support/cloud-node';
import { configPush, Panel, platformWith } from '../../support/config-push-nodes';
import { catchAll, device, sink, statusOf } from '../../support/flows';
import { importFlow } from '../../support/import-flow';
import { MadeUpModbus } from '../../support/modbus-server';
import { ModbusTcp } from '../../support/modbus-tcp';
import { type FlowNode, type Runtime, startRuntime } from '../../support/runtime';

const HUB = { productKey: 'a1Hub', deviceName: 'hub-01' };
const PUMP = 'a1Pump';

const THING_MODEL = {
  schema: 'https://iotx-tsl.oss-ap-southeast-1.aliyuncs.com/schema.json',
  profile: { productKey: PUMP },
  properties: [
    ['temperature', { type: 'double', specs: { min: '-50', max: '200' } }],
    ['valve', { type: 'bool', specs: { '0': 'closed', '1': 'open' } }],
    ['mode', { type: 'int', specs: { min: '0', max: '255' } }],
    ['energy', { type: 'double', specs: { min: '0', max: '1000000' } }],
  ].map(([identifier, dataType]) => ({ identifier, name: identifier, accessMode: 'rw', dataType })),
};

const property = (identifier: string, registerAddress: string, type: string, more: object = {}) => ({
  identifier,
  operateType: 'holdingRegister',
  registerAddress,
  originalDataType: { type, specs: { swap16: 0, reverseRegister: 0 } },
  pollingTime: 200,
  trigger: 1,
  ...more,
});

/** What somebody enters in the console. @param units by server and device */
function configuration(
  properties: object[],
  units: Record<string, Record<string, number>>,
  ports: Record<string, number>,
): JsonObject {
  return JSON.parse(
    JSON.stringify({
      modelList: [{ profile: { productKey: PUMP }, properties }],
      serverList: Object.keys(units).map((serverId) => ({
        protocol: 'TCP',
        ip: '127.0.0.1',
        port: ports[serverId],
        name: `pump house ${serverId}`,
        serverId,
      })),
      deviceList: Object.entries(units).flatMap(([serverId, devices]) =>
        Object.entries(devices).map(([deviceName, slaveId]) => ({
          deviceConfig: { slaveId, serverId },
          productKey: PUMP,
          deviceName,
        })),
      ),
      tslList: [THING_MODEL],
    }),
  ) as JsonObject;
}

const FIRST = [
  property('temperature', '0x10', 'int16', { scaling: 0.1 }),
  property('mode', '0x13', 'uint16', { bitMask: '0x00FF' }),
  property('valve', '0x03', 'bool', { operateType: 'coilStatus', trigger: 2 }),
];
/** Another register, another polling time; mode and temperature are no longer polled. */
const SECOND = [
  property('energy', '0x40', 'uint32', { scaling: 0.001, pollingTime: 300 }),
  property('valve', '0x03', 'bool', { operateType: 'coilStatus', trigger: 2 }),
];

interface DeviceView {
  status: string;
  gateway?: { deviceName: string };
  properties: Record<string, { value: unknown }>;
}

interface Answer {
  code: number;
  message: string;
}

describe('gateway model configuration, from the console to the register and back', () => {
  const memory = new MadeUpModbus();
  let modbus: ModbusTcp;
  let other: ModbusTcp;
  let red: Runtime;
  let panel: Panel;
  let imported: FlowNode[] = [];

  before(async () => {
    modbus = await ModbusTcp.start(memory);
    other = await ModbusTcp.start(new MadeUpModbus());
    red = await startRuntime();
    const online = red.next('statuses', ({ status }) => status?.fill === 'green');
    await red.deploy([
      platformWith([
        { productKey: HUB.productKey, nodeType: 'gateway' },
        {
          productKey: PUMP,
          thingModel: THING_MODEL,
          dynamicRegistration: true,
          devices: ['pump-1', 'pump-2', 'pump-3', 'pump-4'].map((deviceName) => ({ deviceName })),
        },
      ]),
      device({ id: 'gate', role: 'gateway', ...HUB, thingModelSource: 'none', thingModel: '' }),
      configPush({ device: 'gate', output: 'flow', flowAs: 'text' }),
      sink(),
      cloud('SetDeviceProperty', { device: '' }),
      sink('answers'),
      ...catchAll(),
      ...statusOf('config'),
    ]);
    await online;
    panel = await Panel.of(red);
  });
  after(async () => {
    await red.stop();
    await modbus.stop();
    await other.stop();
  });

  /** Pushes a document and imports the flow that comes of it. */
  async function push(document: JsonObject): Promise<void> {
    const made = red.next('sink');
    await panel.post(`devices/${HUB.productKey}/${HUB.deviceName}/model-configuration`, document);
    const { payload, alink } = await made;
    assert.equal(alink?.problems, undefined);
    const flow = JSON.parse(String(payload)) as FlowNode[];
    await importFlow(red, flow, imported);
    imported = flow;
  }

  const view = (deviceName: string) => panel.get<DeviceView>(`devices/${PUMP}/${deviceName}`);

  /** Asks the platform until it has these values of a device. */
  async function atPlatform(deviceName: string, values: Record<string, unknown>): Promise<DeviceView> {
    const end = Date.now() + 15_000;
    for (;;) {
      const seen = await view(deviceName);
      const has = Object.entries(values).every(([name, value]) => seen.properties?.[name]?.value === value);
      if (has) return seen;
      const found = JSON.stringify(seen.properties);
      assert.ok(Date.now() < end, `${deviceName}: ${JSON.stringify(values)} did not come, but ${found}`);
    }
  }

  /** Sets properties by the platform's API. @returns what the device answered */
  async function set(deviceName: string, values: object): Promise<Answer> {
    const topic = `/${PUMP}/${deviceName}/thing/downlink/reply/message`;
    const answers = () => panel.get<Array<{ payload: string }>>(`messages?topic=${topic}`);
    const before = (await answers()).length;
    const accepted = red.next('answers');
    red.send('cloud', { device: { productKey: PUMP, deviceName }, payload: values });
    await accepted;
    const end = Date.now() + 15_000;
    for (;;) {
      const answer = (await answers())[before];
      if (answer !== undefined) return JSON.parse(answer.payload) as Answer;
      assert.ok(Date.now() < end, `${deviceName} did not answer`);
    }
  }

  it('register values become properties of the sub-devices', async () => {
    memory.set(1, 4, 0x10, 215);
    memory.set(1, 4, 0x13, 0xab00);
    memory.set(2, 4, 0x10, 0xffff);
    memory.set(2, 0, 0x03, 1);
    // The same unit as that of another device, behind another server.
    other.memory.set(1, 4, 0x10, 777);
    const units = { S1: { 'pump-1': 1, 'pump-2': 2 }, S2: { 'pump-4': 1 } };
    const connected: unknown[] = [];
    red.events.on('test-modbus:connected', (id: unknown) => connected.push(id));
    await push(configuration(FIRST, units, { S1: modbus.port, S2: other.port }));
    const { status, gateway } = await atPlatform('pump-1', { temperature: 21.5, valve: 0, mode: 0 });
    assert.deepEqual([status, gateway?.deviceName], ['ONLINE', HUB.deviceName]);
    await atPlatform('pump-2', { temperature: -0.1, valve: 1, mode: 0 });
    await atPlatform('pump-4', { temperature: 77.7, valve: 0, mode: 0 });
    assert.equal(new Set(connected).size, connected.length);
    assert.equal(connected.length, 2);
  });

  it('what the cloud sets stands in coil and register, and is read again', async () => {
    const { code } = await set('pump-1', { temperature: 30, valve: 1, mode: 7 });
    assert.equal(code, 200);
    await atPlatform('pump-1', { temperature: 30, valve: 1, mode: 7 });
    assert.deepEqual(memory.get(1, 4, 0x10), [300]);
    assert.deepEqual(memory.get(1, 4, 0x13), [0xab07]);
    assert.deepEqual([memory.get(1, 0, 3), memory.get(2, 0, 3)], [[1], [1]]);
    assert.equal((await set('pump-4', { temperature: 20, mode: 1 })).code, 200);
    await atPlatform('pump-4', { temperature: 20, mode: 1 });
    assert.deepEqual([memory.get(1, 4, 0x10), other.memory.get(1, 4, 0x10)], [[300], [200]]);
    const { code: unfit } = await set('pump-4', { temperature: 21, energy: 5 });
    assert.equal(unfit, 460);
    assert.deepEqual(other.memory.get(1, 4, 0x10), [200]);
  });

  it('a Modbus server that goes away and comes back is polled on', async () => {
    await modbus.stop();
    memory.set(1, 4, 0x10, 400);
    const refused = await set('pump-1', { temperature: 50 });
    assert.equal(refused.code, 400);
    assert.match(refused.message, /no connection to the server|does not answer/);
    assert.deepEqual(memory.get(1, 4, 0x10), [400]);
    await modbus.start();
    await atPlatform('pump-1', { temperature: 40 });
    assert.equal((await set('pump-2', { temperature: 50 })).code, 200);
    await atPlatform('pump-2', { temperature: 50 });
  });

  it('a configuration that is pushed again takes the place of the first', async () => {
    memory.set(1, 4, 0x40, 1, 0);
    memory.set(3, 4, 0x40, 0, 1500);
    await push(configuration(SECOND, { S1: { 'pump-1': 1, 'pump-3': 3 } }, { S1: modbus.port }));
    await atPlatform('pump-1', { energy: 65.536 });
    const { status } = await atPlatform('pump-3', { energy: 1.5, valve: 0 });
    assert.equal(status, 'ONLINE');
    modbus.touched.clear();
    other.touched.clear();
    for (const raw of [2000, 2500, 3000]) {
      memory.set(3, 4, 0x41, raw);
      await atPlatform('pump-3', { energy: raw / 1000 });
    }
    const places = [...modbus.touched].sort();
    assert.deepEqual([...other.touched], []);
    assert.deepEqual(places, ['1/0/3', '1/4/64', '1/4/65', '3/0/3', '3/4/64', '3/4/65']);
    assert.equal((await set('pump-3', { valve: 1 })).code, 200);
    await atPlatform('pump-3', { valve: 1 });
  });
});
