import type { PlannedWrite } from '../poll';
import { SaidError, said } from '../said';
import { type DeviceNames, deviceKey, hasPassed, kept, type Message, type Store } from './runtime';

/** Some bits of a register or coils to be written; the others must stay as they are, so it is read first. */
export interface BitWrite {
  /** Topic of its requests. */
  id: string;
  /** Topic of the property set that it is part of. */
  topic: string;
  device: DeviceNames;
  /** On the Modbus server. */
  unit: number;
  write: PlannedWrite;
  value: unknown;
  isRead: boolean;
  since: number;
}

/** The platform has given up by then. */
const LOST_AFTER_MS = 10_000;
const MOST_WAITING = 500;

/**
 * Adds some to those of their device. They go one after the other: two that read the same register at once would each write
 * back the old bits of the other.
 * @returns the read to begin with, or nothing when others come first
 * @throws SaidError when too many wait
 */
export function addBitWrites(
  store: Store,
  device: DeviceNames,
  added: ReadonlyArray<Pick<BitWrite, 'topic' | 'unit' | 'write' | 'value'>>,
  now: number,
): Message | undefined {
  const all = kept<BitWrite[]>(store, 'bits');
  const key = deviceKey(device);
  const waiting = (all[key] ?? []).filter(({ since }) => !hasPassed(LOST_AFTER_MS, since, now));
  if (waiting.length + added.length > MOST_WAITING)
    throw new SaidError(said('too many values wait to be written'));
  const fresh = added.map((one): BitWrite => {
    const id = `bits/${key}/${now}/${Math.random().toString(36).slice(2)}`;
    return { ...one, id, device, isRead: false, since: now };
  });
  all[key] = [...waiting, ...fresh];
  store.set('bits', all);
  const [first] = fresh;
  return waiting.length === 0 && first !== undefined ? readOf(first) : undefined;
}

/** The one whose request has been answered. */
export function bitWriteOf(store: Store, topic: unknown): BitWrite | undefined {
  const [kind, productKey = '', deviceName = ''] = typeof topic === 'string' ? topic.split('/') : [];
  if (kind !== 'bits') return undefined;
  const first = kept<BitWrite[]>(store, 'bits')[deviceKey({ productKey, deviceName })]?.[0];
  return first?.id === topic ? first : undefined;
}

/** @returns the next one of the same device */
export function bitWriteDone(store: Store, { device }: BitWrite): BitWrite | undefined {
  const all = kept<BitWrite[]>(store, 'bits');
  const key = deviceKey(device);
  const left = (all[key] ?? []).slice(1);
  if (left.length === 0) delete all[key];
  else all[key] = left;
  store.set('bits', all);
  return left[0];
}

/** A request for `modbus-flex-getter`. */
export function readOf({ id, device, unit, write }: BitWrite): Message {
  const { readFc, address, format } = write;
  return { topic: id, device, payload: { fc: readFc, unitid: unit, address, quantity: format.count } };
}
