import { isJsonObject, type Json } from '../envelope';
import type { DataType, Member, Problem, Rule } from './types';

const CODES: Record<DataType['type'], number> = {
  int: 6306,
  float: 6307,
  double: 6322,
  bool: 6308,
  enum: 6309,
  text: 6310,
  date: 6311,
  struct: 6312,
  array: 6328,
};
const FLOAT_MAX = 3.4028234663852886e38;
const NATURAL_RANGES = {
  int: { min: -(2 ** 31), max: 2 ** 31 - 1 },
  float: { min: -FLOAT_MAX, max: FLOAT_MAX },
  double: { min: -Infinity, max: Infinity },
} as const;
const LARGEST_ARRAY = 512;

/**
 * Checks a value as the platform does (I.2): types are exact, nothing is converted.
 * @param path identifier and members, for the message
 * @returns every broken rule; empty when the value fits
 */
export function checkValue(dataType: DataType, value: Json, path: string): Problem[] {
  switch (dataType.type) {
    case 'int':
    case 'float':
    case 'double':
      return checkNumber(dataType, value, path);
    case 'bool':
      return value === 0 || value === 1 ? [] : [problem(path, 'notBool', CODES.bool, { value: show(value) })];
    case 'enum': {
      const known = typeof value === 'number' && Object.hasOwn(dataType.labels, String(value));
      const expected = Object.keys(dataType.labels).join(', ');
      return known ? [] : [problem(path, 'notEnum', CODES.enum, { value: show(value), expected })];
    }
    case 'text': {
      if (typeof value !== 'string') return [problem(path, 'notText', CODES.text, { value: show(value) })];
      const length = [...value].length;
      const limit = dataType.length;
      if (limit === undefined || length <= limit) return [];
      return [problem(path, 'tooLong', CODES.text, { value: length, limit })];
    }
    case 'date': {
      const fits = typeof value === 'string' && /^\d{1,16}$/.test(value);
      return fits ? [] : [problem(path, 'notDate', CODES.date, { value: show(value) })];
    }
    case 'struct':
      if (!isJsonObject(value)) return [problem(path, 'notStruct', CODES.struct, { value: show(value) })];
      return checkMembers(dataType.members, value, path, false);
    case 'array': {
      if (!Array.isArray(value)) return [problem(path, 'notArray', CODES.array, { value: show(value) })];
      const limit = Math.min(dataType.size ?? LARGEST_ARRAY, LARGEST_ARRAY);
      if (value.length > limit)
        return [problem(path, 'tooManyElements', 6324, { value: value.length, limit })];
      return value.flatMap((element, i) =>
        checkValue(dataType.item, element, `${path}[${i}]`).map((found) => ({ ...found, code: 6324 })),
      );
    }
  }
}

/**
 * Checks the members of a struct, or the parameters of an event or a service.
 * @param complete whether required members must be there
 */
export function checkMembers(
  members: readonly Member[],
  value: { [name: string]: Json },
  path: string,
  complete: boolean,
): Problem[] {
  const problems: Problem[] = [];
  const known = new Map(members.map((member) => [member.identifier, member]));
  const at = (name: string) => (path === '' ? name : `${path}.${name}`);
  for (const [name, inner] of Object.entries(value)) {
    const member = known.get(name);
    if (member === undefined) problems.push(problem(at(name), 'unknownMember', 6304, {}));
    else problems.push(...checkValue(member.dataType, inner, at(name)));
  }
  if (!complete) return problems;
  for (const { identifier, required } of members) {
    if (required && !Object.hasOwn(value, identifier))
      problems.push(problem(at(identifier), 'missing', 6302, {}));
  }
  return problems;
}

export function problem(path: string, rule: Rule, code: number, details: Problem['details']): Problem {
  return { path, rule, code, details };
}

/** A value as a message shows it: short, and never an object's whole text. */
export function show(value: unknown): string {
  const shown = describe(value);
  return shown.length > 40 ? `${shown.slice(0, 37)}…` : shown;
}

// An object is never converted: one that came as JSON may have a member `toString` that is no function.
function describe(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value !== 'object' || value === null) return String(value);
  return Array.isArray(value) ? 'a list' : 'an object';
}

function checkNumber(
  dataType: Extract<DataType, { type: 'int' | 'float' | 'double' }>,
  value: Json,
  path: string,
): Problem[] {
  const code = CODES[dataType.type];
  if (typeof value !== 'number' || !Number.isFinite(value)) {
    return [
      problem(path, dataType.type === 'int' ? 'notInteger' : 'notNumber', code, { value: show(value) }),
    ];
  }
  if (dataType.type === 'int' && !Number.isInteger(value))
    return [problem(path, 'notInteger', code, { value })];
  const natural = NATURAL_RANGES[dataType.type];
  const min = Math.max(dataType.min ?? -Infinity, natural.min);
  const max = Math.min(dataType.max ?? Infinity, natural.max);
  if (value >= min && value <= max) return [];
  const details = { value, min: shownBound(min), max: shownBound(max) };
  return [problem(path, 'outOfRange', code, details)];
}

function shownBound(bound: number): number | string {
  if (Number.isFinite(bound)) return bound;
  return bound < 0 ? '-∞' : '∞';
}
