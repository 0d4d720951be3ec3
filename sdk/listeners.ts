import { topicMatches } from '../protocol';
import type { AlinkError } from './errors';
import type { IncomingMessage } from './types';

/** Who wants messages of which topics, and who is told when the platform refuses them. */
export interface MessageListener {
  listener: (message: IncomingMessage) => void;
  onRefused?: ((error: AlinkError) => void) | undefined;
}

/** Topics come from the network; more than these are matched anew each time. */
const MOST_TOPICS = 200;

/** Listeners by filter. Which filters a topic fits is worked out once, as a device sees the same few topics. */
export class MessageListeners {
  readonly #byFilter = new Map<string, Set<MessageListener>>();
  readonly #byTopic = new Map<string, ReadonlyArray<Set<MessageListener>>>();

  get filters(): Iterable<string> {
    return this.#byFilter.keys();
  }

  of(filter: string): Iterable<MessageListener> {
    return this.#byFilter.get(filter) ?? [];
  }

  add(filter: string, entry: MessageListener): void {
    const others = this.#byFilter.get(filter);
    if (others) {
      others.add(entry);
      return;
    }
    this.#byFilter.set(filter, new Set([entry]));
    this.#byTopic.clear();
  }

  /** @returns whether it was the last one of its filter */
  remove(filter: string, entry: MessageListener): boolean {
    const others = this.#byFilter.get(filter);
    if (!others?.delete(entry) || others.size > 0) return false;
    this.#byFilter.delete(filter);
    this.#byTopic.clear();
    return true;
  }

  matching(topic: string): ReadonlyArray<Set<MessageListener>> {
    if (this.#byFilter.size === 0) return [];
    const known = this.#byTopic.get(topic);
    if (known) return known;
    const found = [...this.#byFilter].filter(([filter]) => topicMatches(filter, topic)).map(([, set]) => set);
    if (this.#byTopic.size < MOST_TOPICS) this.#byTopic.set(topic, found);
    return found;
  }

  clear(): void {
    this.#byFilter.clear();
    this.#byTopic.clear();
  }
}
