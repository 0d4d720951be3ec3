import { isJsonObject, type Json } from '../envelope';
import type { DeviceIdentity } from '../identity';
import type { DataType, Member, Sample, ThingModel } from './types';

/**
 * JSON text of a value for the wire: float and double keep a decimal point, because strict parsers want one
 * and JavaScript drops it (section J row 41). Other types are plain JSON.
 */
export function encodeValue(dataType: DataType | undefined, value: Json): string {
  switch (dataType?.type) {
    case 'float':
    case 'double':
      return typeof value === 'number' ? decimal(value) : JSON.stringify(value);
    case 'struct':
      return isJsonObject(value) ? encodeMembers(dataType.members, value) : JSON.stringify(value);
    case 'array':
      return Array.isArray(value)
        ? `[${value.map((element) => encodeValue(dataType.item, element)).join(',')}]`
        : JSON.stringify(value);
    default:
      return JSON.stringify(value);
  }
}

/** JSON text of an object whose members have data types: a struct, or the parameters of an event. */
export function encodeMembers(members: readonly Member[], value: { [name: string]: Json }): string {
  const parts = Object.entries(value).map(([name, inner]) => {
    const member = members.find(({ identifier }) => identifier === name);
    return `${JSON.stringify(name)}:${encodeValue(member?.dataType, inner)}`;
  });
  return `{${parts.join(',')}}`;
}

/** One report of properties, ready to send: `params` as JSON text. */
export interface EncodedReport {
  operation: 'thing.event.property.post' | 'thing.event.property.batch.post';
  params: string;
}

/**
 * Writes samples as one property post, or as a batch when a property has several (B.1 rows 1 and 4).
 * @param fallbackTime time for samples of a batch that have none, because a batch needs them (ms)
 * @param writeTime JSON text of a time, where it is not the number itself
 */
export function encodePropertyReport(
  model: ThingModel | undefined,
  samples: ReadonlyMap<string, readonly Sample[]>,
  fallbackTime: number,
  writeTime: (time: number) => string = String,
): EncodedReport {
  let batch = false;
  for (const list of samples.values()) if (list.length > 1) batch = true;
  const parts: string[] = [];
  for (const [identifier, list] of samples) {
    const dataType = model?.properties.get(identifier)?.dataType;
    const texts = list.map((sample) =>
      encodeSample(dataType, sample, writeTime, batch ? fallbackTime : undefined),
    );
    parts.push(`${JSON.stringify(identifier)}:${batch ? `[${texts.join(',')}]` : texts[0]}`);
  }
  const body = `{${parts.join(',')}}`;
  return batch
    ? { operation: 'thing.event.property.batch.post', params: `{"properties":${body}}` }
    : { operation: 'thing.event.property.post', params: body };
}

/** Writes the params of an event post (B.1 row 2). @param time ms since 1970 */
export function encodeEventReport(
  model: ThingModel | undefined,
  identifier: string,
  values: { [name: string]: Json },
  time: number | undefined,
  writeTime: (time: number) => string = String,
): string {
  const members = model?.events.get(identifier)?.outputData ?? [];
  return `{"value":${encodeMembers(members, values)}${time === undefined ? '' : `,"time":${writeTime(time)}`}}`;
}

/** Writes one property of a pack post, `"id":{"value":…,"time":…}` (B.1 row 3). */
export function encodePackedProperty(
  model: ThingModel | undefined,
  identifier: string,
  sample: Sample,
  writeTime: (time: number) => string = String,
): string {
  const dataType = model?.properties.get(identifier)?.dataType;
  return `${JSON.stringify(identifier)}:${encodeSample(dataType, sample, writeTime)}`;
}

/** Writes one event of a pack post, `"id":{"value":{…},"time":…}` (B.1 row 3). */
export function encodePackedEvent(
  ...[model, identifier, values, time, writeTime]: Parameters<typeof encodeEventReport>
): string {
  return `${JSON.stringify(identifier)}:${encodeEventReport(model, identifier, values, time, writeTime)}`;
}

/** What one thing has in a pack: members as `encodePackedProperty` and `encodePackedEvent` write them. */
export interface PackShare {
  /** Absent: the gateway's own. */
  identity?: DeviceIdentity | undefined;
  properties: readonly string[];
  events: readonly string[];
}

/** Writes the params of a pack post (B.1 row 3). */
export function encodePack(shares: readonly PackShare[]): string {
  const own = shares.filter(({ identity }) => identity === undefined).map(encodeShare);
  const others = shares.filter(({ identity }) => identity !== undefined).map(encodeShare);
  if (others.length > 0) own.push(`"subDevices":[${others.map((share) => `{${share}}`).join(',')}]`);
  return `{${own.join(',')}}`;
}

function encodeShare({ identity, properties, events }: PackShare): string {
  const parts: string[] = [];
  if (identity) {
    const { productKey, deviceName } = identity;
    parts.push(`"identity":${JSON.stringify({ productKey, deviceName })}`);
  }
  if (properties.length > 0) parts.push(`"properties":{${properties.join(',')}}`);
  if (events.length > 0) parts.push(`"events":{${events.join(',')}}`);
  return parts.join(',');
}

function encodeSample(
  dataType: DataType | undefined,
  { value, time }: Sample,
  writeTime: (time: number) => string,
  fallbackTime?: number,
): string {
  const at = time ?? fallbackTime;
  const text = encodeValue(dataType, value);
  return at === undefined ? text : `{"value":${text},"time":${writeTime(at)}}`;
}

function decimal(value: number): string {
  const text = JSON.stringify(value);
  return /^-?\d+$/.test(text) ? `${text}.0` : text;
}
