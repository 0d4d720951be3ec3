import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { type Emulator, startEmulator } from '../../../emulator';
import type { Transport } from '../../../protocol';
import { catchAll, device, propertyPost, sink, statusOf } from '../../support/flows';
import { type Runtime, startRuntime } from '../../support/runtime';

const SECRET = '0123456789abcdef0123456789abcdef';
const DOORS = { tcp: 'mqtt', tls: 'mqtts', ws: 'ws', wss: 'wss' } as const;

describe('every transport and authentication', () => {
  let red: Runtime;
  let emulator: Emulator;
  before(async () => {
    const names = ['tcp', 'tls', 'ws', 'wss', 'token', 'https', 'mqtt'].map((name) => `over-${name}`);
    emulator = await startEmulator({
      doors: { mqtt: 0, mqtts: 0, ws: 0, wss: 0, http: 0 },
      config: {
        products: [
          {
            productKey: 'a1Greenhouse',
            productSecret: 'productSecret123',
            dynamicRegistration: true,
            devices: names.map((deviceName) => ({ deviceName, deviceSecret: SECRET })),
          },
        ],
      },
    });
    red = await startRuntime();
  });
  after(async () => {
    await red.stop();
    await emulator.close();
  });

  function flow(transport: Transport, fields: object, credentials: object, ca = emulator.ca) {
    return [
      {
        id: 'platform',
        type: 'alink-platform',
        kind: 'custom',
        host: '127.0.0.1',
        mqttPort: String(emulator.ports[DOORS[transport]]),
        httpUrl: emulator.httpUrl,
        ca,
      },
      { ...device({ transport, ...fields }), credentials },
      propertyPost(),
      sink(),
      ...catchAll(),
      ...statusOf('post'),
    ];
  }

  async function acknowledged(): Promise<void> {
    const answered = red.next('sink');
    red.send('post', { payload: { temperature: 20 } });
    assert.equal((await answered).alink?.status, 'acknowledged');
  }

  for (const transport of ['tcp', 'tls', 'ws', 'wss'] as const) {
    for (const signMethod of ['hmacsha256', 'hmacsha1', 'hmacmd5']) {
      it(`${transport}, ${signMethod}`, async () => {
        await red.deploy(
          flow(transport, { deviceName: `over-${transport}`, signMethod }, { deviceSecret: SECRET }),
        );
        await acknowledged();
      });
    }
  }

  it('does not trust a server whose root it was not given', async () => {
    const status = red.next('statuses', ({ status: shown }) => /TLS/.test(shown?.text ?? ''));
    await red.deploy(flow('tls', { deviceName: 'over-tls', keepAlive: '100' }, { deviceSecret: SECRET }, ''));
    await status;
  });

  it('HTTPS authentication, then MQTT with iotId and iotToken', async () => {
    await red.deploy(
      flow('tcp', { deviceName: 'over-token', authentication: 'iotToken' }, { deviceSecret: SECRET }),
    );
    await acknowledged();
  });

  for (const [name, authentication] of [
    ['over-https', 'productSecretHttps'],
    ['over-mqtt', 'productSecretMqtt'],
    ['over-whitelist', 'noPreRegistration'],
  ] as const) {
    it(`registers once (${authentication}), keeps the secret, and finds it again`, async () => {
      const nodes = flow('tls', { deviceName: name, authentication }, { productSecret: 'productSecret123' });
      await red.deploy(nodes);
      await acknowledged();
      // Other settings make a new connection, which must not register again: the platform would refuse.
      await red.deploy(nodes.map((node) => (node.id === 'device' ? { ...node, keepAlive: '99' } : node)));
      await acknowledged();
    });
  }
});
