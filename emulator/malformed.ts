/** Half a message: what a broken proxy or a full disk leaves. */
export function malformed(payload: string | Uint8Array): string | Uint8Array {
  return typeof payload === 'string'
    ? payload.slice(0, Math.max(1, payload.length >> 1))
    : payload.subarray(0, payload.length >> 1);
}
