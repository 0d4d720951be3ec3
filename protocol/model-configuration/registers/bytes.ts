import { show } from './show';
import { type RegisterData, RegisterError, type RegisterFormat } from './types';

/** The bytes of a value, the most significant first, whatever order the device has. @throws RegisterError `badData` */
export function toBytes(format: RegisterFormat, registers: RegisterData): number[] {
  const taken = registers.slice(0, format.count);
  if (taken.length < format.count) {
    throw new RegisterError('badData', '{count} registers are needed, {came} came', {
      count: format.count,
      came: taken.length,
    });
  }
  if (format.reverseRegister) taken.reverse();
  return taken.flatMap((register) => {
    if (typeof register !== 'number' || !Number.isInteger(register) || register < 0 || register > 0xffff) {
      throw new RegisterError('badData', '{value} is not a register (0–65535)', { value: show(register) });
    }
    const bytes = [register >> 8, register & 0xff];
    return format.swap16 ? bytes.reverse() : bytes;
  });
}

/** Registers of bytes, the most significant first. */
export function toRegisters(format: RegisterFormat, bytes: readonly number[]): number[] {
  const registers = Array.from({ length: format.count }, (_, i) => {
    const first = bytes[2 * i] ?? 0;
    const second = bytes[2 * i + 1] ?? 0;
    return format.swap16 ? (second << 8) | first : (first << 8) | second;
  });
  return format.reverseRegister ? registers.reverse() : registers;
}

/** An unsigned number of its bytes. */
export function unsignedOf(bytes: readonly number[]): bigint {
  return bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}

/** Bytes of the lowest bits of a number, negative ones as two's complement. */
export function bytesOf(value: bigint, count: number): number[] {
  return Array.from({ length: count }, (_, i) => Number((value >> BigInt(8 * (count - 1 - i))) & 0xffn));
}

/** An unsigned number of coils, the lowest address first. @throws RegisterError `badData` */
export function bitsToNumber(format: RegisterFormat, bits: RegisterData): bigint {
  if (bits.length < format.count) {
    throw new RegisterError('badData', '{count} coils are needed, {came} came', {
      count: format.count,
      came: bits.length,
    });
  }
  return bits.slice(0, format.count).reduce<bigint>((sum, bit, i) => {
    if (bit !== true && bit !== false && bit !== 0 && bit !== 1) {
      throw new RegisterError('badData', '{value} is not a coil', { value: show(bit) });
    }
    return bit ? sum | (1n << BigInt(i)) : sum;
  }, 0n);
}

/** How far a mask stands from bit 0. */
export function shiftOf(mask: bigint): bigint {
  let shift = 0n;
  while (mask !== 0n && ((mask >> shift) & 1n) === 0n) shift++;
  return shift;
}
