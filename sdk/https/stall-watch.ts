import type { IncomingMessage } from 'node:http';
import { type Duplex, finished } from 'node:stream';
import { giveBack } from '../give-back';
import { HttpsError } from './error';

/** Takes bytes; they are its own only until it returns, or what it returns is settled. */
export type Take = (bytes: Uint8Array) => Promise<void> | undefined;

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
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.stalled = true;
      this.socket.destroy();
      this.#response?.destroy();
    }, this.stallMs);
  }

  disarm(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  take(response: IncomingMessage): void {
    this.#response = response;
  }

  /** What a broken connection means. */
  error(cause: unknown): HttpsError {
    if (!this.stalled) return new HttpsError('passing', 'httpsCut', 'the connection was cut', { cause });
    const value = Math.round(this.stallMs / 100) / 10;
    return new HttpsError('passing', 'httpsStalled', `no byte came for ${value} s`, { value });
  }

  /** Hands the bytes of the answer on. While they are being taken nothing is read, and no time runs. */
  async read(take: Take): Promise<void> {
    const response = this.#response;
    if (response === undefined) return;
    this.#recycle(response);
    let taking: Promise<void> | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        const goOn = () => {
          this.arm();
          response.resume();
        };
        response.on('data', (bytes: Uint8Array) => {
          this.#timer?.refresh();
          try {
            taking = take(bytes);
            if (taking === undefined) return;
            taking.then(goOn, reject);
          } catch (thrown) {
            reject(thrown);
          }
          this.disarm();
          response.pause();
        });
        finished(response, { writable: false }, (cause) => (cause ? reject(this.error(cause)) : resolve()));
        this.arm();
      });
    } finally {
      this.disarm();
      response.destroy();
      this.socket.destroy();
      // What was begun is not going on behind the back of whoever is told the end.
      await taking?.catch(() => undefined);
    }
  }

  /** Gives the memory of bytes back when the next ones come: a large file would otherwise fill it with dead buffers. */
  #recycle(response: IncomingMessage): void {
    let body: Uint8Array | undefined;
    let parsed: Uint8Array | undefined;
    let isCopy = false;
    this.socket.prependListener('data', () => {
      parsed = undefined;
    });
    response.on('data', (bytes: Uint8Array) => {
      giveBack(body);
      body = bytes;
      parsed = bytes;
    });
    // Behind the parser, which hands out copies; a part of the packet itself may still wait to be taken.
    this.socket.on('data', (packet: Uint8Array) => {
      if (parsed !== undefined) isCopy = parsed.buffer !== packet.buffer;
      if (isCopy) giveBack(packet);
    });
  }
}
