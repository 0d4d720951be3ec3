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

/** What becomes of a delivery. */
export interface DeliveryDoor {
  /** A copy of the document. */
  document: () => Json;
  /** Keeps what the answer means. */
  keep: (accepted: boolean) => Promise<void>;
  /** Tells the platform; nothing else waits for it, as it may be out of reach. @throws AlinkError */
  tell: (answer: AlinkAnswer) => Promise<void>;
}

/**
 * One configuration on its way through the flows of its listeners: accepted when all have accepted it, and ended by
 * the first that refuses it, does not answer in time, or goes away.
 */
export class Delivery {
  /** Resolves when the end was dealt with. */
  readonly ended: Promise<DeliveryEnd>;
  readonly #details: DeliveryDetails;
  readonly #door: DeliveryDoor;
  readonly #open = new Set<Ballot>();
  #settle: (end: DeliveryEnd) => void = () => undefined;

  constructor(details: DeliveryDetails, door: DeliveryDoor) {
    this.#details = details;
    this.#door = door;
    this.ended = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  /**
   * Asks one more listener; all have to be asked before the first is told.
   * @param onExpired called when it is this one that did not answer
   */
  ask(timeLimitMs: number, onExpired: () => void): Ballot {
    const ballot = new Ballot(this.#details, this.#door.document(), {
      cast: (answer) => this.#cast(ballot, answer),
      expire: () => {
        this.#end('expired');
        onExpired();
      },
    });
    this.#open.add(ballot);
    ballot.start(timeLimitMs);
    return ballot;
  }

  /** A listener is gone. What it has not answered is open again. */
  withdraw(ballot: Ballot): void {
    if (this.#open.has(ballot)) this.#end('closed');
  }

  close(): void {
    if (this.#open.size > 0) this.#end('closed');
  }

  async #cast(ballot: Ballot, { code = 200, message }: AlinkAnswer): Promise<void> {
    this.#open.delete(ballot);
    const accepted = code === 200;
    if (accepted && this.#open.size > 0) return;
    this.#closeBallots('answered');
    try {
      await this.#door.keep(accepted);
    } finally {
      this.#settle(accepted ? 'accepted' : 'refused');
    }
    // What the flow has in its payload is mostly the configuration itself, which the platform knows.
    await this.#door.tell({ code, ...(message === undefined ? {} : { message }) });
  }

  #end(end: 'expired' | 'closed'): void {
    this.#closeBallots(end);
    this.#settle(end);
  }

  #closeBallots(how: RequestEnd): void {
    for (const ballot of this.#open) ballot.close(how);
    this.#open.clear();
  }
}

/** What one listener is asked: whether it accepts the configuration. */
export class Ballot implements ReceivedConfiguration {
  readonly token: string = randomUUID();
  readonly identity: DeviceIdentity;
  readonly source: ConfigurationSource;
  readonly configId: string;
  readonly size: number;
  readonly digest: string;
  readonly receivedAt: number;
  declare readonly guardMs?: number;
  declare readonly reason?: RollbackReason;
  #end: RequestEnd | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    details: DeliveryDetails,
    readonly document: Json,
    private readonly door: { cast: (answer: AlinkAnswer) => Promise<void>; expire: () => void },
  ) {
    const { identity, source, configId, size, digest, receivedAt, guardMs, reason } = details;
    this.identity = identity;
    this.source = source;
    this.configId = configId;
    this.size = size;
    this.digest = digest;
    this.receivedAt = receivedAt;
    if (guardMs !== undefined) this.guardMs = guardMs;
    if (reason !== undefined) this.reason = reason;
  }

  get ended(): boolean {
    return this.#end !== undefined;
  }

  start(timeLimitMs: number): void {
    remember(this);
    this.#timer = setTimeout(() => this.door.expire(), timeLimitMs);
  }

  async answer(answer: AlinkAnswer | { payload: Uint8Array | string }): Promise<void> {
    if (this.#end !== undefined) throw endError(this.#end);
    if ('payload' in answer) throw bytes();
    assertCode(answer.code);
    // Before anything is written: a second answer must not slip through meanwhile.
    this.close('answered');
    await this.door.cast(answer);
  }

  close(how: RequestEnd): void {
    if (this.#end !== undefined) return;
    this.#end = how;
    clearTimeout(this.#timer);
    forget(this.token, how);
  }
}

function bytes(): AlinkError {
  const reason = 'payload: a configuration is answered with a code and a message';
  return new AlinkError('invalidInput', reason, { details: { field: 'payload', reason } });
}
