import type { DeviceIdentity } from '../../protocol';
import { RecentLog } from '../recent-log';

const LONGEST_KEPT = 32 * 1024;

/** One message of the platform's stream to applications (B.9). */
export class PlatformMessage {
  private readonly payload: string | Buffer;

  constructor(
    readonly seq: number,
    /** Milliseconds since 1970. */
    readonly time: number,
    readonly identity: DeviceIdentity,
    readonly topic: string,
    payload: string | Uint8Array,
  ) {
    // A copy: the parser's buffers are parts of larger ones that would all stay in memory.
    const short = typeof payload === 'string' && payload.length <= LONGEST_KEPT;
    this.payload = short ? payload : Buffer.from(Buffer.from(payload).subarray(0, LONGEST_KEPT));
  }

  /** Payload, at most 32 KB of it. */
  get bytes(): Uint8Array {
    return Buffer.from(this.payload);
  }

  get text(): string {
    return this.payload.toString();
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
    const { seq, time, identity, topic, text } = this;
    return { seq, time, ...identity, topic, payload: text };
  }

  /** One line for people. */
  toString(): string {
    const line = `${new Date(this.time).toISOString().slice(11, 23)} ${this.topic} ${this.text}`;
    return line.replace(/[\p{Cc}\s]+/gu, ' ');
  }
}

/** No message of the wanted kind came in time. */
export class MessageTimeoutError extends Error {
  override readonly name = 'MessageTimeoutError';
}

/** The last messages that applications would have got. */
export class MessageLog extends RecentLog<PlatformMessage> {
  constructor(size: number) {
    super(size, 'message', (message) => new MessageTimeoutError(message));
  }

  add(time: number, identity: DeviceIdentity, topic: string, payload: string | Uint8Array): void {
    this.put((seq) => new PlatformMessage(seq, time, identity, topic, payload));
  }
}
