import type { Duplex } from 'node:stream';
import { MqttClient } from 'mqtt';
import type { ConnectFields, MqttEndpoint } from '../../protocol';
import { AlinkError } from '../errors';
import type { IncomingMessage } from '../types';
import { ForgetfulStore } from './forgetful-store';
import { connackError, networkError } from './network-error';
import { PacketLengths } from './packet-lengths';
import { openStream } from './stream';

export interface LinkOptions {
  endpoint: MqttEndpoint;
  fields: ConnectFields;
  ca?: string | undefined;
  keepAliveSeconds: number;
  cleanSession: boolean;
  handshakeMs: number;
  connackMs: number;
  endMs: number;
  signal: AbortSignal;
  onMessage: (message: IncomingMessage) => void;
  /** CONNECT was written. */
  onSent?: () => void;
  /** Called once after a link that was open has ended. `kicked`: the other side closed it. */
  onClose: (error: AlinkError, kicked: boolean) => void;
}

/** One MQTT connection, open from CONNACK to its end; never reconnects by itself. */
export interface MqttLink {
  /** @param done called with nothing once the message is written (QoS 0) or acknowledged (QoS 1) */
  publish(
    topic: string,
    payload: string | Uint8Array,
    qos: 0 | 1,
    done: (error?: Error | null) => void,
  ): void;
  /** @returns the filters that the platform refused */
  subscribe(filters: readonly string[], qos: 0 | 1): Promise<string[]>;
  unsubscribe(filters: readonly string[]): void;
  /** Says DISCONNECT and resolves when the socket is closed, which is cut after `endMs`. */
  end(): Promise<void>;
}

/** Four times what the platform lets a message have (section D): only an impostor sends more. */
const LARGEST_PACKET_BYTES = 1024 * 1024;

// A kick arrives as a plain close or, when our own bytes were still on their way, as a reset.
const CLOSED_BY_PEER = new Set(['ECONNRESET', 'EPIPE', 'ECONNABORTED']);

/**
 * Opens a connection and waits for CONNACK.
 * @throws AlinkError of the network, `connackTimeout`, or with the CONNACK code
 */
export async function openLink(options: LinkOptions): Promise<MqttLink> {
  const stream = await openStream(options.endpoint, options);
  return new Promise((resolve, reject) => connectOver(stream, options, resolve, reject));
}

function connectOver(
  stream: Duplex,
  options: LinkOptions,
  resolve: (link: MqttLink) => void,
  reject: (error: AlinkError) => void,
): void {
  const { endpoint, fields, signal } = options;
  let state: 'connecting' | 'open' | 'closed' = 'connecting';
  let streamError: Error | undefined;
  stream.on('error', (error) => {
    streamError ??= error;
  });

  const client = new MqttClient(() => stream, {
    ...fields,
    protocolVersion: 4,
    keepalive: options.keepAliveSeconds,
    clean: options.cleanSession,
    reconnectPeriod: 0,
    connectTimeout: options.connackMs * 2, // the limit that counts is below, with its own error
    resubscribe: false,
    queueQoSZero: false,
    // Saves setting a timer anew with each acknowledgement; one ping per keep-alive time costs less.
    reschedulePings: false,
    outgoingStore: new ForgetfulStore(),
    // Saves a tenth of the time of a message, which goes into asking whether anybody wants to read along.
    log: () => undefined,
    manualConnect: true,
  });
  const fail = (error: AlinkError) => {
    if (state !== 'connecting') return;
    state = 'closed';
    clearTimeout(timer);
    signal.removeEventListener('abort', abort);
    client.end(true);
    stream.destroy();
    reject(error);
  };
  const abort = () => fail(new AlinkError('aborted', 'the connection was given up'));
  const timer = setTimeout(
    () =>
      fail(
        new AlinkError('connackTimeout', 'the platform did not answer CONNECT', {
          retry: 'slow',
          details: { host: endpoint.host, port: endpoint.port, seconds: options.connackMs / 1000 },
        }),
      ),
    options.connackMs,
  );
  signal.addEventListener('abort', abort, { once: true });

  client.on('connect', () => {
    if (state !== 'connecting') return;
    state = 'open';
    clearTimeout(timer);
    signal.removeEventListener('abort', abort);
    resolve(asLink(client, stream, options.endMs, () => state === 'open'));
  });
  client.on('message', (topic, payload, packet) => {
    options.onMessage({ topic, payload, qos: packet.qos === 0 ? 0 : 1, duplicate: packet.dup });
  });
  client.on('error', (error) => {
    const code: unknown = Reflect.get(error, 'code');
    if (state === 'connecting' && typeof code === 'number') {
      fail(connackError(code));
      return;
    }
    streamError ??= error;
    // After a packet that cannot be read MQTT.js goes on reading in the middle of it.
    stream.destroy();
  });
  client.on('close', () => {
    if (state === 'connecting') {
      fail(streamError ? networkError(streamError, endpoint) : closedError(endpoint));
      return;
    }
    if (state === 'closed') return;
    state = 'closed';
    const code: unknown = streamError && Reflect.get(streamError, 'code');
    const kicked = streamError === undefined || (typeof code === 'string' && CLOSED_BY_PEER.has(code));
    options.onClose(streamError ? networkError(streamError, endpoint) : closedError(endpoint), kicked);
  });
  // In one go with the client's own reading, so that neither misses a byte.
  refuseLargePackets(stream, endpoint);
  client.connect();
  options.onSent?.();
}

