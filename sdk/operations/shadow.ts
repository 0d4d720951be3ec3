import { EnvelopeError, isJsonObject, type Json, parseJson } from '../../protocol';
import type { WireFormat } from './types';

/** What the platform answers when it names no code of its own (B.2). */
const SERVER_ERROR = 500;
const LONGEST_MESSAGE = 500;

/** The shadow's older format, which has no id (B.2 rows 20, 21). */
export const SHADOW: WireFormat = {
  key: (id) => id,
  write: (_, { params }) => params,
  read: (payload) => {
    const body = parseJson(payload);
    if (!isJsonObject(body)) throw new EnvelopeError('notObject', 'the payload is not a JSON object');
    // Wishes come on the same topic.
    if (body.method !== 'reply') return undefined;
    const { payload: data } = body;
    if (isJsonObject(data) && data.status === 'success') return { id: '', code: 200, data };
    if (!isJsonObject(data) || data.status !== 'error') {
      throw new EnvelopeError('badCode', 'the answer of the shadow has no status');
    }
    const { errorcode, errormessage } = isJsonObject(data.content) ? data.content : {};
    return {
      id: '',
      code: codeOf(errorcode),
      data,
      ...(typeof errormessage === 'string' ? { message: errormessage.slice(0, LONGEST_MESSAGE) } : {}),
    };
  },
  // The platform answers one after the other, so an answer is for whoever has waited longest.
  keyOf: (_, waiting) => waiting.keys().next().value,
  keyOfUnreadable: (payload, waiting) => (isReply(payload) ? waiting.keys().next().value : undefined),
};

// Never 200: a refusal must not look like a success, whatever code it carries.
function codeOf(errorcode: Json | undefined): number {
  const code = typeof errorcode === 'string' && errorcode.trim() !== '' ? Number(errorcode) : errorcode;
  return typeof code === 'number' && Number.isFinite(code) && code !== 200 ? code : SERVER_ERROR;
}

function isReply(payload: Uint8Array): boolean {
  try {
    const body = parseJson(payload);
    return isJsonObject(body) && body.method === 'reply';
  } catch (thrown) {
    if (thrown instanceof EnvelopeError) return false;
    throw thrown;
  }
}
