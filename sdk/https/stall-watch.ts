import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { HttpsError } from './error';

/** Cuts a connection on which nothing comes while something is waited for. */
export class StallWatch {
  #timer: NodeJS.Timeout | undefined;
  #response: IncomingMessage | undefined;
  stalled = false;

  constructor(
    private readonly socket: Duplex,
    private readonly stallMs: number,
  ) {}

  arm(): void {
    this.#timer = setTimeout(() => {
      this.stalled = true;
      this.socket.destroy();
      this.#response?.destroy();
    }, this.stallMs);
  }

  disarm(): void {
    clearTimeout(this.#timer);
  }

  take(response: IncomingMessage): void {
    this.#response = response;
  }

  /** What a broken connection means. */
  error(cause: unknown): HttpsError {
    return this.stalled
      ? new HttpsError('passing', `no byte came for ${Math.round(this.stallMs / 100) / 10} s`)
      : new HttpsError('passing', 'the connection was cut', { cause });
  }

  /** The bytes of the answer. While nobody asks for the next ones nothing is read, and no time runs. */
  async *chunks(): AsyncGenerator<Uint8Array> {
    const response = this.#response;
    if (response === undefined) return;
    const iterator = response[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
    try {
      for (;;) {
        this.arm();
        const next = await iterator.next();
        this.disarm();
        if (next.done) return;
        yield next.value;
      }
    } catch (cause) {
      throw this.error(cause);
    } finally {
      this.disarm();
      response.destroy();
      this.socket.destroy();
    }
  }
}
