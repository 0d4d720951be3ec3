import { type AlinkReply, EnvelopeError, explainCode, parseReply } from '../protocol';
import { AlinkError, type Retry } from './errors';

interface Pending {
  operation: string;
  deadline: number;
  timeoutMs: number;
  resolve: (reply: AlinkReply) => void;
  reject: (error: AlinkError) => void;
}

/** How exact time limits are kept; one timer serves all requests. */
const SWEEP_MS = 100;

/**
 * Requests that wait for their answer, matched by reply topic and id (B.0). Every one ends exactly once: by its
 * answer, its time limit, or the end of the connection.
 */
export class Requests {
  readonly #byTopic = new Map<string, Map<string, Pending>>();
  #size = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly now: () => number = Date.now) {}

  get size(): number {
    return this.#size;
  }

  /** @param timeoutMs limit of the whole request, from now */
  add(
    operation: string,
    replyTopic: string,
    id: string,
    timeoutMs: number,
    resolve: (reply: AlinkReply) => void,
    reject: (error: AlinkError) => void,
  ): void {
    let waiting = this.#byTopic.get(replyTopic);
    if (waiting === undefined) {
      waiting = new Map();
      this.#byTopic.set(replyTopic, waiting);
    }
    waiting.set(id, { operation, deadline: this.now() + timeoutMs, timeoutMs, resolve, reject });
    this.#size++;
    this.#timer ??= setInterval(() => this.#sweep(), SWEEP_MS);
  }

  /** Whether a message on this topic may answer a request. */
  expects(topic: string): boolean {
    return this.#byTopic.has(topic);
  }

  /**
   * Takes a message on a topic that is expected.
   * @returns why it answers nothing: unreadable, or its id is unknown (too late, or a duplicate)
   */
  answer(topic: string, payload: Uint8Array): 'malformed' | 'unknownId' | undefined {
    let reply: AlinkReply;
    try {
      reply = parseReply(payload);
    } catch (thrown) {
      if (thrown instanceof EnvelopeError) return 'malformed';
      throw thrown;
    }
    const pending = this.#take(topic, String(reply.id));
    if (pending === undefined) return 'unknownId';
    if (reply.code === 200) pending.resolve(reply);
    else pending.reject(refusal(reply, pending.operation));
    return undefined;
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
    this.#stop();
    for (const { reject } of all) reject(error);
  }

  #take(topic: string, id: string): Pending | undefined {
    const waiting = this.#byTopic.get(topic);
    const pending = waiting?.get(id);
    if (waiting === undefined || pending === undefined) return undefined;
    waiting.delete(id);
    this.#size--;
    if (this.#size === 0) this.#stop();
    return pending;
  }

  #stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #sweep(): void {
    const now = this.now();
    for (const [topic, waiting] of this.#byTopic) {
      for (const [id, { deadline, timeoutMs, operation }] of waiting) {
        if (deadline > now) continue;
        const seconds = Math.round(timeoutMs / 100) / 10;
        const message = `the platform did not answer within ${seconds} s`;
        this.fail(
          topic,
          id,
          new AlinkError('timeout', message, { retry: 'slow', details: { seconds, operation } }),
        );
      }
      if (waiting.size === 0) this.#byTopic.delete(topic);
    }
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
