import { type PlannedWrite, type WriteRequest, writeRequest } from '../poll';
import type { RegisterData } from '../registers';
import { kept, type Message, messageOf, type Store } from './runtime';
import { partDone, replyTo, waitFor } from './waiting';

export interface EncodePlan {
  /** By productKey. */
  writes: Readonly<Record<string, readonly PlannedWrite[]>>;
  /** productKey, deviceName, unit. */
  devices: ReadonlyArray<readonly [string, string, number]>;
}

/**
 * Makes requests for `modbus-flex-write` of a property set. Nothing is written when one value cannot be.
 * @returns the requests, or the refusal for `alink-service-reply`; neither when the device is behind another server
 */
export function encode(
  plan: EncodePlan,
  msg: Message,
  store: Store,
  now: number,
): [requests: Message[] | undefined, refusal: Message | undefined] {
  const { productKey, deviceName } = (msg.device ?? {}) as { productKey?: unknown; deviceName?: unknown };
  const device = plan.devices.find(([key, name]) => key === productKey && name === deviceName);
  if (device === undefined) return [undefined, undefined];
  try {
    const requests = requestsOf(plan, device, msg.payload, store);
    if (requests.length === 0) return [undefined, replyTo(msg, 200, '')];
    const topic = waitFor(store, msg, requests.length, now);
    return [requests.map((payload) => ({ topic, device: msg.device, payload })), undefined];
  } catch (thrown) {
    return [undefined, replyTo(msg, 460, messageOf(thrown))];
  }
}

/** @throws Error with the sentence for the platform */
function requestsOf(
  { writes }: EncodePlan,
  [productKey, deviceName, unit]: EncodePlan['devices'][number],
  payload: unknown,
  store: Store,
): WriteRequest[] {
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) {
    throw new Error('the payload is not an object of values');
  }
  const current = kept<RegisterData>(store, 'current');
  return Object.entries(payload).map(([identifier, value]) => {
    const write = (writes[productKey] ?? []).find((candidate) => candidate.identifier === identifier);
    if (write === undefined) throw new Error(`${identifier}: cannot be written`);
    try {
      return writeRequest(write, unit, value, currentOf(write, `${productKey}/${deviceName}/`, current));
    } catch (thrown) {
      throw new Error(`${identifier}: ${messageOf(thrown)}`);
    }
  });
}

/** What stands in the registers of a write now, out of the last answer that holds them. */
function currentOf(
  { readFc, address, format: { count, bitMask } }: PlannedWrite,
  device: string,
  current: Readonly<Record<string, RegisterData>>,
): RegisterData | undefined {
  if (bitMask === undefined) return undefined;
  const prefix = `${device}${readFc}/`;
  for (const [key, data] of Object.entries(current)) {
    if (!key.startsWith(prefix)) continue;
    const offset = address - Number(key.slice(prefix.length));
    if (offset >= 0 && offset + count <= data.length) return data.slice(offset, offset + count);
  }
  return undefined;
}

/** Takes what `modbus-flex-write` says; the last part of a property set makes the answer for `alink-service-reply`. */
export function answer(msg: Message, store: Store): Message | undefined {
  const failed = msg.payload === '' || msg.error !== undefined;
  return partDone(store, msg.topic, failed ? messageOf(msg.error) || 'the device did not take it' : '');
}
