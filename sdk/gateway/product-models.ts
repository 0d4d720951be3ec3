import type { Json } from '../../protocol';

/** Thing models fetched through a gateway: in each of its sessions one answer serves all sub-devices of a product. */
export class ProductModels {
  readonly #asked = new Map<string, Promise<Json>>();

  /**
   * @param ask sends the question (B.1 row 17)
   * @returns the document; rejects as `ask`
   */
  of(productKey: string, ask: () => Promise<Json>): Promise<Json> {
    const known = this.#asked.get(productKey);
    if (known) return known;
    const asked = ask();
    this.#asked.set(productKey, asked);
    // A failure is that of one moment; the next who asks may be luckier.
    asked.catch(() => {
      if (this.#asked.get(productKey) === asked) this.#asked.delete(productKey);
    });
    return asked;
  }

  /** A new session of the gateway may find another model. */
  clear(): void {
    this.#asked.clear();
  }
}
