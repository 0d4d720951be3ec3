import { createHash } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo, Server, Socket } from 'node:net';
import type { Packet } from 'mqtt-packet';
import { answer, type Peer, reply, ScriptedBroker } from './scripted-broker';

type Answerer = (request: IncomingMessage, response: ServerResponse) => void;

/** What the device answered to a push. */
export interface PushReply {
  id: string | number;
  code: number;
  message?: string;
}

/** A platform that pushes configurations as a test tells it, with a server for their documents. */
export class ConfigurationPlatform {
  /** Paths of documents that were asked for. */
  readonly fetched: string[] = [];
  readonly replies: PushReply[] = [];
  /** Data of the answer to thing.config.get, or a code. */
  stored: object | number = 6710;
  /** How often thing.config.get was asked. */
  gets = 0;
  /** While true nothing that the device publishes gets an answer. */
  silent = false;
  /** Instead of the document, one request each. */
  readonly script: Answerer[] = [];
  readonly #events = new EventEmitter();
  readonly #documents = new Map<string, Buffer>();
  readonly #sockets = new Set<Socket>();
  #lastId = 0;

  private constructor(
    readonly broker: ScriptedBroker,
    private readonly server: Server,
    private readonly scheme: 'http' | 'https',
  ) {
    broker.script.packet = (peer, packet) => this.#packet(peer, packet);
  }

  static async start(tls?: { key: string; cert: string }): Promise<ConfigurationPlatform> {
    const server = tls ? createHttpsServer(tls) : createHttpServer();
    const platform = new ConfigurationPlatform(await ScriptedBroker.start(), server, tls ? 'https' : 'http');
    server.on('connection', (socket: Socket) => {
      platform.#sockets.add(socket);
      socket.on('close', () => platform.#sockets.delete(socket));
      socket.on('error', () => undefined);
    });
    server.on('tlsClientError', () => undefined);
    server.on('request', (request: IncomingMessage, response: ServerResponse) =>
      platform.#serve(request, response),
    );
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return platform;
  }

  get filePort(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Stores a document and describes it as the platform does (B.3 row 33). */
  describe(document: unknown, more: object = {}): Record<string, unknown> & { configId: string } {
    const bytes = Buffer.isBuffer(document) ? document : Buffer.from(JSON.stringify(document));
    const digest = createHash('sha256').update(bytes).digest('hex');
    const path = `/${digest.slice(0, 12)}.json`;
    this.#documents.set(path, bytes);
    return {
      configId: `id-${digest.slice(0, 8)}`,
      configSize: bytes.length,
      sign: digest,
      signMethod: 'Sha256',
      url: `${this.scheme}://127.0.0.1:${this.filePort}${path}?Signature=TOP%2fSECRET`,
      getType: 'file',
      ...more,
    };
  }

  /** Pushes a configuration to whoever is connected. @returns id of the message */
  push(params: object, { productKey, deviceName } = { productKey: 'a1Test', deviceName: 'lamp-1' }): string {
    const id = String(++this.#lastId);
    const topic = `/sys/${productKey}/${deviceName}/thing/config/push`;
    const method = 'thing.config.push';
    this.#send(topic, JSON.stringify({ id, version: '1.0', method, params }));
    return id;
  }

  /** Pushes a model configuration (H). */
  pushModel(data: object, { productKey, deviceName } = { productKey: 'a1Test', deviceName: 'lamp-1' }): void {
    const id = ++this.#lastId;
    const topic = `/sys/${productKey}/${deviceName}/thing/model/config/push`;
    const method = 'thing.model.config.push';
    this.#send(topic, JSON.stringify({ id, version: '1.0', method, data }));
  }

  /** The device's answer to a push. */
  async replyTo(id: string): Promise<PushReply> {
    for (;;) {
      const found = this.replies.find((one) => String(one.id) === id);
      if (found) return found;
      await once(this.#events, 'reply');
    }
  }

  /** The next thing.config.get. */
  async asked(): Promise<void> {
    await once(this.#events, 'get');
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.server.close();
    await this.broker.stop();
  }

  #send(topic: string, payload: string): void {
    const messageId = this.#lastId;
    const how = { qos: 1, dup: false, retain: false } as const;
    this.broker.last.send({ cmd: 'publish', topic, payload, messageId, ...how });
  }

  #packet(peer: Peer, packet: Packet): void {
    if (packet.cmd !== 'publish') {
      if (!this.silent) answer(peer, packet);
      return;
    }
    if (packet.topic.endsWith('/thing/config/push_reply')) {
      this.replies.push(JSON.parse(packet.payload.toString()) as PushReply);
      this.#events.emit('reply');
    }
    if (this.silent) return;
    const isGet = packet.topic.endsWith('/thing/config/get');
    if (!isGet && !packet.topic.endsWith('_reply')) {
      answer(peer, packet);
      return;
    }
    if (packet.qos === 1) peer.send({ cmd: 'puback', messageId: packet.messageId ?? 0 });
    if (!isGet) return;
    this.gets++;
    const fields = typeof this.stored === 'number' ? { code: this.stored } : { data: this.stored };
    peer.push(`${packet.topic}_reply`, reply(packet.payload.toString(), fields));
    this.#events.emit('get');
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const [path = ''] = (request.url ?? '').split('?');
    this.fetched.push(path);
    response.on('error', () => undefined);
    const scripted = this.script.shift();
    if (scripted) {
      scripted(request, response);
      return;
    }
    const bytes = this.#documents.get(path);
    response.writeHead(bytes ? 200 : 404);
    response.end(bytes);
  }
}
