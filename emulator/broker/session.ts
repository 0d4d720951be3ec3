import { AUTO_SUBSCRIBED, type DeviceIdentity, thingKey, topicMatches } from '../../protocol';
import type { EmulatorLimits } from '../options';
import type { Device } from '../registry/device';
import type { Delivery } from './delivery';
import { Line, type SessionConnection } from './line';

interface Outgoing {
  topic: string;
  payload: string | Uint8Array;
  qos: 0 | 1;
  queuedAt: number;
}

/** How a session begins. */
export interface SessionStart {
  clean: boolean;
  /** `_ss=1` (A.9). */
  autoSubscribe: boolean;
  ext: number;
}

const REMEMBERED_TOPICS = 1000;
/** A sub-device has the rights of one device, however many there are on its gateway's connection. */
const SUB_DEVICE_SUBSCRIPTIONS = 200;
/** Calls on topics of this kind; the filter need not name a device, and no topic comes twice. */
const RRPC = '/ext/rrpc/';
const NAMES = '{pk}/{dn}';
/** A broadcast to a whole product needs no subscription (B.8 row 101). */
const UNASKED = ['/sys/{pk}/{dn}/broadcast/request/+'];
const SERVED = [...AUTO_SUBSCRIBED, ...UNASKED];

/**
 * Session of a device: one per triple, whatever clientId text it comes with (A.5), and whether it connected itself or is
 * logged in over its gateway's connection (B.5).
 */
export class Session {
  /** The connection, or login, that owns the session; set once it was accepted. */
  owner: object | undefined;
  /** What its messages go over. */
  line: Line | undefined;
  persistent = false;
  /** Bits of the `ext` parameter (A.3). */
  ext = 0;
  private served: readonly string[] = UNASKED;
  private readonly filters = new Map<string, 0 | 1>();
  private readonly granted = new Map<string, 0 | 1 | -1>();
  private readonly inFlight = new Map<number, Outgoing>();
  private queue: Outgoing[] = [];

  constructor(
    readonly device: Device,
    private readonly limits: EmulatorLimits,
    private readonly clock: () => number,
  ) {}

  /** The device of these names, when this connection may speak for it. */
  readonly speaksFor = (identity: DeviceIdentity): Device | undefined => {
    const own = this.device.identity;
    if (own.productKey === identity.productKey && own.deviceName === identity.deviceName) return this.device;
    return this.line?.members.get(thingKey(identity))?.session.device;
  };

  /**
   * A new connection or login takes the session over; what an unclean one kept stays.
   * @param line the gateway's, for a sub-device
   */
  takeOver(owner: object, { clean, autoSubscribe, ext }: SessionStart, line: Line = new Line(this)): void {
    this.detach();
    if (clean || !this.persistent) this.forget();
    this.owner = owner;
    this.line = line;
    this.persistent = !clean;
    this.ext = ext;
    this.served = autoSubscribe ? SERVED : UNASKED;
    this.granted.clear();
  }

  /** The connection is ready: writes what waited. */
  begin(connection: SessionConnection): void {
    if (this.line === undefined) return;
    this.line.connection = connection;
    this.resume();
  }

  /** Writes what waited, when the line is ready. */
  resume(): void {
    const { line } = this;
    if (line?.connection === undefined) return;
    const now = this.clock();
    const waiting = this.queue.filter(({ queuedAt }) => now - queuedAt < this.limits.sessionQueueMs);
    this.queue = [];
    const unacknowledged = [...this.inFlight];
    this.inFlight.clear();
    for (const [id, message] of unacknowledged) this.writeAcknowledged(line, message, id);
    for (const message of waiting) this.sendNow(line, message);
  }

  end(): void {
    this.detach();
    this.owner = undefined;
    if (!this.persistent) this.forget();
    else this.queue = this.queue.filter(({ qos }) => qos === 1);
  }

  get subscriptions(): ReadonlyMap<string, 0 | 1> {
    return this.filters;
  }

  /** @returns false when the session has too many subscriptions */
  subscribe(filter: string, qos: 0 | 1): boolean {
    if (!this.filters.has(filter) && this.filters.size >= this.mostSubscriptions) return false;
    this.filters.set(filter, qos);
    this.granted.clear();
    return true;
  }

