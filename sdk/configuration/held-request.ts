import type { IncomingRequest } from '../downlink/types';

/**
 * Keeps what no listener has answered for the next one, which may be on its way: a deploy ends the old nodes before it
 * starts the new ones.
 */
export class HeldRequest {
  #request: IncomingRequest | undefined;
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param request the platform's, when it waits for an answer
   * @param onLeft called when nobody came
   */
  hold(
    request: IncomingRequest | undefined,
    ms: number,
    onLeft: (request: IncomingRequest | undefined) => void,
  ): void {
    this.take();
    this.#request = request;
    this.#timer = setTimeout(() => onLeft(this.take()), ms);
    this.#timer.unref();
  }

  take(): IncomingRequest | undefined {
    const request = this.#request;
    this.#request = undefined;
    clearTimeout(this.#timer);
    return request;
  }
}
