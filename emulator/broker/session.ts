import type { Duplex } from 'node:stream';
import { AUTO_SUBSCRIBED, type DeviceIdentity, topicMatches } from '../../protocol';
import type { EmulatorLimits } from '../options';
import type { Device } from '../registry/device';
import { encodePublish } from './publish-packet';
import type { Route } from './routes';

interface Outgoing {
  topic: string;
  payload: string | Uint8Array;
  qos: 0 | 1;
  queuedAt: number;
}

/** What became of a message to a device. */
export type Delivery = 'sent' | 'queued' | 'notSubscribed' | 'offline';

/** Connection on which a session's messages are written. */
export interface SessionConnection {
  readonly conn: Duplex;
  readonly closed: boolean;
}

const REMEMBERED_TOPICS = 1000;
const PRODUCT_BROADCAST = '/sys/{pk}/{dn}/broadcast/request/+';
// A client that reads this slowly is as good as gone.
const SLOWEST_READER_BYTES = 16 * 1024 * 1024;

/** MQTT session of a device: one per triple, whatever clientId text it comes with (A.5). */
export class Session {
  /** The connection that owns the session; set once the broker accepted it. */
  owner: object | undefined;
  /** Set while CONNACK was sent and the connection lives. */
  connection: SessionConnection | undefined;
  persistent = false;
  /** Bits of the `ext` parameter (A.3). */
  ext = 0;
  /** Where the device's messages go, by topic. */
  readonly routes = new Map<string, Route>();
  private autoSubscribed: readonly string[] = [];
  private readonly filters = new Map<string, 0 | 1>();
  private readonly granted = new Map<string, 0 | 1 | -1>();
  private readonly inFlight = new Map<number, Outgoing>();
  private queue: Outgoing[] = [];
  private lastId = 0;

  constructor(
    readonly device: Device,
    private readonly limits: EmulatorLimits,
    private readonly clock: () => number,
  ) {}

  /** The device of these names, when this connection may speak for it. */
  readonly speaksFor = ({ productKey, deviceName }: DeviceIdentity): Device | undefined => {
    const { identity } = this.device;
    return identity.productKey === productKey && identity.deviceName === deviceName ? this.device : undefined;
  };

  /** A new connection takes the session over; what an unclean one kept stays. */
  takeOver(
    owner: object,
    { clean, autoSubscribe, ext }: { clean: boolean; autoSubscribe: boolean; ext: number },
  ) {
    if (clean || !this.persistent) this.forget();
    this.owner = owner;
    this.connection = undefined;
    this.persistent = !clean;
    this.ext = ext;
    const { productKey, deviceName } = this.device.identity;
    // A broadcast to a whole product needs no subscription (B.8 row 101).
    const served = autoSubscribe ? [...AUTO_SUBSCRIBED, PRODUCT_BROADCAST] : [PRODUCT_BROADCAST];
    this.autoSubscribed = served.map((filter) =>
      filter.replace('{pk}', productKey).replace('{dn}', deviceName),
    );
    this.granted.clear();
    this.routes.clear();
  }

  /** Writes what waited. */
  begin(connection: SessionConnection): void {
    this.connection = connection;
    const now = this.clock();
    const waiting = this.queue.filter(({ queuedAt }) => now - queuedAt < this.limits.sessionQueueMs);
    this.queue = [];
    for (const [id, message] of [...this.inFlight]) this.write(message.topic, message.payload, 1, id, true);
    for (const message of waiting) this.sendNow(message);
  }

  end(): void {
    this.connection = undefined;
    this.owner = undefined;
    if (!this.persistent) this.forget();
    else this.queue = this.queue.filter(({ qos }) => qos === 1);
  }

  get subscriptions(): ReadonlyMap<string, 0 | 1> {
    return this.filters;
  }

  /** @returns false when the session has too many subscriptions */
  subscribe(filter: string, qos: 0 | 1): boolean {
    if (!this.filters.has(filter) && this.filters.size >= this.limits.subscriptionsPerSession) return false;
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
    if (delivery === 'sent') this.sendNow(message);
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
    if (this.connection !== undefined) return 'sent';
    // While a connection is being accepted its session waits for CONNACK, whatever kind it is.
    if (this.owner !== undefined) return 'queued';
    return qos === 1 && granted === 1 && this.persistent ? 'queued' : 'offline';
  }

  acknowledge(messageId: number): void {
    this.inFlight.delete(messageId);
  }

  get waiting(): number {
    return this.queue.length + this.inFlight.size;
  }

  private forget(): void {
    this.filters.clear();
    this.granted.clear();
    this.inFlight.clear();
    this.queue = [];
  }

  private grantedQos(topic: string): 0 | 1 | -1 {
    const known = this.granted.get(topic);
    if (known !== undefined) return known;
    let qos: 0 | 1 | -1 = this.autoSubscribed.some((filter) => topicMatches(filter, topic)) ? 1 : -1;
    for (const [filter, filterQos] of this.filters) {
      if (qos === 1) break;
      if (filterQos > qos && topicMatches(filter, topic)) qos = filterQos;
    }
    if (this.granted.size >= REMEMBERED_TOPICS) this.granted.clear();
    this.granted.set(topic, qos);
    return qos;
  }

  private sendNow(message: Outgoing): void {
    if (message.qos === 0) {
      this.write(message.topic, message.payload, 0, 0, false);
      return;
    }
    if (this.inFlight.size >= this.limits.sessionQueue) {
      const [oldest] = this.inFlight.keys();
      if (oldest !== undefined) this.inFlight.delete(oldest);
    }
    do this.lastId = (this.lastId % 65_535) + 1;
    while (this.inFlight.has(this.lastId));
    this.inFlight.set(this.lastId, message);
    this.write(message.topic, message.payload, 1, this.lastId, false);
  }

  private write(
    topic: string,
    payload: string | Uint8Array,
    qos: 0 | 1,
    id: number,
    duplicate: boolean,
  ): void {
    const connection = this.connection;
    if (connection === undefined || connection.closed || !connection.conn.writable) return;
    connection.conn.write(encodePublish(topic, payload, qos, id, duplicate));
    if (connection.conn.writableLength > SLOWEST_READER_BYTES) connection.conn.destroy();
  }
}
