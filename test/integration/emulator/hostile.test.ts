import assert from 'node:assert/strict';
import { connect as connectTcp } from 'node:net';
import fc from 'fast-check';
import mqttPacket, { type Packet } from 'mqtt-packet';
import { WebSocket } from 'ws';
import { type Emulator, startEmulator } from '../../../emulator';
import { deviceConnect } from '../../../protocol';
import { hmac } from '../../../protocol/hmac';
import { LAMP_1, LAMP_2, onlineLamp, PRODUCT, request } from '../../support/emulator';

const S = `/sys/${LAMP_1.productKey}/${LAMP_1.deviceName}/thing`;

describe('emulator: hostile input', () => {
  let emulator: Emulator;

  before(async () => {
    emulator = await startEmulator({
      doors: { mqtt: 0, mqtts: 0, ws: 0, wss: 0, http: 0 },
      config: { products: [PRODUCT] },
      limits: { connectTimeoutMs: 200 },
    });
  });

  afterEach(async () => {
    // Whatever came before, others are served.
    const lamp = await onlineLamp(emulator, LAMP_2, { parameters: { _ss: 1 } });
    const topic = `/sys/${LAMP_2.productKey}/${LAMP_2.deviceName}/thing/event/property/post`;
    assert.equal((await request(lamp, topic, { light: 1 })).code, 200);
    await lamp.endAsync(true);
  });

  after(() => emulator.close());

  const fields = deviceConnect(hmac, {
    ...LAMP_1,
    deviceSecret: 'secret-of-lamp-1',
    signMethod: 'hmacsha256',
    secure: false,
  });
  const login = mqttPacket.generate({
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion: 4,
    clean: true,
    keepalive: 60,
    ...fields,
    password: Buffer.from(fields.password),
  });
  const packets: Packet[] = [
    { cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: `${S}/#`, qos: 1 }] },
    { cmd: 'unsubscribe', messageId: 2, unsubscriptions: [`${S}/#`] },
    {
      cmd: 'publish',
      topic: `${S}/event/property/post`,
      payload: '{"id":"1","params":{"light":1}}',
      qos: 1,
      messageId: 3,
      dup: false,
      retain: false,
    },
    { cmd: 'puback', messageId: 4 },
    { cmd: 'pubrec', messageId: 5 },
    { cmd: 'pubrel', messageId: 6 },
    { cmd: 'pubcomp', messageId: 7 },
    { cmd: 'pingreq' },
    { cmd: 'disconnect' },
  ];
  const bytes = packets.map((packet) => mqttPacket.generate(packet));

  /** Sends and waits until the other side closed or had time to read everything. */
  const sendTcp = (content: Buffer) =>
    new Promise<void>((resolve) => {
      const socket = connectTcp(emulator.ports.mqtt ?? 0, '127.0.0.1', () => socket.end(content));
      socket.resume();
      socket.on('error', () => undefined);
      socket.once('close', () => resolve());
    });
  const sendWebSocket = (content: Buffer) =>
    new Promise<void>((resolve) => {
      const socket = new WebSocket(`ws://127.0.0.1:${emulator.ports.ws}/any/path`, 'mqtt');
      socket.on('error', () => undefined);
      socket.once('close', () => resolve());
      socket.once('open', () => {
        socket.send(content);
        socket.close();
      });
    });

  const mutated = fc
    .tuple(
      fc.boolean(),
      fc.array(fc.constantFrom(...bytes), { minLength: 1, maxLength: 4 }),
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }),
    )
    .map(([loggedIn, parts, changes]) => {
      const content = Buffer.concat(loggedIn ? [login, ...parts] : parts);
      // The login itself stays as it is, so that what follows is read.
      const from = loggedIn ? login.length : 0;
      for (const [at, value] of changes) content[from + (at % (content.length - from))] = value;
      return content;
    });

  for (const [door, send] of [
    ['TCP', sendTcp],
    ['WebSocket', sendWebSocket],
  ] as const) {
    it(`survives random bytes over ${door}`, async () => {
      await fc.assert(
        fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 300 }), (content) =>
          send(Buffer.from(content)),
        ),
        { numRuns: 60 },
      );
    });

    it(`survives altered packets over ${door}`, async () => {
      await fc.assert(fc.asyncProperty(mutated, send), { numRuns: 150 });
    });
  }

  it('survives strange client ids, user names and topics', async () => {
    const names = [
      '__proto__',
      'constructor',
      '&',
      'a&',
      '&b',
      '__proto__&__proto__',
      '\u0000',
      'x'.repeat(60_000),
    ];
    for (const name of names) {
      const packet = { cmd: 'connect', protocolId: 'MQTT', clean: false, keepalive: 60 } as const;
      await sendTcp(
        mqttPacket.generate({ ...packet, clientId: name, username: name, password: Buffer.from(name) }),
      );
    }
    const lamp = await onlineLamp(emulator, LAMP_1, { parameters: { _ss: 1 } });
    for (const topic of [
      '/',
      '//',
      '$SYS/x',
      '/sys',
      `${S}/${'a/'.repeat(60)}b`,
      `/${LAMP_1.productKey}/`,
      '__proto__',
      `${S}/event/\u0001/post`,
      `${S}/event/${'x'.repeat(60_000)}/post`,
    ]) {
      await lamp.publishAsync(topic, 'x', { qos: 1 });
    }
    const post = `${S}/event/property/post`;
    for (const payload of [
      '',
      'null',
      '{"id":{}}',
      '{"__proto__":{"id":"1"},"params":{"__proto__":{"x":1}}}',
      `{"id":"${'9'.repeat(10_000)}","params":{"light":1}}`,
      `{"id":1e999,"params":{"light":1}}`,
      `{"id":"1","params":${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}}`,
      Buffer.from([0xff, 0xfe, 0x00, 0x80]),
    ]) {
      await lamp.publishAsync(post, payload, { qos: 1 });
    }
    assert.equal((await request(lamp, post, { light: 1 })).code, 200);
    assert.equal(({} as Record<string, unknown>).x, undefined);
    await lamp.endAsync(true);
  });

  it('closes a connection that never says CONNECT', async () => {
    const socket = connectTcp(emulator.ports.mqtt ?? 0, '127.0.0.1');
    await new Promise((resolve) => socket.resume().once('close', resolve));
  });

  it('does not gather a packet that says it is 200 MB', async () => {
    const lamp = connectTcp(emulator.ports.mqtt ?? 0, '127.0.0.1');
    const closedByThem = new Promise<void>((resolve) => lamp.resume().once('close', () => resolve()));
    lamp.on('error', () => undefined);
    lamp.write(login);
    lamp.write(Buffer.from([0x30, 0xff, 0xff, 0xff, 0x5f, 0, 1, 0x61]));
    const chunk = Buffer.alloc(64 * 1024);
    let sent = 0;
    const more = () => {
      while (!lamp.destroyed && sent < 64 * 1024 * 1024) {
        sent += chunk.length;
        if (!lamp.write(chunk)) return;
      }
    };
    lamp.on('drain', more);
    more();
    await closedByThem;
    assert.ok(sent < 16 * 1024 * 1024, `took ${sent} bytes`);
  });

  it('closes a WebSocket with a message that is too large, or without MQTT as its protocol', async () => {
    const large = new WebSocket(`ws://127.0.0.1:${emulator.ports.ws}/`, 'mqtt');
    large.once('open', () => large.send(Buffer.alloc(1024 * 1024)));
    const code = await new Promise((resolve) => large.once('close', resolve));
    assert.equal(code, 1009, 'message too big');
    const plain = new WebSocket(`ws://127.0.0.1:${emulator.ports.ws}/`, 'chat');
    await new Promise((resolve) => plain.once('error', resolve));
  });

  it('answers strange HTTP requests', async () => {
    const ask = (path: string, init: RequestInit) => fetch(`${emulator.httpUrl}${path}`, init);
    const post = (path: string, body: string, type: string) =>
      ask(path, { method: 'POST', body, headers: { 'content-type': type } }).then((response) =>
        response.json(),
      );
    assert.equal((await post('/auth/register/device', '{', 'application/json')).code, 460);
    assert.equal((await post('/auth/register/device', '[1]', 'application/json')).code, 460);
    assert.equal(
      (await post('/auth/devicename', '__proto__=1&sign=2', 'application/x-www-form-urlencoded')).code,
      460,
    );
    assert.equal((await ask('/auth/devicename', { method: 'GET' })).status, 405);
    assert.equal((await ask('/no/such/page', {})).status, 404);
    assert.equal((await ask('/auth/devicename', { method: 'POST', body: 'x'.repeat(200_000) })).status, 413);
    assert.equal((await ask('/?Action=GetDeviceStatus', {})).status, 400);
    await new Promise<void>((resolve) => {
      const socket = connectTcp(emulator.ports.http ?? 0, '127.0.0.1', () =>
        socket.write('GET // HTTP/1.1\r\nhost: a\r\n\r\n'),
      );
      socket.once('data', () => socket.destroy());
      socket.once('close', () => resolve());
    });
  });
});
