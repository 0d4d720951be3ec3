import { isJsonObject, type Json, type JsonObject, LIMITS } from '../../protocol';
import { isRefusal, type Refusal, refusalOf } from '../refusal';
import type { Device, StoredEvent, StoredSample } from '../registry/device';
import { ReportStore } from './report-store';
import { reportingDevice, tooMany } from './reports';
import { isDropped, readEvent, readProperty } from './samples';
import { alink } from './types';

/** What one device reports in a pack, as it came; without an identity it is the gateway. */
export interface PackedReport {
  entry: JsonObject;
  properties: Array<[identifier: string, sample: Json]>;
  events: Array<[identifier: string, event: Json]>;
}

/** A report whose every value fits. */
interface CheckedReport {
  device: Device;
  properties: Array<[identifier: string, sample: StoredSample]>;
  events: StoredEvent[];
}

/**
 * B.1 row 3: a report of the gateway and of sub-devices behind it, which need no session. It is checked as a whole: when
 * anything fails nothing is stored (I.3), except what there is no room for, which no check can foresee.
 */
export const packPost = alink(({ params }, call) => {
  const reports = readPack(params, call.limits);
  if (isRefusal(reports)) return reports;
  const checked: CheckedReport[] = [];
  for (const { entry, properties, events } of reports) {
    const device = reportingDevice(call, entry);
    if (isRefusal(device)) return device;
    const { identity } = device;
    if (!device.enabled) return refusalOf(522, identity, 'is disabled');
    const report: CheckedReport = { device, properties: [], events: [] };
    for (const [identifier, sample] of properties) {
      const read = readProperty(device, identifier, sample, call.now);
      if (isDropped(read)) return refusalOf(read.code, identity, read.reason);
      report.properties.push([identifier, read]);
    }
    for (const [identifier, event] of events) {
      const read = readEvent(device, identifier, event, call.now);
      if (isDropped(read)) return refusalOf(read.code, identity, read.reason);
      report.events.push(read);
    }
    checked.push(report);
  }
  let full: string | undefined;
  for (const { device, properties, events } of checked) {
    const store = new ReportStore(call, device);
    for (const [identifier, sample] of properties) full = store.keepProperty(identifier, sample) ?? full;
    for (const event of events) full = store.keepEvent(event)?.reason ?? full;
    store.answer();
  }
  return full === undefined ? { code: 200 } : { code: 500, note: full };
});

/**
 * Reads the shape of a pack and counts: 460, 6106, 6356, 6357 (C.4). A single sub-device may stand for a list of one.
 * @returns the reports of all devices that report something, the gateway's first
 */
export function readPack(
  params: Json,
  { packEvents, packSubDevices }: { packEvents: number; packSubDevices: number },
): PackedReport[] | Refusal {
  if (!isJsonObject(params)) return { code: 460, note: 'params is not an object' };
  const given = Object.hasOwn(params, 'subDevices') ? params.subDevices : undefined;
  const subDevices = given === undefined || given === null ? [] : Array.isArray(given) ? given : [given];
  if (packSubDevices > 0 && subDevices.length > packSubDevices) {
    return { code: 6357, note: `${subDevices.length} sub-devices, at most ${packSubDevices}` };
  }
  const { identity: _, ...own } = params;
  const reports: PackedReport[] = [];
  for (const [index, entry] of [own, ...subDevices].entries()) {
    if (!isJsonObject(entry)) return { code: 460, note: 'subDevices is not a list of reports' };
    if (index > 0 && entry.identity === undefined) return { code: 460, note: 'an identity is missing' };
    const properties = members(entry, 'properties');
    const events = members(entry, 'events');
    if (properties === undefined || events === undefined) {
      return { code: 460, note: 'properties and events are objects' };
    }
    if (index > 0 || properties.length > 0 || events.length > 0) reports.push({ entry, properties, events });
  }
  const count = (of: 'properties' | 'events') => reports.reduce((sum, report) => sum + report[of].length, 0);
  const [properties, events] = [count('properties'), count('events')];
  if (properties === 0 && events === 0) return { code: 460, note: 'neither properties nor events' };
  if (properties > LIMITS.propertiesPerPost) return tooMany(properties);
  if (packEvents > 0 && events > packEvents)
    return { code: 6356, note: `${events} events, at most ${packEvents}` };
  return reports;
}

function members(entry: JsonObject, name: string): Array<[string, Json]> | undefined {
  const value = Object.hasOwn(entry, name) ? entry[name] : undefined;
  if (value === undefined || value === null) return [];
  return isJsonObject(value) ? Object.entries(value) : undefined;
}
