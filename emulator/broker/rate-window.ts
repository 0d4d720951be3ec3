/** Counts what happened in the last while. */
export class RateWindow {
  private entries: Array<readonly [time: number, count: number]> = [];

  constructor(private readonly ms: number) {}

  /**
   * Counts `count` more, unless that would be too many.
   * @param most 0: no limit, and nothing is counted
   * @returns whether they fit
   */
  take(now: number, most: number, count = 1): boolean {
    if (most === 0) return true;
    if (!this.fits(now, most, count)) return false;
    this.entries.push([now, count]);
    return true;
  }

  fits(now: number, most: number, count = 1): boolean {
    if (most === 0) return true;
    // Clocks of tests go back, too.
    this.entries = this.entries.filter(([time]) => time <= now && now - time < this.ms);
    return this.entries.reduce((sum, [, each]) => sum + each, count) <= most;
  }
}