  unsubscribe(filter: string): void {
    this.filters.delete(filter);
    this.granted.clear();
  }

  /**
   * Sends a message to the device when it subscribed the topic or is served without (`_ss=1`, A.9). A message
   * goes out once, however many subscriptions cover it.
   */
  send(topic: string, payload: string | Uint8Array, qos: 0 | 1): Delivery {
    const delivery = this.outlook(topic, qos);
    const effective = qos === 1 && this.grantedQos(topic) === 1 ? 1 : 0;
    const message: Outgoing = { topic, payload, qos: effective, queuedAt: this.clock() };
    if (delivery === 'sent' && this.line !== undefined) this.sendNow(this.line, message);
    else if (delivery === 'queued') {
      this.queue.push(message);
      if (this.queue.length > this.limits.sessionQueue) this.queue.shift();
    }
    return delivery;
  }

  /** What would become of a message that is sent now. */
  outlook(topic: string, qos: 0 | 1): Delivery {
    const granted = this.grantedQos(topic);
    if (granted < 0) return 'notSubscribed';
    if (this.line?.connection !== undefined) return 'sent';
    // While a connection is being accepted its session waits for CONNACK, whatever kind it is.
    if (this.owner !== undefined) return 'queued';
    return qos === 1 && granted === 1 && this.persistent ? 'queued' : 'offline';
  }

  /** The message arrived, or is given up. */
  acknowledge(messageId: number): void {
    this.inFlight.delete(messageId);
    this.line?.release(messageId);
  }

  get waiting(): number {
    return this.queue.length + this.inFlight.size;
  }

  private get mostSubscriptions(): number {
    const { subscriptionsPerSession: most } = this.limits;
    return this.line?.session === this ? most : Math.min(most, SUB_DEVICE_SUBSCRIPTIONS);
  }

  private detach(): void {
    this.line?.leave(this, this.inFlight.keys());
    this.line = undefined;
  }

  private forget(): void {
    this.filters.clear();
    this.granted.clear();
    this.inFlight.clear();
    this.queue = [];
  }

  private grantedQos(topic: string): 0 | 1 | -1 {
    if (topic.startsWith(RRPC)) return this.calledQos(topic);
    const known = this.granted.get(topic);
    if (known !== undefined) return known;
    const qos = this.isServed(topic) ? 1 : this.subscribedQos(topic);
    if (this.granted.size >= REMEMBERED_TOPICS) this.granted.clear();
    this.granted.set(topic, qos);
    return qos;
  }

  private isServed(topic: string): boolean {
    // The device's own names stand in the same places of all these filters.
    const general = topic.replace(this.device.key, NAMES);
    return this.served.some((filter) => topicMatches(filter, general));
  }

  // A filter that names no device stands for whoever is on the connection.
  private calledQos(topic: string): 0 | 1 | -1 {
    const own = this.isServed(topic) ? 1 : this.subscribedQos(topic);
    const gateway = this.line?.session;
    return own >= 0 || gateway === undefined || gateway === this ? own : gateway.subscribedQos(topic);
  }

  private subscribedQos(topic: string): 0 | 1 | -1 {
    let qos: 0 | 1 | -1 = -1;
    for (const [filter, filterQos] of this.filters) {
      if (filterQos > qos && topicMatches(filter, topic)) qos = filterQos;
      if (qos === 1) break;
    }
    return qos;
  }

  private sendNow(line: Line, message: Outgoing): void {
    if (message.qos === 0) {
      line.write(message.topic, message.payload, 0, 0, false);
      return;
    }
    if (this.inFlight.size >= this.limits.sessionQueue) {
      const [oldest] = this.inFlight.keys();
      if (oldest !== undefined) this.acknowledge(oldest);
    }
    this.writeAcknowledged(line, message);
  }

  /** @param earlier packet id of the message when it was sent before */
  private writeAcknowledged(line: Line, message: Outgoing, earlier?: number): void {
    const id = line.claim(this, earlier);
    this.inFlight.set(id, message);
    line.write(message.topic, message.payload, 1, id, earlier !== undefined);
  }
}
