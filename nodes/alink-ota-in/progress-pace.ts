/** Reports go out each so many percent, or each so many milliseconds when it is slow (G.3). */
const STEP_PERCENT = 5;
const STEP_MS = 5000;
const SHORTEST_MS = 1000;

/** Tells which of a download's many steps are worth a report. */
export class ProgressPace {
  #percent = -1;
  #at = Number.NEGATIVE_INFINITY;

  /** @param now on a clock that never jumps, ms */
  isDue(percent: number, now: number): boolean {
    const since = now - this.#at;
    const grown = percent - this.#percent;
    if (grown <= 0 || since < SHORTEST_MS || (grown < STEP_PERCENT && since < STEP_MS)) return false;
    this.#percent = percent;
    this.#at = now;
    return true;
  }
}
