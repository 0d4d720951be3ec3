import type { Json } from '../../envelope';
import { readNumber } from './fields';

/** Registers and coils have addresses of 16 bits. */
export const HIGHEST_ADDRESS = 0xffff;

/**
 * Reads `"0x03"`, `"1F"`, `3` or `"3"` (H.1 prints hexadecimal text with 0x). Digits alone are decimal: what is no
 * hexadecimal text is most likely a number that became text.
 * @returns undefined when it is not 0–65535
 */
export function readAddress(value: Json | undefined): number | undefined {
  const address = typeof value === 'string' ? readText(value.trim()) : readNumber(value ?? '');
  if (address === undefined || !Number.isInteger(address)) return undefined;
  return address >= 0 && address <= HIGHEST_ADDRESS ? address : undefined;
}

/** Whether `readAddress` had to guess the base. */
export function isAmbiguousAddress(value: Json | undefined): boolean {
  return typeof value === 'string' && !/^\s*0x/i.test(value);
}

/** Reads a mask of up to 53 bits, written like an address. */
export function readMask(value: Json): number | undefined {
  const mask = typeof value === 'string' ? readText(value.trim()) : readNumber(value);
  return mask !== undefined && Number.isSafeInteger(mask) && mask > 0 ? mask : undefined;
}

function readText(text: string): number | undefined {
  if (/^0x[0-9a-f]{1,16}$/i.test(text)) return Number.parseInt(text.slice(2), 16);
  if (/^\d{1,16}$/.test(text)) return Number.parseInt(text, 10);
  return /^[0-9a-f]{1,16}$/i.test(text) ? Number.parseInt(text, 16) : undefined;
}
