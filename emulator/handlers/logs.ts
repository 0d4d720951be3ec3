import { isJsonObject, type Json, LIMITS } from '../../protocol';
import type { DeviceLogEntry } from '../registry/device';
import { alink } from './types';

const LEVELS = ['FATAL', 'ERROR', 'WARN', 'INFO', 'DEBUG'];
const LONGEST_FIELD = 256;
const LARGEST_DIAGNOSIS = 16 * 1024;

/** B.3 row 37. One wrong entry refuses all. */
export const logPost = alink(({ params }, { device, now }) => {
  if (!Array.isArray(params) || params.length === 0) return { code: 460, note: 'params is not a list' };
  if (params.length > LIMITS.logsPerPost) {
    return { code: 460, note: `${params.length} entries, at most ${LIMITS.logsPerPost}` };
  }
  const entries: DeviceLogEntry[] = [];
  for (const [i, entry] of params.entries()) {
    const read = readEntry(entry, now);
    if (typeof read === 'string') return { code: 460, note: `entry ${i}: ${read}` };
    entries.push(read);
  }
  for (const entry of entries) device.logs.push(entry);
  const note = device.logMode === 0 ? 'the log is switched off, kept nevertheless' : undefined;
  return { code: 200, note };
});

/** B.3 row 35: whether the device may post its log. */
export const logConfigGet = alink(({ params }, { device }) => {
  const { configScope = 'device', getType = 'content' } = isJsonObject(params) ? params : {};
  if (configScope !== 'device' || getType !== 'content') {
    return { code: 460, note: 'configScope is device and getType is content' };
  }
  return { code: 200, data: logConfig(device.logMode) };
});

/** `data` of row 35 and `params` of row 36. */
export function logConfig(mode: 0 | 1): { getType: string; content: { mode: number } } {
  return { getType: 'content', content: { mode } };
}

/** B.3 row 38: it has no method, but the common envelope. `p` is one state of the network or a list of earlier ones. */
export const diagnosisPost = alink(({ params }, { device, now }) => {
  const { p, model } = isJsonObject(params) ? params : {};
  const states = Array.isArray(p) ? p : [p];
  if (!states.every((state) => isJsonObject(state)) || states.length === 0) {
    return { code: 460, note: 'p is neither an object nor a list of objects' };
  }
  if (typeof model !== 'string' || !/(^|\|)format=simple(\||$)/.test(model)) {
    return { code: 460, note: 'model does not name the format simple' };
  }
  const size = JSON.stringify(p).length;
  if (size > LARGEST_DIAGNOSIS)
    return { code: 460, note: `${size} characters, at most ${LARGEST_DIAGNOSIS}` };
  device.diagnoses.push({ value: p ?? null, time: now });
  return { code: 200 };
});

function readEntry(entry: Json, now: number): DeviceLogEntry | string {
  if (!isJsonObject(entry)) return 'not an object';
  const { utcTime, logLevel, module, code = '', traceContext = '', logContent } = entry;
  if (typeof utcTime !== 'string' || utcTime.length > 40 || !Number.isFinite(Date.parse(utcTime))) {
    return 'utcTime is not a time';
  }
  if (typeof logLevel !== 'string' || !LEVELS.includes(logLevel))
    return `logLevel is one of ${LEVELS.join(', ')}`;
  const field = (value: Json) => typeof value === 'string' && value.length <= LONGEST_FIELD;
  if (!field(module ?? null)) return `module is not a text of at most ${LONGEST_FIELD} characters`;
  // Codes are numbers in some firmware.
  const codeText = typeof code === 'number' ? String(code) : code;
  if (!field(codeText) || !field(traceContext)) return 'code or traceContext is not a short text';
  if (typeof logContent !== 'string' || Buffer.byteLength(logContent) > LIMITS.logContentBytes) {
    return `logContent is not a text of at most ${LIMITS.logContentBytes} bytes`;
  }
  return {
    utcTime,
    logLevel,
    module: String(module),
    code: String(codeText),
    traceContext: String(traceContext),
    logContent,
    time: now,
  };
}
