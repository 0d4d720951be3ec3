import type { JsonObject } from '../../../../protocol';

const type = (name: string, specs: JsonObject = {}) => ({ originalDataType: { type: name, specs } });

/** Two pumps behind one Modbus TCP server and a meter on a serial line. */
export const PLANT: JsonObject = {
  modelList: [
    {
      profile: { productKey: 'a1Pump' },
      properties: [
        {
          identifier: 'temperature',
          operateType: 'holdingRegister',
          registerAddress: '0x10',
          ...type('int16', { registerCount: 1, swap16: 0, reverseRegister: 0 }),
          scaling: 0.1,
          pollingTime: 1000,
          trigger: 1,
        },
        {
          identifier: 'flow',
          operateType: 'holdingRegister',
          registerAddress: '0x11',
          ...type('float', { registerCount: 2, reverseRegister: 1 }),
          pollingTime: 1000,
          trigger: 1,
        },
        {
          identifier: 'mode',
          operateType: 'holdingRegister',
          registerAddress: '0x13',
          ...type('uint16'),
          bitMask: '0x00FF',
          pollingTime: 1000,
          trigger: 1,
        },
        {
          identifier: 'low',
          operateType: 'holdingRegister',
          registerAddress: '0x14',
          ...type('uint16'),
          writeFunctionCode: 0,
          pollingTime: 1000,
          trigger: 1,
        },
        {
          identifier: 'valve',
          operateType: 'coilStatus',
          registerAddress: '0x03',
          ...type('bool', { registerCount: 1 }),
          pollingTime: 1000,
          trigger: 2,
        },
      ],
    },
    {
      profile: { productKey: 'a1Meter' },
      properties: [
        {
          identifier: 'energy',
          operateType: 'inputRegister',
          registerAddress: '0x00',
          ...type('uint32'),
          scaling: 0.001,
          pollingTime: 5000,
          trigger: 1,
        },
      ],
    },
  ],
  serverList: [
    { protocol: 'TCP', ip: '10.0.0.5', port: 502, name: 'hall 1', serverId: 'tcp-1' },
    {
      protocol: 'RTU',
      serialPort: '/dev/ttyUSB0',
      baudRate: 19_200,
      byteSize: 8,
      stopBits: 1,
      parity: 'E',
      name: 'line 1',
      serverId: 'rtu-1',
    },
  ],
  deviceList: [
    { productKey: 'a1Pump', deviceName: 'pump-1', deviceConfig: { serverId: 'tcp-1', slaveId: 1 } },
    { productKey: 'a1Pump', deviceName: 'pump-2', deviceConfig: { serverId: 'tcp-1', slaveId: 2 } },
    { productKey: 'a1Meter', deviceName: 'meter-1', deviceConfig: { serverId: 'rtu-1', slaveId: 9 } },
  ],
  tslList: [],
};
