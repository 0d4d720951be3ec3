import type { Json } from '../../protocol';
import { AlinkError } from '../errors';
import type { MessageListener } from '../listeners';
import { refusal } from '../requests';
import type { IncomingMessage, RequestOptions } from '../types';
import { readPush } from './push';

export interface OldRequestDoor {
  topic: string;
  upgradeTopic: string;
  publish: (
    topic: string,
    payload: string,
    options: Pick<RequestOptions, 'timeoutMs' | 'signal'>,
  ) => Promise<void>;
  onMessage: (filter: string, entry: MessageListener) => () => void;
  nextId: () => string;
  defaultTimeoutMs: number;
}

interface Waiting {
  id: string;
  resolve: (data: Json | undefined) => void;
  reject: (error: AlinkError) => void;
}

/** There is no upgrade for the device (C.5). */
const NONE = 500;

/**
 * The old way to ask for firmware (B.6 row 83). Sources disagree on which of two topics the answer comes, so both are
 * listened to; what tells it from a push is the id, and failing that that somebody waits.
 */
export class OldRequests {
  readonly #waiting = new Set<Waiting>();
  #stop: Array<() => void> = [];

  constructor(private readonly door: OldRequestDoor) {}

  /** @returns `data` of the answer; undefined when there is no upgrade @throws AlinkError */
  ask(version: string, options: RequestOptions): Promise<Json | undefined> {
    const { timeoutMs = this.door.defaultTimeoutMs, signal } = options;
    return new Promise((resolve, reject) => {
      if (signal?.aborted) throw aborted();
      const id = this.door.nextId();
      const end = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', abort);
        this.#waiting.delete(waiting);
        if (this.#waiting.size === 0) this.#unsubscribe();
      };
      const waiting: Waiting = {
        id,
        resolve: (data) => {
          end();
          resolve(data);
        },
        reject: (error) => {
          end();
          reject(error);
        },
      };
      const timer = setTimeout(() => waiting.reject(late(timeoutMs)), timeoutMs);
      const abort = () => waiting.reject(aborted());
      signal?.addEventListener('abort', abort, { once: true });
      this.#waiting.add(waiting);
      this.#subscribe();
      const payload = JSON.stringify({ id, params: { version } });
      this.door.publish(this.door.topic, payload, { timeoutMs }).catch(waiting.reject);
    });
  }

  close(): void {
    for (const { reject } of [...this.#waiting]) reject(new AlinkError('closed', 'the device was closed'));
  }

  #subscribe(): void {
    if (this.#stop.length > 0) return;
    this.#stop = [this.door.topic, this.door.upgradeTopic].map((filter) =>
      this.door.onMessage(filter, { listener: (message) => this.#receive(message) }),
    );
  }

  #unsubscribe(): void {
    for (const stop of this.#stop) stop();
    this.#stop = [];
  }

  #receive({ topic, payload }: IncomingMessage): void {
    const answer = readPush(payload);
    if (answer.is === 'other') return;
    const byId = [...this.#waiting].find(({ id }) => id === answer.id);
    // Anything else on the topic of pushes is one.
    const waiting =
      byId ?? (topic === this.door.topic || answer.is === 'offer' ? [...this.#waiting][0] : undefined);
    if (answer.is === 'offer') waiting?.resolve(answer.data);
    else if (answer.code === NONE) waiting?.resolve(undefined);
    else {
      const { code, message } = answer;
      const reply = { id: '', code, data: {}, ...(message === undefined ? {} : { message }) };
      waiting?.reject(refusal(reply, 'ota.request'));
    }
  }
}

function aborted(): AlinkError {
  return new AlinkError('aborted', 'the request was given up');
}

function late(timeoutMs: number): AlinkError {
  const seconds = Math.round(timeoutMs / 100) / 10;
  return new AlinkError('timeout', `the platform did not answer within ${seconds} s`, {
    retry: 'slow',
    details: { seconds, operation: 'ota.request' },
  });
}
