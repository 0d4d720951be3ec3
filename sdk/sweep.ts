/** How exact time limits are kept. */
const SWEEP_MS = 100;

/** Those with something to watch; a timer for each of thousands of sub-devices would cost more than their messages. */
const awake = new Set<Sweep>();
let timer: NodeJS.Timeout | undefined;

/** Looks at many time limits now and then: while there is something to watch, and all with one timer. */
export class Sweep {
  #isAwake = false;

  /** @param look looks through what is watched; false when nothing is left */
  constructor(private readonly look: () => boolean) {}

  /** Something is to be watched. Cheap when it is awake already, as it is under load. */
  wake(): void {
    if (this.#isAwake) return;
    this.#isAwake = true;
    awake.add(this);
    timer ??= setInterval(lookAll, SWEEP_MS);
  }

  stop(): void {
    if (!this.#isAwake) return;
    this.#isAwake = false;
    awake.delete(this);
    if (awake.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  }

  /** @returns whether it goes on */
  isStillWanted(): boolean {
    return this.look();
  }
}

function lookAll(): void {
  for (const sweep of [...awake]) if (!sweep.isStillWanted()) sweep.stop();
}
