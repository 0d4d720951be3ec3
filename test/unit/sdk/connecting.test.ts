import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:net';
import { afterEach, before, describe, it } from 'mocha';
import type { ConnectFields, Transport } from '../../../protocol';
import { mqttEndpoint } from '../../../protocol';
import { AlinkError } from '../../../sdk';
import { type LinkOptions, type MqttLink, openLink } from '../../../sdk/session/mqtt-link';
import { networkError } from '../../../sdk/session/network-error';
import { certificate, type TestCertificate } from '../../support/certificates';
import { answer, type BrokerOptions, refuse, ScriptedBroker } from '../../support/scripted-broker';

const FIELDS: ConnectFields = { clientId: 'c|securemode=3|', username: 'dn&pk', password: 'p' };

describe('connecting', () => {
  let broker: ScriptedBroker | undefined;
  let trusted: TestCertificate;

  before(async () => {
    trusted = await certificate();
  });

  afterEach(async () => {
    await broker?.stop();
    broker = undefined;
  });

  function options(transport: Transport, port: number, more: Partial<LinkOptions> = {}): LinkOptions {
    return {
      endpoint: mqttEndpoint({ kind: 'custom', host: '127.0.0.1' }, 'pk', transport, port),
      fields: FIELDS,
      keepAliveSeconds: 300,
      cleanSession: false,
      handshakeMs: 5000,
      connackMs: 5000,
      endMs: 50,
      signal: new AbortController().signal,
      onMessage: () => undefined,
      onClose: () => undefined,
      ...more,
    };
  }

  const doors: Array<[Transport, () => BrokerOptions]> = [
    ['tcp', () => ({})],
    ['ws', () => ({ webSocket: true })],
    ['tls', () => ({ tls: trusted })],
    ['wss', () => ({ tls: trusted, webSocket: true })],
  ];
  for (const [transport, door] of doors) {
    it(`works over ${transport}, with own CA where there is a certificate`, async () => {
      broker = await ScriptedBroker.start(door());
      const link = await openLink(options(transport, broker.port, { ca: trusted.cert }));
      assert.deepEqual(await link.subscribe(['a/b'], 1), []);
      await new Promise<void>((resolve, reject) =>
        link.publish('a/b', 'x', 1, (error) => (error ? reject(error) : resolve())),
      );
      await link.end();
      await broker.quiet();
    });
  }

  for (const transport of ['tls', 'wss'] as const) {
    it(`refuses a certificate over ${transport} that nobody vouches for, whatever the environment says`, async () => {
      broker = await ScriptedBroker.start({ tls: trusted, webSocket: transport === 'wss' });
      process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
      try {
        const error = await failure(options(transport, broker.port));
        assert.equal(error.key, 'tls');
        assert.match(String(error.details.reason), /self-signed/);
        assert.equal(error.details.port, broker.port);
      } finally {
        delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
      }
    });
  }

  it('refuses a certificate for another host, and one that has expired', async () => {
    const other = await certificate({ names: ['other.example'] });
    broker = await ScriptedBroker.start({ tls: other });
    const wrongHost = await failure(options('tls', broker.port, { ca: other.cert }));
    assert.match(String(wrongHost.details.reason), /another host/);
    await broker.stop();
    const old = await certificate(undefined, 0);
    broker = await ScriptedBroker.start({ tls: old });
    assert.match(
      String((await failure(options('tls', broker.port, { ca: old.cert }))).details.reason),
      /expired/,
    );
  });

  it('says that nobody listens, with host and port', async () => {
    const port = await closedPort();
    const { key, details } = await failure(options('tcp', port));
    assert.equal(key, 'unreachable');
    assert.deepEqual(details, { host: '127.0.0.1', port, reason: 'ECONNREFUSED' });
  });

  it('says which host is not known', () => {
    const cause = Object.assign(new Error('getaddrinfo ENOTFOUND x.invalid'), { code: 'ENOTFOUND' });
    const error = networkError(cause, { host: 'x.invalid', port: 1883 });
    assert.deepEqual([error.key, error.details.host], ['dns', 'x.invalid']);
  });

  const codes = [
    [1, 'refusedVersion'],
    [2, 'refusedIdentifier'],
    [3, 'refusedServer'],
    [4, 'refusedCredentials'],
    [5, 'refusedNotAuthorized'],
    [9, 'refusedServer'],
  ] as const;
  for (const [code, key] of codes) {
    it(`says what CONNACK ${code} means`, async () => {
      broker = await ScriptedBroker.start();
      broker.script.connect = refuse(code);
      const error = await failure(options('tcp', broker.port));
      assert.deepEqual([error.key, error.code, error.retry], [key, code, 'slow']);
      assert.ok(error.message.length > 10);
    });
  }

  it('gives up when CONNECT is not answered, when it is answered by silence or by a closed door', async () => {
    broker = await ScriptedBroker.start();
    broker.script.connect = () => undefined;
    assert.equal((await failure(options('tcp', broker.port, { connackMs: 30 }))).key, 'connackTimeout');
    await broker.quiet();
    broker.script.connect = (peer) => peer.kick();
    assert.equal((await failure(options('tcp', broker.port))).key, 'connectionClosed');
    await broker.quiet();
  });

  it('gives up when TLS or WebSocket is never answered', async () => {
    const silent = await silentServer();
    try {
      for (const transport of ['tls', 'ws', 'wss'] as const) {
        const error = await failure(options(transport, silent.port, { handshakeMs: 30 }));
        assert.equal(error.key, 'handshakeTimeout', transport);
      }
    } finally {
      silent.stop();
    }
  });

  it('can be given up at any time and leaves nothing behind', async () => {
    broker = await ScriptedBroker.start();
    broker.script.connect = () => undefined;
    const controller = new AbortController();
    const opening = failure(options('tcp', broker.port, { signal: controller.signal }));
    await broker.next('connect');
    controller.abort();
    assert.equal((await opening).key, 'aborted');
    await broker.quiet();
    assert.equal(
      (await failure(options('tcp', broker.port, { signal: AbortSignal.abort() }))).key,
      'aborted',
    );
  });

  it('notices a half-open connection although it keeps on sending', async () => {
    broker = await ScriptedBroker.start();
    broker.script.packet = () => undefined;
    let timer: NodeJS.Timeout | undefined;
    const closed = new Promise<[AlinkError, boolean]>((resolve) => {
      const link = openLink(
        options('tcp', broker?.port ?? 0, {
          keepAliveSeconds: 1,
          onClose: (error, kicked) => resolve([error, kicked]),
        }),
      );
      timer = setInterval(() => void link.then(({ publish }) => publish('a', 'x', 0, () => undefined)), 100);
    });
    const [error, kicked] = await closed;
    clearInterval(timer);
    assert.match(error.message, /Keepalive/);
    assert.equal(kicked, false);
  });

  it('pings although messages keep on coming, because the platform counts only what it receives', async () => {
    broker = await ScriptedBroker.start();
    const link = await openLink(options('tcp', broker.port, { keepAliveSeconds: 1 }));
    const timer = setInterval(() => broker?.last.push('a', 'x'), 50);
    await broker.next('pingreq');
    clearInterval(timer);
    await link.end();
  });

  it('takes a close and a reset for a kick', async () => {
    for (const end of ['end', 'resetAndDestroy'] as const) {
      broker = await ScriptedBroker.start();
      let opened: Promise<MqttLink> | undefined;
      const closed = new Promise<boolean>((resolve) => {
        opened = openLink(options('tcp', broker?.port ?? 0, { onClose: (_, kicked) => resolve(kicked) }));
      });
      await opened;
      const { stream } = broker.last;
      (Reflect.get(stream, end) as () => void).call(stream);
      assert.equal(await closed, true, end);
      await broker.stop();
    }
  });

  it('leaves whoever announces a packet larger than the platform sends, before it is there', async () => {
    for (const [transport, door] of doors) {
      broker = await ScriptedBroker.start(door());
      let opened: Promise<MqttLink> | undefined;
      const closed = new Promise<[AlinkError, boolean]>((resolve) => {
        const onClose = (...end: [AlinkError, boolean]) => resolve(end);
        opened = openLink(options(transport, broker?.port ?? 0, { ca: trusted.cert, onClose }));
      });
      await opened;
      const value = 2 ** 28 - 1;
      broker.last.stream.write(Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f]));
      const [error, kicked] = await closed;
      assert.equal(error.key, 'packetTooLarge', transport);
      assert.equal(kicked, false);
      assert.equal(error.details.value, value);
      await broker.stop();
    }
  });

  it('takes a packet of the largest size that the platform sends', async () => {
    broker = await ScriptedBroker.start();
    let got: (bytes: number) => void = () => undefined;
    const received = new Promise<number>((resolve) => {
      got = resolve;
    });
    const onMessage = ({ payload }: { payload: Uint8Array }) => got(payload.length);
    const link = await openLink(options('tcp', broker.port, { onMessage }));
    broker.last.push('a', 'x'.repeat(256 * 1024));
    assert.equal(await received, 256 * 1024);
    await link.end();
  });

  it('acknowledges a QoS 1 message only after it was handed over', async () => {
    broker = await ScriptedBroker.start();
    const order: string[] = [];
    broker.script.packet = (peer, packet) => {
      if (packet.cmd === 'puback') order.push('puback');
      answer(peer, packet);
    };
    const link = await openLink(
      options('tcp', broker.port, { onMessage: ({ duplicate }) => order.push(`message ${duplicate}`) }),
    );
    const acknowledged = broker.next('puback');
    broker.last.send({
      cmd: 'publish',
      topic: 'a',
      payload: 'x',
      qos: 1,
      dup: true,
      retain: false,
      messageId: 7,
    });
    await acknowledged;
    assert.deepEqual(order, ['message true', 'puback']);
    await link.end();
  });
});

async function failure(options: LinkOptions): Promise<AlinkError> {
  try {
    await openLink(options);
  } catch (error) {
    assert.ok(error instanceof AlinkError, String(error));
    return error;
  }
  throw new assert.AssertionError({ message: 'it connected' });
}

async function silentServer(): Promise<{ port: number; stop(): void }> {
  const sockets = new Set<import('node:net').Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
  });
  const port = await listen(server);
  return {
    port,
    stop: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

async function closedPort(): Promise<number> {
  const server = createServer();
  const port = await listen(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
