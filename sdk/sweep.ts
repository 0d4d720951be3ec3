/** How exact time limits are kept. */
const SWEEP_MS = 100;

/** One timer for many time limits: runs while there is something to watch, and ends by itself. */
export class Sweep {
  #timer: NodeJS.Timeout | undefined;

  /** @param look looks through what is watched; false when nothing is left */
  constructor(private readonly look: () => boolean) {}

  /** Something is to be watched. Cheap when the timer runs already, as it does under load. */
  wake(): void {
    this.#timer ??= setInterval(() => {
      if (!this.look()) this.stop();
    }, SWEEP_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
