import type { RegisterValue } from './registers';
import { decodeRegisters, encodeRegisters, type RegisterData, type RegisterFormat } from './registers';
import { type Said, said, saidAbout, saidBy, spoken } from './said';

// What runs each time a device is polled or written. It is also the text of the function nodes in generated flows, so it
// must not need anything that function nodes do not have.

/** Form of a value by the thing model: a whole number (int, enum, bool), or text. */
export type ValueKind = 'whole' | 'text';

/** Where a value lies in the answer to a read. */
export interface PlannedValue {
  identifier: string;
  /** From the first register or coil of the answer. */
  offset: number;
  format: RegisterFormat;
  /** Reported only when it differs from what was reported before. */
  onChange?: true;
  kind?: ValueKind;
}

/** One request that reads neighbouring values. */
export interface PlannedRead {
  fc: 1 | 2 | 3 | 4;
  address: number;
  /** Registers or coils. */
  quantity: number;
  /** Milliseconds. */
  pollingTime: number;
  values: readonly PlannedValue[];
}

/** How a property is written. */
export interface PlannedWrite {
  identifier: string;
  fc: 5 | 6 | 15 | 16;
  /** Function code that reads the same place. */
  readFc: 1 | 2 | 3 | 4;
  address: number;
  format: RegisterFormat;
}

/** A request as the flex nodes of node-red-contrib-modbus take it in `msg.payload`. */
export interface WriteRequest {
  fc: 5 | 6 | 15 | 16;
  unitid: number;
  address: number;
  quantity: number;
  value: boolean | number | boolean[] | number[];
}

/** Values by identifier, and a sentence for each that could not be read. */
export interface Reading {
  values: Record<string, RegisterValue>;
  problems: string[];
}

/** Reads all values out of the answer to a read; one that cannot be read does not hold up the others. */
export function readValues(read: PlannedRead, data: unknown): Reading {
  const [values, problems] = readAll(read, data);
  return { values, problems: problems.map((problem) => spoken(problem)) };
}

/** Like `readValues`, for any language. */
export function readAll(
  { values, quantity }: PlannedRead,
  data: unknown,
): [values: Record<string, RegisterValue>, problems: Said[]] {
  const reading: Record<string, RegisterValue> = {};
  if (!Array.isArray(data)) {
    return [
      reading,
      [said('{quantity} registers or coils were asked for, something else came', { quantity })],
    ];
  }
  if (data.length < quantity) {
    const came = data.length;
    return [reading, [said('{quantity} registers or coils were asked for, {came} came', { quantity, came })]];
  }
  const problems: Said[] = [];
  for (const { identifier, offset, format, kind } of values) {
    try {
      const part = data.slice(offset, offset + format.count) as RegisterData;
      reading[identifier] = asKind(decodeRegisters(format, part), kind);
    } catch (thrown) {
      problems.push(saidAbout(identifier, saidBy(thrown)));
    }
  }
  return [reading, problems];
}

function asKind(value: RegisterValue, kind: ValueKind | undefined): RegisterValue {
  if (kind === 'text') return String(value);
  return kind === 'whole' && typeof value === 'number' ? Math.round(value) : value;
}

/**
 * Leaves out values that are to be reported on change only and did not change.
 * @param last what was reported last, by identifier; is brought up to date
 */
export function changedValues(
  { values: planned }: PlannedRead,
  values: Readonly<Record<string, RegisterValue>>,
  last: Record<string, RegisterValue>,
): Record<string, RegisterValue> {
  const changed: Record<string, RegisterValue> = {};
  for (const { identifier, onChange } of planned) {
    const value = Object.hasOwn(values, identifier) ? values[identifier] : undefined;
    if (value === undefined) continue;
    const before = Object.hasOwn(last, identifier) ? last[identifier] : undefined;
    if (onChange && before === value) continue;
    changed[identifier] = value;
    last[identifier] = value;
  }
  return changed;
}

/**
 * The request that writes a value.
 * @param current registers or coils that stand there now; only needed with a bit mask
 * @throws RegisterError when the value does not fit
 */
export function writeRequest(
  { fc, address, format }: PlannedWrite,
  unitid: number,
  value: unknown,
  current?: RegisterData,
): WriteRequest {
  const data = encodeRegisters(format, value, current);
  const [first = 0] = data;
  return { fc, unitid, address, quantity: format.count, value: fc === 5 || fc === 6 ? first : data };
}
