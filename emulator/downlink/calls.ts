/** A request that was sent to a device and is not answered. */
interface Call {
  owner: object;
  answered: (payload: Uint8Array) => void;
  /** Nothing came in time, or the request was given up before. */
  late: () => void;
}

interface Waiting extends Call {
  timer: NodeJS.Timeout;
}

/**
 * Requests to devices that wait for their answer, by the topic on which it comes and the id in it. An RRPC has a topic
 * of its own and needs none.
 */
export class PendingCalls {
  /** In the order of their sending. */
  private readonly calls = new Map<string, Waiting>();

  /** @param whenFull whether one more is refused, or the one that waits longest given up for it */
  constructor(
    private readonly most: number,
    private readonly whenFull: 'refuse' | 'giveUpOldest',
  ) {}

  get waiting(): number {
    return this.calls.size;
  }

  /**
   * @param id empty where the topic is the request's own
   * @returns function that forgets the request; undefined when it was refused
   */
  add(topic: string, id: string, timeoutMs: number, call: Call): (() => void) | undefined {
    if (this.calls.size >= this.most) {
      if (this.whenFull === 'refuse') return undefined;
      const [oldest] = this.calls.keys();
      if (oldest !== undefined) this.take(oldest)?.late();
    }
    const key = keyOf(topic, id);
    const timer = setTimeout(() => this.take(key)?.late(), timeoutMs);
    timer.unref();
    this.calls.set(key, { ...call, timer });
    return () => void this.take(key);
  }

  /** @returns whether a request waited for it */
  answer(topic: string, id: string, payload: Uint8Array): boolean {
    const call = this.take(keyOf(topic, id));
    call?.answered(payload);
    return call !== undefined;
  }

  /** Gives up what is asked of a device that is no more. */
  giveUp(owner: object): void {
    for (const [key, call] of [...this.calls]) if (call.owner === owner) this.take(key)?.late();
  }

  close(): void {
    for (const { timer } of this.calls.values()) clearTimeout(timer);
    this.calls.clear();
  }

  private take(key: string): Waiting | undefined {
    const call = this.calls.get(key);
    if (call === undefined) return undefined;
    clearTimeout(call.timer);
    this.calls.delete(key);
    return call;
  }
}

// No topic of the platform has a line feed in it.
function keyOf(topic: string, id: string): string {
  return `${topic}\n${id}`;
}
