import { type ContactDoor, ContactWatch } from './contact-watch';
import type { TriedConfiguration } from './state';

export interface TrialTiming {
  /** From the acceptance of a guarded configuration to the first question whether the platform can be reached. */
  settleMs: number;
  /** What a restart near the deadline gets more, once: it takes time to connect. */
  graceMs: number;
}

/** The clock of a guarded configuration: until when it has to be confirmed, over restarts. */
export class Trial {
  #watch: ContactWatch | undefined;

  constructor(
    private readonly door: ContactDoor,
    private readonly timing: TrialTiming,
  ) {}

  /** Of a configuration that was accepted right now. */
  begin(tried: TriedConfiguration, onEnd: (reached: boolean) => void): void {
    const { settleMs } = this.timing;
    this.#start(Math.min(settleMs, tried.guardMs / 2), tried.guardMs, onEnd);
  }

  /**
   * Of one that an earlier run accepted.
   * @returns whether `tried` was changed and has to be kept anew
   */
  resume(tried: TriedConfiguration, onEnd: (reached: boolean) => void): boolean {
    // Clocks jump, above all those of devices without a battery.
    let remaining = Math.min(tried.guardMs, tried.deadline - Date.now());
    const grace = Math.min(this.timing.graceMs, tried.guardMs);
    const needsGrace = remaining < grace && !tried.hadGrace;
    if (needsGrace) {
      remaining = grace;
      tried.hadGrace = true;
      tried.deadline = Date.now() + grace;
    }
    this.#start(0, Math.max(0, remaining), onEnd);
    return needsGrace;
  }

  stop(): void {
    this.#watch?.stop();
    this.#watch = undefined;
  }

  #start(settleMs: number, remainingMs: number, onEnd: (reached: boolean) => void): void {
    this.stop();
    const everyMs = this.timing.settleMs;
    this.#watch = new ContactWatch(this.door, { settleMs, everyMs, remainingMs }, onEnd);
  }
}
