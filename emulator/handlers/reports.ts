import { isJsonObject, type Json, type JsonObject, LIMITS } from '../../protocol';
import { eventMessage, propertiesMessage } from '../forwarding/messages';
import type { Device, StoredSample } from '../registry/device';
import { storeEvent, storeProperty } from './samples';
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

/** B.1 row 5: late data of the device itself, or of sub-devices that it speaks for. */
export const historyPost = alink(({ params }, call) => {
  if (!Array.isArray(params) || params.length === 0) return { code: 460, note: 'params is not a list' };
  const entries: Array<{ device: Device; properties: JsonObject[]; events: JsonObject[] }> = [];
  for (const entry of params) {
    const device = isJsonObject(entry) ? historyDevice(call, entry.identity) : undefined;
    if (!isJsonObject(entry) || device === undefined) {
      return {
        code: isJsonObject(entry) ? 6401 : 460,
        note: 'identity is missing or not of this connection',
      };
    }
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

/** Stores samples one by one, remembers what was dropped, and tells applications of the rest. */
class ReportStore {
  private readonly dropped: string[] = [];
  /** The n-th entry holds the n-th value of each property: a message has one value of each. */
  private readonly stored: Array<Map<string, StoredSample>> = [];
  private readonly counts = new Map<string, number>();
  private code = 200;

  /** @param late it is told as history */
  constructor(
    private readonly call: Call,
    private readonly device: Device,
    private readonly late = false,
  ) {}

  properties(identifier: string, samples: readonly Json[]): void {
    for (const sample of samples) {
      const stored = storeProperty(this.device, identifier, sample, this.call.now);
      if (typeof stored === 'string') {
        this.dropped.push(stored);
        continue;
      }
      const count = this.counts.get(identifier) ?? 0;
      this.counts.set(identifier, count + 1);
      const values = this.stored[count] ?? new Map<string, StoredSample>();
      this.stored[count] = values.set(identifier, stored);
    }
  }

  events(identifier: string, samples: readonly Json[]): void {
    for (const sample of samples) {
      const stored = storeEvent(this.device, identifier, sample, this.call.now);
      if ('reason' in stored) {
        this.dropped.push(stored.reason);
        if (this.code === 200) this.code = stored.code;
      } else this.call.forward(this.device, eventMessage(this.device, stored, this.call.now, this.late));
    }
  }

  answer(): Answer {
    for (const values of this.stored) {
      this.call.forward(this.device, propertiesMessage(this.device, values, this.call.now, this.late));
    }
    return { code: this.code, note: dropNote(this.dropped) };
  }
}

function historyDevice(call: Call, identity: Json | undefined): Device | undefined {
  // Without an identity it is the device's own; the common SDKs always write it.
  if (identity === undefined) return call.device;
  if (!isJsonObject(identity)) return undefined;
  const { productKey, deviceName } = identity;
  if (typeof productKey !== 'string' || typeof deviceName !== 'string') return undefined;
  return call.speaksFor({ productKey, deviceName });
}

function tooMany(count: number): Answer {
  return { code: 6106, note: `${count} properties, at most ${LIMITS.propertiesPerPost}` };
}

function dropNote(dropped: readonly string[]): string | undefined {
  if (dropped.length === 0) return undefined;
  const more = dropped.length > 5 ? `; and ${dropped.length - 5} more` : '';
  return `dropped: ${dropped.slice(0, 5).join('; ')}${more}`;
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
