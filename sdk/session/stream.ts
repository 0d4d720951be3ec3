import { connect as connectTcp, isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import { createWebSocketStream, WebSocket } from 'ws';
import type { MqttEndpoint } from '../../protocol';
import { AlinkError } from '../errors';
import { networkError } from './network-error';
import { trustOf } from './trust';

/** Whom to trust besides Node.js's own roots, and how long a handshake may take. */
export interface StreamOptions {
  /** PEM, one or more certificates. */
  ca?: string | undefined;
  handshakeMs: number;
  signal: AbortSignal;
}

/** Where a socket leads. */
export interface SocketAddress {
  host: string;
  port: number;
  /** TLS goes over this instead of a socket of its own: the way through a proxy. */
  over?: Duplex;
}

/**
 * Opens the byte stream under MQTT: TCP, TLS, WebSocket or secure WebSocket, ready to carry CONNECT.
 * @throws AlinkError `dns`, `unreachable`, `tls`, `handshakeTimeout`, `aborted`
 */
export async function openStream(endpoint: MqttEndpoint, options: StreamOptions): Promise<Duplex> {
  return opened(start(endpoint, options), endpoint, options);
}

/**
 * Opens TCP, or TLS on it.
 * @throws AlinkError as `openStream`
 */
export async function openSocket(
  address: SocketAddress & { secure: boolean },
  options: StreamOptions,
): Promise<Duplex> {
  const opening = address.secure ? tlsOpening(address, options) : tcpOpening(address);
  return opened(opening, address, options);
}

async function opened(opening: Opening, address: SocketAddress, options: StreamOptions): Promise<Duplex> {
  const { host, port } = address;
  return new Promise<Duplex>((resolve, reject) => {
    const finish = (error?: AlinkError) => {
      clearTimeout(timer);
      options.signal.removeEventListener('abort', abort);
      if (error) {
        opening.destroy();
        reject(error);
      } else resolve(opening.stream());
    };
    const abort = () => finish(new AlinkError('aborted', 'the connection was given up'));
    const timer = setTimeout(
      () =>
        finish(
          new AlinkError('handshakeTimeout', `no connection to ${host}:${port} in time`, {
            retry: 'slow',
            details: { host, port, seconds: options.handshakeMs / 1000 },
          }),
        ),
      options.handshakeMs,
    );
    if (options.signal.aborted) return abort();
    options.signal.addEventListener('abort', abort, { once: true });
    opening.onReady(() => finish());
    opening.onError((error) => finish(networkError(error, address)));
  });
}

interface Opening {
  onReady(listener: () => void): void;
  onError(listener: (error: Error) => void): void;
  stream(): Duplex;
  destroy(): void;
}

function start(endpoint: MqttEndpoint, options: StreamOptions): Opening {
  switch (endpoint.protocol) {
    case 'mqtt':
      return tcpOpening(endpoint);
    case 'mqtts':
      return tlsOpening(endpoint, options);
    default:
      return webSocketOpening(endpoint, options);
  }
}

function tcpOpening({ host, port }: SocketAddress): Opening {
  return socketOpening(connectTcp({ host, port, noDelay: true }), 'connect');
}

function tlsOpening({ host, port, over }: SocketAddress, options: Pick<StreamOptions, 'ca'>): Opening {
  const servername = isIP(host) ? '' : host;
  return socketOpening(
    connectTls({
      host,
      port,
      ...(over ? { socket: over } : {}),
      ...(servername ? { servername } : {}),
      secureContext: trustOf(options.ca),
      // Also when the environment says otherwise.
      rejectUnauthorized: true,
    }),
    'secureConnect',
  );
}

function socketOpening(socket: ReturnType<typeof connectTcp>, ready: 'connect' | 'secureConnect'): Opening {
  // One message in flight would otherwise wait for the other side's delayed ACK, 44 ms each.
  socket.setNoDelay(true);
  return {
    onReady: (listener) => socket.once(ready, listener),
    onError: (listener) => socket.on('error', listener),
    stream: () => socket,
    destroy: () => socket.destroy(),
  };
}

function webSocketOpening(endpoint: MqttEndpoint, options: StreamOptions): Opening {
  // For the connection under it, of which the types of ws know less.
  const trust = endpoint.protocol === 'wss' ? { secureContext: trustOf(options.ca) } : {};
  const socket = new WebSocket(`${endpoint.url}${endpoint.path ?? ''}`, 'mqtt', {
    perMessageDeflate: false,
    maxPayload: 1024 * 1024,
    rejectUnauthorized: true,
    ...trust,
  });
  // The stream takes what comes right after the upgrade, so it has to exist before it.
  const stream = createWebSocketStream(socket);
  return {
    onReady: (listener) => socket.once('open', listener),
    onError: (listener) => stream.on('error', listener),
    stream: () => stream,
    destroy: () => {
      stream.destroy();
      socket.terminate();
    },
  };
}
