import {
  type DeviceIdentity,
  encodePack,
  encodePackedEvent,
  encodePackedProperty,
  LIMITS,
} from '../../protocol';
import type { PreparedReport, WriteTime } from '../report/prepare';

/** What one pack may hold (section D). */
export interface PackLimits {
  properties: number;
  events: number;
  subDevices: number;
  /** Of the params, as JSON text. */
  bytes: number;
}

/** The platform's limits. Times may grow a little when they are settled, and the envelope needs room as well. */
export const PACK_LIMITS: Readonly<PackLimits> = {
  properties: LIMITS.propertiesPerPost,
  events: LIMITS.eventsPerPack,
  subDevices: LIMITS.subDevicesPerPack,
  bytes: LIMITS.mqttPayloadBytes - 4096,
};

/** Whose reports they are. */
export interface Sender {
  readonly identity: DeviceIdentity;
  /** The gateway itself: its reports stand outside of the list of sub-devices. */
  readonly own: boolean;
}

/** One property or event with its value, as JSON text. */
export interface PackMember {
  readonly identifier: string;
  readonly text: string;
}

/** A report, or that much of it as one pack can hold: one value of each property, or one event. */
export interface Part {
  readonly kind: 'properties' | 'events';
  readonly members: readonly PackMember[];
  readonly bytes: number;
}

/** Around one sub-device: `{"identity":{"productKey":"","deviceName":""},"properties":{},"events":{}},`. */
const SHARE_BYTES = 90;
/** Around all: `{"properties":{},"events":{},"subDevices":[]}`. */
const PACK_BYTES = 60;

/** Around a part that goes alone, with the longest names. */
const ALONE_BYTES = PACK_BYTES + SHARE_BYTES + 2 * 64 * 3;

interface Share<P> {
  parts: P[];
  /** Identifiers that are taken, by kind. */
  readonly taken: { readonly properties: Set<string>; readonly events: Set<string> };
}

/** Reports that go together in one message (B.1 row 3). */
export class Pack<S extends Sender, P extends Part> {
  readonly #shares = new Map<S, Share<P>>();
  #properties = 0;
  #events = 0;
  #subDevices = 0;
  #bytes = PACK_BYTES;

  /** @param then what must not go before this one has come to its end */
  constructor(readonly then?: Pack<S, P>) {}

  get senders(): Iterable<S> {
    return this.#shares.keys();
  }

