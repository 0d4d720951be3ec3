import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import type { Json, JsonObject } from '../../../../protocol';
import {
  changedValues,
  type ModbusDevice,
  modbusConnectorMessage,
  modbusReadMessages,
  modbusWriteMessages,
  opcUaBrowseMessage,
  opcUaConnectMessage,
  type PlanOptions,
  planModbusDevice,
  RegisterError,
  readModelConfiguration,
  readValues,
} from '../../../../protocol/model-configuration';
import { example, modbusProperty } from './documents';

function deviceOf(properties: readonly Json[], thingModel?: JsonObject): ModbusDevice {
  const [device] = readModelConfiguration({
    modelList: [{ profile: { productKey: 'pk' }, properties: [...properties] }],
    serverList: [{ protocol: 'TCP', ip: '10.0.0.1', port: 502, serverId: 's' }],
    deviceList: [{ productKey: 'pk', deviceName: 'd', deviceConfig: { serverId: 's', slaveId: 7 } }],
    tslList: thingModel === undefined ? [] : [thingModel],
  }).devices;
  assert.ok(device?.kind === 'modbus');
  return device;
}

function at(identifier: string, address: number, changes: JsonObject = {}): JsonObject {
  return modbusProperty({ identifier, registerAddress: address, ...changes });
}

function typed(type: string, registerCount = 1): JsonObject {
  return { originalDataType: { type, specs: { registerCount } } };
}

function reads(properties: readonly Json[], options?: PlanOptions): string[] {
  return planModbusDevice(deviceOf(properties), options).reads.map(
    ({ fc: code, address, quantity, pollingTime, values }) =>
      `${code}: ${address}+${quantity} ${pollingTime} ms ${values.map(({ identifier, offset }) => `${identifier}@${offset}`).join(' ')}`,
  );
}

describe('plan of a Modbus device', () => {
  it('neighbours go into one request, others do not', () => {
    const properties = [at('c', 14), at('a', 10, typed('int32')), at('b', 12, typed('float')), at('d', 16)];
    assert.deepEqual(reads(properties), ['3: 10+5 1000 ms a@0 b@2 c@4', '3: 16+1 1000 ms d@0']);
    assert.deepEqual(reads(properties, { gap: 1 }), ['3: 10+7 1000 ms a@0 b@2 c@4 d@6']);
  });

  it('values in one register are read once', () => {
    const bits = [at('low', 5, { bitMask: '0x00FF' }), at('high', 5, { bitMask: '0xFF00' })];
    assert.deepEqual(reads(bits), ['3: 5+1 1000 ms low@0 high@0']);
  });

  it('kinds of data and polling times are apart', () => {
    const properties = [
      at('a', 1),
      at('b', 2, { operateType: 'inputRegister' }),
      at('c', 2, { pollingTime: 5000 }),
      at('d', 1, { operateType: 'coilStatus', ...typed('bool') }),
      at('e', 2, { operateType: 'inputStatus', ...typed('bool') }),
    ];
    assert.deepEqual(reads(properties).sort(), [
      '1: 1+1 1000 ms d@0',
      '2: 2+1 1000 ms e@0',
      '3: 1+1 1000 ms a@0',
      '3: 2+1 5000 ms c@0',
      '4: 2+1 1000 ms b@0',
    ]);
  });

  it('what is only written is not read, and the other way round', () => {
    const tsl = (identifier: string, accessMode: string) => ({
      identifier,
      name: identifier,
      accessMode,
      dataType: { type: 'int', specs: {} },
    });
    const device = deviceOf(
      [
        at('r', 0),
        at('w', 1),
        at('rw', 2),
        at('unknown', 3),
        at('input', 4, { operateType: 'inputRegister' }),
        at('only', 5, { writeOnly: 1 }),
      ],
      { profile: { productKey: 'pk' }, properties: [tsl('r', 'r'), tsl('w', 'w'), tsl('rw', 'rw')] },
    );
    const plan = planModbusDevice(device);
    assert.deepEqual(plan.reads.flatMap(({ values }) => values.map(({ identifier }) => identifier)).sort(), [
      'input',
      'r',
      'rw',
      'unknown',
    ]);
    assert.deepEqual(
      plan.writes.map(({ identifier }) => identifier),
      ['w', 'rw', 'unknown', 'only'],
    );
    assert.equal(plan.unitId, 7);
  });

  it('any properties: every value lies in exactly one request that a server takes', () => {
    const property = fc.record({
      address: fc.integer({ min: 0, max: 3000 }),
      type: fc.constantFrom('int16', 'int32', 'double', 'string'),
      count: fc.integer({ min: 1, max: 125 }),
      coil: fc.boolean(),
      gap: fc.integer({ min: 0, max: 50 }),
    });
    fc.assert(
      fc.property(
        fc.array(property, { minLength: 1, maxLength: 40 }),
        fc.integer({ min: 0, max: 100 }),
        (list, gap) => {
          const properties = list.map(({ address, type, count, coil }, i) =>
            at(
              `p${i}`,
              address,
              coil
                ? { operateType: 'coilStatus', ...typed('uint64', Math.min(count, 64)) }
                : typed(type, count),
            ),
          );
          const device = deviceOf(properties);
          const found = new Map<string, number>();
          for (const { address, quantity, values, fc: code } of planModbusDevice(device, { gap }).reads) {
            assert.ok(quantity >= 1 && quantity <= (code === 1 ? 2000 : 125));
            for (const { identifier, offset, format } of values) {
              assert.ok(!found.has(identifier));
              found.set(identifier, address + offset);
              assert.ok(offset >= 0 && offset + format.count <= quantity);
            }
          }
          assert.deepEqual(
            [...found].sort(),
            device.properties.map(({ identifier, address }) => [identifier, address] as const).sort(),
          );
        },
      ),
    );
  });

  it('values get the form of the thing model; one that cannot be read holds up no other', () => {
    const data = (identifier: string, type: string) => ({
      identifier,
      name: identifier,
      accessMode: 'rw',
      dataType: { type, specs: {} },
    });
    const device = deviceOf(
      [
        at('whole', 0, { scaling: 0.1 }),
        at('text', 1),
        at('nan', 2, typed('float')),
        at('float', 4, { scaling: 0.1 }),
      ],
      {
        profile: { productKey: 'pk' },
        properties: [data('whole', 'int'), data('text', 'text'), data('float', 'float')],
      },
    );
    const [read] = planModbusDevice(device).reads;
    assert.ok(read);
    const { values, problems } = readValues(read, [217, 5, 0x7fc0, 0, 217]);
    assert.deepEqual(values, { whole: 22, text: '5', float: 21.7 });
    assert.deepEqual(problems, ['nan: the registers hold NaN']);
    assert.deepEqual(readValues(read, [1]).problems, ['5 registers or coils were asked for, 1 came']);
    assert.deepEqual(readValues(read, 'nothing').problems, [
      '5 registers or coils were asked for, something else came',
    ]);
  });

  it('reports on change only what changed', () => {
    const [read] = planModbusDevice(deviceOf([at('each', 0), at('change', 1, { trigger: 2 })])).reads;
    assert.ok(read);
    const last = {};
    assert.deepEqual(changedValues(read, { each: 1, change: 1 }, last), { each: 1, change: 1 });
    assert.deepEqual(changedValues(read, { each: 1, change: 1 }, last), { each: 1 });
    assert.deepEqual(changedValues(read, { each: 1, change: 2 }, last), { each: 1, change: 2 });
    assert.deepEqual(changedValues(read, {}, last), {});
  });
});

