/** A decimal number without rounding: digits × 10^exponent. */
export interface Decimal {
  digits: bigint;
  exponent: number;
}

// Longer and larger than any double; more would only cost time.
const LONGEST_TEXT = 800;
const LARGEST_EXPONENT = 400;
const DECIMAL = /^\s*([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,4}))?\s*$/;

/** Reads `-1.5e3` exactly. @returns undefined for anything else */
export function parseDecimal(text: string): Decimal | undefined {
  if (text.length > LONGEST_TEXT) return undefined;
  const [, sign = '', whole = '', fraction = '', power = '0'] = DECIMAL.exec(text) ?? [];
  if (whole === '' && fraction === '') return undefined;
  if (Math.abs(Number(power)) > LARGEST_EXPONENT) return undefined;
  const digits = BigInt(whole + fraction);
  return { digits: sign === '-' ? -digits : digits, exponent: Number(power) - fraction.length };
}

export function multiply(a: Decimal, b: Decimal): Decimal {
  return { digits: a.digits * b.digits, exponent: a.exponent + b.exponent };
}

// More digits than two doubles together can have.
const QUOTIENT_DIGITS = 60;

/** a ÷ b with more digits than a double has. */
export function divide(a: Decimal, b: Decimal): Decimal {
  const digits = (a.digits * 10n ** BigInt(QUOTIENT_DIGITS)) / b.digits;
  return { digits, exponent: a.exponent - b.exponent - QUOTIENT_DIGITS };
}

/** The whole number nearest to a ÷ b, halves away from zero. */
export function divideRounded(a: Decimal, b: Decimal): bigint {
  const shift = a.exponent - b.exponent;
  const top = a.digits * 10n ** BigInt(Math.max(shift, 0));
  const bottom = b.digits * 10n ** BigInt(Math.max(-shift, 0));
  const size = (2n * absolute(top) + absolute(bottom)) / (2n * absolute(bottom));
  return top < 0n === bottom < 0n ? size : -size;
}

/** The whole number that it is, or undefined when there is a fraction. */
export function wholeOf({ digits, exponent }: Decimal): bigint | undefined {
  if (exponent >= 0) return digits * 10n ** BigInt(exponent);
  const unit = 10n ** BigInt(-exponent);
  return digits % unit === 0n ? digits / unit : undefined;
}

/** The nearest number; a double that is read from text is rounded once, so 3 × 0.1 is 0.3. */
export function toNumber({ digits, exponent }: Decimal): number {
  return Number(`${digits}e${exponent}`);
}

function absolute(value: bigint): bigint {
  return value < 0n ? -value : value;
}
