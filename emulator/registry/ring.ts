/** The last `size` entries; older ones are overwritten. */
export class Ring<T> {
  private readonly entries: T[] = [];
  private next = 0;

  constructor(private readonly size: number) {}

  push(entry: T): void {
    if (this.entries.length < this.size) this.entries.push(entry);
    else this.entries[this.next] = entry;
    this.next = (this.next + 1) % this.size;
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
