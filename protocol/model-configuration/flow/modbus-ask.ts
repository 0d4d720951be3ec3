import { mayAsk, probed } from './absence';
import { becomeDue, nextDue } from './polling';
import { type DeviceNames, deviceKey, type Message, type Store } from './runtime';

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

/** The topic of a request: `{productKey}/{deviceName}/{index of the read}`. */
export function readTopic(device: DeviceNames, index: number): string {
  return `${deviceKey(device)}/${index}`;
}

/**
 * The next request for `modbus-flex-getter`, if it is time for one. There is one on its way at a time, and what is still
 * waiting is not added again: a slow server gets fewer requests instead of a longer queue.
 * @param msg `payload`: the polling time in ms whose turn it is; anything else when an answer has come
 */
export function ask(
  { reads, devices }: AskPlan,
  msg: Message,
  store: Store,
  now: number,
): Message | undefined {
  if (typeof msg.payload === 'number') {
    const due = devices.flatMap(([productKey, deviceName, unitid]) =>
      (reads[productKey] ?? []).flatMap(({ fc, address, quantity, pollingTime }, index) => {
        if (pollingTime !== msg.payload) return [];
        const device = { productKey, deviceName };
        return [{ topic: readTopic(device, index), device, payload: { fc, unitid, address, quantity } }];
      }),
    );
    becomeDue(store, due);
  }
  const request = nextDue(store, now, ({ device }) => mayAsk(store, deviceKey(device), now));
  if (request !== undefined) probed(store, deviceKey(request.device), now);
  return request;
}
