import { type AlinkReply, EnvelopeError, explainCode, parseReply, parseRequest } from '../protocol';
import { AlinkError, type Retry } from './errors';
import { Sweep } from './sweep';

/** How a request ended well: the platform's answer, as bytes too where it is no envelope. */
export interface Answer extends AlinkReply {
  payload?: Uint8Array;
}

/** What is told of a message that has no answer but its acknowledgement. */
const TAKEN: Answer = { id: '', code: 200, data: {} };

/** A request that was sent: how it ends, and when it is too late. */
export interface PendingRequest {
  readonly message: { readonly operation: string; readonly payload?: string | Uint8Array | undefined };
  /** On the clock of the requests. */
  readonly deadline: number;
  readonly timeoutMs: number;
  resolve(answer: Answer): void;
  reject(error: AlinkError): void;
}

/**
 * Requests that wait for their answer, matched by reply topic and id (B.0). Every one ends exactly once: by its
 * answer, its time limit, or the end of the connection.
 */
export class Requests<R extends PendingRequest = PendingRequest> {
  readonly #byTopic = new Map<string, Map<string, R>>();
  readonly #sweep = new Sweep(() => this.#expire());
  #size = 0;

  /**
   * @param now milliseconds on the clock of the deadlines
   * @param onSettled told of each request that ended, before the request itself
   */
  constructor(
    private readonly now: () => number,
    private readonly onSettled: (request: R) => void,
  ) {}

  get size(): number {
    return this.#size;
  }

  add(replyTopic: string, id: string, request: R): void {
    let waiting = this.#byTopic.get(replyTopic);
    if (waiting === undefined) {
      waiting = new Map();
      this.#byTopic.set(replyTopic, waiting);
    }
    waiting.set(id, request);
    this.#size++;
    this.#sweep.wake();
  }

  /**
   * Takes a message that may be an answer.
   * @returns undefined when nothing of this topic is waited for; `unknownId` for an answer that is too late or
   * came twice; `malformed` when it cannot be read and nobody can be told
   */
  receive(topic: string, payload: Uint8Array): 'answered' | 'malformed' | 'unknownId' | undefined {
    const waiting = this.#byTopic.get(topic);
    if (waiting === undefined) return undefined;
    const [oldest] = waiting;
    // Bytes carry no id: they answer whoever has waited longest. An answer that comes after its time limit is taken
    // for the next one's; there is nothing in it to tell them apart (B.1 row 12).
    if (oldest?.[1].message.payload !== undefined) {
      this.#take(topic, oldest[0])?.resolve({ ...TAKEN, payload });
      return 'answered';
    }
    let reply: AlinkReply;
    try {
      reply = parseReply(payload);
    } catch (thrown) {
      if (thrown instanceof EnvelopeError) return this.#malformed(topic, payload, thrown);
      throw thrown;
    }
    const pending = this.#take(topic, String(reply.id));
    if (pending === undefined) return 'unknownId';
    if (reply.code === 200) pending.resolve(reply);
    else pending.reject(refusal(reply, pending.message.operation));
    return 'answered';
  }

  /** The platform has taken a message that nobody answers. */
  taken(topic: string, id: string): void {
    this.#take(topic, id)?.resolve(TAKEN);
  }

  /** Fails one request, for example because it could not be written. */
  fail(topic: string, id: string, error: AlinkError): void {
    this.#take(topic, id)?.reject(error);
  }

  /** Fails all: what was sent and not answered may or may not have arrived. */
  failAll(error: AlinkError): void {
    const all = [...this.#byTopic.values()].flatMap((waiting) => [...waiting.values()]);
    this.#byTopic.clear();
    this.#size = 0;
    this.#sweep.stop();
    for (const request of all) {
      this.onSettled(request);
      request.reject(error);
    }
  }

  #take(topic: string, id: string): R | undefined {
    const waiting = this.#byTopic.get(topic);
    const pending = waiting?.get(id);
    if (waiting === undefined || pending === undefined) return undefined;
    waiting.delete(id);
    this.#size--;
    this.onSettled(pending);
    return pending;
  }

  // An answer without a code still has an id sometimes; then its request need not wait for its time limit.
  #malformed(topic: string, payload: Uint8Array, why: EnvelopeError): 'answered' | 'malformed' {
    let id: string;
    try {
      id = String(parseRequest(payload).id);
    } catch {
      return 'malformed'; // told by the caller
    }
    const pending = this.#take(topic, id);
    if (pending === undefined) return 'malformed';
    const { operation } = pending.message;
    pending.reject(
      new AlinkError('malformedReply', `the answer of the platform cannot be read: ${why.message}`, {
        retry: 'slow',
        cause: why,
        details: { operation, reason: why.message },
      }),
    );
    return 'answered';
  }

  #expire(): boolean {
    const now = this.now();
    for (const [topic, waiting] of this.#byTopic) {
      for (const [id, { deadline, timeoutMs, message: sent }] of waiting) {
        if (deadline > now) continue;
        const seconds = Math.round(timeoutMs / 100) / 10;
        const message = `the platform did not answer within ${seconds} s`;
        const details = { seconds, operation: sent.operation };
        this.fail(topic, id, new AlinkError('timeout', message, { retry: 'slow', details }));
      }
      // Topics of events come from messages; only those in use are kept.
      if (waiting.size === 0) this.#byTopic.delete(topic);
    }
    return this.#size > 0;
  }
}

function refusal(reply: AlinkReply, operation: string): AlinkError {
  const explanation = explainCode(reply.code, operation);
  const retry: Retry = explanation === undefined || explanation.retry === 'none' ? 'no' : explanation.retry;
  const reason = explanation?.en ?? 'no explanation is known';
  return new AlinkError('platformRefused', `the platform answered ${reply.code}: ${reason}`, {
    code: reply.code,
    retry,
    details: { reason, operation },
    ...(reply.message ? { platformMessage: reply.message.slice(0, 500) } : {}),
  });
}
