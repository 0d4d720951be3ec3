import { EnvelopeError, isJsonObject, type Json, parseJson } from '../../protocol';
import { asText, type Handler } from './types';

/** B.3 row 39: the platform's clock, to the millisecond, as texts. Receiving and sending are one moment here. */
export const ntpRequest: Handler = ({ payload, now }) => {
  let message: Json;
  try {
    message = parseJson(asText(payload));
  } catch (thrown) {
    if (!(thrown instanceof EnvelopeError)) throw thrown;
    return { code: 460, note: thrown.message };
  }
  const sent = isJsonObject(message) ? message.deviceSendTime : undefined;
  const text = typeof sent === 'number' ? String(sent) : sent;
  if (typeof text !== 'string' || !/^\d{1,20}$/.test(text)) {
    return { code: 460, note: 'deviceSendTime is missing or not a number' };
  }
  const reply = JSON.stringify({
    deviceSendTime: text,
    serverRecvTime: String(now),
    serverSendTime: String(now),
  });
  return { reply, code: 200 };
};
