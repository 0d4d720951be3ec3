import type { CloudAction } from '../../protocol';
import { isJsonObject, toJson } from '../../protocol';
import { invalidInput } from '../shared/invalid-input';

/** What the dialog and the message say, before it becomes parameters of the API. */
export interface CallInput {
  productKey?: string | undefined;
  deviceName?: string | undefined;
  identifier: string;
  topic: string;
  qos: string;
  /** Seconds. */
  timeout: number | undefined;
  value: unknown;
  /** Free parameters, merged over the others. */
  parameters: unknown;
}

/** A service or RRPC that the platform waits for this long unless told otherwise, seconds. */
export const STANDARD_TIMEOUT = 5;

/** A question after the past without times of its own: the newest of a week, as many as one page holds. */
const HISTORY_MS = 7 * 24 * 3600 * 1000;
const HISTORY_PAGE = 50;

/**
 * Parameters of an action of the platform's API, as it wants them: texts only.
 * @throws AlinkError `invalidInput` naming the parameter
 */
export function callParameters(action: CloudAction, input: CallInput): Record<string, string> {
  const parameters: Record<string, string> = { ...action.standard };
  const { productKey, deviceName } = input;
  const prefix = action.gateway ? 'Gw' : '';
  if (productKey !== undefined) parameters[`${prefix}ProductKey`] = productKey;
  if (action.of !== 'product' && deviceName !== undefined) parameters[`${prefix}DeviceName`] = deviceName;
  if (action.deviceList !== undefined && deviceName !== undefined) {
    parameters[`${action.deviceList}.1`] = deviceName;
  }
  const { identifier, topic, value } = action;
  if (identifier !== undefined && given(input.identifier, identifier.needed, 'identifier')) {
    parameters[identifier.list ? `${identifier.parameter}.1` : identifier.parameter] = input.identifier;
  }
  if (topic !== undefined && given(input.topic, topic.needed, 'topic')) {
    parameters[topic.parameter] = fullTopic(input);
  }
  if (action.fields.includes('qos')) parameters.Qos = input.qos === '1' ? '1' : '0';
  if (action.fields.includes('timeout')) {
    parameters.Timeout = String(Math.round((input.timeout ?? STANDARD_TIMEOUT) * 1000));
  }
  if (value !== undefined) parameters[value.parameter] = written(value.parameter, value.as, input.value);
  if (action.history) Object.assign(parameters, newestPage(Date.now()));
  for (const [name, text] of freeParameters(input.parameters)) parameters[name] = text;
  checkTarget(action, parameters);
  return parameters;
}

// The platform says only that a parameter is missing, not where a flow could name it.
function checkTarget({ of, gateway }: CloudAction, parameters: Record<string, string>): void {
  const prefix = gateway ? 'Gw' : '';
  const [iotId, productKey, deviceName] = ['IotId', 'ProductKey', 'DeviceName'].map(
    (name) => parameters[`${prefix}${name}`],
  );
  if (of === 'any' || iotId || (productKey && (of === 'product' || deviceName))) return;
  throw invalidInput('noTarget', 'device: none is chosen, and msg.device names none');
}

function given(text: string, needed: true | undefined, field: string): boolean {
  if (text !== '') return true;
  if (needed) throw invalidInput('missing', `${field}: is empty`, { field });
  return false;
}

// The platform refuses these questions without any of the four.
function newestPage(now: number): Record<string, string> {
  return {
    StartTime: String(now - HISTORY_MS),
    EndTime: String(now),
    Asc: '0',
    PageSize: String(HISTORY_PAGE),
  };
}

// A short topic is that of the device; the broadcast's and others' are written in full.
function fullTopic({ topic, productKey = '', deviceName = '' }: CallInput): string {
  return topic.startsWith('/') ? topic : `/${productKey}/${deviceName}/${topic}`;
}

function written(parameter: string, as: 'json' | 'base64' | 'address', value: unknown): string {
  if (as === 'base64') return bytes(parameter, value).toString('base64');
  if (typeof value === 'string') return value;
  if (as === 'address') return `data:;base64,${bytes(parameter, value).toString('base64')}`;
  const json = toJson(value ?? {});
  if (!json.ok) throw unsendable(parameter, json.found);
  return JSON.stringify(json.value);
}

function bytes(parameter: string, value: unknown): Buffer {
  if (Buffer.isBuffer(value)) return value;
  if (value instanceof Uint8Array) return Buffer.from(value);
  if (typeof value === 'string') return Buffer.from(value);
  if (value === undefined || value === null) {
    throw invalidInput('missing', `${parameter}: there is nothing to send`, { field: parameter });
  }
  const json = toJson(value);
  if (!json.ok) throw unsendable(parameter, json.found);
  return Buffer.from(JSON.stringify(json.value));
}

/** Lists become `Name.1`, `Name.2`; objects JSON text. */
function freeParameters(value: unknown): Array<[string, string]> {
  if (value === undefined || value === null || value === '') return [];
  const json = toJson(value);
  if (!json.ok || !isJsonObject(json.value)) {
    throw invalidInput('notAnObject', 'parameters: are not an object', { field: 'parameters' });
  }
  return Object.entries(json.value).flatMap(([name, entry]): Array<[string, string]> => {
    if (entry === null) return [];
    if (Array.isArray(entry)) return entry.map((one, i) => [`${name}.${i + 1}`, text(one)]);
    return [[name, text(entry)]];
  });
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function unsendable(field: string, value: string): Error {
  return invalidInput('notJsonValue', `${field}: ${value} cannot be sent`, { field, value });
}
