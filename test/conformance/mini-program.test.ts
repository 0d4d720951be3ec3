import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { connect, type MqttClient } from 'mqtt';
import { type Emulator, startEmulator } from '../../emulator';
import { connack, nextMessage, PRODUCT } from '../support/emulator';

const { productKey } = PRODUCT;
const deviceName = 'lamp-1';

/** What walk-throughs for mini programs tell people to write, with plain MQTT.js over WebSocket. */
function recipe(deviceSecret: string) {
  const params: Record<string, string | number> = {
    productKey,
    deviceName,
    timestamp: Date.now(),
    clientId: Math.random().toString(36).slice(2),
  };
  const content = Object.keys(params)
    .sort()
    .map((key) => `${key}${params[key]}`)
    .join('');
  return {
    keepalive: 60,
    clean: true,
    protocolVersion: 4 as const,
    password: createHmac('sha1', deviceSecret).update(content).digest('hex'),
    clientId: `${params.clientId}|securemode=2,signmethod=hmacsha1,timestamp=${params.timestamp}|`,
    username: `${deviceName}&${productKey}`,
    reconnectPeriod: 0,
  };
}

describe('a plain MQTT.js client over WebSocket on the emulator', () => {
  let emulator: Emulator;
  let client: MqttClient | undefined;

  before(async () => {
    emulator = await startEmulator({ config: { products: [PRODUCT] }, doors: { ws: 0, wss: 0 } });
  });

  afterEach(() => client?.endAsync(true));

  after(() => emulator.close());

  for (const door of ['ws', 'wss'] as const) {
    it(`connects over ${door} and exchanges messages on user topics`, async () => {
      const secret = emulator.provisionDevice({ productKey, deviceName }).deviceSecret;
      client = connect(emulator.addresses[door] ?? '', {
        ...recipe(secret),
        ...(emulator.ca === undefined ? {} : { ca: emulator.ca }),
      });
      assert.equal(await connack(client), 0);
      const [granted] = await client.subscribeAsync(`/${productKey}/${deviceName}/user/get`, { qos: 1 });
      assert.equal(granted?.qos, 1);

      const arrived = nextMessage(client);
      const delivery = emulator.publishToDevice(
        { productKey, deviceName },
        `/${productKey}/${deviceName}/user/get`,
        'hello from the cloud',
        1,
      );
      assert.equal(delivery, 'sent');
      const { topic, text: message } = await arrived;
      assert.equal(topic, `/${productKey}/${deviceName}/user/get`);
      assert.equal(message, 'hello from the cloud');

      const since = emulator.exchanges.latest;
      await client.publishAsync(`/${productKey}/${deviceName}/user/update`, 'hello from the device', {
        qos: 1,
      });
      const { text, operation, note } = await emulator.exchanges.waitFor(({ kind }) => kind === 'up', {
        since,
      });
      assert.deepEqual([text, operation, note], ['hello from the device', 'user.publish', undefined]);
    });
  }
});
