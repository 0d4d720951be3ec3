/** QoS 1 messages without PUBACK that the platform takes on one connection (section D). */
const MOST_UNACKNOWLEDGED = 150;
/** Requests without an answer, of whatever QoS; each costs memory until its time limit. */
const MOST_UNANSWERED = 10_000;

/** Somebody with messages to send. @returns whether more wait after this one */
export type SendNext = () => boolean;

/**
 * How much may be under way on one connection, shared by a gateway and its sub-devices. Who has to wait for room gets
 * its turn in a circle, one message each, so that nobody's flood holds up the others.
 */
export class SendWindow {
  #unacknowledged = 0;
  #unanswered = 0;
  #isScheduled = false;
  readonly #queue = new Set<SendNext>();

  /** Whether the next message may go out at once, past nobody who waits. */
  get isOpen(): boolean {
    return this.#queue.size === 0 && this.#hasRoom;
  }

  /** A message goes out. @param acknowledged whether the platform confirms it (QoS 1) */
  enter(acknowledged: boolean): void {
    this.#unanswered++;
    if (acknowledged) this.#unacknowledged++;
  }

  /** PUBACK came, or the message ended without. */
  acknowledge(): void {
    this.#unacknowledged--;
    this.#schedule();
  }

  /** The message has its answer, or will not get one. */
  answer(): void {
    this.#unanswered--;
    this.#schedule();
  }

  /** Waits for its turn; once, however often it is asked for. */
  join(next: SendNext): void {
    this.#queue.add(next);
    this.#schedule();
  }

  leave(next: SendNext): void {
    this.#queue.delete(next);
  }

  get #hasRoom(): boolean {
    return this.#unacknowledged < MOST_UNACKNOWLEDGED && this.#unanswered < MOST_UNANSWERED;
  }

  // Acknowledgements come many at a time; one look afterwards serves them all.
  #schedule(): void {
    if (this.#isScheduled || this.#queue.size === 0 || !this.#hasRoom) return;
    this.#isScheduled = true;
    queueMicrotask(() => {
      this.#isScheduled = false;
      this.#serve();
    });
  }

  #serve(): void {
    while (this.#hasRoom) {
      const [next] = this.#queue;
      if (next === undefined) return;
      this.#queue.delete(next);
      if (next()) this.#queue.add(next);
    }
  }
}
