import type { ValueKind } from '../poll';

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

/** Name of a built-in type, from its number or node id. */
export function typeName(type: unknown): string | undefined {
  if (typeof type === 'string' && !type.startsWith('ns=')) return type;
  const number = typeof type === 'number' ? type : Number(/^ns=0;i=(\d+)$/.exec(nodeIdText(type) ?? '')?.[1]);
  return TYPES[number];
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

/** A value as the platform takes it. @returns undefined for what has no such form: arrays, structures, nothing */
export function toReport(value: unknown, kind: ValueKind | undefined): number | string | undefined {
  const plain = flatten(value);
  if (plain === undefined || kind === undefined) return plain;
  if (kind === 'text') return String(plain);
  return typeof plain === 'number' ? Math.round(plain) : plain;
}

function flatten(value: unknown): number | string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  if (typeof value === 'boolean') return Number(value);
  // Dates of another realm are no instances of ours.
  if (Object.prototype.toString.call(value) === '[object Date]') return String((value as Date).getTime());
  if (isFields(value) && typeof value.text === 'string') return value.text;
  // Numbers of 64 bits come as two halves.
  if (!Array.isArray(value) || value.length !== 2 || !value.every((half) => Number.isInteger(half)))
    return undefined;
  const whole = BigInt.asIntN(64, (BigInt(value[0] as number) << 32n) | BigInt((value[1] as number) >>> 0));
  const number = Number(whole);
  return Number.isSafeInteger(number) ? number : String(whole);
}

/** A value of the platform for `OpcUa-Client`. */
export function toOpcUa(value: unknown, type: string): unknown {
  switch (type) {
    case 'Boolean':
      return value === true || value === 1 || value === '1' || value === 'true';
    case 'Int64':
    case 'UInt64': {
      const whole = BigInt(typeof value === 'string' ? value : Math.round(Number(value)));
      return { value: [Number((whole >> 32n) & 0xffff_ffffn), Number(whole & 0xffff_ffffn)] };
    }
    case 'String':
    case 'LocalizedText':
      return String(value);
    case 'Float':
    case 'Double':
      return Number(value);
    default:
      return Math.round(Number(value));
  }
}
