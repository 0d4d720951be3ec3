import {
  ABSENT_SIGN_METHOD,
  type DeviceIdentity,
  EnvelopeError,
  identityProblem,
  isJsonObject,
  type Json,
  type JsonObject,
  parseJson,
  parseSignMethod,
} from '../../protocol';
import type { Refusal, SubDeviceLogin } from '../broker/sub-sessions';
import { alink, type Call, type Handler } from './types';

const LONGEST_CLIENT_ID = 256;
const LONGEST_SIGN = 128;
const LONGEST_TIMESTAMP = 32;

/** An entry of a login or logout that cannot be one. */
class EntryError extends Error {
  override readonly name = 'EntryError';
  constructor(
    readonly code: number,
    message: string,
  ) {
    super(message);
  }
}

/** B.5 rows 70 and 72. */
export const sessionLogin = single(readLogin, login);
export const sessionBatchLogin = batch(readLogin, login);
/** B.5 rows 71 and 73. */
export const sessionLogout = single(readIdentity, logout);
export const sessionBatchLogout = batch(readIdentity, logout);

function login(logins: SubDeviceLogin[], { platform, line }: Call): Refusal | undefined {
  return platform.subSessions.login(line, logins);
}

function logout(identities: DeviceIdentity[], { platform, line }: Call): Refusal | undefined {
  return platform.subSessions.logout(line, identities);
}

type Read<T> = (entry: JsonObject) => T;
type CarryOut<T> = (entries: T[], call: Call) => Refusal | undefined;

/** The answer holds the names of the sub-device, whatever became of it. */
function single<T extends DeviceIdentity>(read: Read<T>, carryOut: CarryOut<T>): Handler {
  return alink(({ params }, call) => {
    const entries = readEntries(params, read, 1);
    if ('code' in entries) return entries;
    const refusal = carryOut(entries, call);
    return { code: 200, ...refusal, data: entries.map(names)[0] ?? {} };
  });
}

/** The answer holds the list of names when all went well; nobody says which one stood in the way. */
function batch<T extends DeviceIdentity>(read: Read<T>, carryOut: CarryOut<T>): Handler {
  return alink(({ params }, call) => {
    const entries = readEntries(params, read, call.limits.loginBatch);
    if ('code' in entries) return entries;
    const refusal = carryOut(entries, call);
    return refusal ?? { code: 200, data: entries.map(names) };
  });
}

function names({ productKey, deviceName }: DeviceIdentity): JsonObject {
  return { productKey, deviceName };
}

/** @param most 0: any number */
function readEntries<T extends DeviceIdentity>(params: Json, read: Read<T>, most: number): T[] | Refusal {
  const list = listOf(params);
  if (list === undefined || list.length === 0) return { code: 460, note: 'there is no sub-device in it' };
  if (most > 0 && list.length > most) {
    return { code: 460, note: `${list.length} sub-devices, at most ${most}` };
  }
  const known = new Set<string>();
  const entries: T[] = [];
  for (const [index, entry] of list.entries()) {
    try {
      if (!isJsonObject(entry)) throw new EntryError(460, 'not an object');
      const one = read(entry);
      const key = `${one.productKey}/${one.deviceName}`;
      if (known.has(key)) throw new EntryError(460, 'named before');
      known.add(key);
      entries.push(one);
    } catch (thrown) {
      if (!(thrown instanceof EntryError)) throw thrown;
      return { code: thrown.code, note: `sub-device ${index + 1}: ${thrown.message}` };
    }
  }
  return entries;
}

/**
 * Every form that sources show (section J row 11): one object, a list, `{"deviceList":[…]}` with what is common to all
 * beside it, any of them as JSON text.
 */
function listOf(params: Json): Json[] | undefined {
  const value = typeof params === 'string' ? fromText(params) : params;
  if (Array.isArray(value)) return value;
  if (!isJsonObject(value)) return undefined;
  const { deviceList, ...common } = value;
  if (deviceList === undefined) return [value];
  const list = typeof deviceList === 'string' ? fromText(deviceList) : deviceList;
  if (!Array.isArray(list)) return undefined;
  const stated = common.signMethod ?? common.signmethod;
  if (stated === undefined) return list;
  return list.map((entry) =>
    isJsonObject(entry) && (entry.signMethod ?? entry.signmethod) === undefined
      ? { ...entry, signMethod: stated }
      : entry,
  );
}

function fromText(text: string): Json | undefined {
  try {
    return parseJson(text);
  } catch (thrown) {
    if (!(thrown instanceof EnvelopeError)) throw thrown;
    return undefined;
  }
}

function readIdentity({ productKey, deviceName }: JsonObject): DeviceIdentity {
  if (typeof productKey !== 'string' || identityProblem(productKey) !== undefined) {
    throw new EntryError(460, 'productKey cannot be one');
  }
  if (typeof deviceName !== 'string' || identityProblem(deviceName) !== undefined) {
    throw new EntryError(460, 'deviceName cannot be one');
  }
  return { productKey, deviceName };
}

function readLogin(entry: JsonObject): SubDeviceLogin & DeviceIdentity {
  const identity = readIdentity(entry);
  const { sign, cleanSession = true } = entry;
  if (typeof sign !== 'string' || sign === '' || sign.length > LONGEST_SIGN) {
    throw new EntryError(460, 'sign is no text of a signature');
  }
  if (!['true', 'false', true, false].includes(cleanSession as string | boolean)) {
    throw new EntryError(460, 'cleanSession is "true" or "false"');
  }
  const stated = entry.signMethod ?? entry.signmethod;
  const signMethod = stated === undefined ? ABSENT_SIGN_METHOD : parseSignMethod(stated);
  // Section J row 6: a method without a formula signs nothing.
  if (signMethod === undefined) throw new EntryError(6287, 'the signMethod is not supported');
  return {
    ...identity,
    clientId: optionalText(entry, 'clientId', LONGEST_CLIENT_ID),
    timestamp: optionalText(entry, 'timestamp', LONGEST_TIMESTAMP),
    signMethod,
    sign,
    clean: String(cleanSession) === 'true',
  };
}

/** Signed as it was sent, so a number counts as its digits. */
function optionalText(entry: JsonObject, name: string, longest: number): string | undefined {
  const value = entry[name];
  if (value === undefined) return undefined;
  const text = typeof value === 'number' ? String(value) : value;
  if (typeof text === 'string' && text.length <= longest) return text;
  throw new EntryError(460, `${name} is not a text of at most ${longest} characters`);
}
