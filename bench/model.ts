/** The product that every contender reports for; the same model is checked by our node and by the emulator. */
export const PRODUCT_KEY = 'a1BenchPlant';
export const SECRET = '0123456789abcdef0123456789abcdef';
export const THING_MODEL = {
  profile: { productKey: PRODUCT_KEY },
  properties: [
    {
      identifier: 'temperature',
      name: 'Temperature',
      accessMode: 'r',
      dataType: { type: 'double', specs: { min: '-40', max: '120' } },
    },
    {
      identifier: 'count',
      name: 'Count',
      accessMode: 'r',
      dataType: { type: 'int', specs: { min: '0', max: '2000000000' } },
    },
    {
      identifier: 'heater',
      name: 'Heater',
      accessMode: 'rw',
      dataType: { type: 'bool', specs: { '0': 'off', '1': 'on' } },
    },
  ],
  events: [],
  services: [
    {
      identifier: 'double',
      name: 'Double',
      callType: 'sync',
      method: 'thing.service.double',
      inputData: [
        {
          identifier: 'number',
          name: 'Number',
          dataType: { type: 'int', specs: { min: '0', max: '1000000000' } },
        },
      ],
      outputData: [
        {
          identifier: 'result',
          name: 'Result',
          dataType: { type: 'int', specs: { min: '0', max: '2000000000' } },
        },
      ],
    },
  ],
};
export const ACCESS_KEY = { id: 'bench', secret: 'bench-secret' };

/** What every contender sends; the count tells messages apart. */
export function values(count: number): { temperature: number; count: number; heater: 0 | 1 } {
  return { temperature: 20.5, count, heater: 1 };
}

export const postTopic = (deviceName: string) =>
  `/sys/${PRODUCT_KEY}/${deviceName}/thing/event/property/post`;

/** Where the emulator is. */
export interface Target {
  host: string;
  port: number;
  deviceName: string;
}
