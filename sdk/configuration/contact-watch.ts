import { AlinkError } from '../errors';

export interface ContactDoor {
  isOnline: () => boolean;
  onOnline: (listener: () => void) => () => void;
  /** Asks the platform something harmless. @throws AlinkError */
  ask: (signal: AbortSignal) => Promise<unknown>;
}

/**
 * Waits for proof that the platform can still be reached: an answer in a session that began since, or to a question
 * that was asked after the settings had time to take effect. In the same session an answer at once proves nothing: a
 * network that is being changed still carries what is under way.
 */
export class ContactWatch {
  readonly #door: ContactDoor;
  readonly #ending = new AbortController();
  readonly #undo: () => void;
  #asks: NodeJS.Timeout | undefined;
  readonly #deadline: NodeJS.Timeout;
  #asking = false;
  #settled = false;

  /**
   * @param settleMs before the first question in the same session; 0: at once
   * @param everyMs from one question to the next
   * @param remainingMs until there is no more hope
   */
  constructor(
    door: ContactDoor,
    { settleMs, everyMs, remainingMs }: { settleMs: number; everyMs: number; remainingMs: number },
    private readonly onEnd: (reached: boolean) => void,
  ) {
    this.#door = door;
    this.#deadline = setTimeout(() => this.#finish(false), remainingMs);
    this.#undo = door.onOnline(() => {
      this.#settled = true;
      void this.#look();
    });
    this.#asks = setTimeout(() => {
      this.#settled = true;
      void this.#look();
      this.#asks = setInterval(() => void this.#look(), everyMs);
    }, settleMs);
  }

  stop(): void {
    this.#ending.abort();
    clearTimeout(this.#deadline);
    clearTimeout(this.#asks);
    this.#undo();
  }

  async #look(): Promise<void> {
    if (!this.#settled || this.#asking || !this.#door.isOnline()) return;
    this.#asking = true;
    const reached = await this.#reached();
    this.#asking = false;
    if (reached) this.#finish(true);
  }

  async #reached(): Promise<boolean> {
    try {
      await this.#door.ask(this.#ending.signal);
      return true;
    } catch (thrown) {
      // A refusal is an answer too.
      return thrown instanceof AlinkError && thrown.key === 'platformRefused';
    }
  }

  #finish(reached: boolean): void {
    if (this.#ending.signal.aborted) return;
    this.stop();
    this.onEnd(reached);
  }
}
