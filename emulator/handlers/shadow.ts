import {
  EnvelopeError,
  explainCode,
  isJsonObject,
  type Json,
  type JsonObject,
  parseJson,
} from '../../protocol';
import type { Device } from '../registry/device';
import { ShadowError } from '../registry/shadow';
import { asText, type Handler, type HandlerResult } from './types';

/** B.2 row 20: update, get and delete share one topic and have a format of their own. */
export const shadowUpdate: Handler = ({ device, payload, now }) => {
  if (payload.length === 0) return failed(407, 'the payload is empty', now);
  let message: Json;
  try {
    message = parseJson(asText(payload));
  } catch (thrown) {
    if (!(thrown instanceof EnvelopeError)) throw thrown;
    return failed(400, thrown.message, now);
  }
  if (!isJsonObject(message)) return failed(400, 'the payload is not an object', now);
  const { method, state, version } = message;
  if (method === undefined || method === null) return failed(401, 'method is missing', now);
  try {
    switch (method) {
      case 'get':
        return success(contentOf(device), device.shadow.version, now);
      case 'update':
        device.shadow.update({ state, version }, now);
        return success({ version: device.shadow.version }, undefined, now);
      case 'delete':
        device.shadow.delete({ state, version }, now);
        return success({ version: device.shadow.version }, undefined, now);
      default:
        return failed(406, `method ${JSON.stringify(method).slice(0, 64)}`, now);
    }
  } catch (thrown) {
    if (!(thrown instanceof ShadowError)) throw thrown;
    return failed(thrown.code, thrown.message, now);
  }
};

/** What tells the device of a wish (B.2 row 21). */
export function controlMessage(device: Device, now: number): string {
  return JSON.stringify({
    method: 'control',
    payload: device.shadow.content(),
    version: device.shadow.version,
    timestamp: inSeconds(now),
  });
}

// The version stands within the payload for one of the vendor's SDKs, and beside it for another.
function contentOf({ shadow }: Device): JsonObject {
  return { ...shadow.content(), version: shadow.version };
}

function success(payload: JsonObject, version: number | undefined, now: number): HandlerResult {
  const reply = JSON.stringify({
    method: 'reply',
    payload: { status: 'success', ...payload },
    version,
    timestamp: inSeconds(now),
  });
  return { reply, code: 200 };
}

/** An answer of the shadow with a code. */
export function failed(code: number, note: string, now: number): HandlerResult {
  const errormessage = explainCode(code, 'shadow.update')?.en ?? note;
  const reply = JSON.stringify({
    method: 'reply',
    payload: { status: 'error', content: { errorcode: String(code), errormessage } },
    timestamp: inSeconds(now),
  });
  return { reply, code, note };
}

function inSeconds(time: number): number {
  return Math.floor(time / 1000);
}