describe('messages for other collections', () => {
  const { devices, servers } = readModelConfiguration(example());
  const server = (id: string) => servers.get(id);

  it('modbus-flex-connector', () => {
    const tcp = server('586CB066D6A34E');
    const rtu = server('D73251B4277742D');
    assert.ok(tcp?.kind === 'tcp' && rtu?.kind === 'rtu');
    assert.deepEqual(modbusConnectorMessage(tcp, 2).payload, {
      connectorType: 'TCP',
      tcpHost: '192.168.0.1',
      tcpPort: 8000,
      tcpType: 'DEFAULT',
      unitId: 2,
    });
    assert.deepEqual(modbusConnectorMessage(rtu, 1, new Map([['0', '/dev/ttyS0']])).payload, {
      connectorType: 'SERIAL',
      serialPort: '/dev/ttyS0',
      serialBaudrate: 1200,
      serialDatabits: 8,
      serialStopbits: 2,
      serialParity: 'odd',
      serialType: 'RTU-BUFFERD',
      unitId: 1,
    });
  });

  it('modbus-flex-getter: unitid, not unitId or unit_id', () => {
    const plan = planModbusDevice(deviceOf([at('a', 3, typed('int32'))]));
    assert.deepEqual(modbusReadMessages(plan), [
      {
        topic: 'pk/d/0',
        device: { productKey: 'pk', deviceName: 'd' },
        payload: { fc: 3, unitid: 7, address: 3, quantity: 2 },
        read: plan.reads[0],
      },
    ]);
  });

  it('modbus-flex-write: one value alone, several as a list', () => {
    const plan = planModbusDevice(
      deviceOf([
        at('one', 0),
        at('two', 1, typed('int32')),
        at('coil', 2, { operateType: 'coilStatus', ...typed('bool') }),
        at('coils', 3, { operateType: 'coilStatus', ...typed('uint16', 3) }),
        at('alone16', 6, { writeFunctionCode: 16 }),
      ]),
    );
    const messages = modbusWriteMessages(plan, { one: 5, two: -2, coil: 1, coils: 5, alone16: 9 });
    assert.deepEqual(
      messages.map(({ payload }) => payload),
      [
        { fc: 6, unitid: 7, address: 0, quantity: 1, value: 5 },
        { fc: 16, unitid: 7, address: 1, quantity: 2, value: [0xffff, 0xfffe] },
        { fc: 5, unitid: 7, address: 2, quantity: 1, value: true },
        { fc: 15, unitid: 7, address: 3, quantity: 3, value: [true, false, true] },
        { fc: 16, unitid: 7, address: 6, quantity: 1, value: [9] },
      ],
    );
    assert.throws(() => modbusWriteMessages(plan, { other: 1 }), RangeError);
    assert.throws(() => modbusWriteMessages(plan, { one: -1 }), RegisterError);
  });

  it('OpcUa-Client', () => {
    const secure = server('55A9D276A7ED47');
    const [device] = devices;
    assert.ok(secure?.kind === 'opcua' && device?.kind === 'opcua');
    assert.deepEqual(opcUaConnectMessage(secure, 'plain'), {
      action: 'connect',
      OpcUaEndpoint: {
        endpoint: 'tcp:00',
        securityPolicy: 'Basic128Rsa15',
        securityMode: 'Sign',
        none: false,
        login: true,
        user: '123',
        password: 'plain',
      },
    });
    const { action, topic, opcUa } = opcUaBrowseMessage(device);
    assert.deepEqual([action, topic, opcUa.displayNamePath], ['browse', 'ns=0;i=85', '123']);
    assert.equal(opcUa.services.length, 1);
  });
});
