import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Aedes, Client } from 'aedes';
import { type DeviceIdentity, parseClientId, parseMqttUsername } from '../../protocol';
import { judgeConnect, type Verdict } from '../auth/connect';
import type { Platform } from '../platform';
import { SessionPersistence } from './persistence';
import { encodePublish } from './publish-packet';
import type { Session } from './session';
import type { SessionOwner } from './session-owner';

/** What is known of a connection since its CONNECT. */
interface Facts {
  verdict: Verdict;
  /** Whom it says to be; of no meaning before the verdict. */
  claimed: DeviceIdentity | undefined;
  clean: boolean;
  arrival: Arrival;
  session?: Session;
  connection?: SessionOwner;
  timer?: NodeJS.Timeout;
  note?: string;
  /** What is written waits for the end of this turn of the event loop. */
  isGathering?: boolean;
}

/** Where a connection came in. */
export interface Arrival {
  secure: boolean;
  remoteAddress: string;
  /** Our own. */
  localAddress: string;
}

const NOWHERE: Arrival = { secure: false, remoteAddress: '', localAddress: '' };

// The parser of the broker library gathers a packet before anything can look at its size.
interface WithParser {
  _parser?: { _list?: { length: number } };
}

// Methods of the library's client that its types leave out.
interface Pausable {
  pause(): void;
  resume(): void;
}

const PACKET_OVERHEAD_BYTES = 1024;

/**
 * The MQTT side: framing, CONNECT and acknowledgements are the library's, everything a message means is the
 * platform's. The library's own routing is switched off, so nothing goes from one device to another.
 */
export class MqttBroker {
  private readonly facts = new WeakMap<object, Facts>();
  private readonly byClientId = new Map<string, Session>();
  private readonly arrivals = new WeakMap<object, Arrival>();
  private readonly streams = new Set<Duplex>();
  private silent = false;
  private nextRegistration = 1;

  private constructor(
    private readonly platform: Platform,
    private readonly aedes: Aedes,
  ) {}

  static async create(platform: Platform): Promise<MqttBroker> {
    // ESM only, and not wanted in memory before an emulator is used.
    const { Aedes: Library } = await import('aedes');
    const holder: { broker?: MqttBroker } = {};
    const get = (): MqttBroker => {
      if (holder.broker === undefined) throw new Error('the broker is not ready');
      return holder.broker;
    };
    const aedes = new Library({
      persistence: new SessionPersistence((clientId) => get().byClientId.get(clientId)),
      connectTimeout: platform.limits.connectTimeoutMs,
      queueLimit: 1000,
      maxClientsIdLength: 1024,
      preConnect: (client, packet, done) => get().preConnect(client, packet, done),
      authenticate: (client, _username, _password, done) => get().authenticate(client, done),
      authorizePublish: (_client, packet, done) =>
        done(packet.qos === 2 ? new Error('QoS 2 is not supported') : null),
      authorizeSubscribe: (client, subscription, done) =>
        done(null, get().subscribe(client, subscription) ? subscription : null),
    });
    const broker = new MqttBroker(platform, aedes);
    holder.broker = broker;
    broker.takeOverRouting();
    await aedes.listen();
    return broker;
  }

  /** Takes a connection; the stream is TCP, TLS or a WebSocket's. */
  accept(stream: Duplex, arrival: Arrival, request?: IncomingMessage): void {
    if (this.streams.size >= this.platform.limits.connections) {
      stream.destroy();
      return;
    }
    this.streams.add(stream);
    stream.once('close', () => this.streams.delete(stream));
    if (this.silent) {
      stream.on('error', () => stream.destroy());
      return;
    }
    const client = this.aedes.handle(stream as Socket, request);
    this.arrivals.set(client, arrival);
    const limit = this.platform.limits.payloadBytes + PACKET_OVERHEAD_BYTES;
    // Runs after the library's own listener has parsed what came.
    stream.on('readable', () => {
      const gathered = (client as WithParser)._parser?._list?.length ?? 0;
      if (gathered > limit) this.drop(client, `packet is larger than ${limit} bytes`);
    });
  }

  /** Every open connection, authenticated or not. */
  dropConnections(): void {
    for (const stream of [...this.streams]) stream.destroy();
  }

