import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo, Server, Socket } from 'node:net';
import type { FirmwareFile, FirmwareOffer } from '../../sdk';

/** What a request asked for. */
export interface Asked {
  path: string;
  /** First byte of the range; 0 without one. */
  from: number;
  headers: IncomingMessage['headers'];
  /** Bytes of the body that were written so far. */
  sent: number;
}

export type Answerer = (asked: Asked, response: ServerResponse, request: IncomingMessage) => void;

/** A file server that does what a test tells it; by default it serves the content, whole or from an offset. */
export class FirmwareServer {
  readonly asked: Asked[] = [];
  /** Answers in order; the usual answer when none is left. */
  readonly script: Answerer[] = [];
  usual: Answerer = (asked, response) => this.serve(asked, response);
  readonly #sockets = new Set<Socket>();

  private constructor(
    readonly server: Server,
    private readonly scheme: string,
    public content: Buffer,
  ) {}

  static async start(content: Buffer, tls?: { key: string; cert: string }): Promise<FirmwareServer> {
    const server = tls ? createHttpsServer(tls) : createHttpServer();
    const own = new FirmwareServer(server, tls ? 'https' : 'http', content);
    server.on('connection', (socket: Socket) => {
      own.#sockets.add(socket);
      socket.on('close', () => own.#sockets.delete(socket));
      socket.on('error', () => undefined);
    });
    server.on('tlsClientError', () => undefined);
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      const [, first = '0'] = /^bytes=(\d+)-$/.exec(request.headers.range ?? '') ?? [];
      const asked = { path: request.url ?? '', from: Number(first), headers: request.headers, sent: 0 };
      own.asked.push(asked);
      response.on('error', () => undefined);
      (own.script.shift() ?? own.usual)(asked, response, request);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return own;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** With a query that nobody may ever see. */
  url(path = '/firmware.bin', host = '127.0.0.1'): string {
    return `${this.scheme}://${host}:${this.port}${path}?Signature=TOP%2fSECRET`;
  }

  /** An offer of the content. */
  offer(more: Partial<FirmwareOffer> = {}, file: Partial<FirmwareFile> = {}): FirmwareOffer {
    const digest = { method: 'sha256', value: digestOf(this.content, 'sha256') } as const;
    return {
      version: '1.0.1',
      module: 'default',
      isDiff: false,
      files: [{ name: 'firmware.bin', size: this.content.length, digest, url: this.url(), ...file }],
      source: 'get',
      receivedAt: Date.now(),
      ...more,
    };
  }

  /** The usual answer. @param most cut after so many bytes of the body */
  serve(asked: Asked, response: ServerResponse, most = Number.POSITIVE_INFINITY): void {
    const size = this.content.length;
    const { from } = asked;
    if (from > 0) {
      response.writeHead(206, {
        'content-range': `bytes ${from}-${size - 1}/${size}`,
        'content-length': size - from,
      });
    } else response.writeHead(200, { 'content-length': size });
    const body = this.content.subarray(from, Math.min(size, from + most));
    asked.sent = body.length;
    if (from + body.length === size) response.end(body);
    else response.write(body, () => response.destroy());
  }

  cut(most: number): Answerer {
    return (asked, response) => this.serve(asked, response, most);
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.server.close();
    if (this.server.listening) await once(this.server, 'close');
  }
}

export function status(code: number, headers: Record<string, string> = {}): Answerer {
  return (_, response) => response.writeHead(code, headers).end();
}

export function digestOf(content: Uint8Array, method: 'md5' | 'sha256'): string {
  return createHash(method).update(content).digest('hex');
}

/** Bytes that are the same each time and nowhere repeat soon. */
export function madeUpContent(size: number): Buffer {
  const content = Buffer.allocUnsafe(size);
  let state = 0x2545f491;
  for (let i = 0; i < size; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    content[i] = state >>> 24;
  }
  return content;
}
