/**
 * Keeps messages about many below a rate a second: after a block of n the next one waits n / rate. So no second ever
 * sees more than the rate and one block, and with a rate a little below the platform's not more than that.
 */
export class Pace {
  #nextAt = 0;

  /**
   * @param perSecond 0: no limit
   * @param now milliseconds on a clock that never jumps
   */
  constructor(
    private readonly perSecond: number,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Resolves when the next block may go. */
  ready(): Promise<void> {
    const wait = this.#nextAt - this.now();
    return wait <= 0 ? Promise.resolve() : new Promise((resolve) => setTimeout(resolve, wait));
  }

  /** A block of this many goes. */
  spend(count: number): void {
    if (this.perSecond === 0) return;
    this.#nextAt = Math.max(this.now(), this.#nextAt) + (count / this.perSecond) * 1000;
  }
}
