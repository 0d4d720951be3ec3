import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import type { Json, JsonObject } from '../../../../protocol';
import {
  ModelConfigurationError,
  type ModelProblem,
  readModelConfiguration,
} from '../../../../protocol/model-configuration';
import { example, modbusProperty } from './documents';

const problemsOf = (document: Json) => readModelConfiguration(document).problems;
const at = (problems: readonly ModelProblem[], path: string) =>
  problems.filter((problem) => problem.path === path);

/** The document of one Modbus device with one property. */
function oneProperty(property: JsonObject): JsonObject {
  return {
    modelList: [{ profile: { productKey: 'pk' }, properties: [property] }],
    serverList: [{ protocol: 'TCP', ip: '10.0.0.1', port: 502, serverId: 's' }],
    deviceList: [{ productKey: 'pk', deviceName: 'd', deviceConfig: { serverId: 's', slaveId: 1 } }],
  };
}

function readOne(property: JsonObject) {
  const { devices, models, problems } = readModelConfiguration(oneProperty(property));
  return { devices, problems, property: models.get('pk')?.modbus[0] };
}

describe('gateway model configuration, reading (H.1)', () => {
  it('reads the document of the guide', () => {
    const { servers, models, thingModels, devices, problems } = readModelConfiguration(example());
    assert.deepEqual(
      [...servers.values()],
      [
        {
          kind: 'rtu',
          serverId: 'D73251B4277742D',
          name: 'modbus01',
          serialPort: '0',
          baudRate: 1200,
          dataBits: 8,
          stopBits: 2,
          parity: 'odd',
        },
        { kind: 'tcp', serverId: '586CB066D6A34E', name: 'modbus02', host: '192.168.0.1', port: 8000 },
        {
          kind: 'opcua',
          serverId: '55A9D276A7ED47',
          name: 'server_01',
          url: 'tcp:00',
          userName: '123',
          encryptedPassword: 'XIJTginONohPEUAyZxLB7Q==',
          securityPolicy: 'Basic128Rsa15',
          securityMode: 'Sign',
          timeout: 10,
        },
        {
          kind: 'opcua',
          serverId: '44895C63E3FF4013924CEF31519ABE7B',
          name: 'service_09',
          url: 'tcp:00',
          userName: '1234',
          encryptedPassword: 'hAaX5s13gwX2JwyvUkOAfQ==',
          securityPolicy: 'None',
          securityMode: 'None',
          timeout: 10,
        },
      ],
    );
    assert.deepEqual(models.get('test02')?.modbus[1], {
      identifier: 'test02',
      operateType: 'coilStatus',
      address: 5,
      format: { type: 'bool', count: 1, bits: true },
      pollingTime: 1000,
      report: 'change',
      writeCode: 5,
    });
    assert.deepEqual(models.get('test01')?.opcUa, {
      properties: [
        { identifier: 'identifier', displayName: 'test02' },
        { identifier: 'identifier_01', displayName: 'identifier_01' },
      ],
      services: [
        {
          identifier: 'AngleSelfAdaption',
          displayName: 'test01',
          inputData: [{ identifier: 'test01', index: 0 }],
          outputData: [],
        },
      ],
      events: [
        { identifier: 'event1', displayName: 'abc', outputData: [{ identifier: 'test01', index: 0 }] },
      ],
    });
    assert.deepEqual([...thingModels.keys()], ['test02']);
    assert.deepEqual(
      devices.map(({ kind, deviceName }) => `${kind} ${deviceName}`),
      ['opcua test_02', 'opcua test_03', 'modbus test01', 'modbus test02'],
    );
    assert.deepEqual(
      problems.map(({ path, effect }) => `${path} ${effect}`),
      ['serverList[2].url assumed', 'serverList[3].url assumed'],
    );
  });

  it('names each join that misses something and keeps the other devices', () => {
    const document = example();
    const list = document.deviceList as JsonObject[];
    const config = (slaveId: Json, serverId: Json) => ({ slaveId, serverId });
    list.push(
      { productKey: 'test02', deviceName: 'a', deviceConfig: config(1, 'D73251B4277742') },
      { productKey: 'unknown', deviceName: 'b', deviceConfig: config(1, '586CB066D6A34E') },
      { productKey: 'test02', deviceName: 'c', deviceConfig: config('x', '586CB066D6A34E') },
      { productKey: 'test01', deviceName: 'd', deviceConfig: config(1, '586CB066D6A34E') },
      { productKey: 'test01', deviceName: 'e', deviceConfig: config(1, '55A9D276A7ED47') },
      { productKey: 'test02', deviceName: 'test01', deviceConfig: config(3, '586CB066D6A34E') },
      { productKey: 'test02', deviceName: 'a/b', deviceConfig: config(1, '586CB066D6A34E') },
      { productKey: 'test02', deviceName: 'f' },
    );
    const { devices, problems } = readModelConfiguration(document);
    assert.equal(devices.length, 4);
    const expected = [
      ['deviceList[4].deviceConfig.serverId', /no server "D73251B4277742"/],
      ['deviceList[5].productKey', /no model of "unknown"/],
      ['deviceList[6].deviceConfig.slaveId', /0–255/],
      ['deviceList[7]', /nothing for Modbus/],
      ['deviceList[8].deviceConfig.displayNamePath', /missing/],
      ['deviceList[9]', /twice/],
      ['deviceList[10].deviceName', /not a deviceName/],
      ['deviceList[11].deviceConfig', /not an object/],
    ] as const;
    for (const [path, reason] of expected) {
      const [found, ...more] = at(problems, path);
      assert.match(found?.reason ?? '', reason, path);
      assert.equal(found?.effect, 'leftOut');
      assert.deepEqual(more, []);
    }
  });

  it('takes addresses as hexadecimal text and as numbers', () => {
    const cases: Array<[Json, number | undefined]> = [
      ['0x03', 3],
      ['0XfF', 255],
      ['0xFFFF', 65_535],
      [40, 40],
      ['40', 40],
      ['1F', 31],
      ['0x10000', undefined],
      [-1, undefined],
      [1.5, undefined],
      ['', undefined],
      ['0x', undefined],
      ['ten', undefined],
      [{}, undefined],
      [[3], undefined],
    ];
    for (const [registerAddress, address] of cases) {
      const { property, problems } = readOne(modbusProperty({ registerAddress }));
      assert.equal(property?.address, address, String(registerAddress));
      const count = typeof registerAddress === 'string' && !/^0x/i.test(registerAddress) ? 1 : 0;
      if (address !== undefined) assert.equal(problems.length, count);
      else assert.equal(at(problems, 'modelList[0].properties[0].registerAddress').length, 1);
    }
  });

  it('a value may not end beyond the last register', () => {
    const type = (name: string) => ({ type: name, specs: {} });
    assert.equal(
      readOne(modbusProperty({ registerAddress: '0xFFFE', originalDataType: type('int32') })).problems.length,
      0,
    );
    const { property, problems } = readOne(
      modbusProperty({ registerAddress: '0xFFFF', originalDataType: type('int32') }),
    );
    assert.equal(property, undefined);
    assert.match(problems[0]?.reason ?? '', /beyond 65535/);
  });

  it('parity is a letter, a word or a number', () => {
    const parityOf = (parity: Json) => {
      const { servers, problems } = readModelConfiguration({
        serverList: [{ protocol: 'rtu', serialPort: 'COM1', serverId: 's', parity }],
      });
      const server = servers.get('s');
      return [server?.kind === 'rtu' ? server.parity : undefined, problems.length];
    };
    for (const parity of ['N', 'n', 'none', 0, '0', '', null])
      assert.deepEqual(parityOf(parity), ['none', 0]);
    for (const parity of ['O', 'odd', 1, '1']) assert.deepEqual(parityOf(parity), ['odd', 0]);
    for (const parity of ['E', 'even', 2, '2']) assert.deepEqual(parityOf(parity), ['even', 0]);
    for (const parity of ['X', 3, {}, true]) assert.deepEqual(parityOf(parity), ['none', 1]);
  });

  it('an unknown security setting becomes the strictest, never none', () => {
    const { servers, problems } = readModelConfiguration({
      serverList: [{ url: 'opc.tcp://a:1', serverId: 's', secPolicy: 'Basic512', secMode: 'Encrypt' }],
    });
    const server = servers.get('s');
    assert.ok(server?.kind === 'opcua');
    assert.equal(server.securityPolicy, 'Basic256');
    assert.equal(server.securityMode, 'SignAndEncrypt');
    assert.equal(problems.length, 2);
  });

  it('fills in what is missing or wrong, and says so', () => {
    const { property, problems } = readOne({
      identifier: 'p',
      operateType: 'holdingRegister',
      registerAddress: '0x00',
      originalDataType: { type: 'int32', specs: { registerCount: 1, swap16: '1', reverseRegister: true } },
      scaling: 0,
      pollingTime: 5,
      trigger: 3,
      writeFunctionCode: 6,
      bitMask: '0x1FFFFFFFF',
      other: 'kept out',
    });
    assert.deepEqual(property, {
      identifier: 'p',
      operateType: 'holdingRegister',
      address: 0,
      format: { type: 'int32', count: 2, swap16: true, reverseRegister: true },
      pollingTime: 1000,
      report: 'each',
      writeCode: 16,
    });
    assert.deepEqual(
      problems.map(({ path, effect }) => [path.replace('modelList[0].properties[0].', ''), effect]),
      [
        ['originalDataType.specs.registerCount', 'assumed'],
        ['scaling', 'assumed'],
        ['bitMask', 'assumed'],
        ['writeFunctionCode', 'assumed'],
        ['trigger', 'assumed'],
        ['pollingTime', 'assumed'],
      ],
    );
  });

  it('reads the later fields', () => {
    const write = (writeFunctionCode: Json, more: JsonObject = {}) =>
      readOne(modbusProperty({ writeFunctionCode, ...more })).property?.writeCode;
    assert.equal(write(0), undefined);
    assert.equal(write(6), 6);
    assert.equal(write('16'), 16);
    assert.equal(write(15, { operateType: 'coilStatus' }), 15);
    assert.equal(write(6, { operateType: 'inputRegister' }), undefined);
    assert.equal(readOne(modbusProperty({ writeOnly: 1 })).property?.writeOnly, true);
    assert.equal(readOne(modbusProperty({ bitMask: '0x0F00' })).property?.format.bitMask, 0x0f00);
    assert.equal(readOne(modbusProperty({ bitMask: 0 })).property?.format.bitMask, undefined);
  });

  it('leaves out what no register holds', () => {
    const cases: JsonObject[] = [
      { operateType: 'holding' },
      { originalDataType: { type: 'int8', specs: {} } },
      { originalDataType: '' },
      { operateType: 'coilStatus', originalDataType: { type: 'float', specs: {} } },
      { identifier: '__proto__' },
      { identifier: 'a b' },
    ];
    for (const change of cases) {
      const { property, devices, problems } = readOne(modbusProperty(change));
      assert.equal(property, undefined, JSON.stringify(change));
      assert.deepEqual(devices, []);
      assert.equal(problems[0]?.effect, 'leftOut');
    }
  });

  it('a broken thing model is named and does not hold up its devices', () => {
    const document = example();
    document.tslList = [
      { profile: { productKey: 'test02' }, properties: [{ identifier: 'x', dataType: { type: 'colour' } }] },
      { profile: {} },
      7,
    ];
    const { devices, thingModels, problems } = readModelConfiguration(document);
    assert.equal(devices.length, 4);
    assert.equal(thingModels.size, 0);
    for (const path of [
      'tslList[0].properties[0].dataType.type',
      'tslList[1].profile.productKey',
      'tslList[2]',
    ]) {
      assert.equal(at(problems, path).length, 1, path);
    }
  });

  it('lists may be missing, empty text, or a single object', () => {
    assert.deepEqual(problemsOf({ modelList: '', serverList: null, deviceList: [] }), []);
    const { servers } = readModelConfiguration({ serverList: { protocol: 'TCP', ip: 'plc', serverId: 's' } });
    assert.equal(servers.size, 1);
    assert.match(problemsOf({ serverList: 'all' })[0]?.reason ?? '', /not a list/);
  });

  it('says that two servers have one serial port', () => {
    const line = (serverId: string, serialPort: string) => ({ protocol: 'RTU', serialPort, serverId });
    const problems = problemsOf({ serverList: [line('a', 'COM1'), line('b', 'COM2'), line('c', 'COM1')] });
    assert.deepEqual(
      problems.map(({ reason }) => reason),
      ['"a" and "c" have the port COM1; only one can open it'],
    );
  });

  it('says when the document is none at all', () => {
    const cases = [
      ['{', 'notJson'],
      ['[]', 'notObject'],
      ['null', 'notObject'],
      ['{"a":1}', 'noList'],
    ] as const;
    for (const [document, problem] of cases) {
      assert.throws(
        () => readModelConfiguration(document),
        (error: unknown) => error instanceof ModelConfigurationError && error.problem === problem,
      );
    }
    assert.equal(readModelConfiguration(`\uFEFF${JSON.stringify(example())}`).devices.length, 4);
  });

  it('no problem holds a password', () => {
    const password = { secret: 'plain-secret' };
    const problems = problemsOf({ serverList: [{ url: 'x', serverId: 's', password }] });
    assert.equal(problems.length, 2);
    assert.ok(!JSON.stringify(problems).includes('plain-secret'));
  });

  it('whatever is in it, a document is read or refused by ModelConfigurationError', () => {
    const before = Object.keys(Object.prototype);
    const words = fc.constantFrom(
      '__proto__',
      'constructor',
      'profile',
      'productKey',
      'identifier',
      'operateType',
      'holdingRegister',
      '0x01',
      'originalDataType',
      'specs',
      'displayName',
      'serverId',
      'deviceConfig',
    );
    const value = fc.letrec<{ any: Json }>((tie) => ({
      any: fc.oneof(
        { maxDepth: 5 },
        words,
        fc.jsonValue() as fc.Arbitrary<Json>,
        fc.array(tie('any'), { maxLength: 4 }),
        fc.dictionary(words, tie('any'), { maxKeys: 6 }),
      ),
    })).any;
    const lists = fc.constantFrom('modelList', 'serverList', 'deviceList', 'tslList', 'other');
    fc.assert(
      fc.property(fc.dictionary(lists, value), (document) => {
        try {
          const { devices, problems } = readModelConfiguration(document);
          assert.ok(Array.isArray(devices) && problems.length <= 501);
        } catch (error) {
          assert.ok(error instanceof ModelConfigurationError, String(error));
        }
      }),
      { numRuns: 300 },
    );
    assert.deepEqual(Object.keys(Object.prototype), before);
  });

  it('a document that is damaged in one place still gives the rest', () => {
    const paths = fc.constantFrom('modelList', 'serverList', 'deviceList', 'tslList');
    fc.assert(
      fc.property(paths, fc.nat(3), fc.jsonValue() as fc.Arbitrary<Json>, (name, index, damage) => {
        const document = example();
        const list = document[name] as Json[];
        list[index % list.length] = damage;
        const { devices } = readModelConfiguration(document);
        assert.ok(devices.length >= (name === 'modelList' ? 2 : 3));
      }),
    );
  });
});
