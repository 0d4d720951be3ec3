import { isJsonObject, type Json } from '../envelope';
import type { DataType, Member } from './types';

const NUMBER = /^\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*$/;

/**
 * Makes a value fit its data type where the meaning is plain: `"30.5"` → 30.5, true → 1, a Date → text of
 * milliseconds (section J rows 39, 40). What has no plain meaning stays as it is, so that the check names it.
 */
export function coerceValue(dataType: DataType, value: Json): Json {
  switch (dataType.type) {
    case 'int':
    case 'float':
    case 'double':
    case 'enum':
      return toNumber(value);
    case 'bool':
      return toBool(value);
    case 'text':
      return typeof value === 'number' || typeof value === 'boolean' ? String(value) : value;
    case 'date':
      return toDate(value);
    case 'struct':
      return isJsonObject(value) ? coerceMembers(dataType.members, value) : value;
    case 'array':
      return Array.isArray(value) ? value.map((element) => coerceValue(dataType.item, element)) : value;
  }
}

/** Coerces the members that the definition knows; others stay for the check to name. */
export function coerceMembers(
  members: readonly Member[],
  value: { [name: string]: Json },
): { [name: string]: Json } {
  const types = new Map(members.map(({ identifier, dataType }) => [identifier, dataType]));
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => {
      const dataType = types.get(name);
      return [name, dataType === undefined ? inner : coerceValue(dataType, inner)];
    }),
  );
}

function toNumber(value: Json): Json {
  if (typeof value !== 'string' || !NUMBER.test(value)) return value;
  // `1e999` is written as a number and is none that JSON can hold.
  const number = Number(value);
  return Number.isFinite(number) ? number : value;
}

function toBool(value: Json): Json {
  if (value === true || value === 'true' || value === '1') return 1;
  if (value === false || value === 'false' || value === '0') return 0;
  return value;
}

function toDate(value: Json): Json {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0) return String(value);
  if (typeof value !== 'string' || /^\d+$/.test(value)) return value;
  const time = /^\d{4}-\d{2}-\d{2}/.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isFinite(time) && time >= 0 ? String(time) : value;
}
