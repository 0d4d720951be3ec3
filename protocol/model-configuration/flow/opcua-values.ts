import type { ValueKind } from '../poll';
import { shortest } from '../registers/shortest';
import { SaidError, said } from '../said';

/** Built-in types of OPC UA by number (part 6, table 1). */
const TYPES: Readonly<Record<number, string>> = {
  1: 'Boolean',
  2: 'SByte',
  3: 'Byte',
  4: 'Int16',
  5: 'UInt16',
  6: 'Int32',
  7: 'UInt32',
  8: 'Int64',
  9: 'UInt64',
  10: 'Float',
  11: 'Double',
  12: 'String',
  13: 'DateTime',
  21: 'LocalizedText',
};

type Fields = Readonly<Record<string, unknown>>;

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * The text of a node id, of whatever form: text, the object of node-opcua, or a copy of it that lost its class.
 * @returns undefined for anything else
 */
export function nodeIdText(id: unknown): string | undefined {
  if (typeof id === 'string') return /^ns=\d+;[isgb]=/.test(id) ? id : undefined;
  if (!isFields(id) || id.value === undefined || !('namespace' in id)) return undefined;
  const { identifierType, namespace, value } = id;
  const letters: Readonly<Record<string, string>> = { '1': 'i', '2': 's', '3': 'g', '4': 'b' };
  const letter = letters[String(identifierType)] ?? (typeof value === 'number' ? 'i' : 's');
  const isText = typeof value === 'string' || typeof value === 'number';
  return isText ? `ns=${Number(namespace)};${letter}=${value}` : undefined;
}

/** Types of arguments that are sent as a built-in one (part 5, 12.2). */
const DERIVED: Readonly<Record<number, string>> = {
  29: 'Int32',
  290: 'Double',
  294: 'DateTime',
  295: 'String',
};

/** Name of a built-in type, from its number or node id. */
export function typeName(type: unknown): string | undefined {
  if (typeof type === 'string' && !type.startsWith('ns=')) return type;
  const number = typeof type === 'number' ? type : Number(/^ns=0;i=(\d+)$/.exec(nodeIdText(type) ?? '')?.[1]);
  return TYPES[number] ?? DERIVED[number];
}

/** Whether a status code (or a copy of one) is good or at least usable (part 4, 7.39: the highest bit is bad). */
export function isGood(status: unknown): boolean {
  if (status === undefined) return true;
  const value = isFields(status) ? (status.value ?? status._value) : status;
  return typeof value === 'number' && value >>> 31 === 0;
}

/** BadNodeIdUnknown (part 4, 7.39). */
export function isUnknownNode(status: unknown): boolean {
  const value = isFields(status) ? (status.value ?? status._value) : status;
  return typeof value === 'number' && value >>> 16 === 0x8034;
}

/**
 * A value as the platform takes it.
 * @param type name of its built-in type; that of an event's field is not told
 * @returns undefined for what has no such form: arrays, structures, nothing
 */
export function toReport(
  value: unknown,
  kind: ValueKind | undefined,
  type?: string,
): number | string | undefined {
  const plain = flatten(value, type);
  if (plain === undefined || kind === undefined) return plain;
  if (kind === 'text') return String(plain);
  return typeof plain === 'number' ? Math.round(plain) : plain;
}

function flatten(value: unknown, type: string | undefined): number | string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) return undefined;
    return type === 'Float' ? shortest(value) : value;
  }
  if (typeof value === 'boolean') return Number(value);
  // Dates of another realm are no instances of ours.
  if (Object.prototype.toString.call(value) === '[object Date]') return String((value as Date).getTime());
  if (isFields(value) && typeof value.text === 'string') return value.text;
  return type === undefined || type.endsWith('64') ? wholeOfHalves(value, type) : undefined;
}

/** Numbers of 64 bits come as two halves. */
function wholeOfHalves(value: unknown, type: string | undefined): number | string | undefined {
  if (!Array.isArray(value) || value.length !== 2 || !value.every((half) => Number.isInteger(half)))
    return undefined;
  const bits = (BigInt(value[0] as number) << 32n) | BigInt((value[1] as number) >>> 0);
  const whole = type === 'UInt64' ? BigInt.asUintN(64, bits) : BigInt.asIntN(64, bits);
  const number = Number(whole);
  return Number.isSafeInteger(number) ? number : String(whole);
}

/** Least and greatest value of each type of whole numbers. */
const RANGES: Readonly<Record<string, readonly [bigint, bigint]>> = {
  SByte: [-128n, 127n],
  Byte: [0n, 255n],
  Int16: [-32_768n, 32_767n],
  UInt16: [0n, 65_535n],
  Int32: [-(2n ** 31n), 2n ** 31n - 1n],
  UInt32: [0n, 2n ** 32n - 1n],
  Int64: [-(2n ** 63n), 2n ** 63n - 1n],
  UInt64: [0n, 2n ** 64n - 1n],
};
const GREATEST_FLOAT = 3.4028234663852886e38;
const LATEST_DATE = 8.64e15;
const BOOLEANS: Readonly<Record<string, boolean>> = { true: true, '1': true, false: false, '0': false };

/**
 * A value of the platform in a form that writes and calls of `OpcUa-Client` take. Nothing else may reach that node: on a
 * number that is none, or too large for 64 bits, it throws where nobody catches it, and Node-RED ends.
 * @returns true or false, a number, text; dates in milliseconds, whole numbers of 64 bits as decimal text
 * @throws SaidError with the sentence for the platform
 */
export function toOpcUa(value: unknown, type: string): boolean | number | string {
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') {
    throw new SaidError(said('is no single value'));
  }
  const range = Object.hasOwn(RANGES, type) ? RANGES[type] : undefined;
  if (range !== undefined) {
    const whole = toWhole(value);
    if (whole < range[0] || whole > range[1])
      throw new SaidError(
        said('{value} is not {least}–{most}', {
          value: String(value),
          least: String(range[0]),
          most: String(range[1]),
        }),
      );
    return type.endsWith('64') ? String(whole) : Number(whole);
  }
  switch (type) {
    case 'Boolean': {
      const text = String(value);
      const truth = Object.hasOwn(BOOLEANS, text) ? BOOLEANS[text] : undefined;
      if (truth === undefined)
        throw new SaidError(said('{value} is neither true nor false', { value: text }));
      return truth;
    }
    case 'String':
    case 'LocalizedText':
      return String(value);
    case 'Float':
      return toFinite(value, GREATEST_FLOAT);
    case 'Double':
      return toFinite(value, Number.MAX_VALUE);
    case 'DateTime':
      return Math.round(toFinite(value, LATEST_DATE));
    default:
      throw new SaidError(
        type === ''
          ? said('values of unknown type cannot be written')
          : said('values of type {type} cannot be written', { type }),
      );
  }
}

function toWhole(value: string | number | boolean): bigint {
  if (typeof value === 'string' && /^\s*-?\d{1,20}\s*$/.test(value)) return BigInt(value);
  return BigInt(Math.round(toFinite(value, 2 ** 64)));
}

function toFinite(value: string | number | boolean, greatest: number): number {
  const number = value === '' ? Number.NaN : Number(value);
  if (Number.isFinite(number) && Math.abs(number) <= greatest) return number;
  throw new SaidError(said('{value} is no number, or too large', { value: String(value) }));
}
