import { AlinkError } from '../errors';
import type { Answer, WireFormatName } from '../operations';
import { Sweep } from '../sweep';

/** A request as it goes out, except for its id; plain data, so that an outbox can keep it on disk. */
export interface OutgoingMessage {
  operation: string;
  topic: string;
  /** Empty when nothing but the acknowledgement is awaited. */
  replyTopic: string;
  format: WireFormatName;
  method: string | undefined;
  /** JSON text. */
  params: string;
  /** Bytes or text that go out as the format says, as they are for an opaque one. */
  payload?: string | Uint8Array | undefined;
  qos: 0 | 1;
}

/** A message on its way, and how it ends. */
export interface OutboxItem {
  readonly message: OutgoingMessage;
  /** After this nobody waits for it any more, on the clock of the outbox. */
  readonly deadline: number;
  readonly timeoutMs: number;
  /** It was sent and waits for PUBACK. */
  unacknowledged: boolean;
  resolve(answer: Answer): void;
  reject(error: AlinkError): void;
}

/** Where messages wait for the connection and for their turn, in order. A durable one has the same doors. */
export interface Outbox {
  /** How many wait. */
  readonly size: number;
  /**
   * @param most how many may wait at this moment
   * @throws AlinkError `waitingFull`
   */
  put(item: OutboxItem, most: number): void;
  /** The one that came first; it is on its way now. */
  take(): OutboxItem | undefined;
  /** What was taken is answered or given up: only now a durable outbox forgets it. */
  acknowledge(item: OutboxItem): void;
  /** Takes an item out before its turn. */
  remove(item: OutboxItem): void;
  /** Fails what came last until `most` wait. */
  trim(most: number): void;
  /** Fails everything that waits. */
  close(error: AlinkError): void;
}

/** Together, in characters of params: a thousand large messages must not take the memory of a small board. */
const MOST_CHARACTERS = 32 * 1024 * 1024;

/** Keeps what waits in memory: lost when the process ends, bounded by number, size and each item's time limit. */
export class MemoryOutbox implements Outbox {
  readonly #items = new Set<OutboxItem>();
  readonly #sweep = new Sweep(() => this.#expire());
  // A set's iterator goes on where it stopped, so that taking from the front costs the same however many wait.
  // What it has passed is out of the set, so it never ends while something waits.
  readonly #front = this.#items.values();
  #characters = 0;

  /**
   * @param onChange told after each change of the number
   * @param now milliseconds on the clock of the deadlines
   * @param offlineReason why there is no connection, as far as it is known
   */
  constructor(
    private readonly onChange: (size: number) => void,
    private readonly now: () => number,
    private readonly offlineReason: () => AlinkError | undefined = () => undefined,
  ) {}

  get size(): number {
    return this.#items.size;
  }

  put(item: OutboxItem, most: number): void {
    const length = sizeOf(item);
    if (this.#items.size >= most || this.#characters + length > MOST_CHARACTERS) throw full(this.#items.size);
    this.#items.add(item);
    this.#characters += length;
    this.#sweep.wake();
    this.onChange(this.#items.size);
  }

  take(): OutboxItem | undefined {
    if (this.#items.size === 0) return undefined;
    const { value } = this.#front.next();
    if (value !== undefined) this.remove(value);
    return value;
  }

  // Nothing is kept beyond taking it.
  acknowledge(): void {}

  remove(item: OutboxItem): void {
    if (!this.#items.delete(item)) return;
    this.#characters -= sizeOf(item);
    this.onChange(this.#items.size);
  }

  trim(most: number): void {
    for (const item of [...this.#items].slice(most)) {
      this.remove(item);
      item.reject(full(most));
    }
  }

  close(error: AlinkError): void {
    this.#sweep.stop();
    for (const item of [...this.#items]) {
      this.remove(item);
      item.reject(error);
    }
  }

  #expire(): boolean {
    const now = this.now();
    for (const item of this.#items) {
      if (item.deadline > now) continue;
      this.remove(item);
      item.reject(waitedTooLong(item.timeoutMs, this.offlineReason()));
    }
    return this.#items.size > 0;
  }
}

/** A message was not sent within its time. @param why there was no connection, as far as it is known */
export function waitedTooLong(timeoutMs: number, why: AlinkError | undefined): AlinkError {
  const seconds = Math.round(timeoutMs / 100) / 10;
  const message = `there was no connection within ${seconds} s; the message was not sent`;
  return new AlinkError('waitingTimeout', why === undefined ? message : `${message}: ${why.message}`, {
    retry: 'slow',
    details: { seconds },
    cause: why,
  });
}

function sizeOf({ message: { params, payload } }: OutboxItem): number {
  return params.length + (payload?.length ?? 0);
}

function full(limit: number): AlinkError {
  return new AlinkError('waitingFull', `${limit} messages are waiting already`, {
    retry: 'slow',
    details: { limit },
  });
}
