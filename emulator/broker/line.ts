import type { Duplex } from 'node:stream';
import { Recent } from '../../protocol/recent';
import { encodePublish } from './publish-packet';
import type { Route } from './routes';
import type { Session } from './session';

/** The network's side of a connection. */
export interface SessionConnection {
  readonly conn: Duplex;
  readonly closed: boolean;
}

/** A sub-device that is logged in over a line. */
export interface Member {
  readonly session: Session;
}

/** Operation and device behind a topic, as far as the line could tell when it was looked up. */
interface KnownRoute {
  route: Exclude<Route, { kind: 'none' }>;
  session: Session;
}

/** Packet ids are of 16 bits, and none is used twice at a time. */
const LAST_ID = 65_535;
/** Beyond it the oldest unacknowledged message goes: one connection must not fill the memory of all. */
const MOST_IN_FLIGHT = LAST_ID - 1;
const REMEMBERED_ROUTES = 500;
const ROUTES_OF_SUB_DEVICE = 10;
// A client that reads this slowly is as good as gone.
const SLOWEST_READER_BYTES = 16 * 1024 * 1024;

/**
 * One MQTT connection as a way for messages: of the device that connected and of the sub-devices that are logged in
 * over it (B.5). Packet ids belong to the connection, whoever's message it is.
 */
export class Line {
  /** Set while CONNACK was sent and the connection lives. */
  connection: SessionConnection | undefined;
  /** Sub-devices by the key of their device. */
  readonly members = new Map<string, Member>();
  private readonly inFlight = new Map<number, Session>();
  private readonly routes = new Recent<KnownRoute>(REMEMBERED_ROUTES);
  private lastId = 0;

  constructor(
    /** Of the device that connected. */
    readonly session: Session,
  ) {}

  join(member: Member): void {
    this.members.set(member.session.device.key, member);
    this.routes.least = REMEMBERED_ROUTES + ROUTES_OF_SUB_DEVICE * this.members.size;
  }

  leave(session: Session, ids: Iterable<number>): void {
    this.members.delete(session.device.key);
    for (const id of ids) this.inFlight.delete(id);
  }

  /** The route of a topic that was looked up before, if whoever it belongs to is still there. */
  routeOf(topic: string): KnownRoute['route'] | undefined {
    const known = this.routes.get(topic);
    return known?.session.line === this ? known.route : undefined;
  }

  remember(topic: string, known: KnownRoute): void {
    this.routes.set(topic, known);
  }

  /** A packet id for a message. @param wanted the one that it had on an earlier connection */
  claim(session: Session, wanted?: number): number {
    if (this.inFlight.size >= MOST_IN_FLIGHT) {
      const [oldest] = this.inFlight;
      if (oldest !== undefined) oldest[1].acknowledge(oldest[0]);
    }
    let id = wanted ?? this.nextId();
    while (this.inFlight.has(id)) id = this.nextId();
    this.inFlight.set(id, session);
    return id;
  }

  release(id: number): void {
    this.inFlight.delete(id);
  }

  /** The client acknowledged a message. */
  acknowledge(id: number): void {
    this.inFlight.get(id)?.acknowledge(id);
  }

  write(topic: string, payload: string | Uint8Array, qos: 0 | 1, id: number, duplicate: boolean): void {
    const { connection } = this;
    if (connection === undefined || connection.closed || !connection.conn.writable) return;
    connection.conn.write(encodePublish(topic, payload, qos, id, duplicate));
    if (connection.conn.writableLength > SLOWEST_READER_BYTES) connection.conn.destroy();
  }

  private nextId(): number {
    this.lastId = (this.lastId % LAST_ID) + 1;
    return this.lastId;
  }
}
