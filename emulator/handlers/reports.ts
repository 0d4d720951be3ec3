import { isJsonObject, type Json, type JsonObject, LIMITS } from '../../protocol';
import { isRefusal, type Refusal } from '../refusal';
import type { Device } from '../registry/device';
import { EntryError, isItself, readIdentity, subDeviceOf } from './device-list';
import { ReportStore } from './report-store';
import { type Answer, alink, type Call } from './types';

/** B.1 row 1: invalid properties are dropped and the answer is still 200 (I.3). */
export const propertyPost = alink(({ params }, call) => {
  if (!isJsonObject(params) || isEmpty(params))
    return { code: 460, note: 'params is missing or not an object' };
  const entries = Object.entries(params);
  if (entries.length > LIMITS.propertiesPerPost) return tooMany(entries.length);
  const report = new ReportStore(call, call.device);
  for (const [identifier, sample] of entries) report.properties(identifier, [sample]);
  return report.answer();
});

/** B.1 row 2: an event that breaks the thing model is dropped with a code. */
export const eventPost = alink(({ params }, call) => {
  const report = new ReportStore(call, call.device);
  report.events(call.variables.event ?? '', [params]);
  return report.answer();
});

/** B.1 row 4: properties as in row 1; the first event that does not fit gives the code, the others are stored. */
export const batchPost = alink(({ params }, call) => {
  if (!isJsonObject(params)) return { code: 460, note: 'params is not an object' };
  const { properties = {}, events = {} } = params;
  if (!isJsonObject(properties) || !isJsonObject(events) || (isEmpty(properties) && isEmpty(events))) {
    return { code: 460, note: 'neither properties nor events' };
  }
  const count = Object.keys(properties).length;
  if (count > LIMITS.propertiesPerPost) return tooMany(count);
  const report = new ReportStore(call, call.device);
  for (const [identifier, samples] of Object.entries(properties))
    report.properties(identifier, asList(samples));
  for (const [identifier, samples] of Object.entries(events)) report.events(identifier, asList(samples));
  return report.answer();
});

/** B.1 row 5: late data of the device itself, or of sub-devices behind it. */
export const historyPost = alink(({ params }, call) => {
  if (!Array.isArray(params) || params.length === 0) return { code: 460, note: 'params is not a list' };
  const entries: Array<{ device: Device; properties: JsonObject[]; events: JsonObject[] }> = [];
  for (const entry of params) {
    if (!isJsonObject(entry)) return { code: 460, note: 'params is not a list of reports' };
    const device = reportingDevice(call, entry);
    if (isRefusal(device)) return device;
    const { properties = [], events = [] } = entry;
    if (!isListOfObjects(properties) || !isListOfObjects(events)) {
      return { code: 460, note: 'properties and events are lists of objects' };
    }
    const widest = Math.max(0, ...properties.map((values) => Object.keys(values).length));
    if (widest > LIMITS.propertiesPerPost) return tooMany(widest);
    entries.push({ device, properties, events });
  }
  let answer: Answer = { code: 200 };
  const notes: string[] = [];
  for (const { device, properties, events } of entries) {
    const report = new ReportStore(call, device, true);
    for (const values of properties) {
      for (const [identifier, sample] of Object.entries(values)) report.properties(identifier, [sample]);
    }
    for (const values of events) {
      for (const [identifier, sample] of Object.entries(values)) report.events(identifier, [sample]);
    }
    const part = report.answer();
    if (part.note !== undefined) notes.push(part.note);
    if (answer.code === 200) answer = part;
  }
  return { ...answer, note: notes.length === 0 ? undefined : notes.join('; ') };
});

/**
 * Whose report it is: the device's own, without an identity or with it, or that of a sub-device behind it. The guides
 * ask for the topology, not for a session of the sub-device.
 */
export function reportingDevice(call: Call, entry: JsonObject): Device | Refusal {
  // The common SDKs always write an identity.
  if (entry.identity === undefined) return call.device;
  if (!isJsonObject(entry.identity)) return { code: 460, note: 'identity is not an object' };
  try {
    const identity = readIdentity(entry.identity);
    return isItself(call, identity) ? call.device : subDeviceOf(call, identity);
  } catch (thrown) {
    if (!(thrown instanceof EntryError)) throw thrown;
    return { code: thrown.code, note: thrown.message };
  }
}

export function tooMany(count: number): Refusal {
  return { code: 6106, note: `${count} properties, at most ${LIMITS.propertiesPerPost}` };
}

function asList(samples: Json): readonly Json[] {
  return Array.isArray(samples) ? samples : [samples];
}

function isListOfObjects(value: Json): value is JsonObject[] {
  return Array.isArray(value) && value.every(isJsonObject);
}

function isEmpty(value: JsonObject): boolean {
  for (const _ in value) return false;
  return true;
}