  /** Connections stay open, but nothing is read any more: what a dead network looks like. */
  setSilent(silent: boolean): void {
    if (this.silent === silent) return;
    this.silent = silent;
    this.platform.silent = silent;
    for (const stream of this.streams) {
      const { client } = stream as Duplex & { client?: Client & Pausable };
      if (silent) client?.pause();
      // A connection that was let in and ignored never gets anywhere.
      else if (client === undefined) stream.destroy();
      else client.resume();
    }
  }

  close(): Promise<void> {
    this.dropConnections();
    return new Promise((resolve) => this.aedes.close(() => resolve()));
  }

  private takeOverRouting(): void {
    const { aedes } = this;
    const done = (callback: unknown) => {
      if (typeof callback === 'function') callback(null);
    };
    aedes.publish = ((packet: unknown, client: unknown, callback: unknown) => {
      if (typeof client === 'object' && client !== null) {
        this.uplink(
          client,
          packet as { topic: string; payload: Buffer | string; qos: 0 | 1; retain: boolean },
        );
        done(callback);
      } else done(client ?? callback);
    }) as Aedes['publish'];
    aedes.subscribe = ((_topic: string, _deliver: unknown, callback: unknown) =>
      done(callback)) as Aedes['subscribe'];
    aedes.unsubscribe = ((_topic: string, _deliver: unknown, callback: unknown) =>
      done(callback)) as Aedes['unsubscribe'];

    // Before CONNACK goes out, so that whoever got it finds the device online.
    aedes.on('client', (client) => this.online(client));
    aedes.on('clientReady', (client) => this.ready(client));
    aedes.on('clientDisconnect', (client) => this.gone(client));
    aedes.on('keepaliveTimeout', (client) => this.note(client, 'keep-alive ran out'));
    aedes.on('clientError', (client, error) => this.note(client, error.message));
    aedes.on('connectionError', (client, error) => {
      this.platform.log(`connection closed before CONNECT: ${error.message}`);
      client.conn.destroy();
    });
    aedes.on('unsubscribe', (filters, client) => {
      // The library reports this too when a clean session ends.
      const facts = this.facts.get(client);
      if (client.closed || facts?.session?.owner !== client) return;
      for (const filter of filters) this.platform.subscriber(facts.session, filter)?.unsubscribe(filter);
    });
  }

  // Runs before the library looks at the client id, which it uses as the name of the session. A session belongs to
  // the triple, so the triple's key takes its place; it is used only after `authenticate` agreed.
  private preConnect(
    client: Client,
    packet: {
      clientId: string;
      username?: string | undefined;
      password?: Buffer | string | undefined;
      keepalive?: number | undefined;
      clean?: boolean | undefined;
      will?: unknown;
    },
    done: (error: Error | null, success: boolean) => void,
  ): void {
    const arrival = this.arrivals.get(client) ?? NOWHERE;
    const verdict = judgeConnect(this.platform, {
      parsed: parseClientId(packet.clientId ?? ''),
      username: packet.username ?? '',
      password: packet.password?.toString() ?? '',
      keepAlive: packet.keepalive ?? 0,
      hasWill: packet.will !== undefined && packet.will !== null,
      secure: arrival.secure,
    });
    const claimed = parseMqttUsername(packet.username ?? '');
    this.facts.set(client, { verdict, claimed, clean: packet.clean ?? true, arrival });
    delete packet.will;
    packet.clientId =
      verdict.kind === 'device' ? verdict.device.key : `${verdict.kind} ${this.nextRegistration++}`;
    done(null, true);
  }

  private authenticate(
    client: Client,
    done: (error: (Error & { returnCode: number }) | null, success: boolean | null) => void,
  ): void {
    const facts = this.facts.get(client);
    // `preConnect` always ran before.
    if (facts === undefined) throw new Error('no CONNECT was read');
    const { verdict } = facts;
    if (verdict.kind === 'refused') {
      const { reason, returnCode } = verdict;
      this.platform.exchanges.add({
        kind: 'refuse',
        identity: facts.claimed,
        code: returnCode,
        note: reason,
      });
      this.platform.log(`CONNECT refused with ${returnCode}: ${reason}`);
      done(Object.assign(new Error(reason), { returnCode }), null);
      return;
    }
    if (verdict.kind === 'device') {
      const session = this.platform.sessionOf(verdict.device);
      this.platform.subSessions.makeWay(session);
      session.takeOver(client, { ...verdict, clean: facts.clean });
      facts.session = session;
      this.byClientId.set(verdict.device.key, session);
    }
    done(null, true);
  }

