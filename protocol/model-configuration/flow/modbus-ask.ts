import { mayAsk, probed } from './absence';
import { type DeviceNames, kept, type Message, type Store } from './runtime';

/** A read without its values: what, and how often. */
export interface AskedRead {
  fc: number;
  address: number;
  quantity: number;
  /** Milliseconds. */
  pollingTime: number;
}

export interface AskPlan {
  /** By productKey. */
  reads: Readonly<Record<string, readonly AskedRead[]>>;
  /** productKey, deviceName, unit. */
  devices: ReadonlyArray<readonly [string, string, number]>;
}

/** The topic by which an answer finds its read again; nothing else survives an error of the Modbus nodes. */
export function readTopic({ productKey, deviceName }: DeviceNames, index: number): string {
  return `${productKey}/${deviceName}/${index}`;
}

// An answer that has not come by then will not come.
const LOST_AFTER_MS = 10_000;

/**
 * Requests for `modbus-flex-getter`. What has not been answered yet is not asked again, so that a slow server is never
 * buried under requests.
 * @param msg `payload`: the polling time in ms whose turn it is
 */
export function ask({ reads, devices }: AskPlan, msg: Message, store: Store, now: number): Message[] {
  const asked = kept<number>(store, 'asked');
  const messages: Message[] = [];
  for (const [productKey, deviceName, unitid] of devices) {
    for (const [index, { fc, address, quantity, pollingTime }] of (reads[productKey] ?? []).entries()) {
      if (pollingTime !== msg.payload) continue;
      const may = mayAsk(store, `${productKey}/${deviceName}`, now);
      if (may === 'nothing') break;
      const device = { productKey, deviceName };
      const topic = readTopic(device, index);
      const since = now - (asked[topic] ?? Number.NEGATIVE_INFINITY);
      if (since >= 0 && since < Math.max(LOST_AFTER_MS, 2 * pollingTime)) continue;
      asked[topic] = now;
      messages.push({ topic, device, payload: { fc, unitid, address, quantity } });
      if (may === 'one') probed(store, `${productKey}/${deviceName}`, now);
    }
  }
  store.set('asked', asked);
  return messages;
}
