import { Ring } from './registry/ring';

interface Waiter<T> {
  fits: (entry: T) => boolean;
  found: (entry: T) => void;
}

/** The last entries of something that goes on, for whoever looks back, waits or listens. */
export class RecentLog<T extends { readonly seq: number }> {
  private readonly ring: Ring<T>;
  private readonly waiters = new Set<Waiter<T>>();
  private readonly listeners = new Set<(entry: T) => void>();
  private seq = 0;

  /** @param noun what an entry is, for the message of the error that `late` makes */
  constructor(
    size: number,
    private readonly noun: string,
    private readonly late: (message: string) => Error,
  ) {
    this.ring = new Ring(size);
  }

  protected put(make: (seq: number) => T): T {
    const entry = make(++this.seq);
    this.ring.push(entry);
    if (this.waiters.size > 0) {
      for (const waiter of [...this.waiters]) if (waiter.fits(entry)) waiter.found(entry);
    }
    for (const listener of [...this.listeners]) {
      try {
        listener(entry);
      } catch (thrown) {
        // What a listener does wrong must not stop the message that it was told of.
        queueMicrotask(() => {
          throw thrown;
        });
      }
    }
    return entry;
  }

  /** Number of the latest entry; give it to `waitFor` to look at later ones only. */
  get latest(): number {
    return this.seq;
  }

  /** Oldest first. */
  list(fits: (entry: T) => boolean = () => true): T[] {
    return [...this.ring].filter(fits);
  }

  /**
   * Calls the listener with each new entry.
   * @returns ends it
   */
  listen(listener: (entry: T) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /**
   * The first entry that fits, from those that are there already or the next ones.
   * @param since only entries with a greater number
   * @throws ExchangeTimeoutError or MessageTimeoutError, as the log is
   */
  waitFor(fits: (entry: T) => boolean, { timeoutMs = 5000, since = 0 } = {}): Promise<T> {
    const wanted = (entry: T) => entry.seq > since && fits(entry);
    const there = this.list(wanted)[0];
    if (there !== undefined) return Promise.resolve(there);
    return new Promise((resolve, reject) => {
      const waiter: Waiter<T> = {
        fits: wanted,
        found: (entry) => {
          clearTimeout(timer);
          this.waiters.delete(waiter);
          resolve(entry);
        },
      };
      const timer = setTimeout(() => {
        this.waiters.delete(waiter);
        const last = this.list().slice(-5).join('\n');
        reject(this.late(`no such ${this.noun} within ${timeoutMs} ms; the last ones:\n${last}`));
      }, timeoutMs);
      this.waiters.add(waiter);
    });
  }
}
