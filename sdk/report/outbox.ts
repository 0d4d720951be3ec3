import { AlinkError } from '../errors';

/** A message on its way: how to write it once there is a connection, and how it ends. */
export interface OutboxItem {
  /** Called when it is its turn; it is out of the outbox then. */
  send(): void;
  reject(error: AlinkError): void;
  /** ms since 1970 after which nobody waits for it any more. */
  deadline: number;
  timeoutMs: number;
}

/** Messages that wait for the connection, in order. One in memory today; a durable one has the same doors. */
export interface Outbox {
  readonly size: number;
  /** @throws AlinkError `waitingFull` */
  put(item: OutboxItem): void;
  /** The one that came first. */
  take(): OutboxItem | undefined;
  /** Takes an item out before its turn. */
  remove(item: OutboxItem): void;
  /** Fails everything that waits. */
  close(error: AlinkError): void;
}

const SWEEP_MS = 100;

/** Keeps what waits in memory: lost when the process ends, bounded by number and by each item's time limit. */
export class MemoryOutbox implements Outbox {
  readonly #items = new Set<OutboxItem>();
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly limit: number,
    private readonly onChange: (size: number) => void,
    private readonly now: () => number = Date.now,
  ) {}

  get size(): number {
    return this.#items.size;
  }

  put(item: OutboxItem): void {
    if (this.#items.size >= this.limit) {
      throw new AlinkError('waitingFull', `${this.limit} messages are waiting for the connection already`, {
        retry: 'slow',
        details: { limit: this.limit },
      });
    }
    this.#items.add(item);
    this.#timer ??= setInterval(() => this.#expire(), SWEEP_MS);
    this.onChange(this.#items.size);
  }

  take(): OutboxItem | undefined {
    const [first] = this.#items;
    if (first !== undefined) this.remove(first);
    return first;
  }

  remove(item: OutboxItem): void {
    if (!this.#items.delete(item)) return;
    if (this.#items.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
    this.onChange(this.#items.size);
  }

  close(error: AlinkError): void {
    for (const item of [...this.#items]) {
      this.remove(item);
      item.reject(error);
    }
  }

  #expire(): void {
    const now = this.now();
    for (const item of [...this.#items]) {
      if (item.deadline > now) continue;
      this.remove(item);
      const seconds = Math.round(item.timeoutMs / 100) / 10;
      item.reject(
        new AlinkError(
          'waitingTimeout',
          `there was no connection within ${seconds} s; the message was not sent`,
          {
            retry: 'slow',
            details: { seconds },
          },
        ),
      );
    }
  }
}
