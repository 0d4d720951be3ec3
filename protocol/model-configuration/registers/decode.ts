import { bitsToNumber, shiftOf, toBytes, unsignedOf } from './bytes';
import { multiply, parseDecimal, toNumber, wholeOf } from './decimal';
import { shortest } from './shortest';
import {
  NUMBER_BITS,
  type RegisterData,
  RegisterError,
  type RegisterFormat,
  type RegisterValue,
} from './types';

/**
 * Reads a value out of registers or coils (H.1).
 * @param data as the driver gives it, beginning with the value's address; more than `format.count` is ignored
 * @returns number; decimal text for whole numbers beyond ±(2^53 − 1); hexadecimal text for `customized data`
 * @throws RegisterError `badData` for registers that hold no such value: too few, no number (NaN), no text (UTF-8)
 */
export function decodeRegisters(format: RegisterFormat, data: RegisterData): RegisterValue {
  if (format.bits) return decodeNumber(format, bitsToNumber(format, data));
  const bytes = toBytes(format, data);
  switch (format.type) {
    case 'float':
    case 'double':
      return decodeFloat(format, bytes);
    case 'string':
      return decodeText(bytes);
    case 'customized data':
      return bytes.map(hex).join('');
    default:
      return decodeNumber(format, unsignedOf(bytes));
  }
}

function decodeNumber(format: RegisterFormat, unsigned: bigint): RegisterValue {
  const { type, bitMask, bits } = format;
  const mask = bitMask === undefined ? undefined : BigInt(bitMask);
  const raw = mask === undefined ? unsigned : (unsigned & mask) >> shiftOf(mask);
  if (type === 'bool') return raw === 0n ? 0 : 1;
  const signed = type.startsWith('int') && mask === undefined && !bits;
  return scale(signed ? BigInt.asIntN(NUMBER_BITS[type] ?? 64, raw) : raw, format.scaling ?? 1);
}

function scale(raw: bigint, scaling: number): RegisterValue {
  if (scaling === 1) return plain(raw);
  const product = multiply({ digits: raw, exponent: 0 }, scalingOf(scaling));
  const whole = wholeOf(product);
  return whole === undefined ? toNumber(product) : plain(whole);
}

function plain(whole: bigint): RegisterValue {
  const number = Number(whole);
  return Number.isSafeInteger(number) ? number : String(whole);
}

function decodeFloat({ type, scaling = 1 }: RegisterFormat, bytes: readonly number[]): number {
  const view = new DataView(Uint8Array.from(bytes).buffer);
  const value = type === 'float' ? shortest(view.getFloat32(0)) : view.getFloat64(0);
  if (!Number.isFinite(value)) throw new RegisterError('badData', 'the registers hold {value}', { value });
  if (scaling === 1) return value;
  const decimal = parseDecimal(String(value));
  const scaled = decimal === undefined ? value * scaling : toNumber(multiply(decimal, scalingOf(scaling)));
  if (!Number.isFinite(scaled))
    throw new RegisterError('badData', '{value} × {scaling} is no number', { value, scaling });
  return scaled;
}

/** Text ends with the first zero byte. */
function decodeText(bytes: readonly number[]): string {
  const end = bytes.indexOf(0);
  const used = end === -1 ? bytes : bytes.slice(0, end);
  try {
    // Neither Buffer nor TextDecoder: this runs in the browser and inside function nodes too.
    return decodeURIComponent(used.map((byte) => `%${hex(byte)}`).join(''));
  } catch {
    throw new RegisterError('badData', 'the registers hold no UTF-8 text');
  }
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}

/** @throws RegisterError `badFormat` */
export function scalingOf(scaling: number): { digits: bigint; exponent: number } {
  const decimal = parseDecimal(String(scaling));
  if (decimal === undefined || decimal.digits === 0n) {
    throw new RegisterError('badFormat', '{scaling} is no scaling', { scaling });
  }
  return decimal;
}
