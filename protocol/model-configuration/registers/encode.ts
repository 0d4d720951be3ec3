import { bitsToNumber, bytesOf, shiftOf, toBytes, toRegisters, unsignedOf } from './bytes';
import { type Decimal, divide, divideRounded, multiply, parseDecimal, toNumber } from './decimal';
import { scalingOf } from './decode';
import { show } from './show';
import { NUMBER_BITS, type RegisterData, RegisterError, type RegisterFormat } from './types';

/**
 * Puts a value into registers or coils (H.1), the reverse of `decodeRegisters`: divided by the scaling and rounded to the
 * nearest whole number, halves away from zero.
 * @param value number, bigint, decimal text, boolean, text or hexadecimal text, as the type wants it
 * @param current what stands there now; needed with a bit mask, whose other bits must stay
 * @returns registers 0–65535, or booleans where the format has coils
 * @throws RegisterError names what is wrong with the value and what would be right
 */
export function encodeRegisters(
  format: RegisterFormat,
  value: unknown,
  current?: RegisterData,
): number[] | boolean[] {
  const { type, count } = format;
  if (format.bits) {
    const number = withMask(format, value, count, () => bitsToNumber(format, given(current)));
    return Array.from({ length: count }, (_, i) => ((number >> BigInt(i)) & 1n) === 1n);
  }
  switch (type) {
    case 'float':
    case 'double':
      return toRegisters(format, floatBytes(format, value));
    case 'string':
      return toRegisters(format, fill(textBytes(value), 2 * count));
    case 'customized data':
      return toRegisters(format, fill(hexBytes(value), 2 * count));
    default: {
      const before = () => unsignedOf(toBytes(format, given(current)));
      return toRegisters(format, bytesOf(withMask(format, value, 16 * count, before), 2 * count));
    }
  }
}

function given(current: RegisterData | undefined): RegisterData {
  if (current !== undefined) return current;
  throw new RegisterError(
    'currentMissing',
    'the other bits of the register are not known yet; it must be read first',
  );
}

/** The raw number to write, with the bits around a mask as they were. */
function withMask(format: RegisterFormat, value: unknown, width: number, before: () => bigint): bigint {
  const { bitMask } = format;
  const whole = (1n << BigInt(width)) - 1n;
  if (bitMask === undefined) return rawOf(format, value, whole);
  const mask = BigInt(bitMask) & whole;
  const raw =
    format.type === 'bool' && readBool(value)
      ? mask
      : rawOf(format, value, mask >> shiftOf(mask)) << shiftOf(mask);
  return (before() & (whole ^ mask)) | raw;
}

/** @param most the largest unsigned number that has room */
function rawOf(format: RegisterFormat, value: unknown, most: bigint): bigint {
  const { type, scaling = 1, bits, bitMask } = format;
  if (type === 'bool') return readBool(value) ? 1n : 0n;
  const raw = divideRounded(readDecimal(value), scalingOf(scaling));
  const signed = type.startsWith('int') && bits === undefined && bitMask === undefined;
  const high = signed ? most >> 1n : most;
  const low = signed ? -high - 1n : 0n;
  if (raw >= low && raw <= high) return raw;
  const [least, largest] = [low, high].map((edge) =>
    multiply({ digits: edge, exponent: 0 }, scalingOf(scaling)),
  );
  const ends = [least, largest]
    .map((edge) => (edge === undefined ? 0 : toNumber(edge)))
    .sort((a, b) => a - b);
  throw new RegisterError('outOfRange', '{value} is not from {least} to {most} ({type})', {
    value: show(value),
    least: ends[0] ?? 0,
    most: ends[1] ?? 0,
    type,
  });
}

function floatBytes({ type, scaling = 1 }: RegisterFormat, value: unknown): number[] {
  const decimal = readDecimal(value);
  const number = toNumber(scaling === 1 ? decimal : divide(decimal, scalingOf(scaling)));
  const bits = NUMBER_BITS[type] ?? 64;
  const stored = bits === 32 ? Math.fround(number) : number;
  if (!Number.isFinite(stored))
    throw new RegisterError('outOfRange', '{value} is too large for {type}', { value: show(value), type });
  const view = new DataView(new ArrayBuffer(bits / 8));
  if (bits === 32) view.setFloat32(0, stored);
  else view.setFloat64(0, stored);
  return Array.from({ length: bits / 8 }, (_, i) => view.getUint8(i));
}

function textBytes(value: unknown): number[] {
  if (typeof value !== 'string' && typeof value !== 'number') {
    throw new RegisterError('notText', '{value} is not text', { value: show(value) });
  }
  try {
    const escaped = encodeURIComponent(String(value));
    return (escaped.match(/%..|[^%]/g) ?? []).map((part) =>
      part.length === 3 ? Number.parseInt(part.slice(1), 16) : part.charCodeAt(0),
    );
  } catch {
    throw new RegisterError('notText', 'the text has half a character (a lone surrogate)');
  }
}

function hexBytes(value: unknown): number[] {
  if (typeof value !== 'string' || !/^(?:0x)?(?:[0-9a-f]{2})*$/i.test(value)) {
    throw new RegisterError('notHex', '{value} is not hexadecimal text with two digits a byte', {
      value: show(value),
    });
  }
  return (value.replace(/^0x/i, '').match(/../g) ?? []).map((byte) => Number.parseInt(byte, 16));
}

function fill(bytes: readonly number[], length: number): number[] {
  if (bytes.length <= length) return [...bytes, ...Array.from({ length: length - bytes.length }, () => 0)];
  throw new RegisterError('tooLong', '{bytes} bytes do not fit into {registers} registers', {
    bytes: bytes.length,
    registers: length / 2,
  });
}

function readBool(value: unknown): boolean {
  if (value === true || value === 1 || value === '1' || value === 'true' || value === 1n) return true;
  if (value === false || value === 0 || value === '0' || value === 'false' || value === 0n) return false;
  throw new RegisterError('notBool', '{value} is neither 0 nor 1', { value: show(value) });
}

function readDecimal(value: unknown): Decimal {
  const text =
    typeof value === 'boolean' ? String(Number(value)) : typeof value === 'string' ? value : undefined;
  const written = text ?? (typeof value === 'number' || typeof value === 'bigint' ? String(value) : '');
  const decimal = parseDecimal(written);
  if (decimal === undefined)
    throw new RegisterError('notNumber', '{value} is not a number', { value: show(value) });
  return decimal;
}
