/** Calls a listener: somebody else's code, whose fault must not reach the caller or the other listeners. */
export type Call = <T>(listener: (value: T) => void, value: T) => void;

/** Listeners of one kind of news. */
export class ListenerSet<T = void> {
  readonly #listeners = new Set<(value: T) => void>();

  constructor(private readonly call: Call) {}

  get size(): number {
    return this.#listeners.size;
  }

  /**
   * @param now told to this one at once, where a state is listened to
   * @returns function that stops it
   */
  add(listener: (value: T) => void, now: readonly T[] = []): () => void {
    // An object of its own, so that the same function may listen twice.
    const own = (value: T) => listener(value);
    this.#listeners.add(own);
    for (const value of now) this.call(own, value);
    return () => this.#listeners.delete(own);
  }

  tell(value: T): void {
    // A copy: those who come while it is told are not told.
    for (const listener of [...this.#listeners]) this.call(listener, value);
  }

  clear(): void {
    this.#listeners.clear();
  }
}
