import { topicMatches } from '../protocol';

/** Topics that are asked about with each request; more than these are matched anew. */
const MOST_COVERED = 500;

/** Filters that bring the answers to requests; most are subscribed when their operation is used for the first time. */
export class ReplyFilters {
  readonly #filters: Set<string>;
  /** Reply topics that are known to be covered by a filter. */
  readonly #covered = new Set<string>();
  /** The one of the last request: mostly the same again. */
  #last = '';

  /** @param filters of the beginning */
  constructor(filters: readonly string[]) {
    this.#filters = new Set(filters);
  }

  get filters(): Iterable<string> {
    return this.#filters;
  }

  has(filter: string): boolean {
    return this.#filters.has(filter);
  }

  /** @returns whether the topic is to be subscribed, as no filter brings it yet */
  add(replyTopic: string): boolean {
    if (replyTopic === this.#last || this.#covered.has(replyTopic)) {
      this.#last = replyTopic;
      return false;
    }
    const isNew = ![...this.#filters].some((filter) => topicMatches(filter, replyTopic));
    if (isNew) this.#filters.add(replyTopic);
    if (this.#covered.size < MOST_COVERED) this.#covered.add(replyTopic);
    return isNew;
  }

  /** The platform refused the filter: the next request that needs it tries again. */
  delete(filter: string): void {
    if (!this.#filters.delete(filter)) return;
    this.#covered.clear();
    this.#last = '';
  }
}
