import { topicMatches } from '../protocol';
import type { AlinkError } from './errors';
import type { IncomingMessage } from './types';

/** Who wants messages of which topics, and who is told when the platform refuses them. */
export interface MessageListener {
  /** Absent: only the subscription is wanted, the messages go another way. */
  listener?: (message: IncomingMessage) => void;
  onRefused?: ((error: AlinkError) => void) | undefined;
  /** Of the subscription; 1 by default. */
  qos?: 0 | 1;
}

/** Topics come from the network; more than these are matched anew each time. */
const MOST_TOPICS = 200;

/** While a filter's place is kept; more would be a flood that no successor wants. */
const MOST_KEPT = 1000;
const MOST_KEPT_BYTES = 8 * 1024 * 1024;

/** A filter whose last listener left, and what came since. */
interface KeptPlace {
  messages: IncomingMessage[];
  bytes: number;
  /** Whether the messages themselves are kept. */
  wanted: boolean;
  qos: 0 | 1;
  timer: NodeJS.Timeout;
}

/** Listeners by filter. Which filters a topic fits is worked out once, as a device sees the same few topics. */
export class MessageListeners {
  readonly #byFilter = new Map<string, Set<MessageListener>>();
  readonly #byTopic = new Map<string, ReadonlyArray<Set<MessageListener>>>();
  readonly #kept = new Map<string, KeptPlace>();

  /**
   * @param takeoverMs how long the place of a filter is kept
   * @param onLost told how many messages nobody came for
   */
  constructor(
    private readonly takeoverMs: number,
    private readonly onLost: (filter: string, count: number) => void,
  ) {}

  /** Filters to subscribe, also those whose place is kept. */
  get filters(): Iterable<string> {
    return [...this.#byFilter.keys(), ...this.#kept.keys()];
  }

  of(filter: string): Iterable<MessageListener> {
    return this.#byFilter.get(filter) ?? [];
  }

  /** QoS to subscribe a filter with: the highest that anyone wants. */
  qosOf(filter: string): 0 | 1 {
    const kept = this.#kept.get(filter);
    const wanted = [...this.of(filter), ...(kept ? [kept] : [])];
    return wanted.length > 0 && wanted.every(({ qos }) => qos === 0) ? 0 : 1;
  }

  /** @returns messages that came while the filter's place was kept, in order, for whoever listens to it from now on */
  add(filter: string, entry: MessageListener): readonly IncomingMessage[] {
    const kept = this.#kept.get(filter);
    if (kept) clearTimeout(kept.timer);
    this.#kept.delete(filter);
    this.#add(filter, entry);
    return kept?.messages ?? [];
  }

  /**
   * Keeps the place of a filter without listeners for a while, for whoever takes over.
   * @param last who left
   * @param end called when nobody took over
   */
  keep(filter: string, last: MessageListener, end: () => void): void {
    const timer = setTimeout(() => {
      const messages = this.#kept.get(filter)?.messages.length ?? 0;
      this.#kept.delete(filter);
      if (messages > 0) this.onLost(filter, messages);
      end();
    }, this.takeoverMs);
    timer.unref();
    this.#kept.set(filter, {
      messages: [],
      bytes: 0,
      wanted: last.listener !== undefined,
      qos: last.qos ?? 1,
      timer,
    });
  }

  /** A message for filters that nobody listens to at the moment. */
  keepMessage(message: IncomingMessage): void {
    for (const [filter, place] of this.#kept) {
      if (!place.wanted || !topicMatches(filter, message.topic)) continue;
      if (place.messages.length >= MOST_KEPT || place.bytes > MOST_KEPT_BYTES) {
        this.onLost(filter, 1);
        continue;
      }
      place.messages.push(message);
      place.bytes += message.payload.length;
    }
  }

  #add(filter: string, entry: MessageListener): void {
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

  /** Whether any filter fits; for topics that are asked about at each of many things, and not worth remembering there. */
  wants(topic: string): boolean {
    for (const filter of this.#byFilter.keys()) if (topicMatches(filter, topic)) return true;
    return false;
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
    for (const [filter, { timer, messages }] of this.#kept) {
      clearTimeout(timer);
      if (messages.length > 0) this.onLost(filter, messages.length);
    }
    this.#kept.clear();
    this.#byFilter.clear();
    this.#byTopic.clear();
  }
}
