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
  thingKey,
} from '../../protocol';
import type { SubDeviceProof } from '../auth/sub-device';
import { isRefusal, type Refusal, refusalOf } from '../refusal';
import type { Device } from '../registry/device';
import type { Call } from './types';

const LONGEST_CLIENT_ID = 256;
const LONGEST_SIGN = 128;
const LONGEST_TIMESTAMP = 32;

/** An entry of a list of devices that cannot be one. */
export class EntryError extends Error {
  override readonly name = 'EntryError';
  constructor(
    readonly code: number,
    message: string,
  ) {
    super(message);
  }
}

/**
 * Reads a list of devices in every form that sources show (section J row 11): one object, a list, `{"deviceList":[…]}`
 * with what is common to all beside it, any of them as JSON text. A device that is named twice is a fault (460).
 * @param read what is made of an entry; throws EntryError
 * @param most 0: any number
 */
export function readEntries<T extends DeviceIdentity>(
  params: Json,
  read: (entry: JsonObject) => T,
  most: number,
): T[] | Refusal {
  const list = listOf(params);
  if (list === undefined || list.length === 0) return { code: 460, note: 'there is no device in it' };
  if (most > 0 && list.length > most) return { code: 460, note: `${list.length} devices, at most ${most}` };
  const known = new Set<string>();
  const entries: T[] = [];
  for (const [index, entry] of list.entries()) {
    try {
      if (!isJsonObject(entry)) throw new EntryError(460, 'not an object');
      const one = read(entry);
      const key = thingKey(one);
      if (known.has(key)) throw new EntryError(460, 'named before');
      known.add(key);
      entries.push(one);
    } catch (thrown) {
      if (!(thrown instanceof EntryError)) throw thrown;
      return { code: thrown.code, note: `device ${index + 1}: ${thrown.message}` };
    }
  }
  return entries;
}

/** @returns undefined for what is no list of devices */
export function listOf(params: Json): Json[] | undefined {
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

/** Names of a device. @throws EntryError */
export function readIdentity({ productKey, deviceName }: JsonObject): DeviceIdentity {
  if (typeof productKey !== 'string' || identityProblem(productKey) !== undefined) {
    throw new EntryError(460, 'productKey cannot be one');
  }
  if (typeof deviceName !== 'string' || identityProblem(deviceName) !== undefined) {
    throw new EntryError(460, 'deviceName cannot be one');
  }
  return { productKey, deviceName };
}

/**
 * What proves a sub-device, with either spelling of the sign method (section J row 5).
 * @param noMethod code for a method without a formula, which signs nothing (section J row 6)
 * @throws EntryError
 */
export function readProof(entry: JsonObject, noMethod: number): SubDeviceProof {
  const { sign } = entry;
  if (typeof sign !== 'string' || sign === '' || sign.length > LONGEST_SIGN) {
    throw new EntryError(460, 'sign is no text of a signature');
  }
  const stated = entry.signMethod ?? entry.signmethod;
  const signMethod = stated === undefined ? ABSENT_SIGN_METHOD : parseSignMethod(stated);
  if (signMethod === undefined) throw new EntryError(noMethod, 'the signMethod is not supported');
  return {
    clientId: optionalText(entry, 'clientId', LONGEST_CLIENT_ID),
    timestamp: optionalText(entry, 'timestamp', LONGEST_TIMESTAMP),
    signMethod,
    sign,
  };
}

/** A sub-device of the gateway that calls: 6100 when there is no such device, 6401 when it is not behind it (C.3). */
export function subDeviceOf({ platform, device: gateway }: Call, identity: DeviceIdentity): Device | Refusal {
  const { registry } = platform;
  const subDevice = registry.find(identity);
  if (subDevice === undefined) return refusalOf(6100, identity, 'there is no such device');
  if (registry.topology.gatewayOf(subDevice) === gateway) return subDevice;
  return refusalOf(6401, identity, 'not in the topology of this gateway');
}

/** The same of a list, all or nothing. */
export function subDevicesOf(call: Call, params: Json): Device[] | Refusal {
  const identities = readEntries(params, readIdentity, 0);
  if (isRefusal(identities)) return identities;
  const subDevices: Device[] = [];
  for (const identity of identities) {
    const subDevice = subDeviceOf(call, identity);
    if (isRefusal(subDevice)) return subDevice;
    subDevices.push(subDevice);
  }
  return subDevices;
}

/** Whether a request is about the gateway itself, which is none of its sub-devices. */
export function isItself({ device }: Call, { productKey, deviceName }: DeviceIdentity): boolean {
  return device.identity.productKey === productKey && device.identity.deviceName === deviceName;
}

/** `[{"productKey","deviceName"}]` of an answer. */
export function identityList(devices: Iterable<{ identity: DeviceIdentity }>): Json[] {
  return Array.from(devices, ({ identity }) => ({ ...identity }));
}

/** Signed as it was sent, so a number counts as its digits. */
function optionalText(entry: JsonObject, name: string, longest: number): string | undefined {
  const value = entry[name];
  if (value === undefined) return undefined;
  const text = typeof value === 'number' ? String(value) : value;
  if (typeof text === 'string' && text.length <= longest) return text;
  throw new EntryError(460, `${name} is not a text of at most ${longest} characters`);
}

function fromText(text: string): Json | undefined {
  try {
    return parseJson(text);
  } catch (thrown) {
    if (!(thrown instanceof EnvelopeError)) throw thrown;
    return undefined;
  }
}
