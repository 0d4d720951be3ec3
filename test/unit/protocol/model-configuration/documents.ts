import type { Json, JsonObject } from '../../../../protocol';

/** The document that the guide prints, its server ids made whole. */
export function example(): JsonObject {
  const bool = { specs: { registerCount: 1, reverseRegister: 0, swap16: 0 }, type: 'bool' };
  return {
    modelList: [
      {
        profile: { productKey: 'test01' },
        services: [
          {
            outputData: '',
            identifier: 'AngleSelfAdaption',
            inputData: [{ identifier: 'test01', index: 0 }],
            displayName: 'test01',
          },
        ],
        properties: [
          { identifier: 'identifier', displayName: 'test02' },
          { identifier: 'identifier_01', displayName: 'identifier_01' },
        ],
        events: [
          { outputData: [{ identifier: 'test01', index: 0 }], identifier: 'event1', displayName: 'abc' },
        ],
      },
      {
        profile: { productKey: 'test02' },
        properties: [
          {
            originalDataType: bool,
            identifier: 'test01',
            registerAddress: '0x03',
            scaling: 1,
            operateType: 'inputStatus',
            pollingTime: 1000,
            trigger: 1,
          },
          {
            originalDataType: bool,
            identifier: 'test02',
            registerAddress: '0x05',
            scaling: 1,
            operateType: 'coilStatus',
            pollingTime: 1000,
            trigger: 2,
          },
        ],
      },
    ],
    serverList: [
      {
        baudRate: 1200,
        protocol: 'RTU',
        byteSize: 8,
        stopBits: 2,
        parity: 1,
        name: 'modbus01',
        serialPort: '0',
        serverId: 'D73251B4277742D',
      },
      { protocol: 'TCP', port: 8000, ip: '192.168.0.1', name: 'modbus02', serverId: '586CB066D6A34E' },
      {
        password: 'XIJTginONohPEUAyZxLB7Q==',
        secPolicy: 'Basic128Rsa15',
        name: 'server_01',
        secMode: 'Sign',
        userName: '123',
        serverId: '55A9D276A7ED47',
        url: 'tcp:00',
        timeout: 10,
      },
      {
        password: 'hAaX5s13gwX2JwyvUkOAfQ==',
        name: 'service_09',
        secMode: 'None',
        userName: '1234',
        serverId: '44895C63E3FF4013924CEF31519ABE7B',
        url: 'tcp:00',
        timeout: 10,
      },
    ],
    deviceList: [
      {
        deviceConfig: { displayNamePath: '123', serverId: '44895C63E3FF4013924CEF31519ABE7B' },
        productKey: 'test01',
        deviceName: 'test_02',
      },
      {
        deviceConfig: { displayNamePath: '1', serverId: '55A9D276A7ED47' },
        productKey: 'test01',
        deviceName: 'test_03',
      },
      {
        deviceConfig: { slaveId: 1, serverId: 'D73251B4277742D' },
        productKey: 'test02',
        deviceName: 'test01',
      },
      {
        deviceConfig: { slaveId: 2, serverId: '586CB066D6A34E' },
        productKey: 'test02',
        deviceName: 'test02',
      },
    ],
    tslList: [
      {
        schema: 'https://iotx-tsl.oss-ap-southeast-1.aliyuncs.com/schema.json',
        profile: { productKey: 'test02' },
        properties: [
          {
            identifier: 'test01',
            name: 'test01',
            accessMode: 'r',
            dataType: { type: 'bool', specs: { 0: 'off', 1: 'on' } },
          },
          {
            identifier: 'test02',
            name: 'test02',
            accessMode: 'rw',
            dataType: { type: 'bool', specs: { 0: 'off', 1: 'on' } },
          },
        ],
      },
    ],
  };
}

/** A property of one holding register, with changes. */
export function modbusProperty(changes: { [name: string]: Json } = {}): JsonObject {
  return {
    identifier: 'p',
    operateType: 'holdingRegister',
    registerAddress: '0x10',
    originalDataType: { type: 'uint16', specs: { registerCount: 1, swap16: 0, reverseRegister: 0 } },
    scaling: 1,
    pollingTime: 1000,
    trigger: 1,
    ...changes,
  };
}
