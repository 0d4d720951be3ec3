const HEADER_BYTES = 1;
/** A length takes at most this many bytes, seven bits each (MQTT 3.1.1, 2.2.3). */
const LENGTH_BYTES = 4;

/**
 * Follows the lengths of MQTT packets through a byte stream, however it is cut: the parser keeps what it got of a
 * packet until the last byte came, which may be 256 MB of it. Looks at the headers only and keeps nothing.
 */
export class PacketLengths {
  /** Bytes of the packet's content that are still to come. */
  #toCome = 0;
  /** Bytes of the header that came. */
  #read = 0;
  #length = 0;

  /** @param most bytes of a packet without its header */
  constructor(private readonly most: number) {}

  /**
   * @param chunk what came next
   * @returns the length of the first packet that announces more than it may have
   */
  follow(chunk: Uint8Array): number | undefined {
    let at = 0;
    while (at < chunk.length) {
      if (this.#toCome > 0) {
        const passed = Math.min(this.#toCome, chunk.length - at);
        this.#toCome -= passed;
        at += passed;
        continue;
      }
      const byte = chunk[at++] as number;
      if (this.#read++ < HEADER_BYTES) continue;
      this.#length += (byte & 0x7f) * 128 ** (this.#read - HEADER_BYTES - 1);
      if (byte & 0x80 && this.#read < HEADER_BYTES + LENGTH_BYTES) continue;
      if (this.#length > this.most && !(byte & 0x80)) return this.#length;
      // After a length that never ends nothing can be followed; the parser says what is wrong with it.
      this.#toCome = byte & 0x80 ? Number.POSITIVE_INFINITY : this.#length;
      this.#read = 0;
      this.#length = 0;
    }
    return undefined;
  }
}
