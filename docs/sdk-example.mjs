// A device without Node-RED: reports properties and an event, then shows what the platform has.
// Run it with `node docs/sdk-example.mjs` after `npm run build`. It starts the emulator, so it needs no account.
import { AlinkError, openDevice } from 'node-red-contrib-alink';
import { startEmulator } from 'node-red-contrib-alink/emulator';

const identity = { productKey: 'a1Greenhouse', deviceName: 'greenhouse-1' };

/** What the console exports as TSL. */
const thingModel = {
  profile: { productKey: identity.productKey },
  properties: [
    {
      identifier: 'temperature',
      name: 'Temperature',
      accessMode: 'r',
      required: false,
      dataType: { type: 'float', specs: { min: '-40', max: '120', unit: '°C' } },
    },
  ],
  events: [
    {
      identifier: 'overheat',
      name: 'Overheat',
      type: 'alert',
      required: false,
      outputData: [
        {
          identifier: 'temperature',
          name: 'Temperature',
          dataType: { type: 'float', specs: { min: '-40', max: '120' } },
        },
      ],
    },
  ],
  services: [],
};

const emulator = await startEmulator();
const { deviceSecret } = emulator.provisionDevice(identity, thingModel);

const device = openDevice({
  identity,
  // On the cloud: { kind: 'instance', region: 'cn-shanghai', instanceId: 'iot-…' }, and transport 'tls'.
  platform: { kind: 'custom', host: '127.0.0.1', ports: { tcp: emulator.ports.mqtt } },
  transport: 'tcp',
  authentication: { kind: 'deviceSecret', deviceSecret },
  thingModel: { mode: 'strict', document: thingModel },
});
device.onState(({ name, waiting, reason }) => console.log('state:', name, waiting, reason?.message ?? ''));
device.connect();

try {
  // Resolves when the platform has acknowledged it; until the connection stands it waits.
  const { reply } = await device.postProperties({ temperature: 21.5 });
  console.log('properties:', reply.code);

  const now = Date.now();
  await device.postProperties([
    { temperature: { value: 21.0, time: now - 60_000 } },
    { temperature: { value: 21.2, time: now - 30_000 } },
  ]);

  await device.postEvent('overheat', { temperature: 90.5 });
  console.log('event: acknowledged');

  // Breaks the thing model: refused before anything is sent.
  await device.postProperties({ temperature: 200 });
} catch (error) {
  if (!(error instanceof AlinkError)) throw error;
  console.log('refused:', error.key, error.message);
}

const stored = emulator.devices.get(identity);
console.log('samples:', stored?.history('temperature').length, 'events:', stored?.events.length);

await device.release();
await emulator.close();
