import { type AlinkReply, EnvelopeError, explainCode } from '../protocol';
import { AlinkError, type Retry } from './errors';
import { type Answer, WIRE_FORMATS, type WireFormat, type WireFormatName } from './operations';
import { Sweep } from './sweep';

/** What is told of a message that has no answer but its acknowledgement. */
const TAKEN: Answer = { id: '', code: 200, data: {} };

/** A request that was sent: how it ends, and when it is too late. */
export interface PendingRequest {
  readonly message: { readonly operation: string; readonly format: WireFormatName };
  /** On the clock of the requests. */
  readonly deadline: number;
  readonly timeoutMs: number;
  resolve(answer: Answer): void;
  reject(error: AlinkError): void;
}

/** Requests on one topic of answers, oldest first; they are of one format. */
interface Waiting<R> {
  readonly format: WireFormat;
  readonly requests: Map<string, R>;
}

/**
 * Requests that wait for their answer, matched by reply topic and what their format goes by, mostly the id (B.0). Every one ends exactly once: by its
 * answer, its time limit, or the end of the connection.
 */
export class Requests<R extends PendingRequest = PendingRequest> {
  readonly #byTopic = new Map<string, Waiting<R>>();
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

  /** @param key as the format of the message gave it */
  add(replyTopic: string, key: string, request: R): void {
    let waiting = this.#byTopic.get(replyTopic);
    if (waiting === undefined) {
      waiting = { format: WIRE_FORMATS[request.message.format], requests: new Map() };
      this.#byTopic.set(replyTopic, waiting);
    }
    waiting.requests.set(key, request);
    this.#size++;
    this.#sweep.wake();
  }

  /**
   * Takes a message that may be an answer.
   * @returns undefined when nothing of this topic is waited for, or it is no answer; `unknownId` for an answer that
   * is too late or came twice; `malformed` when it cannot be read and nobody can be told
   */
  receive(topic: string, payload: Uint8Array): 'answered' | 'malformed' | 'unknownId' | undefined {
    const waiting = this.#byTopic.get(topic);
    if (waiting === undefined) return undefined;
    const { format, requests } = waiting;
    let answer: Answer | undefined;
    try {
      answer = format.read(payload);
    } catch (thrown) {
      if (!(thrown instanceof EnvelopeError)) throw thrown;
      const pending = this.#take(topic, format.keyOfUnreadable(payload, requests));
      pending?.reject(malformed(pending.message.operation, thrown));
      return pending === undefined ? 'malformed' : 'answered';
    }
    if (answer === undefined) return undefined;
    const pending = this.#take(topic, format.keyOf(answer, requests));
    if (pending === undefined) return 'unknownId';
    if (answer.code === 200) pending.resolve(answer);
    else pending.reject(refusal(answer, pending.message.operation));
    return 'answered';
  }

  /**
   * A request that the platform refused without answering it on its own topic (B.5 row 75).
   * @param key as the format of the message gave it
   * @returns whether there was one
   */
  refuse(key: string, answer: AlinkReply): boolean {
    for (const [topic, { requests }] of this.#byTopic) {
      if (!requests.has(key)) continue;
      const pending = this.#take(topic, key);
      pending?.reject(refusal(answer, pending.message.operation));
      return true;
    }
    return false;
  }

  /** The platform has taken a message that nobody answers. */
  taken(topic: string, key: string): void {
    this.#take(topic, key)?.resolve(TAKEN);
  }

  /** Fails one request, for example because it could not be written. */
  fail(topic: string, key: string, error: AlinkError): void {
    this.#take(topic, key)?.reject(error);
  }

  /** Fails all: what was sent and not answered may or may not have arrived. */
  failAll(error: AlinkError): void {
    const all = [...this.#byTopic.values()].flatMap(({ requests }) => [...requests.values()]);
    this.#byTopic.clear();
    this.#size = 0;
    this.#sweep.stop();
    for (const request of all) {
      this.onSettled(request);
      request.reject(error);
    }
  }

  #take(topic: string, key: string | undefined): R | undefined {
    const requests = this.#byTopic.get(topic)?.requests;
    if (requests === undefined || key === undefined) return undefined;
    const pending = requests.get(key);
    if (pending === undefined) return undefined;
    requests.delete(key);
    this.#size--;
    this.onSettled(pending);
    return pending;
  }

  #expire(): boolean {
    const now = this.now();
    for (const [topic, { requests }] of this.#byTopic) {
      for (const [key, { deadline, timeoutMs, message: sent }] of requests) {
        if (deadline > now) continue;
        const seconds = Math.round(timeoutMs / 100) / 10;
        const message = `the platform did not answer within ${seconds} s`;
        const details = { seconds, operation: sent.operation };
        this.fail(topic, key, new AlinkError('timeout', message, { retry: 'slow', details }));
      }
      // Topics of events come from messages; only those in use are kept.
      if (requests.size === 0) this.#byTopic.delete(topic);
    }
    return this.#size > 0;
  }
}

function malformed(operation: string, why: EnvelopeError): AlinkError {
  return new AlinkError('malformedReply', `the answer of the platform cannot be read: ${why.message}`, {
    retry: 'slow',
    cause: why,
    details: { operation, reason: why.message },
  });
}

/** What a code other than 200 means for a request. */
export function refusal(reply: AlinkReply, operation: string): AlinkError {
  const explanation = explainCode(reply.code, operation);
  const retry: Retry = explanation === undefined || explanation.retry === 'none' ? 'no' : explanation.retry;
  const reason = explanation?.en ?? 'no explanation is known';
  return new AlinkError('platformRefused', `the platform answered ${reply.code}: ${reason}`, {
    code: reply.code,
    retry,
    details: { reason, operation },
    platformData: reply.data,
    ...(reply.message ? { platformMessage: reply.message.slice(0, 500) } : {}),
  });
}
