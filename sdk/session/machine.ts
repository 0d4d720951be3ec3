import type { LogLine } from '../types';
import { IDLE, type MachineEvent, type MachineState, nextState } from './state';
import { TIMING, type Timing } from './timing';

export interface MachineOptions {
  timing?: Partial<Timing> | undefined;
  /** Milliseconds on a clock that never jumps. */
  now?: (() => number) | undefined;
  random?: (() => number) | undefined;
  log: (line: LogLine) => void;
  /** Time for an attempt: each ends with the event `online` or `failed`. */
  connect: () => void;
  onState: (state: MachineState) => void;
}

/** Runs the state machine of a session in time: attempts when they are due, and nobody told twice. */
export class SessionMachine {
  readonly timing: Timing;
  readonly #options: MachineOptions;
  readonly #now: () => number;
  #state: MachineState = IDLE;
  #retry: NodeJS.Timeout | undefined;

  constructor(options: MachineOptions) {
    this.#options = options;
    this.timing = { ...TIMING, ...options.timing };
    this.#now = options.now ?? (() => performance.now());
  }

  get state(): MachineState {
    return this.#state;
  }

  /** When it tries again, ms since 1970. */
  get retryAt(): number | undefined {
    const { retryAt } = this.#state;
    return retryAt === undefined ? undefined : Math.round(Date.now() + retryAt - this.#now());
  }

  step(event: MachineEvent): void {
    const before = this.#state;
    const random = (this.#options.random ?? Math.random)();
    const after = nextState(before, event, { now: this.#now(), random, timing: this.timing });
    if (after === before) return;
    this.#state = after;
    if (event.type === 'sent') return; // only counted
    clearTimeout(this.#retry);
    this.#retry = undefined;
    if (after.name === 'connecting') this.#options.connect();
    else if (after.retryAt !== undefined) {
      const wait = Math.max(0, after.retryAt - this.#now());
      this.#retry = setTimeout(() => this.step({ type: 'retry' }), wait);
      this.#options.log({
        level: after.name === 'waiting' ? 'info' : 'warn',
        event: after.name,
        details: { reason: after.reason?.message ?? '', retryInSeconds: Math.round(wait / 1000) },
        ...(after.reason === undefined ? {} : { error: after.reason }),
      });
    }
    this.#options.onState(after);
  }
}
