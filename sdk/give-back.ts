/** What Node.js 20 does not have yet: there the collector has to do. */
type Transferable = ArrayBufferLike & { transfer?: (length: number) => ArrayBuffer };

/**
 * Gives the memory of bytes back at once that nobody uses any more: the collector counts the small objects in front of
 * it and lets tens of megabytes pile up. Bytes that share their memory with others are left to it.
 */
export function giveBack(bytes: Uint8Array | undefined): void {
  if (bytes === undefined || bytes.length === 0) return;
  const buffer: Transferable = bytes.buffer;
  if (bytes.length === buffer.byteLength) buffer.transfer?.(0);
}