  /** How much of what the limits count it holds. */
  get size(): PackLimits & { senders: number } {
    const [properties, events] = [this.#properties, this.#events];
    const { size: senders } = this.#shares;
    return { properties, events, subDevices: this.#subDevices, bytes: this.#bytes, senders };
  }

  *parts(): Generator<P> {
    for (const { parts } of this.#shares.values()) yield* parts;
  }

  /**
   * Takes a part in if it fits; an empty pack takes any, because nothing smaller could be made of it.
   * @returns `twice` when the sender has a value of the same property or event in it already; `full` when a limit
   * would be passed
   */
  add(sender: S, part: P, limits: PackLimits): 'taken' | 'twice' | 'full' {
    const share = this.#shares.get(sender);
    const taken = share?.taken[part.kind];
    if (taken !== undefined && part.members.some(({ identifier }) => taken.has(identifier))) return 'twice';
    if (this.#shares.size > 0 && !this.#fits(sender, part, limits)) return 'full';
    this.#take(sender, part);
    return 'taken';
  }

  /** Nothing more fits of one sort, so that waiting for company makes no sense. */
  isFull(limits: PackLimits): boolean {
    return (
      this.#properties >= limits.properties ||
      this.#events >= limits.events ||
      this.#subDevices >= limits.subDevices ||
      this.#bytes >= limits.bytes
    );
  }

  /** Leaves out parts that nobody waits for any more. @returns senders of which nothing is left */
  prune(isWanted: (part: P) => boolean): S[] {
    const gone: S[] = [];
    const shares = [...this.#shares];
    if (shares.every(([, { parts }]) => parts.every(isWanted))) return gone;
    this.#shares.clear();
    [this.#properties, this.#events, this.#subDevices, this.#bytes] = [0, 0, 0, PACK_BYTES];
    for (const [sender, { parts }] of shares) {
      const wanted = parts.filter(isWanted);
      if (wanted.length === 0) gone.push(sender);
      else this.#put(sender, wanted);
    }
    return gone;
  }

  /** The params of the message. */
  params(): string {
    return encodePack(
      [...this.#shares].map(([{ identity, own }, { parts }]) => {
        const share: Record<Part['kind'], string[]> = { properties: [], events: [] };
        for (const { kind, members } of parts) for (const { text } of members) share[kind].push(text);
        return { identity: own ? undefined : identity, ...share };
      }),
    );
  }

  /**
   * Packs in place of this one: each with half of the senders; of one sender the earlier half of its parts, and the
   * later half as its `then`.
   * @param divide halves of a single part, where less at once may help
   * @returns undefined when it cannot be halved
   */
  halves(divide: (part: P) => [P, P] | undefined = () => undefined): Array<Pack<S, P>> | undefined {
    const shares = [...this.#shares];
    const [first] = shares;
    if (first === undefined) return undefined;
    if (shares.length === 1) {
      const [sender, { parts }] = first;
      const [single] = parts;
      const list = parts.length === 1 && single !== undefined ? (divide(single) ?? parts) : parts;
      if (list.length < 2) return undefined;
      const middle = list.length >> 1;
      const later = new Pack<S, P>(this.then).#put(sender, list.slice(middle));
      return [new Pack<S, P>(later).#put(sender, list.slice(0, middle))];
    }
    const middle = shares.length >> 1;
    return [shares.slice(0, middle), shares.slice(middle)].map((half) => {
      const pack = new Pack<S, P>();
      for (const [sender, { parts }] of half) pack.#put(sender, parts);
      return pack;
    });
  }

  #fits(sender: S, part: Part, limits: PackLimits): boolean {
    const count = part.members.length;
    const joins = !this.#shares.has(sender);
    return (
      this.#properties + (part.kind === 'properties' ? count : 0) <= limits.properties &&
      this.#events + (part.kind === 'events' ? count : 0) <= limits.events &&
      this.#subDevices + (joins && !sender.own ? 1 : 0) <= limits.subDevices &&
      this.#bytes + part.bytes + (joins ? shareBytes(sender) : 0) <= limits.bytes
    );
  }

  #take(sender: S, part: P): void {
    const share = this.#join(sender);
    share.parts.push(part);
    const taken = share.taken[part.kind];
    for (const { identifier } of part.members) taken.add(identifier);
    if (part.kind === 'properties') this.#properties += part.members.length;
    else this.#events += part.members.length;
    this.#bytes += part.bytes;
  }

  #join(sender: S): Share<P> {
    let share = this.#shares.get(sender);
    if (share !== undefined) return share;
    share = { parts: [], taken: { properties: new Set(), events: new Set() } };
    this.#shares.set(sender, share);
    if (!sender.own) this.#subDevices++;
    this.#bytes += shareBytes(sender);
    return share;
  }

  #put(sender: S, parts: readonly P[]): this {
    for (const part of parts) this.#take(sender, part);
    return this;
  }
}

function shareBytes({ identity: { productKey, deviceName }, own }: Sender): number {
  // Names have at most three bytes a character.
  return own ? 0 : SHARE_BYTES + (productKey.length + deviceName.length) * 3;
}

/**
 * The parts of a report, in the order in which they must go: the first values of all properties, then the second
 * ones, and so on; fewer at once where they are too large together. An event is one part.
 */
export function partsOf(report: PreparedReport, limits: PackLimits, writeTime: WriteTime): Part[] {
  const { model } = report;
  if (report.kind === 'event') {
    const { identifier, values, time } = report;
    const text = encodePackedEvent(model, identifier, values, time, writeTime);
    return [partOf('events', [{ identifier, text }])];
  }
  const parts: Part[] = [];
  const most = limits.bytes - ALONE_BYTES;
  let lists = [...report.samples];
  for (let turn = 0; lists.length > 0; turn++) {
    let members: PackMember[] = [];
    let bytes = 0;
    for (const [identifier, list] of lists) {
      const sample = list[turn];
      if (sample === undefined) continue;
      const member = { identifier, text: encodePackedProperty(model, identifier, sample, writeTime) };
      const more = memberBytes(member);
      if (members.length > 0 && bytes + more > most) {
        parts.push({ kind: 'properties', members, bytes });
        [members, bytes] = [[], 0];
      }
      members.push(member);
      bytes += more;
    }
    parts.push({ kind: 'properties', members, bytes });
    lists = lists.filter(([, list]) => list.length > turn + 1);
  }
  return parts;
}

/** The two halves of a part of several properties; undefined when there is but one. */
export function halvesOf({ kind, members }: Part): [Part, Part] | undefined {
  if (members.length < 2) return undefined;
  const middle = members.length >> 1;
  return [partOf(kind, members.slice(0, middle)), partOf(kind, members.slice(middle))];
}

function partOf(kind: Part['kind'], members: readonly PackMember[]): Part {
  return { kind, members, bytes: members.reduce((sum, member) => sum + memberBytes(member), 0) };
}

// With the comma.
function memberBytes({ text }: PackMember): number {
  return Buffer.byteLength(text) + 1;
}
