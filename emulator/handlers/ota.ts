import { EnvelopeError, isJsonObject, type Json, type JsonObject, parseRequest } from '../../protocol';
import { DEFAULT_MODULE } from '../ota/firmware';
import { type Answer, alink, asText, type Call, type Handler } from './types';

const NAME = /^[\w.-]{1,64}$/;

/** B.6 row 80: what runs on the device; nothing is answered. */
export const otaInform = report(({ version, module }, { device, platform }) => {
  if (typeof version !== 'string' || version === '' || version.length > 64) {
    return { code: 460, note: 'version is not a text of 1 to 64 characters' };
  }
  return { code: 200, note: platform.ota.versionReported(device, module, version) };
});

/** B.6 row 82: percent or a failure (G.3); nothing is answered. */
export const otaProgress = report(({ step, desc, module }, { device, platform }) => {
  // A number from some firmware.
  const number = typeof step === 'string' && /^-?\d{1,3}$/.test(step) ? Number(step) : step;
  if (typeof number !== 'number' || !Number.isInteger(number) || number < -4 || number > 100) {
    return { code: 460, note: 'step is none of 0 to 100 and -1 to -4' };
  }
  const description = typeof desc === 'string' ? desc : '';
  return { code: 200, note: platform.ota.progressReported(device, module, number, description) };
});

/** B.6 row 83, the old way to ask. */
export const otaRequest: Handler = (call) => {
  const { device, platform, limits, payload } = call;
  const read = readReport(payload);
  if (typeof read === 'string') return { code: 460, note: read, reply: JSON.stringify(nothing('')) };
  const offer = platform.ota.offerFor(device, read.params.module);
  const body: JsonObject =
    offer === undefined ? nothing(read.id) : { code: '1000', data: offer, id: read.id, message: 'success' };
  return {
    code: offer === undefined ? 500 : 1000,
    reply: JSON.stringify(body),
    ...(limits.otaAnswersOnUpgrade ? { replyOperation: 'ota.upgrade' as const } : {}),
  };
};

/** B.6 row 84: `{}` when there is none. */
export const firmwareGet = alink(({ params }, { device, platform }): Answer => {
  const { module = DEFAULT_MODULE } = isJsonObject(params) ? params : {};
  if (typeof module !== 'string' || !NAME.test(module)) return { code: 460, note: 'module cannot be one' };
  return { code: 200, data: platform.ota.offerFor(device, module) ?? {} };
});

interface Report {
  module: string;
  [name: string]: Json | undefined;
}

/** Handler of a message that is not answered. */
function report(take: (params: Report, call: Call) => Answer): Handler {
  return (call) => {
    const read = readReport(call.payload);
    if (typeof read === 'string') return { code: 460, note: read };
    const { code, note } = take(read.params, call);
    return { code, note };
  };
}

function readReport(payload: Uint8Array): { id: string | number; params: Report } | string {
  try {
    const { id, params } = parseRequest(asText(payload));
    if (!isJsonObject(params)) return 'params is not an object';
    // Some firmware writes an empty name for the whole device.
    const module = params.module === undefined || params.module === '' ? DEFAULT_MODULE : params.module;
    if (typeof module !== 'string' || !NAME.test(module)) return 'module cannot be one';
    return { id, params: { ...params, module } };
  } catch (thrown) {
    if (!(thrown instanceof EnvelopeError)) throw thrown;
    return thrown.message;
  }
}

function nothing(id: string | number): JsonObject {
  return { code: 500, id, message: 'none upgrade operation of the device.' };
}
