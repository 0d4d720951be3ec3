import { type AlinkReply, formatRequest, LIMITS, MessageIds, operation, utf8Length } from '../../protocol';
import { AlinkError } from '../errors';
import { Requests } from '../requests';
import type { MqttLink } from '../session/mqtt-link';
import type { DeviceIdentityTopics } from '../topics';
import type { RequestOptions } from '../types';
import { MemoryOutbox, type Outbox, type OutboxItem } from './outbox';

/** Unacknowledged QoS 1 messages that the platform takes (section D). */
const WINDOW = 150;
/** While online more may queue for the window than may wait without a connection. */
const ONLINE_QUEUE = 20_000;

export interface DispatcherOptions {
  topics: DeviceIdentityTopics;
  link: () => MqttLink | undefined;
  waitingLimit: number;
  defaultTimeoutMs: number;
  onWaiting: (size: number) => void;
}

/** A request to be sent: an operation of the catalogue and its params as JSON text. */
export interface Submission {
  operation: string;
  params: string;
  options: RequestOptions;
}

/**
 * The one way out for everything that expects an answer: waits in the outbox while offline or while too many are
 * unanswered, then publishes and waits for the reply (design: outbox → session request → reply).
 */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #requests = new Requests();
  readonly #outbox: Outbox;
  readonly #ids = new MessageIds(Date.now());
  #inFlight = 0;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#outbox = new MemoryOutbox(ONLINE_QUEUE, options.onWaiting);
  }

  /** Messages that wait for the connection or for their turn. */
  get waiting(): number {
    return this.#outbox.size;
  }

  /** Requests that were sent and are not answered. */
  get unanswered(): number {
    return this.#requests.size;
  }

  /** @throws AlinkError when the request cannot be sent, is refused or is not answered in time */
  submit({ operation: name, params, options }: Submission): Promise<AlinkReply> {
    const timeoutMs = options.timeoutMs ?? this.#options.defaultTimeoutMs;
    const deadline = Date.now() + timeoutMs;
    return new Promise<AlinkReply>((resolve, reject) => {
      const { signal } = options;
      if (signal?.aborted) {
        reject(aborted());
        return;
      }
      const item: OutboxItem = {
        deadline,
        timeoutMs,
        reject,
        send: () => this.#publish(name, params, options, deadline, resolve, reject),
      };
      if (signal === undefined) {
        this.#enqueue(item);
        return;
      }
      // The listener leaves with the message: one signal lives as long as its node and sees millions of them.
      const abort = () => {
        this.#outbox.remove(item);
        item.reject(aborted());
      };
      signal.addEventListener('abort', abort, { once: true });
      const settled = () => signal.removeEventListener('abort', abort);
      const { reject: fail } = item;
      item.reject = (error) => {
        settled();
        fail(error);
      };
      item.send = () =>
        this.#publish(
          name,
          params,
          options,
          deadline,
          (reply) => {
            settled();
            resolve(reply);
          },
          item.reject,
        );
      this.#enqueue(item);
    });
  }

  /** A message on a topic of the device. @returns whether it was meant for a request */
  receive(topic: string, payload: Uint8Array): 'malformed' | 'unknownId' | 'answered' | undefined {
    if (!this.#requests.expects(topic)) return undefined;
    return this.#requests.answer(topic, payload) ?? 'answered';
  }

  /** Sends what waits, in the order it came, as far as the window allows. */
  drain(): void {
    while (this.#inFlight < WINDOW && this.#options.link() !== undefined) {
      const item = this.#outbox.take();
      if (item === undefined) return;
      item.send();
    }
  }

  /** The connection ended: what was sent fails, what waits goes on waiting for its time limit. */
  disconnected(error: AlinkError): void {
    this.#requests.failAll(
      new AlinkError(
        'disconnected',
        'the connection was lost before the answer; the message may have arrived',
        {
          retry: 'slow',
          cause: error,
          details: { reason: error.message },
        },
      ),
    );
  }

  close(error: AlinkError): void {
    this.#outbox.close(error);
    this.#requests.failAll(error);
  }

  #enqueue(item: OutboxItem): void {
    if (this.#outbox.size === 0 && this.#inFlight < WINDOW && this.#options.link() !== undefined) {
      item.send();
      return;
    }
    try {
      if (this.#options.link() === undefined && this.#outbox.size >= this.#options.waitingLimit) {
        const limit = this.#options.waitingLimit;
        throw new AlinkError('waitingFull', `${limit} messages are waiting for the connection already`, {
          retry: 'slow',
          details: { limit },
        });
      }
      this.#outbox.put(item);
    } catch (thrown) {
      item.reject(thrown as AlinkError);
    }
  }

  #publish(
    name: string,
    params: string,
    options: RequestOptions,
    deadline: number,
    resolve: (reply: AlinkReply) => void,
    reject: (error: AlinkError) => void,
  ): void {
    const link = this.#options.link();
    if (link === undefined) {
      reject(new AlinkError('disconnected', 'the connection is gone', { retry: 'slow' }));
      return;
    }
    const { topic, replyTopic, method, qos } = this.#options.topics.of(name, options.variables);
    const id = this.#ids.next();
    const payload = formatRequest(id, method, params);
    // A cheap bound first: three bytes a character is the most that UTF-8 takes here.
    if (payload.length * 3 > LIMITS.mqttPayloadBytes && utf8Length(payload) > LIMITS.mqttPayloadBytes) {
      reject(tooLarge(utf8Length(payload)));
      return;
    }
    this.#inFlight++;
    const leave = () => {
      this.#inFlight--;
      if (this.#outbox.size > 0) queueMicrotask(() => this.drain());
    };
    const left = Math.max(1, deadline - Date.now());
    this.#requests.add(
      name,
      replyTopic,
      id,
      left,
      (reply) => {
        leave();
        resolve(reply);
      },
      (error) => {
        leave();
        reject(error);
      },
    );
    link.publish(topic, payload, options.qos ?? qos, (error) => {
      if (!error) return;
      this.#requests.fail(
        replyTopic,
        id,
        new AlinkError('disconnected', 'the message could not be written', { retry: 'slow', cause: error }),
      );
    });
  }
}

/** Whether the catalogue has an operation that a device may ask and be answered. @throws AlinkError */
export function assertAnswerable(name: string): void {
  try {
    const { direction, replyTopic } = operation(name);
    if (direction === 'up' && replyTopic !== undefined) return;
  } catch {
    // reported below with the same words
  }
  throw new AlinkError('unknownOperation', `"${name}" is not a request of a device`, {
    details: { operation: name },
  });
}

function aborted(): AlinkError {
  return new AlinkError('aborted', 'the request was given up');
}

function tooLarge(bytes: number): AlinkError {
  const limit = LIMITS.mqttPayloadBytes;
  return new AlinkError('payloadTooLarge', `the message has ${bytes} bytes, at most ${limit} are allowed`, {
    details: { value: bytes, limit },
  });
}
