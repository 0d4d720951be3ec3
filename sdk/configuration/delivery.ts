import { randomUUID } from 'node:crypto';
import type { DeviceIdentity, Json } from '../../protocol';
import { endError, forget, type RequestEnd, remember } from '../downlink/registry';
import { assertCode } from '../downlink/request';
import type { AlinkAnswer } from '../downlink/types';
import { AlinkError } from '../errors';
import type { ConfigurationSource, ReceivedConfiguration, RollbackReason } from './types';

export interface DeliveryDetails {
  identity: DeviceIdentity;
  source: ConfigurationSource;
  configId: string;
  size: number;
  digest: string;
  guardMs?: number;
  reason?: RollbackReason;
  receivedAt: number;
}

/** How a delivery ended. */
export type DeliveryEnd = 'accepted' | 'refused' | 'expired' | 'closed';

/** One configuration on its way through a flow: answered once, by the flow or by its time limit. */
export class Delivery {
  readonly token: string = randomUUID();
  /** Resolves when the answer was dealt with. */
  readonly ended: Promise<DeliveryEnd>;
  #end: RequestEnd | undefined;
  #timer: NodeJS.Timeout | undefined;
  #settle: (end: DeliveryEnd) => void = () => undefined;

  /**
   * @param keep keeps what the answer means
   * @param tell tells the platform; nothing else waits for it, as it may be out of reach. @throws AlinkError
   */
  constructor(
    private readonly details: DeliveryDetails,
    private readonly document: () => Json,
    private readonly keep: (accepted: boolean) => Promise<void>,
    private readonly tell: (answer: AlinkAnswer) => Promise<void>,
  ) {
    this.ended = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  start(timeLimitMs: number): void {
    remember(this);
    this.#timer = setTimeout(() => {
      if (this.#finish('expired')) this.#settle('expired');
    }, timeLimitMs);
  }

  /** What one listener gets. */
  view(): ReceivedConfiguration {
    const isEnded = () => this.#end !== undefined;
    return {
      ...this.details,
      token: this.token,
      document: this.document(),
      get ended() {
        return isEnded();
      },
      answer: (answer) => this.answer(answer),
    };
  }

  async answer(answer: AlinkAnswer | { payload: Uint8Array | string }): Promise<void> {
    if (this.#end !== undefined) throw endError(this.#end);
    if ('payload' in answer) throw bytes();
    const { code = 200, message } = answer;
    assertCode(code);
    // Before anything is written: a second answer must not slip through meanwhile.
    this.#finish('answered');
    const accepted = code === 200;
    try {
      await this.keep(accepted);
    } finally {
      this.#settle(accepted ? 'accepted' : 'refused');
    }
    // What the flow has in its payload is mostly the configuration itself, which the platform knows.
    await this.tell({ code, ...(message === undefined ? {} : { message }) });
  }

  /** Nobody is there any more to answer. */
  close(): void {
    if (this.#finish('closed')) this.#settle('closed');
  }

  #finish(how: RequestEnd): boolean {
    if (this.#end !== undefined) return false;
    this.#end = how;
    clearTimeout(this.#timer);
    forget(this.token, how);
    return true;
  }
}

function bytes(): AlinkError {
  const reason = 'payload: a configuration is answered with a code and a message';
  return new AlinkError('invalidInput', reason, { details: { field: 'payload', reason } });
}
