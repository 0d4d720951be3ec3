import assert from 'node:assert/strict';
import { createConnection } from 'node:net';
import mqttPacket from 'mqtt-packet';
import { type Emulator, startEmulator } from '../../../emulator';
import {
  deviceConnect,
  iotTokenConnect,
  registrationConnect,
  SIGN_METHODS,
  signDevice,
  tokenConnect,
} from '../../../protocol';
import { hmac } from '../../../protocol/hmac';
import {
  closed,
  connack,
  LAMP_1,
  LAMP_2,
  lampClient,
  nextMessage,
  onlineLamp,
  PRODUCT,
  rawClient,
  suback,
} from '../../support/emulator';

const { productKey, productSecret } = PRODUCT;
const DOORS = { mqtt: 0, mqtts: 0, ws: 0, wss: 0, http: 0 };

describe('emulator: who may connect', () => {
  let emulator: Emulator;
  let now = Date.UTC(2026, 0, 1);

  beforeEach(async () => {
    now = Date.UTC(2026, 0, 1);
    emulator = await startEmulator({
      doors: DOORS,
      clock: () => now,
      config: {
        products: [PRODUCT, { productKey: 'closed', productSecret: 'x', devices: [{ deviceName: 'door' }] }],
      },
    });
  });

  afterEach(() => emulator.close());

  const post = async (path: string, fields: Record<string, string>, json = false) => {
    const response = await fetch(`${emulator.httpUrl}${path}`, {
      method: 'POST',
      headers: { 'content-type': json ? 'application/json' : 'application/x-www-form-urlencoded' },
      body: json ? JSON.stringify(fields) : new URLSearchParams(fields).toString(),
    });
    assert.equal(response.status, 200);
    return (await response.json()) as { code: number; data?: Record<string, unknown> };
  };

  const registration = (deviceName: string, changes: Record<string, string> = {}) => {
    const random = '567345';
    const sign = hmac(
      'hmacsha1',
      productSecret,
      `deviceName${deviceName}productKey${productKey}random${random}`,
    );
    return post('/auth/register/device', {
      productKey,
      deviceName,
      random,
      sign,
      signMethod: 'hmacSha1',
      ...changes,
    });
  };

  for (const door of ['mqtt', 'mqtts', 'ws', 'wss'] as const) {
    it(`takes a device on the ${door} door and tells a wrong signature with 4`, async () => {
      const right = lampClient(emulator, LAMP_1, { door });
      assert.equal(await connack(right), 0);
      assert.equal(emulator.devices.get(LAMP_1)?.status, 'ONLINE');
      // The one that is refused must not throw the other one out.
      assert.equal(await connack(lampClient(emulator, LAMP_1, { door, deviceSecret: 'wrong' })), 4);
      assert.equal(emulator.devices.get(LAMP_1)?.status, 'ONLINE');
      assert.equal(right.connected, true);
      await right.endAsync();
    });
  }

  for (const signMethod of SIGN_METHODS) {
    it(`takes ${signMethod} in any case, with and without timestamp`, async () => {
      const plain = deviceConnect(hmac, {
        ...LAMP_1,
        deviceSecret: 'secret-of-lamp-1',
        signMethod,
        secure: false,
        timestamp: '789',
      });
      const upper = { ...plain, password: plain.password.toUpperCase() };
      const client = rawClient(emulator, {
        ...upper,
        clientId: upper.clientId.replace(signMethod, signMethod.toUpperCase()),
      });
      assert.equal(await connack(client), 0);
      await client.endAsync();
      const other = await onlineLamp(emulator, LAMP_1, { signMethod });
      await other.endAsync();
    });
  }

  it('assumes hmacmd5 when no method is named', async () => {
    const password = signDevice(hmac, 'hmacmd5', 'secret-of-lamp-1', { ...LAMP_1, clientId: 'abc' });
    const fields = { clientId: 'abc|securemode=3|', username: `lamp-1&${productKey}`, password };
    const client = rawClient(emulator, fields);
    assert.equal(await connack(client), 0);
    await client.endAsync();
  });

  it('takes MQTT 3.1', async () => {
    const client = lampClient(emulator, LAMP_1, { protocolVersion: 3, protocolId: 'MQIsdp' });
    assert.equal(await connack(client), 0);
    await client.endAsync();
  });

  it('refuses with the code of the reason', async () => {
    assert.equal(
      await connack(lampClient(emulator, { productKey, deviceName: 'nobody' })),
      3,
      'unknown device',
    );
    assert.equal(await connack(lampClient(emulator, LAMP_1, { keepalive: 29 })), 2, 'keep-alive');
    assert.equal(await connack(lampClient(emulator, LAMP_1, { keepalive: 1201 })), 2, 'keep-alive');
    const will = { topic: 'a', payload: Buffer.from('b'), qos: 0 as const, retain: false };
    assert.equal(await connack(lampClient(emulator, LAMP_1, { will })), 2, 'will');
    assert.equal(
      await connack(lampClient(emulator, LAMP_1, { signedClientId: 'x'.repeat(65) })),
      2,
      'clientId',
    );
    const sha = { clientId: 'a|signmethod=Sha256|', username: `lamp-1&${productKey}`, password: 'x' };
    assert.equal(await connack(rawClient(emulator, sha)), 2, 'sign method without a formula');
    assert.equal(
      await connack(rawClient(emulator, { clientId: 'a', username: 'b', password: 'c' })),
      3,
      'token',
    );
    emulator.devices.setEnabled(LAMP_1, false);
    assert.equal(await connack(lampClient(emulator)), 5, 'disabled');
    emulator.devices.setEnabled(LAMP_1, true);
    const client = await onlineLamp(emulator);
    await client.endAsync();
  });

  it('throws the older connection of a triple out, whatever clientId, door or method it came with', async () => {
    const first = await onlineLamp(emulator, LAMP_1, { signedClientId: 'one', timestamp: '1' });
    const firstGone = closed(first);
    const second = await onlineLamp(emulator, LAMP_1, { signedClientId: 'two', door: 'wss', clean: false });
    await firstGone;
    assert.equal(second.connected, true);
    const token = await post('/auth/devicename', {
      ...LAMP_1,
      clientId: '12',
      sign: signDevice(hmac, 'hmacmd5', 'secret-of-lamp-1', { ...LAMP_1, clientId: '12' }),
    });
    const secondGone = closed(second);
    const third = rawClient(
      emulator,
      iotTokenConnect(LAMP_1, token.data as { iotId: string; iotToken: string }),
      'mqtts',
    );
    assert.equal(await connack(third), 0);
    await secondGone;
    assert.equal(emulator.devices.get(LAMP_1)?.status, 'ONLINE');
    assert.equal(
      emulator.exchanges.list(({ note }) => note?.startsWith('another client') === true).length,
      2,
    );
    await third.endAsync();
  });

  it('gives iotId and iotToken for seven days, and where to connect', async () => {
    const fields = { ...LAMP_1, clientId: 'abc', timestamp: '1', resources: 'mqtt', version: 'default' };
    const sign = signDevice(hmac, 'hmacsha256', 'secret-of-lamp-1', {
      ...LAMP_1,
      clientId: 'abc',
      timestamp: '1',
    });
    const { code, data } = await post(
      '/auth/devicename',
      { ...fields, sign, signmethod: 'hmacsha256' },
      true,
    );
    assert.equal(code, 200);
    assert.deepEqual(data?.resources, { mqtt: { host: '127.0.0.1', port: emulator.ports.mqtts } });
    const login = iotTokenConnect(LAMP_1, data as unknown as { iotId: string; iotToken: string });
    const client = rawClient(emulator, login);
    assert.equal(await connack(client), 0);
    await client.endAsync();
    now += 7 * 24 * 3_600_000 - 1;
    const late = rawClient(emulator, login);
    assert.equal(await connack(late), 0);
    await late.endAsync();
    now += 1;
    assert.equal(await connack(rawClient(emulator, login)), 3);

    assert.equal((await post('/auth/devicename', { ...fields, sign: 'ff' })).code, 401);
    assert.equal(
      (await post('/auth/devicename', { ...fields, deviceName: 'nobody', sign: 'ff' })).code,
      5001,
    );
    assert.equal((await post('/auth/devicename', LAMP_1)).code, 460);
  });

  it('registers over HTTPS until the device was activated, and again after it was deleted', async () => {
    const { code, data } = await registration('lamp-1');
    assert.deepEqual([code, data], [200, { ...LAMP_1, deviceSecret: 'secret-of-lamp-1' }]);
    assert.equal((await registration('lamp-1')).code, 200, 'before activation as often as needed');
    await (await onlineLamp(emulator)).endAsync();
    assert.equal((await registration('lamp-1')).code, 6289);

    assert.equal((await registration('lamp-2', { sign: 'ff' })).code, 6600);
    assert.equal((await registration('lamp-2', { signMethod: 'Sha256' })).code, 6292);
    assert.equal((await registration('lamp-2', { random: '' })).code, 460);
    assert.equal((await registration('lamp-2', { productKey: 'nobody' })).code, 5005);
    assert.equal((await registration('lamp-2', { productKey: 'closed' })).code, 6288);

    emulator.devices.delete(LAMP_1);
    assert.equal((await registration('lamp-1')).code, 6100);
    const { deviceSecret } = emulator.provisionDevice(LAMP_1);
    const again = await registration('lamp-1');
    assert.deepEqual([again.code, again.data?.deviceSecret], [200, deviceSecret]);
  });

  it('lets devices of a product connect whose registration is switched off', async () => {
    const door = { productKey: 'closed', deviceName: 'door' };
    const { deviceSecret } = emulator.provisionDevice(door);
    await (await onlineLamp(emulator, door, { deviceSecret })).endAsync();
  });

  it('registers over MQTT: the secret comes without SUBSCRIBE', async () => {
    const fields = registrationConnect(hmac, {
      ...LAMP_2,
      productSecret,
      random: '1',
      signMethod: 'hmacsha256',
      authType: 'register',
    });
    const client = rawClient(emulator, fields, 'mqtts');
    const message = nextMessage(client);
    assert.equal(await connack(client), 0);
    const { topic, text } = await message;
    assert.equal(topic, '/ext/register');
    assert.deepEqual(JSON.parse(text), { ...LAMP_2, deviceSecret: 'secret-of-lamp-2' });
    assert.deepEqual(await suback(client, { '/ext/register': 1 }), [128], 'it is no session');
    client.publish(`/sys/${productKey}/lamp-2/thing/event/property/post`, '{"id":"1","params":{"light":1}}');
    await client.endAsync();
    assert.equal(emulator.devices.get(LAMP_2)?.status, 'UNACTIVE', 'registering is not connecting');
    assert.deepEqual(emulator.devices.get(LAMP_2)?.properties, {});

    assert.equal(await connack(rawClient(emulator, fields, 'mqtt')), 2, 'plain TCP');
    assert.equal(await connack(rawClient(emulator, { ...fields, password: 'ff' }, 'mqtts')), 4);
  });

  it('creates a device that registers without being known, and takes its token', async () => {
    const newcomer = { productKey, deviceName: 'newcomer' };
    const fields = registrationConnect(hmac, {
      ...newcomer,
      productSecret,
      random: '1',
      signMethod: 'hmacsha256',
      authType: 'regnwl',
    });
    const client = rawClient(emulator, fields, 'wss');
    const message = nextMessage(client);
    assert.equal(await connack(client), 0);
    const { topic, text } = await message;
    await client.endAsync(true);
    assert.equal(topic, '/ext/regnwl');
    const token = JSON.parse(text) as { clientId: string; deviceToken: string };
    const online = rawClient(emulator, tokenConnect(newcomer, token), 'mqtts');
    assert.equal(await connack(online), 0);
    assert.equal(emulator.devices.get(newcomer)?.status, 'ONLINE');
    await online.endAsync();
    for (const wrong of [{ deviceToken: token.deviceToken.toUpperCase() }, { clientId: 'other' }]) {
      const fields = tokenConnect(newcomer, { ...token, ...wrong });
      assert.equal(await connack(rawClient(emulator, fields, 'mqtts')), 4);
    }
  });

  it('closes a registration connection after its time', async () => {
    await emulator.close();
    emulator = await startEmulator({
      config: { products: [PRODUCT] },
      limits: { registrationMs: 20, registrationOverPlainTcp: true },
    });
    const client = rawClient(emulator, {
      ...registrationConnect(hmac, {
        ...LAMP_2,
        productSecret,
        random: '1',
        signMethod: 'hmacsha256',
        authType: 'register',
      }),
      keepalive: 0,
    });
    await closed(client);
    assert.equal(emulator.devices.get(LAMP_2)?.status, 'UNACTIVE');
  });

  it('with automatic provisioning takes unknown devices, but never one with a secret', async () => {
    await emulator.close();
    emulator = await startEmulator({ autoProvision: true, config: { products: [PRODUCT] } });
    const guest = { productKey: 'any', deviceName: 'guest' };
    await (await onlineLamp(emulator, guest, { deviceSecret: 'whatever' })).endAsync();
    assert.equal(await connack(lampClient(emulator, LAMP_1, { deviceSecret: 'whatever' })), 4);
    // From the moment somebody asked for its secret, the guest needs it too.
    const { deviceSecret } = emulator.provisionDevice(guest);
    assert.equal(await connack(lampClient(emulator, guest, { deviceSecret: 'whatever' })), 4);
    await (await onlineLamp(emulator, guest, { deviceSecret })).endAsync();
  });

  it('closes a connection whose keep-alive ran out', async () => {
    await emulator.close();
    emulator = await startEmulator({ config: { products: [PRODUCT] }, limits: { checkKeepAlive: false } });
    const socket = createConnection(emulator.ports.mqtt ?? 0, '127.0.0.1');
    const fields = deviceConnect(hmac, {
      ...LAMP_1,
      deviceSecret: 'secret-of-lamp-1',
      signMethod: 'hmacsha256',
      secure: false,
    });
    socket.write(
      mqttPacket.generate({
        cmd: 'connect',
        protocolId: 'MQTT',
        clean: true,
        keepalive: 1,
        ...fields,
        password: Buffer.from(fields.password),
      }),
    );
    await new Promise((resolve) => socket.resume().once('close', resolve));
    const { note } = await emulator.exchanges.waitFor(({ kind }) => kind === 'disconnect');
    assert.equal(note, 'keep-alive ran out');
  });
});
