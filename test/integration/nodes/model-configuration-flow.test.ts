import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { generateFlow, readModelConfiguration } from '../../../protocol/model-configuration';
import { device, emulatorPlatform, sink } from '../../support/flows';
import { MadeUpModbus, type ModbusRequest } from '../../support/modbus-server';
import { ModbusTcp } from '../../support/modbus-tcp';
import { type FlowMessage, type FlowNode, type Runtime, startRuntime } from '../../support/runtime';
import { PLANT } from '../../unit/protocol/model-configuration/plant';

const GATEWAY = 'a11ce0de00000001';
const MODEL = {
  schema: 'https://iotx-tsl.oss-ap-southeast-1.aliyuncs.com/schema.json',
  profile: { productKey: 'a1Pump' },
  properties: ['temperature', 'flow', 'mode', 'low'].map((identifier) => ({
    identifier,
    name: identifier,
    accessMode: 'rw',
    required: false,
    dataType: { type: 'double', specs: { min: '-10000', max: '100000' } },
  })),
  events: [],
  services: [],
};

/** The generated flow with a Modbus TCP server behind it, and its ends where the test can see them. */
function generated(): FlowNode[] {
  return generateFlow(readModelConfiguration(PLANT), { gateway: GATEWAY }).flatMap((node): FlowNode[] => {
    switch (node.type) {
      case 'modbus-client':
        return [];
      case 'modbus-flex-getter':
      case 'modbus-flex-write':
        return [{ ...node, type: 'test-modbus', stands: node.type }];
      case 'alink-property-post':
        return [{ ...node, wires: [['reported']] }];
      case 'alink-subdevice-login':
        return [{ ...node, wires: [['loggedIn']] }];
      case 'catch':
        return [{ ...node, wires: [['errors']] }];
      default:
        return [node];
    }
  });
}

/** Function nodes make objects of another realm. */
const valuesOf = ({ payload }: FlowMessage) => structuredClone(payload);

describe('generated flow in a real Node-RED', () => {
  const server = new MadeUpModbus();
  let modbus: ModbusTcp;
  let red: Runtime;

  before(async () => {
    modbus = await ModbusTcp.start(server);
    red = await startRuntime();
    red.events.on(
      'test-modbus',
      (
        stands: string,
        request: ModbusRequest,
        answer: (payload: unknown) => void,
        fail: (error: Error) => void,
      ) => {
        modbus
          .request(request)
          .then((data) => answer(stands === 'modbus-flex-getter' ? data : request))
          .catch((error: unknown) => fail(error as Error));
      },
    );
  });
  after(async () => {
    await red.stop();
    await modbus.stop();
  });

  it('brings the devices online, reports them, and writes what the platform sets', async () => {
    server.set(1, 4, 0x10, 215, 0, 0x3fc0, 0xab00);
    server.set(9, 3, 0, 1, 0);
    const loggedIn = red.next('loggedIn', () => true, 20_000);
    const pump = red.next(
      'reported',
      ({ topic, alink }) => topic === 'pump-1' && alink?.code === 200,
      20_000,
    );
    const meter = red.next(
      'reported',
      ({ topic, alink }) => topic === 'meter-1' && alink?.code === 200,
      20_000,
    );
    await red.deploy([
      emulatorPlatform(),
      device({
        id: GATEWAY,
        role: 'gateway',
        productKey: 'a1Hub',
        deviceName: 'hub-01',
        thingModelMode: 'off',
        thingModelSource: 'none',
        thingModel: '',
      }),
      // A sub-device with a node of its own tells the emulator its thing model.
      device({
        id: 'pump-1-node',
        role: 'subDevice',
        gateway: GATEWAY,
        platform: '',
        productKey: 'a1Pump',
        deviceName: 'pump-1',
        thingModel: JSON.stringify(MODEL),
      }),
      ...generated(),
      { id: 'more', type: 'tab', label: 'more' },
      ...['reported', 'loggedIn', 'errors', 'answers'].map((id) => ({
        ...sink(id),
        z: 'more',
        x: 100,
        y: 100,
      })),
      {
        id: 'cloud',
        z: 'more',
        type: 'alink-cloud',
        platform: 'platform',
        device: '',
        action: 'SetDeviceProperty',
        identifier: '',
        topic: '',
        qos: '1',
        timeout: '',
        value: 'payload',
        valueType: 'msg',
        parameters: '{}',
        parametersType: 'json',
        wires: [['answers']],
      },
    ]);
    const { payload } = await loggedIn;
    assert.deepEqual(
      (payload as Array<{ deviceName: string; ok: boolean }>).map(({ deviceName, ok }) => [deviceName, ok]),
      [
        ['meter-1', true],
        ['pump-1', true],
        ['pump-2', true],
      ],
    );
    assert.deepEqual(valuesOf(await pump), { temperature: 21.5, flow: 1.5, mode: 0, low: 0 });
    // 65,536 thousandths.
    assert.deepEqual(valuesOf(await meter), { energy: 65.536 });

    const written = red.next(
      'reported',
      ({ topic, payload: values }) =>
        topic === 'pump-1' && (values as { temperature?: number }).temperature === 30,
      20_000,
    );
    const names = { productKey: 'a1Pump', deviceName: 'pump-1' };
    red.send('cloud', { device: names, payload: { temperature: 30, mode: 7 } });
    assert.deepEqual(valuesOf(await written), { temperature: 30, flow: 1.5, mode: 7, low: 0 });
    assert.deepEqual(server.get(1, 4, 0x13), [0xab07]);
  });
});
