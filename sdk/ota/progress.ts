/** What is told of one module. */
interface Step {
  step: number;
  description: string | undefined;
  done: Array<{ resolve: () => void; reject: (error: unknown) => void }>;
}

/** Reports of one module: one on its way, one that waits for its turn. */
interface Lane {
  sentAt: number;
  sending: boolean;
  next: Step | undefined;
  timer: NodeJS.Timeout | undefined;
}

export interface ProgressDoor {
  send: (module: string, step: number, description: string | undefined) => Promise<void>;
  /** Between two reports of a module, ms. */
  gapMs: number;
  /** On a clock that never jumps, ms. */
  now: () => number;
}

const MOST_LANES = 100;

/**
 * Thins progress out: of each module at most one report within the gap, and none while the one before waits for the
 * connection. What comes meanwhile takes the place of what waits, so that the last one always goes.
 */
export class ProgressReports {
  readonly #lanes = new Map<string, Lane>();

  constructor(private readonly door: ProgressDoor) {}

  /** Resolves when this report, or a later one in its place, was taken. */
  report(module: string, step: number, description: string | undefined): Promise<void> {
    const lane = this.#lane(module);
    return new Promise((resolve, reject) => {
      const done = [...(lane.next?.done ?? []), { resolve, reject }];
      lane.next = { step, description, done };
      this.#go(module, lane);
    });
  }

  /** Sends what waits at once: there will be no later. */
  close(): void {
    for (const [module, lane] of this.#lanes) {
      clearTimeout(lane.timer);
      if (lane.next) void this.#send(module, lane, lane.next);
    }
    this.#lanes.clear();
  }

  #go(module: string, lane: Lane): void {
    if (lane.sending || lane.timer !== undefined || lane.next === undefined) return;
    const wait = lane.sentAt + this.door.gapMs - this.door.now();
    if (wait <= 0) {
      void this.#send(module, lane, lane.next);
      return;
    }
    lane.timer = setTimeout(() => {
      lane.timer = undefined;
      this.#go(module, lane);
    }, wait);
  }

  async #send(module: string, lane: Lane, { step, description, done }: Step): Promise<void> {
    lane.next = undefined;
    lane.sending = true;
    lane.sentAt = this.door.now();
    try {
      await this.door.send(module, step, description);
      for (const { resolve } of done) resolve();
    } catch (thrown) {
      for (const { reject } of done) reject(thrown);
    }
    lane.sending = false;
    this.#go(module, lane);
  }

  #lane(module: string): Lane {
    const known = this.#lanes.get(module);
    if (known) return known;
    if (this.#lanes.size >= MOST_LANES) this.#forgetIdle();
    const lane: Lane = {
      sentAt: Number.NEGATIVE_INFINITY,
      sending: false,
      next: undefined,
      timer: undefined,
    };
    this.#lanes.set(module, lane);
    return lane;
  }

  // Names of modules come from messages; only those in use are kept.
  #forgetIdle(): void {
    const before = this.door.now() - this.door.gapMs;
    for (const [module, { sending, next, sentAt }] of this.#lanes) {
      if (!sending && next === undefined && sentAt < before) this.#lanes.delete(module);
    }
  }
}
