import { type PlannedWrite, type WriteRequest, writeRequest } from '../poll';
import type { RegisterData } from '../registers';
import { type Said, SaidError, said, saidAbout, saidBy, type Words } from '../said';
import { addBitWrites, type BitWrite, bitWriteDone, bitWriteOf, readOf } from './bit-writes';
import { type DeviceNames, type Message, messageOf, type Store } from './runtime';
import { inWords, partDone, replyTo, waitFor } from './waiting';

export interface WritePlan {
  /** By productKey. */
  writes: Readonly<Record<string, readonly PlannedWrite[]>>;
  /** productKey, deviceName, unit. */
  devices: ReadonlyArray<readonly [string, string, number]>;
}

/** Requests for `modbus-flex-write`, one for a `modbus-flex-getter`, and an answer for `alink-service-reply`. */
export type WriteOutputs = [writes: Message[], read: Message | undefined, reply: Message | undefined];

/**
 * Takes property sets of the platform and what the Modbus nodes say to the requests that come of them; the last one makes
 * the answer. Bits of a register are written by reading it first.
 * @param words in which the platform is told why something was not written
 */
export function write(plan: WritePlan, msg: Message, store: Store, now: number, words: Words): WriteOutputs {
  const [writes, read, reply] = next(plan, msg, store, now);
  return [writes, read, reply && inWords(reply, words)];
}

function next(plan: WritePlan, msg: Message, store: Store, now: number): WriteOutputs {
  if (msg.alink !== undefined) return set(plan, msg, store, now);
  const isFailure = msg.payload === '' || msg.error !== undefined;
  const failure = isFailure ? failureOf(messageOf(msg.error)) : undefined;
  const bits = bitWriteOf(store, msg.topic);
  if (bits === undefined) return [[], undefined, partDone(store, msg.topic, failure)];
  return continueBits(bits, msg.payload, failure, store);
}

/** What the Modbus nodes say of themselves, as it concerns who has set the property. */
function failureOf(reason: string): Said {
  if (/timed?\s*out/i.test(reason)) return said('the device does not answer ({reason})', { reason });
  if (/not ready|not open|queue cleared|inactive client/i.test(reason)) {
    return said('there is no connection to the server ({reason})', { reason });
  }
  return reason === ''
    ? said('the device did not take it')
    : said('the device refuses ({reason})', { reason });
}

/** Nothing is written when one value cannot be, or when the device is behind another server. */
function set(plan: WritePlan, msg: Message, store: Store, now: number): WriteOutputs {
  const { productKey, deviceName } = (msg.device ?? {}) as Partial<DeviceNames>;
  const found = plan.devices.find(([key, name]) => key === productKey && name === deviceName);
  if (found === undefined) return [[], undefined, undefined];
  const device = { productKey: found[0], deviceName: found[1] };
  try {
    const parts = partsOf(plan.writes[found[0]] ?? [], found[2], msg.payload);
    if (parts.length === 0) return [[], undefined, replyTo(msg, 200, undefined)];
    const topic = waitFor(store, msg, parts.length, now);
    const whole = parts.flatMap(({ request, bits }) => (bits ? [] : [{ topic, device, payload: request }]));
    const bits = parts.flatMap((part) => (part.bits ? [{ ...part.bits, topic }] : []));
    const read = bits.length > 0 ? addBitWrites(store, device, bits, now) : undefined;
    return [whole, read, undefined];
  } catch (thrown) {
    return [[], undefined, replyTo(msg, 460, saidBy(thrown))];
  }
}

interface Part {
  /** What is written; for bits only a check that the value fits. */
  request: WriteRequest;
  bits?: Pick<BitWrite, 'write' | 'unit' | 'value'>;
}

/** @throws SaidError with the sentence for the platform */
function partsOf(writes: readonly PlannedWrite[], unit: number, payload: unknown): Part[] {
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) {
    throw new SaidError(said('the payload is not an object of values'));
  }
  return Object.entries(payload).map(([identifier, value]) => {
    const planned = writes.find((candidate) => candidate.identifier === identifier);
    if (planned === undefined) throw new SaidError(saidAbout(identifier, said('cannot be written')));
    const { count, bits, bitMask } = planned.format;
    try {
      if (bitMask === undefined) return { request: writeRequest(planned, unit, value) };
      const nothing = Array.from({ length: count }, () => (bits ? false : 0));
      return { request: writeRequest(planned, unit, value, nothing), bits: { write: planned, unit, value } };
    } catch (thrown) {
      throw new SaidError(saidAbout(identifier, saidBy(thrown)));
    }
  });
}

/** The register has been read, or written. @param failure why not */
function continueBits(
  bits: BitWrite,
  payload: unknown,
  failure: Said | undefined,
  store: Store,
): WriteOutputs {
  const { write: planned, unit, value, device, isRead, id } = bits;
  if (failure === undefined && !isRead) {
    try {
      const request = writeRequest(planned, unit, value, payload as RegisterData);
      bits.isRead = true;
      return [[{ topic: id, device, payload: request }], undefined, undefined];
    } catch (thrown) {
      return endBits(bits, saidAbout(planned.identifier, saidBy(thrown)), store);
    }
  }
  return endBits(bits, failure, store);
}

function endBits(bits: BitWrite, failure: Said | undefined, store: Store): WriteOutputs {
  const next = bitWriteDone(store, bits);
  return [[], next && readOf(next), partDone(store, bits.topic, failure)];
}
