import { type DeviceIdentity, parseJson } from '../../protocol';
import type { AlinkAnswer } from '../downlink/types';
import { AlinkError } from '../errors';
import type { LogLine } from '../types';
import { type Ballot, Delivery, type DeliveryDetails, type DeliveryEnd } from './delivery';
import { strictest } from './listening';
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
  /** With what each was asked last. */
  readonly #listeners = new Map<Listener, Ballot | undefined>();
  #delivery: Delivery | undefined;

  constructor({ identity, log }: { identity: DeviceIdentity; log: (line: LogLine) => void }) {
    this.#identity = identity;
    this.#log = log;
  }

  get size(): number {
    return this.#listeners.size;
  }

  add(listener: Listener): void {
    this.#listeners.set(listener, undefined);
  }

  has(listener: Listener): boolean {
    return this.#listeners.has(listener);
  }

  /** What it was asked and has not answered is open again, for whoever comes in its place. */
  remove(listener: Listener): void {
    const ballot = this.#listeners.get(listener);
    this.#listeners.delete(listener);
    if (ballot) this.#delivery?.withdraw(ballot);
  }

  close(): void {
    this.#listeners.clear();
    this.#delivery?.close();
  }

  /** The strictest of all. */
  get settings(): ConfigurationListening {
    return strictest([...this.#listeners.keys()].map(({ listening }) => listening));
  }

  /**
   * Hands a configuration to all listeners and waits for their answers.
   * @param keep keeps what the answers mean together
   * @param tell tells the platform
   * @returns how it ended; undefined when nobody listens
   */
  async deliver(
    { configId, digest, text }: KeptConfiguration,
    details: Pick<DeliveryDetails, 'source' | 'guardMs' | 'reason'>,
    keep: (accepted: boolean) => Promise<void>,
    tell: (answer: AlinkAnswer) => Promise<void> = () => Promise.resolve(),
  ): Promise<DeliveryEnd | undefined> {
    const listeners = [...this.#listeners.keys()];
    if (listeners.length === 0) return undefined;
    const size = Buffer.byteLength(text);
    const about = { identity: this.#identity, configId, digest, size, receivedAt: Date.now() };
    const delivery = new Delivery({ ...about, ...details }, { document: () => parseJson(text), keep, tell });
    this.#delivery = delivery;
    const asked = listeners.map((listener) => ({
      listener,
      ballot: this.#ask(delivery, listener, configId),
    }));
    for (const { listener, ballot } of asked) this.#call(() => listener.deliver(ballot));
    const end = await delivery.ended;
    this.#delivery = undefined;
    return end;
  }

  problem(error: AlinkError): void {
    // The end of the device is told elsewhere.
    if (error.key === 'closed') return;
    this.#tell(({ onProblem }) => onProblem?.(error));
  }

  retry(error: AlinkError, waitMs: number): void {
    this.#tell(({ onRetry }) => onRetry?.(error, waitMs));
  }

  onTrial(configId: string, until: number): void {
    this.#tell(({ onTrial }) => onTrial?.(configId, until));
  }

  confirmed(configId: string): void {
    this.#tell(({ onConfirmed }) => onConfirmed?.(configId));
  }

  #ask(delivery: Delivery, listener: Listener, configId: string): Ballot {
    const { timeLimitMs = USUAL_TIME_LIMIT_MS, onProblem } = listener.listening;
    const ballot = delivery.ask(timeLimitMs, () =>
      this.#call(() => onProblem?.(notAnswered(configId, timeLimitMs / 1000))),
    );
    this.#listeners.set(listener, ballot);
    return ballot;
  }

  #tell(news: (listening: ConfigurationListening) => void): void {
    for (const { listening } of [...this.#listeners.keys()]) this.#call(() => news(listening));
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
    details: { name, seconds, kind: 'configuration' },
  });
}
