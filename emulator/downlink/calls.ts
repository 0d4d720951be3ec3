/** A request that was sent to a device and is not answered. */
interface Call {
  answered: (payload: Uint8Array) => void;
  late: () => void;
  timer: NodeJS.Timeout;
}

/**
 * Requests to devices that wait for their answer, by the topic on which it comes and, where it has one, its id. Bytes
 * have none: there the oldest request of a topic gets the next answer.
 */
export class PendingCalls {
  private readonly byTopic = new Map<string, Map<string, Call>>();
  private size = 0;
  private added = 0;

  constructor(private readonly most: number) {}

  get waiting(): number {
    return this.size;
  }

  /**
   * @param id empty for bytes
   * @returns function that forgets the request; undefined when too many wait already
   */
  add(
    topic: string,
    id: string,
    timeoutMs: number,
    call: Pick<Call, 'answered' | 'late'>,
  ): (() => void) | undefined {
    if (this.size >= this.most) return undefined;
    let calls = this.byTopic.get(topic);
    if (calls === undefined) {
      calls = new Map();
      this.byTopic.set(topic, calls);
    }
    const key = id === '' ? `bytes ${++this.added}` : id;
    const timer = setTimeout(() => {
      if (this.take(topic, key) !== undefined) call.late();
    }, timeoutMs);
    timer.unref();
    calls.set(key, { ...call, timer });
    this.size++;
    return () => void this.take(topic, key);
  }

  /** @param id undefined for bytes @returns whether a request waited for it */
  answer(topic: string, id: string | undefined, payload: Uint8Array): boolean {
    const [first] = this.byTopic.get(topic)?.keys() ?? [];
    const call = this.take(topic, id ?? first ?? '');
    call?.answered(payload);
    return call !== undefined;
  }

  close(): void {
    for (const calls of this.byTopic.values()) for (const { timer } of calls.values()) clearTimeout(timer);
    this.byTopic.clear();
    this.size = 0;
  }

  private take(topic: string, key: string): Call | undefined {
    const calls = this.byTopic.get(topic);
    const call = calls?.get(key);
    if (calls === undefined || call === undefined) return undefined;
    clearTimeout(call.timer);
    calls.delete(key);
    if (calls.size === 0) this.byTopic.delete(topic);
    this.size--;
    return call;
  }
}
