import type { JsonObject } from '../../protocol';

const parameter = (identifier: string, type: string) => ({
  identifier,
  name: identifier,
  dataType: { type, specs: {} },
});
/** Two boilers behind the made-up OPC UA server. */
export const BOILER_HOUSE: JsonObject = {
  modelList: [
    {
      profile: { productKey: 'a1Boiler' },
      properties: [
        { identifier: 'temperature', displayName: 'Temp.1' },
        { identifier: 'burner', displayName: 'Burner' },
        { identifier: 'total', displayName: 'Total' },
      ],
      services: [
        {
          identifier: 'mix',
          displayName: 'Mix',
          inputData: [
            { identifier: 'seconds', index: 1 },
            { identifier: 'recipe', index: 0 },
          ],
          outputData: [
            { identifier: 'batch', index: 1 },
            { identifier: 'ok', index: 0 },
          ],
        },
      ],
      events: [
        {
          identifier: 'overheat',
          displayName: 'Overheat alarm',
          outputData: [
            { identifier: 'value', index: 1 },
            { identifier: 'where', index: 0 },
          ],
        },
      ],
    },
  ],
  serverList: [
    {
      url: 'opc.tcp://10.0.0.9:4840',
      serverId: 'ua',
      name: 'PLC',
      userName: 'reader',
      password: 'AAAA',
      secPolicy: 'Basic256',
      secMode: 'Sign',
    },
  ],
  deviceList: [
    {
      productKey: 'a1Boiler',
      deviceName: 'boiler-1',
      deviceConfig: { serverId: 'ua', displayNamePath: 'Objects/Hall 1/Boiler 1' },
    },
    {
      productKey: 'a1Boiler',
      deviceName: 'boiler-2',
      deviceConfig: { serverId: 'ua', displayNamePath: 'Hall 1.Boiler 2' },
    },
  ],
  tslList: [
    {
      profile: { productKey: 'a1Boiler' },
      properties: [
        { identifier: 'temperature', name: 't', accessMode: 'r', dataType: { type: 'double', specs: {} } },
        { identifier: 'burner', name: 'b', accessMode: 'rw', dataType: { type: 'bool', specs: {} } },
        { identifier: 'total', name: 'n', accessMode: 'rw', dataType: { type: 'text', specs: {} } },
      ],
      services: [
        {
          identifier: 'mix',
          name: 'mix',
          callType: 'sync',
          inputData: [parameter('recipe', 'text'), parameter('seconds', 'int')],
          outputData: [parameter('ok', 'bool'), parameter('batch', 'int')],
        },
      ],
      events: [
        {
          identifier: 'overheat',
          name: 'overheat',
          type: 'alert',
          outputData: [parameter('where', 'text'), parameter('value', 'double')],
        },
      ],
    },
  ],
};
