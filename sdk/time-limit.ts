/**
 * Ends something after a time, or when somebody gives it up. In the place of `AbortSignal.timeout`, which Node.js 20
 * forgets when it collects garbage and nothing but `AbortSignal.any` knows of it.
 */
export class TimeLimit {
  /** Aborted by the time or by whoever gives up. */
  readonly signal: AbortSignal;
  readonly #own = new AbortController();
  readonly #timer: NodeJS.Timeout;

  /** @param outer of whoever may give up */
  constructor(outer: AbortSignal, ms: number) {
    this.signal = AbortSignal.any([outer, this.#own.signal]);
    this.#timer = setTimeout(() => this.#own.abort(), ms);
    this.#timer.unref();
  }

  /** Whether the time has run out. */
  get isOver(): boolean {
    return this.#own.signal.aborted;
  }

  /** What was limited has ended. */
  end(): void {
    clearTimeout(this.#timer);
  }
}