function refuseLargePackets(stream: Duplex, { host, port }: MqttEndpoint): void {
  const lengths = new PacketLengths(LARGEST_PACKET_BYTES);
  const limit = LARGEST_PACKET_BYTES;
  stream.on('data', (chunk: Buffer) => {
    const value = lengths.follow(chunk);
    if (value === undefined || stream.destroyed) return;
    const message = `${host}:${port} announced a packet of ${value} bytes, at most ${limit} are taken`;
    const details = { host, port, value, limit };
    stream.destroy(new AlinkError('packetTooLarge', message, { retry: 'slow', details }));
  });
}

function closedError({ host, port }: MqttEndpoint): AlinkError {
  return new AlinkError('connectionClosed', `${host}:${port} closed the connection`, {
    retry: 'slow',
    details: { host, port },
  });
}

/**
 * Lets what is written in one turn of the event loop go out together. What arrives together is worked off packet by
 * packet, and a system call for each acknowledgement and each message that follows costs more than all the rest.
 * @returns to be called before something is written
 */
function gathering(stream: Duplex): () => void {
  let isGathering = false;
  const flush = () => {
    isGathering = false;
    stream.uncork();
  };
  return () => {
    if (isGathering) return;
    isGathering = true;
    stream.cork();
    setImmediate(flush);
  };
}

function asLink(client: MqttClient, stream: Duplex, endMs: number, isOpen: () => boolean): MqttLink {
  const gather = gathering(stream);
  stream.on('data', gather);
  return {
    publish: (topic, payload, qos, done) => {
      if (!isOpen()) {
        done(new Error('the link is closed'));
        return;
      }
      gather();
      client.publish(topic, payload as string | Buffer, { qos }, done);
    },
    subscribe: (filters, qos) =>
      new Promise((resolve, reject) => {
        client.subscribe([...filters], { qos }, (error, _granted, packet) => {
          // A refused filter is an error to MQTT.js; the codes tell which one it was.
          const codes = packet?.granted ?? [];
          if (error && packet === undefined) reject(error);
          else resolve(filters.filter((_, i) => Number(codes[i] ?? 0) >= 0x80));
        });
      }),
    unsubscribe: (filters) => {
      if (isOpen() && filters.length > 0) client.unsubscribe([...filters]);
    },
    end: () =>
      new Promise((resolve) => {
        if (stream.closed) {
          resolve();
          return;
        }
        // MQTT.js ignores a forced end after a graceful one, so the stream itself is cut.
        const forced = setTimeout(() => stream.destroy(), endMs);
        stream.once('close', () => {
          clearTimeout(forced);
          resolve();
        });
        client.end(false);
      }),
  };
}
