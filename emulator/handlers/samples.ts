import {
  checkMembers,
  checkValue,
  isJsonObject,
  type Json,
  type JsonObject,
  LIMITS,
  type PropertyDefinition,
  problemMessage,
} from '../../protocol';
import type { Device, StoredEvent, StoredSample } from '../registry/device';

/** Why a reported value or event is not stored; the code is one of C.4. */
export interface Dropped {
  code: number;
  reason: string;
}

export function isDropped(read: object): read is Dropped {
  return 'reason' in read;
}

/** Reads one reported value and checks it by the thing model. */
export function readProperty(
  device: Device,
  identifier: string,
  entry: Json,
  now: number,
): StoredSample | Dropped {
  const model = device.product.thingModel;
  const definition = model?.properties.get(identifier);
  if (model !== undefined && definition === undefined) {
    return { code: 6320, reason: `${identifier}: not in the thing model` };
  }
  const { value, time } = readSample(entry, definition);
  const at = readTime(time, now);
  if (at === undefined) return badTime(identifier);
  if (definition !== undefined) {
    const [problem] = checkValue(definition.dataType, value, identifier);
    if (problem !== undefined) return { code: problem.code, reason: problemMessage(problem) };
  }
  return { value, time: at };
}

/** Reads one reported event and checks it by the thing model. */
export function readEvent(
  device: Device,
  identifier: string,
  params: Json,
  now: number,
): StoredEvent | Dropped {
  const value = eventValues(params);
  if (value === undefined) return { code: 460, reason: `${identifier}: value is not an object` };
  const model = device.product.thingModel;
  const definition = model?.events.get(identifier);
  if (model !== undefined && definition === undefined) {
    return { code: 6321, reason: `${identifier}: not in the thing model` };
  }
  const [problem] = definition === undefined ? [] : checkMembers(definition.outputData, value, '', true);
  if (problem !== undefined) return { code: problem.code, reason: problemMessage(problem) };
  const time = readTime(isJsonObject(params) ? params.time : undefined, now);
  if (time === undefined) return badTime(identifier);
  const { name = identifier, type = 'info' } = definition ?? {};
  return { identifier, name, type, value, time };
}

function badTime(identifier: string): Dropped {
  return { code: 6326, reason: `${identifier}: time is malformed or more than 24 h ahead` };
}

// The vendor's device SDK documents its events without the `value` around the output parameters.
function eventValues(params: Json): JsonObject | undefined {
  if (!isJsonObject(params)) return undefined;
  if (!Object.hasOwn(params, 'value') && !Object.hasOwn(params, 'time')) return params;
  return isJsonObject(params.value) ? params.value : undefined;
}

/** `{value, time}` or the bare value. A struct of the model may itself have a member called value. */
function readSample(entry: Json, definition: PropertyDefinition | undefined): { value: Json; time?: Json } {
  if (!isTimed(entry)) return { value: entry };
  const dataType = definition?.dataType;
  const bare =
    dataType?.type === 'struct' && dataType.members.some(({ identifier }) => identifier === 'value');
  if (bare && !isJsonObject(entry.value)) return { value: entry };
  return { value: entry.value ?? null, ...(entry.time === undefined ? {} : { time: entry.time }) };
}

function isTimed(entry: Json): entry is JsonObject {
  if (!isJsonObject(entry) || !Object.hasOwn(entry, 'value')) return false;
  return Object.keys(entry).every((key) => key === 'value' || key === 'time');
}

// Some firmware writes the time as text; the platform takes digits of either type.
function readTime(time: Json | undefined, now: number): number | undefined {
  if (time === undefined || time === null) return now;
  const number = typeof time === 'string' && /^\d{1,16}$/.test(time) ? Number(time) : time;
  if (typeof number !== 'number' || !Number.isInteger(number) || number < 0) return undefined;
  return number <= now + LIMITS.sampleTimeAheadMs ? number : undefined;
}
