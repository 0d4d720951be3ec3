import { type PlannedWrite, type WriteRequest, writeRequest } from '../poll';
import type { RegisterData } from '../registers';
import { kept, type Message, messageOf, type Store } from './runtime';

export interface EncodePlan {
  /** By productKey. */
  writes: Readonly<Record<string, readonly PlannedWrite[]>>;
  /** productKey, deviceName, unit. */
  devices: ReadonlyArray<readonly [string, string, number]>;
}

/** A property set that waits until all of it is written. */
export interface Waiting {
  alink: unknown;
  device: unknown;
  left: number;
  /** Why it failed; empty while it has not. */
  reason: string;
  since: number;
}

const FORGOTTEN_AFTER_MS = 60_000;
const MOST_WAITING = 500;

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
    const topic = `${device[0]}/${device[1]}/${now}/${Math.random().toString(36).slice(2)}`;
    const waiting = prune(kept<Waiting>(store, 'waiting'), now);
    waiting[topic] = { alink: msg.alink, device: msg.device, left: requests.length, reason: '', since: now };
    store.set('waiting', waiting);
    if (requests.length === 0) return [undefined, answerTo(topic, waiting)];
    return [requests.map((payload) => ({ topic, device: msg.device, payload })), undefined];
  } catch (thrown) {
    return [undefined, reply(msg.alink, msg.device, 460, messageOf(thrown))];
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
  const waiting = kept<Waiting>(store, 'waiting');
  const topic = typeof msg.topic === 'string' ? msg.topic : '';
  const request = waiting[topic];
  if (request === undefined) return undefined;
  request.left -= 1;
  const failed = msg.payload === '' || msg.error !== undefined;
  if (failed) request.reason ||= messageOf(msg.error) || 'the device did not take it';
  const done = request.left > 0 ? undefined : answerTo(topic, waiting);
  store.set('waiting', waiting);
  return done;
}

function answerTo(topic: string, waiting: Record<string, Waiting>): Message | undefined {
  const request = waiting[topic];
  delete waiting[topic];
  return request && reply(request.alink, request.device, request.reason === '' ? 200 : 400, request.reason);
}

function reply(alink: unknown, device: unknown, code: number, reason: string): Message {
  return { alink, device, payload: {}, code, reason };
}

function prune(waiting: Record<string, Waiting>, now: number): Record<string, Waiting> {
  const entries = Object.entries(waiting);
  for (const [topic, { since }] of entries) {
    if (now - since > FORGOTTEN_AFTER_MS || entries.length >= MOST_WAITING) delete waiting[topic];
  }
  return waiting;
}