  private online(client: Client): void {
    const facts = this.facts.get(client);
    if (facts?.verdict.kind !== 'device') return;
    if (facts.session?.owner !== client) {
      // Somebody else came as the same device while this one was being accepted.
      client.close();
      return;
    }
    facts.connection = { close: () => this.finish(client) };
    const { remoteAddress, localAddress } = facts.arrival;
    const addresses = { clientIp: remoteAddress, reachedAt: localAddress };
    this.platform.online(facts.verdict.device, facts.connection, addresses);
  }

  private ready(client: Client): void {
    // The library reads on after CONNACK whatever was asked of it before.
    if (this.silent) (client as Client & Pausable).pause();
    const facts = this.facts.get(client);
    if (facts === undefined) return;
    const { verdict, session } = facts;
    if (verdict.kind === 'registration') {
      client.conn.write(encodePublish(verdict.topic, verdict.payload, 0, 0, false));
      // Without the payload: it holds a secret.
      this.platform.exchanges.add({ kind: 'down', identity: facts.claimed, topic: verdict.topic, qos: 0 });
      facts.timer = setTimeout(() => client.close(), this.platform.limits.registrationMs);
      facts.timer.unref();
      return;
    }
    if (session?.owner === client) session.begin(client);
  }

  private gone(client: Client): void {
    const facts = this.facts.get(client);
    if (facts === undefined) return;
    clearTimeout(facts.timer);
    const { session, verdict, connection } = facts;
    if (session?.owner === client) {
      if (session.line !== undefined) this.platform.subSessions.endAll(session.line, 'its gateway is gone');
      session.end();
      if (!session.persistent) this.byClientId.delete(client.id);
    } else if (session !== undefined) facts.note ??= 'another client logged in as the same device';
    if (verdict.kind === 'device' && connection !== undefined) {
      this.platform.offline(verdict.device, connection, facts.note ?? 'closed');
    }
  }

  private subscribe(client: Client, subscription: { topic: string; qos: number }): boolean {
    const { session } = this.facts.get(client) ?? {};
    if (session?.owner !== client) return false;
    const { topic, qos } = subscription;
    // The platform has no QoS 2 (A.2); the library leaves no way to grant less than was asked.
    const owner = qos < 2 ? this.platform.subscriber(session, topic) : undefined;
    const granted = owner?.subscribe(topic, qos === 1 ? 1 : 0) === true;
    const { identity } = (owner ?? session).device;
    this.platform.exchanges.add({ kind: 'subscribe', identity, topic, qos, code: granted ? qos : 128 });
    if (granted && owner !== undefined) this.platform.subscribed(owner.device, topic);
    return granted;
  }

  private uplink(
    client: object,
    packet: { topic: string; payload: Buffer | string; qos: 0 | 1; retain: boolean },
  ): void {
    const facts = this.facts.get(client);
    const session = facts?.session;
    const line = session?.line;
    if (facts === undefined || session?.owner !== client || line === undefined) return;
    this.gather(client as Client, facts);
    const payload = typeof packet.payload === 'string' ? Buffer.from(packet.payload) : packet.payload;
    if (packet.retain)
      this.platform.uplink.dropUp(
        session.device,
        packet.topic,
        payload,
        packet.qos,
        'retain is not supported',
      );
    else this.guarded(() => this.platform.uplink.take(line, packet.topic, payload, packet.qos));
  }

  // Messages come many at a time, and writing each answer by itself costs more than everything else about it; so what
  // comes of one turn of the event loop is written together.
  private gather({ conn }: Client, facts: Facts): void {
    if (facts.isGathering) return;
    facts.isGathering = true;
    conn.cork();
    setImmediate(() => {
      facts.isGathering = false;
      conn.uncork();
    });
  }

  /** Closes after everything that was written; the library would throw away what is gathered. */
  private finish(client: Client): void {
    const { conn } = client;
    while (conn.writableCorked > 0) conn.uncork();
    client.close();
  }

  // Called from the parser of a socket: whatever is thrown here would end the process.
  private guarded(work: () => void): void {
    try {
      work();
    } catch (thrown) {
      this.platform.log(`a message could not be handled: ${String(thrown)}`);
    }
  }

  private drop(client: Client, reason: string): void {
    this.note(client, reason);
    this.platform.log(`connection closed: ${reason}`);
    client.close();
  }

  private note(client: Client, note: string): void {
    const facts = this.facts.get(client);
    if (facts !== undefined) facts.note ??= note;
  }
}
