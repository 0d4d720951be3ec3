import { changedValues, type PlannedRead, readValues } from '../poll';
import type { RegisterValue } from '../registers';
import { answered, failed } from './absence';
import { type FunctionNode, kept, type Message, type Store, tell } from './runtime';

export interface DecodePlan {
  /** By productKey. */
  reads: Readonly<Record<string, readonly PlannedRead[]>>;
  /** productKeys whose registers are kept, because values are written into some of their bits. */
  keep: readonly string[];
}

/**
 * Makes a report of an answer of `modbus-flex-getter`.
 * @returns message for `alink-property-post`, or nothing when there is nothing to report
 */
export function decode(
  plan: DecodePlan,
  msg: Message,
  store: Store,
  node: FunctionNode,
  now: number,
): Message | undefined {
  const topic = typeof msg.topic === 'string' ? msg.topic : '';
  const [productKey = '', deviceName = '', index = ''] = topic.split('/');
  const read = Object.hasOwn(plan.reads, productKey) ? plan.reads[productKey]?.[Number(index)] : undefined;
  if (read === undefined) return undefined;
  const device = { productKey, deviceName };
  // A device may answer one request and refuse another.
  const about = `${productKey}/${deviceName} (fc ${read.fc}, ${read.address}–${read.address + read.quantity - 1})`;
  const asked = kept<number>(store, 'asked');
  delete asked[topic];
  store.set('asked', asked);
  if (!Array.isArray(msg.payload)) {
    failed(store, node, { device: `${productKey}/${deviceName}`, about, error: msg.error, now });
    return undefined;
  }
  answered(store, node, `${productKey}/${deviceName}`, now);
  if (plan.keep.includes(productKey)) {
    const current = kept<unknown>(store, 'current');
    current[`${productKey}/${deviceName}/${read.fc}/${read.address}`] = msg.payload.slice(0, read.quantity);
    store.set('current', current);
  }
  const { values, problems } = readValues(read, msg.payload);
  tell(store, node, about, problems.join('; '));
  const reported = kept<Record<string, RegisterValue>>(store, 'reported');
  const last = { ...reported[topic] };
  const payload = changedValues(read, values, last);
  reported[topic] = last;
  store.set('reported', reported);
  if (Object.keys(payload).length === 0) return undefined;
  return { topic: deviceName, device, payload };
}
