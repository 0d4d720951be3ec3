/** The last `size` entries; older ones are overwritten. */
export class Ring<T> {
  private readonly entries: T[] = [];
  private next = 0;

  constructor(private readonly size: number) {}

  /** @returns the entry that went for it */
  push(entry: T): T | undefined {
    const oldest = this.entries.length < this.size ? undefined : this.entries[this.next];
    this.entries[this.next] = entry;
    this.next = (this.next + 1) % this.size;
    return oldest;
  }

  /** Forgets all entries but the last. */
  keepLast(): void {
    const last = this.last();
    this.entries.length = 0;
    this.next = 0;
    if (last !== undefined) this.push(last);
  }

  get length(): number {
    return this.entries.length;
  }

  last(): T | undefined {
    return this.entries.at(this.next - 1);
  }

  /** Oldest first. */
  *[Symbol.iterator](): Generator<T> {
    const start = this.entries.length < this.size ? 0 : this.next;
    for (let i = 0; i < this.entries.length; i++) {
      yield this.entries[(start + i) % this.entries.length] as T;
    }
  }
}
