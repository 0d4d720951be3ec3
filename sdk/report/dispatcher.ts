import { type AlinkReply, formatRequest, LIMITS, MessageIds, operation, utf8Length } from '../../protocol';
import { AlinkError } from '../errors';
import { type Answer, WIRE_FORMATS, wireFormat } from '../operations';
import { Requests } from '../requests';
import type { MqttLink } from '../session/mqtt-link';
import type { DeviceIdentityTopics } from '../topics';
import type { RequestOptions } from '../types';
import { MemoryOutbox, type Outbox, type OutboxItem, type OutgoingMessage } from './outbox';
import { type SendNext, SendWindow } from './send-window';

/** While online more may queue for the window than may wait without a connection. */
const ONLINE_QUEUE = 20_000;
/** Room that the envelope takes around the params; method and id are far shorter. */
const ENVELOPE = 512;

export interface DispatcherOptions {
  topics: DeviceIdentityTopics;
  /** The open link, undefined while offline. */
  link: () => Pick<MqttLink, 'publish'> | undefined;
  waitingLimit: number;
  defaultTimeoutMs: number;
  onWaiting: (size: number) => void;
  /** Why there is no link, as far as it is known. */
  offlineReason?: () => AlinkError | undefined;
  /** Shared with the others on the same connection. */
  window?: SendWindow | undefined;
  /** Last look at params before they are written; times may be known only now. */
  settle?: ((params: string) => string) | undefined;
  /** Milliseconds on a clock that never jumps: a wrong time of day must not let everything expire. */
  now?: () => number;
}

/** A request to be sent: an operation of the catalogue and its params as JSON text. */
export interface Submission {
  operation: string;
  params: string;
  /** The data of a block of a file. */
  payload?: Uint8Array;
  options: RequestOptions;
}

/** A message without envelope. */
export type RawMessage = Pick<OutgoingMessage, 'operation' | 'topic' | 'replyTopic' | 'qos'> & {
  payload: string | Uint8Array;
};

