import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { createWebSocketStream, WebSocketServer } from 'ws';
import type { MqttBroker } from './broker/broker';
import { LARGEST_CALL_BYTES } from './http/body';
import type { Door } from './options';

/** A door could not be opened; `code` is that of the operating system, for example EADDRINUSE. */
export class DoorError extends Error {
  override readonly name = 'DoorError';
  readonly code: string | undefined;
  constructor(
    readonly door: Door,
    readonly port: number,
    cause: NodeJS.ErrnoException,
  ) {
    const reason =
      cause.code === 'EADDRINUSE' ? 'is taken by another program' : `cannot be opened: ${cause.message}`;
    super(`port ${port} for the ${door} door ${reason}`, { cause });
    this.code = cause.code;
  }
}

/** Certificate and key as PEM. */
export interface TlsFiles {
  key: string;
  cert: string;
}

export interface DoorContext {
  host: string;
  broker: MqttBroker;
  httpHandler: RequestListener;
  tls: TlsFiles | undefined;
  maxPacketBytes: number;
}

/** One listening port. Connections it let in are closed with it. */
export class OpenDoor {
  private readonly sockets = new Set<Socket>();

  private constructor(
    readonly door: Door,
    private readonly server: Server,
    private readonly host: string,
    public port: number,
  ) {
    server.on('connection', (socket: Socket) => {
      this.sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.once('close', () => this.sockets.delete(socket));
    });
  }

  /** @throws DoorError */
  static async open(door: Door, port: number, context: DoorContext): Promise<OpenDoor> {
    const opened = new OpenDoor(door, createServer(door, context), context.host, port);
    await opened.listen();
    return opened;
  }

  /** Listens, on the same port as before. @throws DoorError */
  listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      const failed = (cause: NodeJS.ErrnoException) => reject(new DoorError(this.door, this.port, cause));
      this.server.once('error', failed);
      this.server.listen({ port: this.port, host: this.host }, () => {
        this.server.off('error', failed);
        this.port = (this.server.address() as AddressInfo).port;
        resolve();
      });
    });
  }

  dropConnections(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  /** Closes the port and every connection. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.server.close(() => resolve());
      this.dropConnections();
    });
  }
}

function createServer(door: Door, context: DoorContext): Server {
  const { broker, httpHandler } = context;
  switch (door) {
    case 'mqtt':
      return createTcpServer({ noDelay: true }, (socket) => broker.accept(socket, arrival(socket, false)));
    case 'mqtts': {
      const server = createTlsServer({ ...tlsOf(context), noDelay: true } as object, (socket) =>
        broker.accept(socket, arrival(socket, true)),
      );
      server.on('tlsClientError', (_error, socket) => socket.destroy());
      return server;
    }
    case 'ws':
      return withWebSockets(createHttpServer({ noDelay: true }, refuseRequest), context, false);
    case 'wss':
      return withWebSockets(
        createHttpsServer({ ...tlsOf(context), noDelay: true }, refuseRequest),
        context,
        true,
      );
    case 'http':
      return createHttpServer({ noDelay: true, maxHeaderSize: LARGEST_CALL_BYTES }, httpHandler);
    case 'https':
      return createHttpsServer(
        { ...tlsOf(context), noDelay: true, maxHeaderSize: LARGEST_CALL_BYTES },
        httpHandler,
      );
  }
}

function withWebSockets<T extends Server>(server: T, context: DoorContext, secure: boolean): T {
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: context.maxPacketBytes,
    perMessageDeflate: false,
    // MQTT 3.1 clients ask for `mqttv3.1`.
    handleProtocols: (offered) =>
      offered.has('mqtt') ? 'mqtt' : offered.has('mqttv3.1') ? 'mqttv3.1' : false,
  });
  server.on('upgrade', (request, socket: Socket, head) => {
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      const stream = createWebSocketStream(webSocket);
      // A frame that is too large or malformed ends this connection only.
      webSocket.on('error', () => stream.destroy());
      stream.on('error', () => webSocket.terminate());
      context.broker.accept(stream, arrival(socket, secure), request);
    });
  });
  return server;
}

const refuseRequest: RequestListener = (_request, response) => {
  response.writeHead(426, { 'content-type': 'text/plain', upgrade: 'websocket' });
  response.end('This door takes MQTT over WebSocket only.\n');
};

function tlsOf({ tls }: DoorContext): TlsFiles {
  if (tls === undefined) throw new Error('a TLS door needs a certificate');
  return tls;
}

function arrival(socket: Socket, secure: boolean) {
  const { remoteAddress = '', localAddress = '' } = socket;
  return { secure, remoteAddress, localAddress };
}
