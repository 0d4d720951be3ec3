import { isJsonObject, parseJson } from '../protocol';
import type { LogLine } from './types';

const AGAIN_MS = 3_600_000;
/** Sooner after an exchange that failed: it is one packet without acknowledgement. */
const AFTER_FAILURE_MS = 60_000;
// Stands in place of a number until the platform's time is known. No text of a report can look like it: JSON escapes
// the character that it begins with.
const MARK_START = '\u0001';
const MARK = new RegExp(`${MARK_START}([^,]*),([^,]*),`, 'g');

/** How an exchange ended. */
type End = 'answered' | 'unanswered' | 'givenUp';

/** What the clock needs of the connection. */
export interface ClockDoor {
  /** Sends at QoS 0, at once. */
  send: (payload: string) => void;
  log: (line: LogLine) => void;
  /** How long an exchange may take. */
  limitMs: number;
  /** Both ms; one may jump, the other never does. */
  wall?: () => number;
  steady?: () => number;
}

/**
 * The platform's time, learned by one exchange after each connect and once an hour (B.3 row 39), for boards without a
 * clock of their own.
 */
export class PlatformClock {
  /** The platform's time at a moment of the clock that never jumps. */
  #known: { platform: number; steady: number } | undefined;
  #waiting: { sentAt: string; startedAt: number; done: (end: End) => void } | undefined;
  #again: NodeJS.Timeout | undefined;
  readonly #wall: () => number;
  readonly #steady: () => number;

  constructor(private readonly door: ClockDoor) {
    this.#wall = door.wall ?? Date.now;
    this.#steady = door.steady ?? (() => performance.now());
  }

  /** Milliseconds to add to this machine's clock; undefined before the first exchange. */
  get offset(): number | undefined {
    return this.#known === undefined ? undefined : Math.round(this.#now(this.#known) - this.#wall());
  }

  /** Asks the platform. Resolves when the answer came, or when it is not worth waiting for any longer. */
  async learn(): Promise<void> {
    clearTimeout(this.#again);
    this.#waiting?.done('givenUp');
    const end = await new Promise<End>((resolve) => {
      const sentAt = String(Math.round(this.#wall()));
      const timer = setTimeout(() => {
        this.door.log({
          level: 'warn',
          event: 'clockNotLearned',
          details: { seconds: this.door.limitMs / 1000 },
        });
        waiting.done('unanswered');
      }, this.door.limitMs);
      const waiting = {
        sentAt,
        startedAt: this.#steady(),
        done: (how: End) => {
          clearTimeout(timer);
          if (this.#waiting === waiting) this.#waiting = undefined;
          resolve(how);
        },
      };
      this.#waiting = waiting;
      this.door.send(JSON.stringify({ deviceSendTime: sentAt }));
    });
    // The next connection asks by itself, and without one nobody shall.
    if (end === 'givenUp') return;
    this.#again = setTimeout(() => void this.learn(), end === 'answered' ? AGAIN_MS : AFTER_FAILURE_MS);
    this.#again.unref();
  }

  /** The answer to an exchange. Anything else is ignored. */
  receive(payload: Uint8Array): void {
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    const times = readTimes(payload);
    if (times === undefined || times.deviceSendTime !== waiting.sentAt) return;
    const steady = this.#steady();
    // Half of the way is taken to be the way back.
    const travelled = steady - waiting.startedAt - (times.serverSendTime - times.serverRecvTime);
    this.#known = { platform: times.serverSendTime + Math.max(0, travelled) / 2, steady };
    waiting.done('answered');
  }

  /** The connection ended: nobody will answer. */
  stop(): void {
    clearTimeout(this.#again);
    this.#waiting?.done('givenUp');
  }

  /**
   * A time of this machine's clock as JSON text in the platform's time; before that is known, as a mark that `settle`
   * turns into the number.
   * @param time ms since 1970, as this machine's clock had it
   */
  write(time: number): string {
    // How long ago it was by this machine is right even when its clock is not.
    const ago = this.#wall() - time;
    if (this.#known !== undefined) return String(Math.round(this.#now(this.#known) - ago));
    return `${MARK_START}${ago},${this.#steady()},`;
  }

  /** Writes the times that were not known yet. Without the platform's time they stay this machine's. */
  settle(params: string): string {
    if (!params.includes(MARK_START)) return params;
    return params.replace(MARK, (_, ago: string, madeAt: string) => {
      const now = this.#known === undefined ? this.#wall() : this.#now(this.#known);
      return String(Math.round(now - (this.#steady() - Number(madeAt)) - Number(ago)));
    });
  }

  #now({ platform, steady }: { platform: number; steady: number }): number {
    return platform + this.#steady() - steady;
  }
}

function readTimes(
  payload: Uint8Array,
): { deviceSendTime: string; serverRecvTime: number; serverSendTime: number } | undefined {
  try {
    const body = parseJson(payload);
    if (!isJsonObject(body)) return undefined;
    const serverRecvTime = Number(body.serverRecvTime);
    const serverSendTime = Number(body.serverSendTime);
    if (!(serverRecvTime > 0) || !(serverSendTime >= serverRecvTime) || serverSendTime > 1e14)
      return undefined;
    return { deviceSendTime: String(body.deviceSendTime), serverRecvTime, serverSendTime };
  } catch {
    return undefined; // whatever it was, it tells no time
  }
}
