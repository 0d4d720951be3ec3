import type { DeviceIdentity, JsonObject } from '../../protocol';
import type { SubDeviceLogin } from '../broker/sub-sessions';
import type { Refusal } from '../refusal';
import { EntryError, readEntries, readIdentity, readProof } from './device-list';
import { alink, type Call, type Handler } from './types';

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

/** The answer holds a list of names: of all, or of the one that stood in the way of all (guide of the batch login). */
function batch<T extends DeviceIdentity>(read: Read<T>, carryOut: CarryOut<T>): Handler {
  return alink(({ params }, call) => {
    const entries = readEntries(params, read, call.limits.loginBatch);
    if ('code' in entries) return entries;
    const refusal = carryOut(entries, call);
    const concerned: DeviceIdentity[] = refusal?.identity ? [refusal.identity] : entries;
    return { code: 200, ...refusal, data: concerned.map(names) };
  });
}

function names({ productKey, deviceName }: DeviceIdentity): JsonObject {
  return { productKey, deviceName };
}

function readLogin(entry: JsonObject): SubDeviceLogin & DeviceIdentity {
  // Only the vendor's Node.js SDK leaves it out. Its MQTT library subscribes each topic once in a process, so that what
  // a sub-device subscribed must outlive its session, or it would be deaf after its second login.
  const { cleanSession = false } = entry;
  if (!['true', 'false', true, false].includes(cleanSession as string | boolean)) {
    throw new EntryError(460, 'cleanSession is "true" or "false"');
  }
  return { ...readIdentity(entry), ...readProof(entry, 6287), clean: String(cleanSession) === 'true' };
}
