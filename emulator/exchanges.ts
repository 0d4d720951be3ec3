import type { DeviceIdentity } from '../protocol';
import { RecentLog } from './recent-log';

/** Who sent what, or what happened to a connection. */
export type ExchangeKind = 'connect' | 'refuse' | 'disconnect' | 'subscribe' | 'up' | 'down' | 'http';

export interface ExchangeInput {
  kind: ExchangeKind;
  identity?: DeviceIdentity | undefined;
  topic?: string;
  payload?: string | Uint8Array;
  qos?: number;
  /** Name of the operation in the catalogue, or of the OpenAPI action. */
  operation?: string | undefined;
  /** Result code, return code of CONNACK or status of HTTP. */
  code?: number | undefined;
  /** What people should know: why it was refused, which properties were dropped, which fault struck. */
  note?: string | undefined;
}

const LONGEST_KEPT = 4096;
const LONGEST_NAME = 64;
const LONGEST_TOPIC = 256;
const LONGEST_NOTE = 1000;

/** One entry of the log. Text is made when somebody reads it. */
export class Exchange {
  readonly kind: ExchangeKind;
  readonly identity: DeviceIdentity | undefined;
  readonly topic: string | undefined;
  readonly qos: number | undefined;
  readonly operation: string | undefined;
  readonly code: number | undefined;
  readonly note: string | undefined;
  private readonly payload: string | Buffer | undefined;

  constructor(
    readonly seq: number,
    /** Milliseconds since 1970. */
    readonly time: number,
    input: ExchangeInput,
  ) {
    const { identity, payload } = input;
    this.kind = input.kind;
    this.identity = identity && cutIdentity(identity);
    this.topic = input.topic && cut(input.topic, LONGEST_TOPIC);
    this.qos = input.qos;
    this.operation = input.operation;
    this.code = input.code;
    this.note = input.note && cut(input.note, LONGEST_NOTE);
    // A copy: the parser's buffers are parts of larger ones that would all stay in memory.
    this.payload =
      typeof payload === 'object'
        ? Buffer.from(payload.subarray(0, LONGEST_KEPT))
        : payload && cut(payload, LONGEST_KEPT);
  }

  /** Payload as text, at most 4,096 bytes of it. */
  get text(): string {
    const { payload } = this;
    return typeof payload === 'object' ? payload.toString() : (payload ?? '');
  }

  /** Payload as JSON; undefined when it is none. */
  get json(): unknown {
    try {
      return JSON.parse(this.text);
    } catch {
      return undefined;
    }
  }

  toJSON(): object {
    const { seq, time, kind, identity, topic, qos, operation, code, note } = this;
    return { seq, time, kind, ...identity, topic, qos, operation, code, note, payload: this.text };
  }

  /** One line for people. */
  toString(): string {
    const at = new Date(this.time).toISOString().slice(11, 23);
    const who = this.identity ? `${this.identity.productKey}/${this.identity.deviceName}` : '';
    const parts = [at, this.kind.padEnd(10), who, this.topic, this.operation];
    if (this.code !== undefined) parts.push(`code ${this.code}`);
    if (this.note !== undefined) parts.push(`(${this.note})`);
    parts.push(this.text.replace(/\s+/g, ' '));
    const line = parts.filter((part) => part !== undefined && part !== '').join(' ');
    // Topics and notes come from outside; a line stays one line.
    return line.replace(/\p{Cc}+/gu, ' ');
  }
}

// Through a buffer, because a slice of a text keeps the whole text in memory.
function cut(text: string, length: number): string {
  return text.length <= length ? text : Buffer.from(text.slice(0, length)).toString();
}

function cutIdentity(identity: DeviceIdentity): DeviceIdentity {
  const { productKey, deviceName } = identity;
  if (productKey.length <= LONGEST_NAME && deviceName.length <= LONGEST_NAME) return identity;
  return { productKey: cut(productKey, LONGEST_NAME), deviceName: cut(deviceName, LONGEST_NAME) };
}

export type ExchangePredicate = (exchange: Exchange) => boolean;

/** No exchange of the wanted kind came in time. */
export class ExchangeTimeoutError extends Error {
  override readonly name = 'ExchangeTimeoutError';
}

/** The last exchanges between devices and the platform. */
export class ExchangeLog extends RecentLog<Exchange> {
  constructor(
    size: number,
    private readonly clock: () => number,
  ) {
    super(size, 'exchange', (message) => new ExchangeTimeoutError(message));
  }

  add(input: ExchangeInput): void {
    this.put((seq) => new Exchange(seq, this.clock(), input));
  }
}
