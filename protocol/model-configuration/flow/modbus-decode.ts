import { changedValues, type PlannedRead, readAll } from '../poll';
import type { RegisterValue } from '../registers';
import { said, saidTogether, spoken, type Words } from '../said';
import { answered, type Failure, failed } from './absence';
import { hasCome } from './polling';
import {
  type DeviceNames,
  deviceKey,
  type FunctionNode,
  kept,
  type Message,
  type Store,
  tell,
} from './runtime';

export interface DecodePlan {
  /** By productKey. */
  reads: Readonly<Record<string, readonly PlannedRead[]>>;
}

/**
 * Takes an answer of `modbus-flex-getter`, or a report that failed, from a catch node.
 * @param words in which warnings are
 * @returns message for `alink-property-post`, or nothing when there is nothing to report; and one that lets the next
 *   request go, unless the server is not reached: then the next clock tries again
 */
export function decode(
  { reads }: DecodePlan,
  msg: Message,
  store: Store,
  node: FunctionNode,
  now: number,
  words: Words,
): [report: Message | undefined, next: Message | undefined] {
  if (isFailedReport(msg)) {
    forgetReported(store, msg.device);
    return [undefined, undefined];
  }
  const topic = typeof msg.topic === 'string' ? msg.topic : '';
  const [productKey = '', deviceName = '', index = ''] = topic.split('/');
  const read = Object.hasOwn(reads, productKey) ? reads[productKey]?.[Number(index)] : undefined;
  let report: Message | undefined;
  let failure: Failure | undefined;
  if (read !== undefined) {
    const device = { productKey, deviceName };
    // A device may answer one request and refuse another.
    const voice = { node, words };
    const { fc, address: first, quantity } = read;
    const place = { device: deviceKey(device), fc, first, last: first + quantity - 1 };
    const about = spoken(said('{device} (fc {fc}, {first}–{last})', place), words);
    if (Array.isArray(msg.payload)) {
      answered(store, voice, deviceKey(device), now);
      const [values, problems] = readAll(read, msg.payload);
      tell(store, voice, about, saidTogether(problems));
      const payload = toReport(read, topic, values, store);
      if (Object.keys(payload).length > 0) report = { topic: deviceName, device, payload };
    } else {
      failure = failed(store, voice, { device: deviceKey(device), about, error: msg.error, now });
    }
  }
  hasCome(store, topic, failure === undefined || failure === 'refused');
  return [report, failure === 'notReached' ? undefined : { payload: 'next' }];
}

/** Leaves out what is reported on change only and has not changed. */
function toReport(
  read: PlannedRead,
  topic: string,
  values: Readonly<Record<string, RegisterValue>>,
  store: Store,
): Record<string, RegisterValue> {
  const reported = kept<Record<string, RegisterValue>>(store, 'reported');
  const last = { ...reported[topic] };
  const changed = changedValues(read, values, last);
  reported[topic] = last;
  store.set('reported', reported);
  return changed;
}

/** Only catch nodes say where an error comes from. */
function isFailedReport({ error }: Message): boolean {
  return typeof error === 'object' && error !== null && 'source' in error;
}

/** What the platform has not got is reported again, also what is reported on change only. */
function forgetReported(store: Store, device: unknown): void {
  const reported = kept<unknown>(store, 'reported');
  const prefix = `${deviceKey((device ?? {}) as DeviceNames)}/`;
  for (const topic of Object.keys(reported)) {
    if (topic.startsWith(prefix)) delete reported[topic];
  }
  store.set('reported', reported);
}
