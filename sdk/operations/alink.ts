import { EnvelopeError, formatRequest, parseReply, parseRequest } from '../../protocol';
import type { WireFormat } from './types';

/** The common envelope, answered with the id of the request (B.0). */
export const ALINK: WireFormat = {
  key: (id) => id,
  write: (id, { method, params }) => formatRequest(id, method, params),
  read: parseReply,
  keyOf: ({ id }) => String(id),
  // An answer without a code still has an id sometimes; then its request need not wait for its time limit.
  keyOfUnreadable: (payload) => {
    try {
      return String(parseRequest(payload).id);
    } catch (thrown) {
      if (thrown instanceof EnvelopeError) return undefined;
      throw thrown;
    }
  },
};