/**
 * The one way out for everything that expects an answer: waits in the outbox while offline or while too many are
 * unanswered, then publishes and waits for the reply (design: outbox → session request → reply).
 */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #now: () => number;
  readonly #requests: Requests<OutboxItem>;
  readonly #outbox: Outbox;
  readonly #ids = new MessageIds(Date.now());
  readonly #window: SendWindow;
  readonly #sendNext: SendNext = () => this.#next();
  /** Why nothing can be sent any more: what comes after the end would wait for nothing. */
  #closed: AlinkError | undefined;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#requests = new Requests(this.#now, (item) => this.#settled(item));
    this.#outbox = new MemoryOutbox(options.onWaiting, this.#now, options.offlineReason);
    this.#window = options.window ?? new SendWindow();
  }

  /** Messages that wait for the connection or for their turn. */
  get waiting(): number {
    return this.#outbox.size;
  }

  /** An id for a message that is no request. */
  nextId(): string {
    return this.#ids.next();
  }

  /** Requests that were sent and are not answered. */
  get unanswered(): number {
    return this.#requests.size;
  }

  /** @throws AlinkError when the request cannot be sent, is refused or is not answered in time */
  submit({ operation: name, params, payload, options }: Submission): Promise<Answer> {
    return new Promise<Answer>((resolve, reject) => {
      if (options.signal?.aborted) throw aborted();
      const { topic, replyTopic, method, qos, format } = this.#options.topics.of(name, options.variables);
      checkSize(params, method);
      const message = {
        operation: name,
        topic,
        replyTopic,
        format,
        method,
        params,
        payload,
        qos: options.qos ?? qos,
      };
      this.#put(message, options, resolve, reject);
    });
  }

  /**
   * Sends bytes or text as they are; waits for the connection and its turn like a request.
   * @param message its topic checked already; without `replyTopic` it ends with its acknowledgement
   * @throws AlinkError when it cannot be sent or is not acknowledged in time
   */
  send(message: RawMessage, options: Pick<RequestOptions, 'timeoutMs' | 'signal'>): Promise<Answer> {
    return new Promise<Answer>((resolve, reject) => {
      if (options.signal?.aborted) throw aborted();
      const { payload } = message;
      const value = typeof payload === 'string' ? utf8Length(payload) : payload.length;
      if (value > LIMITS.mqttPayloadBytes) throw tooLarge(value);
      this.#put({ ...message, format: 'opaque', method: undefined, params: '' }, options, resolve, reject);
    });
  }

  #put(
    message: OutgoingMessage,
    { timeoutMs = this.#options.defaultTimeoutMs, signal }: Pick<RequestOptions, 'timeoutMs' | 'signal'>,
    resolve: (answer: Answer) => void,
    reject: (error: AlinkError) => void,
  ): void {
    if (this.#closed) throw this.#closed;
    const deadline = this.#now() + timeoutMs;
    const item: OutboxItem = { message, deadline, timeoutMs, unacknowledged: false, resolve, reject };
    const online = this.#options.link() !== undefined;
    this.#outbox.put(item, online ? ONLINE_QUEUE : this.#options.waitingLimit);
    if (signal) this.#watch(item, signal);
    this.drain();
  }

  /** A message on a topic of the device. @returns what became of it, undefined when no request waits there */
  receive(topic: string, payload: Uint8Array): ReturnType<Requests['receive']> {
    return this.#requests.receive(topic, payload);
  }

  /** A request that the platform refused on another topic than that of its answers. @returns whether there is one */
  refuse(id: string, answer: AlinkReply): boolean {
    return this.#requests.refuse(id, answer);
  }

  /** Sends what waits, in the order it came, as far as the window allows. */
  drain(): void {
    while (this.#window.isOpen) if (!this.#next()) return;
    if (this.#outbox.size > 0 && this.#options.link() !== undefined) this.#window.join(this.#sendNext);
  }

  /** Sends what came first. @returns whether more waits that could be sent */
  #next(): boolean {
    const link = this.#options.link();
    if (link === undefined) return false;
    const item = this.#outbox.take();
    if (item === undefined) return false;
    this.#send(link, item);
    return this.#outbox.size > 0;
  }

  /**
   * The connection ended: what was sent fails, because it may have arrived and must not be sent twice unasked;
   * what waits goes on waiting for its time limit.
   */
  disconnected(error: AlinkError): void {
    this.#window.leave(this.#sendNext);
    this.#requests.failAll(
      new AlinkError(
        'disconnected',
        'the connection was lost before the answer; the message may have arrived',
        { retry: 'slow', cause: error, details: { reason: error.message } },
      ),
    );
    this.#outbox.trim(this.#options.waitingLimit);
  }

  close(error: AlinkError): void {
    this.#closed = error;
    this.#window.leave(this.#sendNext);
    this.#outbox.close(error);
    this.#requests.failAll(error);
  }

  #send(link: Pick<MqttLink, 'publish'>, item: OutboxItem): void {
    const { settle } = this.#options;
    const message = settle ? { ...item.message, params: settle(item.message.params) } : item.message;
    const { topic, replyTopic, qos } = message;
    const format = WIRE_FORMATS[message.format];
    const key = format.key(this.#ids.next(), message);
    this.#requests.add(replyTopic, key, item);
    item.unacknowledged = qos === 1;
    this.#window.enter(item.unacknowledged);
    link.publish(topic, format.write(key, message), qos, (cause) => {
      this.#acknowledged(item);
      if (!cause) {
        if (replyTopic === '') this.#requests.taken(replyTopic, key);
        return;
      }
      const error = new AlinkError('disconnected', 'the message could not be written', {
        retry: 'slow',
        cause,
        details: { reason: cause.message },
      });
      this.#requests.fail(replyTopic, key, error);
    });
  }

  #settled(item: OutboxItem): void {
    this.#outbox.acknowledge(item);
    this.#acknowledged(item);
    this.#window.answer();
  }

  // By PUBACK, or by the end of the request when that comes first or PUBACK never does.
  #acknowledged(item: OutboxItem): void {
    if (!item.unacknowledged) return;
    item.unacknowledged = false;
    this.#window.acknowledge();
  }

  // The listener leaves with the message: one signal lives as long as its node and sees millions of them.
  #watch(item: OutboxItem, signal: AbortSignal): void {
    const { resolve, reject } = item;
    const abort = () => {
      this.#outbox.remove(item);
      item.reject(aborted());
    };
    item.resolve = (answer) => {
      signal.removeEventListener('abort', abort);
      resolve(answer);
    };
    item.reject = (error) => {
      signal.removeEventListener('abort', abort);
      reject(error);
    };
    signal.addEventListener('abort', abort, { once: true });
  }
}

/** Whether the catalogue has an operation that a device may ask and be answered. @throws AlinkError */
export function assertAnswerable(name: string): void {
  try {
    const entry = operation(name);
    // Bytes and blocks of files have doors of their own.
    const answerable = entry.format === 'alink' || entry.format === 'json';
    if (answerable && wireFormat(entry) !== undefined) return;
  } catch {
    // reported below with the same words
  }
  throw new AlinkError('unknownOperation', `"${name}" is not a request of a device`, {
    details: { operation: name },
  });
}

function checkSize(params: string, method = ''): void {
  const limit = LIMITS.mqttPayloadBytes;
  // A cheap bound first: three bytes a character is the most that UTF-8 takes here.
  if ((params.length + method.length) * 3 + ENVELOPE <= limit) return;
  const value = utf8Length(formatRequest('4294967295', method, params));
  if (value > limit) throw tooLarge(value);
}

function tooLarge(value: number): AlinkError {
  const limit = LIMITS.mqttPayloadBytes;
  return new AlinkError('payloadTooLarge', `the message has ${value} bytes, at most ${limit} are allowed`, {
    details: { value, limit },
  });
}

function aborted(): AlinkError {
  return new AlinkError('aborted', 'the request was given up');
}
