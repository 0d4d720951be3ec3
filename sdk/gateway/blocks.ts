import { AlinkError, asAlinkError } from '../errors';
import type { Pace } from './pace';

/** What became of one entry of a block: nothing when it went well. */
export type BlockResult = AlinkError | undefined;

export interface BlocksOptions<E> {
  /** Entries in one message. */
  size: number;
  /** Messages on their way at the same time. */
  concurrency?: number;
  pace?: Pace;
  /**
   * Sends one message about these entries.
   * @returns what became of each, in the same order
   * @throws AlinkError when the message failed as a whole
   */
  send: (entries: readonly E[]) => Promise<readonly BlockResult[]>;
  /** How long the first of a block waits for others, ms; without it, for those of the same turn of the event loop. */
  gatherMs?: number;
  /** After a refusal for sending too fast, ms. */
  throttledMs?: number;
}

interface Waiting<E> {
  entry: E;
  signal: AbortSignal | undefined;
  resolve: () => void;
  reject: (error: AlinkError) => void;
}

const THROTTLED = 429;
const THROTTLED_MS = 1100;

/**
 * Gathers single wishes into messages about many. A message that is refused as a whole tells nothing about its
 * entries, so each goes again alone: one bad sub-device never holds up the others.
 */
export class Blocks<E> {
  readonly #options: BlocksOptions<E>;
  #queue: Waiting<E>[] = [];
  /** Entries of refused messages; they go first, because they have waited longest. */
  #alone: Waiting<E>[] = [];
  #onTheirWay = 0;
  #isRunning = false;

  constructor(options: BlocksOptions<E>) {
    this.#options = options;
  }

  /** How many wait to be sent. */
  get waiting(): number {
    return this.#queue.length + this.#alone.length;
  }

  /** @throws AlinkError what became of this entry; `aborted` when it was given up before it was sent */
  add(entry: E, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ entry, signal, resolve, reject });
      this.#start();
    });
  }

  /** Fails all that wait. */
  failAll(error: AlinkError): void {
    const all = [...this.#alone, ...this.#queue];
    this.#queue = [];
    this.#alone = [];
    for (const { reject } of all) reject(error);
  }

  #start(): void {
    if (this.#isRunning || this.waiting === 0) return;
    this.#isRunning = true;
    const { gatherMs, size } = this.#options;
    if (gatherMs === undefined || this.waiting >= size) setImmediate(() => void this.#run());
    else setTimeout(() => void this.#run(), gatherMs);
  }

  async #run(): Promise<void> {
    const { concurrency = 4, pace, size } = this.#options;
    while (this.waiting > 0 && this.#onTheirWay < concurrency) {
      await pace?.ready();
      const block = this.#take(size);
      if (block.length === 0) continue;
      pace?.spend(block.length);
      this.#onTheirWay++;
      void this.#send(block).then(() => {
        this.#onTheirWay--;
        this.#start();
      });
    }
    this.#isRunning = false;
  }

  async #send(block: readonly Waiting<E>[]): Promise<void> {
    try {
      const results = await this.#options.send(block.map(({ entry }) => entry));
      block.forEach((waiting, i) => {
        const error = results[i];
        if (error === undefined) waiting.resolve();
        else waiting.reject(error);
      });
    } catch (thrown) {
      await this.#refused(block, asAlinkError(thrown, 'invalidInput'));
    }
  }

  async #refused(block: readonly Waiting<E>[], error: AlinkError): Promise<void> {
    const isAlone = block.length === 1;
    const perhapsOne =
      error.key === 'platformRefused' && (error.retry !== 'slow' || error.code === THROTTLED);
    if (isAlone || !perhapsOne) {
      for (const { reject } of block) reject(error);
      return;
    }
    if (error.code === THROTTLED) await pause(this.#options.throttledMs ?? THROTTLED_MS);
    this.#alone.push(...block);
  }

  #take(most: number): Waiting<E>[] {
    const source = this.#alone.length > 0 ? this.#alone : this.#queue;
    const limit = source === this.#alone ? 1 : most;
    const taken: Waiting<E>[] = [];
    let passed = 0;
    for (const waiting of source) {
      if (taken.length >= limit) break;
      passed++;
      if (waiting.signal?.aborted) waiting.reject(new AlinkError('aborted', 'it was given up'));
      else taken.push(waiting);
    }
    source.splice(0, passed);
    return taken;
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
