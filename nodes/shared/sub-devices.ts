import type { NodeAPI } from 'node-red';
import { type DeviceIdentity, identityProblem, thingKey } from '../../protocol';
import { AlinkError, type SubDeviceCredentials, type SubDeviceResult } from '../../sdk';
import { toFlowError } from './flow-error';
import { type InputRule, invalidInput } from './invalid-input';
import type { MessageValues } from './runtime-messages';

/** More than any gateway may have; a longer list is a mistake, and would be kept in memory several times. */
const MOST_DEVICES = 2000;
const LONGEST_SECRET = 128;
const SHOWN_CHARACTERS = 64;
const SECRETS = ['deviceSecret', 'productSecret'] as const;

/** One entry of a list of sub-devices: what the SDK takes, or why it cannot be used. */
export type DeviceEntry =
  | { credentials: SubDeviceCredentials }
  | { names: Partial<DeviceIdentity>; error: AlinkError };

/** What became of one sub-device, as `msg.payload` tells it; plain JSON, and a secret only where it was asked for. */
export interface DeviceResult extends Partial<DeviceIdentity> {
  ok: boolean;
  code?: string | number;
  message?: string;
  deviceSecret?: string;
}

/**
 * Sub-devices as a flow names them: a list, or one; each `{productKey, deviceName, deviceSecret?, productSecret?}`, in
 * a list also text like `productKey/deviceName` or the DeviceName alone. An entry that cannot be used says why and holds up no other.
 * @param productKey of entries that name none; empty: each must
 * @returns undefined when the value names no sub-device at all
 * @throws AlinkError `invalidInput` for a list of more than 2,000
 */
export function readDevices(value: unknown, productKey: string): DeviceEntry[] | undefined {
  if (!Array.isArray(value)) {
    return isRecord(value) && 'deviceName' in value ? [readDevice(value, productKey)] : undefined;
  }
  if (value.length > MOST_DEVICES) {
    const values = { value: value.length, limit: MOST_DEVICES };
    throw invalidInput('tooManyDevices', `${value.length} sub-devices, at most ${MOST_DEVICES}`, values);
  }
  return Array.from(value, (entry: unknown) => readDevice(entry, productKey));
}

function readDevice(entry: unknown, standard: string): DeviceEntry {
  const fields = typeof entry === 'string' ? fromText(entry) : entry;
  if (!isRecord(fields))
    return { names: {}, error: unusable('notASubDevice', 'entry', 'names no sub-device') };
  const { productKey = standard, deviceName } = fields;
  const names = { ...shown('productKey', productKey), ...shown('deviceName', deviceName) };
  for (const [field, name] of Object.entries({ productKey, deviceName })) {
    const error = nameError(field, name);
    if (error !== undefined) return { names, error };
  }
  const secrets: Partial<Record<(typeof SECRETS)[number], string>> = {};
  for (const field of SECRETS) {
    const secret = fields[field];
    if (secret === undefined || secret === null || secret === '') continue;
    if (typeof secret !== 'string' || secret.length > LONGEST_SECRET) {
      const error = unusable('badSecret', field, 'is no secret', { limit: LONGEST_SECRET });
      return { names, error };
    }
    secrets[field] = secret;
  }
  return {
    credentials: {
      identity: { productKey: String(productKey), deviceName: String(deviceName) },
      ...secrets,
    },
  };
}

// Neither name can hold a slash.
function fromText(text: string): Record<string, unknown> {
  const at = text.indexOf('/');
  return at < 0 ? { deviceName: text } : { productKey: text.slice(0, at), deviceName: text.slice(at + 1) };
}

function nameError(field: string, name: unknown): AlinkError | undefined {
  if (name === undefined || name === null || name === '') return unusable('missing', field, 'is missing');
  if (typeof name === 'string' && identityProblem(name) === undefined) return undefined;
  return unusable('badName', field, 'cannot be the name of a device');
}

function unusable(rule: InputRule, field: string, problem: string, values: MessageValues = {}): AlinkError {
  return invalidInput(rule, `${field}: ${problem}`, { ...values, field });
}

function shown(field: keyof DeviceIdentity, name: unknown): Partial<DeviceIdentity> {
  return typeof name === 'string' && name !== '' ? { [field]: name.slice(0, SHOWN_CHARACTERS) } : {};
}

/** A copy of a list of sub-devices, or of one, without secrets; anything else as it is. */
export function withoutSecrets(value: unknown): unknown {
  return Array.isArray(value) ? value.map(bare) : bare(value);
}

function bare(entry: unknown): unknown {
  if (!isRecord(entry) || !SECRETS.some((field) => field in entry)) return entry;
  const { deviceSecret, productSecret, ...rest } = entry;
  return rest;
}

/** What became of each, in the order in which they were named. */
export interface Outcomes {
  results: DeviceResult[];
  /** Of those that failed, in the same order. */
  failures: Array<{ name: string; error: AlinkError; message: string }>;
}

/**
 * Puts what the SDK says of the usable entries and what is wrong with the others in the order of the list.
 * @param told one for each usable entry, or the error that all of them share
 * @param handOut whether secrets that came by registration go into the results
 */
export function outcomesOf(
  RED: NodeAPI,
  entries: readonly DeviceEntry[],
  told: ReadonlyArray<SubDeviceResult & { deviceSecret?: string }> | AlinkError,
  handOut: boolean,
): Outcomes {
  const byKey = new Map(
    Array.isArray(told) ? told.map((result) => [thingKey(result.identity), result]) : undefined,
  );
  const shared = Array.isArray(told) ? undefined : (told as AlinkError);
  const failures: Outcomes['failures'] = [];
  const results = entries.map((entry): DeviceResult => {
    const names = 'credentials' in entry ? entry.credentials.identity : entry.names;
    const result = 'credentials' in entry ? byKey.get(thingKey(entry.credentials.identity)) : undefined;
    const untold = result === undefined ? UNTOLD : result.error;
    const error = 'credentials' in entry ? (shared ?? untold) : entry.error;
    if (error === undefined) {
      const secret = handOut ? result?.deviceSecret : undefined;
      return { ...names, ok: true, ...(secret === undefined ? {} : { deviceSecret: secret }) };
    }
    const { code, message } = toFlowError(RED, error);
    failures.push({ name: nameOf(names), error, message });
    return { ...names, ok: false, code, message };
  });
  return { results, failures };
}

/** Nobody knows what became of a device that an answer leaves out. */
const UNTOLD = new AlinkError('malformedReply', 'the answer leaves this device out', {
  details: { reason: 'the answer leaves this device out' },
});

function nameOf({ productKey = '?', deviceName = '?' }: Partial<DeviceIdentity>): string {
  return `${productKey}/${deviceName}`;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
