import { EnvelopeError, isJsonObject, type Json, type JsonObject, parseJson } from '../../protocol';
import type { Waiting, WireFormat } from './types';

/** Milliseconds since 1970 as the platform writes them; more digits are no time. */
const TIME = /^\d{1,16}$/;

/** The platform's clock: neither envelope nor id, the time of sending tells requests apart (B.3 row 39). */
export const TIME_EXCHANGE: WireFormat = {
  // Two may be sent in the same millisecond, so the id goes along where only this side sees it.
  key: (id, { params }) => `${timeText(ownParams(params).deviceSendTime) ?? Date.now()} ${id}`,
  write: (key, { params }) =>
    JSON.stringify({ ...ownParams(params), deviceSendTime: key.slice(0, key.indexOf(' ')) }),
  read: (payload) => {
    const deviceRecvTime = Date.now();
    const body = readObject(payload);
    const deviceSendTime = timeOf(body, 'deviceSendTime');
    const serverRecvTime = timeOf(body, 'serverRecvTime');
    const serverSendTime = timeOf(body, 'serverSendTime');
    const data = {
      deviceSendTime,
      serverRecvTime,
      serverSendTime,
      deviceRecvTime,
      // The way there is taken to be as long as the way back.
      offset: Math.round((serverRecvTime + serverSendTime - deviceSendTime - deviceRecvTime) / 2),
      roundTrip: deviceRecvTime - deviceSendTime - (serverSendTime - serverRecvTime),
    };
    return { id: '', code: 200, data };
  },
  keyOf: ({ data }, waiting) => sentAt(isJsonObject(data) ? data.deviceSendTime : undefined, waiting),
  keyOfUnreadable: (payload, waiting) => {
    try {
      return sentAt(readObject(payload).deviceSendTime, waiting);
    } catch (thrown) {
      if (thrown instanceof EnvelopeError) return undefined;
      throw thrown;
    }
  },
};

function ownParams(params: string): JsonObject {
  const body: unknown = JSON.parse(params);
  return isJsonObject(body) ? body : {};
}

function readObject(payload: Uint8Array): JsonObject {
  const body = parseJson(payload);
  if (isJsonObject(body)) return body;
  throw new EnvelopeError('notObject', 'the payload is not a JSON object');
}

function timeOf(body: JsonObject, name: string): number {
  const text = timeText(body[name]);
  if (text === undefined) throw new EnvelopeError('badCode', `the answer has no ${name}`);
  return Number(text);
}

function timeText(value: Json | undefined): string | undefined {
  const text = typeof value === 'number' ? String(value) : value;
  return typeof text === 'string' && TIME.test(text) ? text : undefined;
}

function sentAt(time: Json | undefined, waiting: Waiting): string | undefined {
  const start = `${timeText(time)} `;
  for (const key of waiting.keys()) if (key.startsWith(start)) return key;
  return undefined;
}
