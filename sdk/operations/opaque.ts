import type { WireFormat } from './types';

/** Bytes that only the product's script understands (B.1 row 12), or the user's own. */
export const OPAQUE: WireFormat = {
  key: (id) => id,
  write: (_, { payload = '' }) => payload,
  read: (payload) => ({ id: '', code: 200, data: {}, payload }),
  // Bytes carry no id: they answer whoever has waited longest. An answer that comes after its time limit is taken
  // for the next one's; there is nothing in it to tell them apart.
  keyOf: (_, waiting) => waiting.keys().next().value,
  keyOfUnreadable: () => undefined,
};
