/** What a listener was given, one after the other. */
export class Inbox<T> {
  readonly all: T[] = [];
  #taken = 0;
  #waiting: (() => void) | undefined;

  readonly put = (item: T): void => {
    this.all.push(item);
    this.#waiting?.();
  };

  async next(): Promise<T> {
    while (this.all.length <= this.#taken) {
      await new Promise<void>((resolve) => {
        this.#waiting = resolve;
      });
    }
    return this.all[this.#taken++] as T;
  }
}
