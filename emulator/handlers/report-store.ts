import type { Json } from '../../protocol';
import { eventMessage, propertiesMessage } from '../forwarding/messages';
import type { Device, StoredEvent, StoredSample } from '../registry/device';
import { isDropped, readEvent, readProperty } from './samples';
import type { Answer, Call } from './types';

/** Stores what one device reports, remembers what was dropped, and tells applications of the rest. */
export class ReportStore {
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

  /** Values that do not fit are dropped without a code (I.3). */
  properties(identifier: string, samples: readonly Json[]): void {
    for (const sample of samples) {
      const read = readProperty(this.device, identifier, sample, this.call.now);
      const dropped = isDropped(read) ? read.reason : this.keepProperty(identifier, read);
      if (dropped !== undefined) this.dropped.push(dropped);
    }
  }

  /** Those that do not fit are dropped; the first gives the code. */
  events(identifier: string, samples: readonly Json[]): void {
    for (const sample of samples) {
      const read = readEvent(this.device, identifier, sample, this.call.now);
      const dropped = isDropped(read) ? read : this.keepEvent(read);
      if (dropped === undefined) continue;
      this.dropped.push(dropped.reason);
      if (this.code === 200) this.code = dropped.code;
    }
  }

  /** Stores a value that was checked. @returns why it could not */
  keepProperty(identifier: string, sample: StoredSample): string | undefined {
    if (!this.device.storeSample(identifier, sample))
      return `${identifier}: too many identifiers or too much data`;
    const count = this.counts.get(identifier) ?? 0;
    this.counts.set(identifier, count + 1);
    const values = this.stored[count] ?? new Map<string, StoredSample>();
    this.stored[count] = values.set(identifier, sample);
    return undefined;
  }

  /** Stores an event that was checked, and tells applications. */
  keepEvent(event: StoredEvent): { code: number; reason: string } | undefined {
    if (!this.device.storeEvent(event)) return { code: 500, reason: `${event.identifier}: too much data` };
    this.call.forward(this.device, eventMessage(this.device, event, this.call.now, this.late));
    return undefined;
  }

  /** Tells applications of the values. */
  answer(): Answer {
    for (const values of this.stored) {
      this.call.forward(this.device, propertiesMessage(this.device, values, this.call.now, this.late));
    }
    return { code: this.code, note: dropNote(this.dropped) };
  }
}

function dropNote(dropped: readonly string[]): string | undefined {
  if (dropped.length === 0) return undefined;
  const more = dropped.length > 5 ? `; and ${dropped.length - 5} more` : '';
  return `dropped: ${dropped.slice(0, 5).join('; ')}${more}`;
}
