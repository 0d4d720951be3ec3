import { EventEmitter, once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { createServer as createTlsServer } from 'node:tls';
import { generate, type IConnectPacket, type Packet, parser } from 'mqtt-packet';
import { createWebSocketStream, WebSocketServer } from 'ws';

/** The broker's end of one connection. */
export interface Peer {
  stream: Duplex;
  connect: IConnectPacket | undefined;
  received: Packet[];
  send(packet: Packet): void;
  /** A message from the platform. */
  push(topic: string, payload: string, qos?: 0 | 1): void;
  /** Closes as the platform does when it throws a client out. */
  kick(): void;
}

/** What the broker does with a packet; a test replaces what it wants to be different. */
export interface Script {
  connect(peer: Peer, packet: IConnectPacket): void;
  packet(peer: Peer, packet: Packet): void;
}

export interface BrokerOptions {
  tls?: { key: string; cert: string };
  webSocket?: boolean;
}

/**
 * A broker that does what a test tells it, over real sockets: by default it accepts everyone, grants every
 * subscription and answers each request with code 200.
 */
export class ScriptedBroker {
  readonly peers: Peer[] = [];
  readonly script: Script = { connect: accept, packet: answer };
  readonly #events = new EventEmitter();
  readonly #streams = new Set<Duplex>();

  private constructor(private readonly server: Server) {}

  static async start({ tls, webSocket }: BrokerOptions = {}): Promise<ScriptedBroker> {
    const server = webSocket
      ? tls
        ? createHttpsServer(tls)
        : createHttpServer()
      : tls
        ? createTlsServer({ ...tls, noDelay: true })
        : createServer({ noDelay: true });
    const broker = new ScriptedBroker(server);
    if (webSocket) {
      const upgrade = new WebSocketServer({ server: server as ReturnType<typeof createHttpServer> });
      upgrade.on('connection', (socket) => broker.#accept(createWebSocketStream(socket)));
    } else {
      server.on(tls ? 'secureConnection' : 'connection', (socket: Socket) => broker.#accept(socket));
      server.on('tlsClientError', () => undefined);
    }
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return broker;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Connections that are open now. */
  get open(): number {
    return this.#streams.size;
  }

  get last(): Peer {
    const peer = this.peers.at(-1);
    if (!peer) throw new Error('nobody has connected');
    return peer;
  }

  /** The next packet of a kind from anybody. */
  async next(cmd: Packet['cmd']): Promise<{ peer: Peer; packet: Packet }> {
    const [peer, packet] = (await once(this.#events, cmd)) as [Peer, Packet];
    return { peer, packet };
  }

  /** Resolves when every connection is closed. */
  async quiet(): Promise<void> {
    while (this.#streams.size > 0) await once(this.#events, 'gone');
  }

  async stop(): Promise<void> {
    for (const stream of this.#streams) stream.destroy();
    this.server.close();
    if (this.server.listening) await once(this.server, 'close');
  }

  #accept(stream: Duplex): void {
    this.#streams.add(stream);
    const peer: Peer = {
      stream,
      connect: undefined,
      received: [],
      send: (packet) => stream.write(generate(packet)),
      push: (topic, payload, qos = 0) =>
        stream.write(
          generate({ cmd: 'publish', topic, payload, qos, dup: false, retain: false, messageId: 1 }),
        ),
      kick: () => stream.end(),
    };
    this.peers.push(peer);
    const reader = parser({ protocolVersion: 4 });
    reader.on('packet', (packet: Packet) => {
      peer.received.push(packet);
      if (packet.cmd === 'connect') {
        peer.connect = packet;
        this.script.connect(peer, packet);
      } else this.script.packet(peer, packet);
      this.#events.emit(packet.cmd, peer, packet);
    });
    stream.on('data', (chunk: Buffer) => reader.parse(chunk));
    stream.on('error', () => undefined);
    stream.on('close', () => {
      this.#streams.delete(stream);
      this.#events.emit('gone', peer);
    });
  }
}

export function accept(peer: Peer): void {
  peer.send({ cmd: 'connack', returnCode: 0, sessionPresent: false });
}

export function refuse(returnCode: number): Script['connect'] {
  return (peer) => {
    peer.send({ cmd: 'connack', returnCode, sessionPresent: false });
    peer.stream.end();
  };
}

/** Acknowledges everything and answers requests with 200. */
export function answer(peer: Peer, packet: Packet): void {
  switch (packet.cmd) {
    case 'subscribe':
      peer.send({
        cmd: 'suback',
        messageId: packet.messageId ?? 0,
        granted: packet.subscriptions.map(({ qos }) => qos),
      });
      break;
    case 'unsubscribe':
      peer.send({ cmd: 'unsuback', messageId: packet.messageId ?? 0, granted: [] });
      break;
    case 'pingreq':
      peer.send({ cmd: 'pingresp' });
      break;
    case 'publish':
      if (packet.qos === 1) peer.send({ cmd: 'puback', messageId: packet.messageId ?? 0 });
      if (packet.topic.startsWith('/sys/')) {
        peer.push(`${packet.topic}_reply`, reply(packet.payload.toString()));
      }
      break;
    case 'disconnect':
      peer.stream.end();
      break;
    default:
      break;
  }
}

/** The answer of the platform to a request. */
export function reply(request: string, fields: object = {}): string {
  const { id } = JSON.parse(request) as { id: string };
  return JSON.stringify({ id, code: 200, data: {}, message: 'success', ...fields });
}
