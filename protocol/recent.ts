/**
 * Remembers at least the last entries, and at most twice as many. Taking out the oldest one by one would cost more with
 * each that was taken out before; whole generations cost nothing.
 */
export class Recent<V> {
  #young = new Map<string, V>();
  #old: ReadonlyMap<string, V> = new Map();

  /** @param least so many are surely remembered; it may change */
  constructor(public least: number) {}

  get(key: string): V | undefined {
    return this.#young.get(key) ?? this.#old.get(key);
  }

  set(key: string, value: V): void {
    if (this.#young.size >= this.least && !this.#young.has(key)) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, value);
  }
}
