import { MESSAGE_ID_LIMIT } from './envelope';

/**
 * Ids of one connection: decimal text from a counter that starts at the clock, so that it does not repeat
 * within a day across restarts, and wraps below 2^32 (B.0).
 */
export class MessageIds {
  #next: number;

  /** @param now milliseconds since 1970 */
  constructor(now: number) {
    // Tenths of a millisecond pass 2^32 only every five days, and no device sends 10,000 messages a second.
    this.#next = Math.floor(now * 10) % MESSAGE_ID_LIMIT;
  }

  next(): string {
    const id = this.#next;
    this.#next = (id + 1) % MESSAGE_ID_LIMIT;
    return String(id);
  }
}
