import { type DeviceIdentity, formatTopic, operation, topicProblem } from '../protocol';
import { AlinkError } from './errors';
import { type WireFormatName, wireFormat } from './operations';

/** Topics of one operation of one device, ready to publish. */
export interface OperationTopics {
  topic: string;
  replyTopic: string;
  method: string | undefined;
  qos: 0 | 1;
  /** Opaque when there is nothing that the SDK could write. */
  format: WireFormatName;
}

/** Builds each topic once: a device uses the same few for millions of messages. */
export class DeviceIdentityTopics {
  readonly #cache = new Map<string, OperationTopics>();
  /** What was asked for last is mostly asked for again, and a gateway has thousands of caches. */
  #last: { name: string; topics: OperationTopics } | undefined;

  constructor(private readonly identity: DeviceIdentity) {}

  /** @throws AlinkError `invalidInput` when a variable is missing or cannot stand in a topic */
  of(name: string, variables?: Readonly<Record<string, string>>): OperationTopics {
    if (variables === undefined && this.#last?.name === name) return this.#last.topics;
    const topics = this.#find(name, variables ?? {});
    if (variables === undefined) this.#last = { name, topics };
    return topics;
  }

  #find(name: string, variables: Readonly<Record<string, string>>): OperationTopics {
    const values = Object.values(variables);
    const key = values.length === 0 ? name : `${name} ${values.join(' ')}`;
    const known = this.#cache.get(key);
    if (known) return known;
    const entry = operation(name);
    const { topic, replyTopic, method, qos } = entry;
    const all = { ...variables, ...this.identity };
    try {
      const built: OperationTopics = {
        topic: formatTopic(topic, all),
        replyTopic: replyTopic === undefined ? '' : formatTopic(replyTopic, all),
        method: method === undefined ? undefined : formatTopic(method, all),
        qos,
        format: wireFormat(entry) ?? 'opaque',
      };
      const problem = topicProblem(built.topic);
      if (problem) throw new RangeError(`${built.topic}: ${problem}`);
      // Event identifiers may come from messages; the cache must not grow with them.
      if (this.#cache.size < 500) this.#cache.set(key, built);
      return built;
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new AlinkError('invalidInput', reason, { cause, details: { reason } });
    }
  }
}
