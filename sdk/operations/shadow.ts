import { EnvelopeError, isJsonObject, type Json, type JsonObject, parseJson } from '../../protocol';
import type { WireFormat } from './types';

/** What the platform answers when it names no code of its own (B.2). */
const SERVER_ERROR = 500;
const LONGEST_MESSAGE = 500;

/** The shadow's older format, which has no id (B.2 rows 20, 21). */
export const SHADOW: WireFormat = {
  // What tells an answer apart goes along where only this side sees it.
  key: (id, { params }) => {
    const { method, version } = asObject(JSON.parse(params) as Json);
    return `${id} ${method === 'get' ? 'get' : numberOr(version, 0)}`;
  },
  write: (_, { params }) => params,
  read: (payload) => {
    const body = parseJson(payload);
    if (!isJsonObject(body)) throw new EnvelopeError('notObject', 'the payload is not a JSON object');
    // Wishes come on the same topic.
    if (body.method !== 'reply') return undefined;
    const { payload: data } = body;
    if (isJsonObject(data) && data.status === 'success') {
      // Beside the payload or within it.
      const version = data.version ?? body.version;
      return { id: '', code: 200, data: version === undefined ? data : { ...data, version } };
    }
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
  // The platform answers one after the other, so an answer is for whoever has waited longest, unless it is another's.
  keyOf: ({ code, data }, waiting) => {
    const { state, version } = code === 200 ? asObject(data) : {};
    const found = numberOr(version, Number.NaN);
    let oldest: string | undefined;
    for (const key of waiting.keys()) {
      const asked = key.slice(key.indexOf(' ') + 1);
      const isOf = asked === 'get' ? state !== undefined : state === undefined && Number(asked) === found;
      if (isOf) return key;
      // Versions only grow: a smaller one than asked for is the answer to an earlier request that was given up.
      if (!(found < Number(asked))) oldest ??= key;
    }
    return oldest;
  },
  keyOfUnreadable: (payload, waiting) => (isReply(payload) ? waiting.keys().next().value : undefined),
};

// Never 200: a refusal must not look like a success, whatever code it carries.
function codeOf(errorcode: Json | undefined): number {
  const code = typeof errorcode === 'string' && errorcode.trim() !== '' ? Number(errorcode) : errorcode;
  return typeof code === 'number' && Number.isFinite(code) && code !== 200 ? code : SERVER_ERROR;
}

function numberOr(value: Json | undefined, otherwise: number): number {
  return typeof value === 'number' ? value : otherwise;
}

function asObject(value: Json): JsonObject {
  return isJsonObject(value) ? value : {};
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
