import { type DeviceIdentity, parseJson } from '../../protocol';
import type { AlinkAnswer } from '../downlink/types';
import { AlinkError } from '../errors';
import type { LogLine } from '../types';
import { Delivery, type DeliveryDetails, type DeliveryEnd } from './delivery';
import type { KeptConfiguration } from './state';
import type { ConfigurationListening, ReceivedConfiguration } from './types';

export interface Listener {
  deliver: (configuration: ReceivedConfiguration) => void;
  listening: ConfigurationListening;
}

const USUAL_TIME_LIMIT_MS = 5000;

/** Who gets configurations, and what they are asked about right now. */
export class ConfigurationListeners {
  readonly #identity: DeviceIdentity;
  readonly #log: (line: LogLine) => void;
  readonly #listeners = new Set<Listener>();
  #delivery: Delivery | undefined;

  constructor({ identity, log }: { identity: DeviceIdentity; log: (line: LogLine) => void }) {
    this.#identity = identity;
    this.#log = log;
  }

  add(listener: Listener): void {
    this.#listeners.add(listener);
  }

  has(listener: Listener): boolean {
    return this.#listeners.has(listener);
  }

  /** @returns whether it was the last one; what it was asked is open again then */
  remove(listener: Listener): boolean {
    if (!this.#listeners.delete(listener) || this.#listeners.size > 0) return false;
    this.#delivery?.close();
    return true;
  }

  close(): void {
    this.#listeners.clear();
    this.#delivery?.close();
  }

  /** Those of the listener that came last. */
  get settings(): ConfigurationListening {
    return [...this.#listeners].at(-1)?.listening ?? {};
  }

  get wantAsking(): boolean {
    return [...this.#listeners].some(({ listening }) => listening.ask);
  }

  /**
   * Hands a configuration to all listeners and waits for the first answer.
   * @param keep keeps what the answer means
   * @param tell tells the platform
   * @returns how it ended; undefined when nobody listens
   */
  async deliver(
    { configId, digest, text }: KeptConfiguration,
    details: Pick<DeliveryDetails, 'source' | 'guardMs' | 'reason'>,
    keep: (accepted: boolean) => Promise<void>,
    tell: (answer: AlinkAnswer) => Promise<void> = () => Promise.resolve(),
  ): Promise<DeliveryEnd | undefined> {
    const listeners = [...this.#listeners];
    if (listeners.length === 0) return undefined;
    const size = Buffer.byteLength(text);
    const about = { identity: this.#identity, configId, digest, size, receivedAt: Date.now() };
    const delivery = new Delivery({ ...about, ...details }, () => parseJson(text), keep, tell);
    this.#delivery = delivery;
    const { timeLimitMs = USUAL_TIME_LIMIT_MS } = this.settings;
    delivery.start(timeLimitMs);
    for (const { deliver } of listeners) this.#call(() => deliver(delivery.view()));
    const end = await delivery.ended;
    this.#delivery = undefined;
    if (end === 'expired') this.problem(notAnswered(configId, timeLimitMs / 1000));
    return end;
  }

  problem(error: AlinkError): void {
    // The end of the device is told elsewhere.
    if (error.key === 'closed') return;
    for (const { listening } of [...this.#listeners]) this.#call(() => listening.onProblem?.(error));
  }

  confirmed(configId: string): void {
    for (const { listening } of [...this.#listeners]) this.#call(() => listening.onConfirmed?.(configId));
  }

  // A listener is somebody else's code; its fault must not reach the connection or the other listeners.
  #call(listener: () => void): void {
    try {
      listener();
    } catch (thrown) {
      const reason = thrown instanceof Error ? thrown.message : String(thrown);
      this.#log({ level: 'warn', event: 'listenerFailed', details: { reason } });
    }
  }
}

function notAnswered(name: string, seconds: number): AlinkError {
  return new AlinkError('notAnswered', `${name} was not answered within ${seconds} s`, {
    code: 400,
    details: { name, seconds },
  });
}
