import { type Said, SaidError, type Sentence, said } from '../said';

/** What the bytes of a value mean (H.1); `customized data` are bytes that only the user can read. */
export type RegisterType =
  | 'int16'
  | 'uint16'
  | 'int32'
  | 'uint32'
  | 'int64'
  | 'uint64'
  | 'float'
  | 'double'
  | 'string'
  | 'bool'
  | 'customized data';

/** How a value lies in registers or coils (H.1). */
export interface RegisterFormat {
  type: RegisterType;
  /** Registers of 16 bits, or coils. */
  count: number;
  /** Coils or discrete inputs instead of registers; several make an unsigned number, the lowest address first. */
  bits?: true;
  /** The two bytes inside each register are swapped. */
  swap16?: true;
  /** The register with the lowest address is the last one. */
  reverseRegister?: true;
  /** Value = raw × scaling; 1 when absent. */
  scaling?: number;
  /** Only these bits of the raw number are meant; the lowest of them is bit 0 of the value. */
  bitMask?: number;
}

/**
 * A value as the platform takes it: bool as 0 or 1; a 64-bit number beyond ±(2^53 − 1) as decimal text, because JSON
 * numbers lose digits there; `customized data` as hexadecimal text.
 */
export type RegisterValue = number | string;

/** Registers as numbers 0–65535, or coils as booleans (some drivers: 0 and 1). */
export type RegisterData = ReadonlyArray<number | boolean>;

export type RegisterProblem =
  | 'badData'
  | 'badFormat'
  | 'notNumber'
  | 'notText'
  | 'notHex'
  | 'notBool'
  | 'outOfRange'
  | 'tooLong'
  | 'currentMissing';

/** A value that cannot be read from, or put into, registers. */
export class RegisterError extends SaidError {
  constructor(
    readonly problem: RegisterProblem,
    sentence: Sentence,
    values: Said['values'] = {},
  ) {
    super(said(sentence, values));
    this.name = 'RegisterError';
  }
}

/** Bits of the types that have a fixed size. */
export const NUMBER_BITS: Readonly<Partial<Record<RegisterType, number>>> = {
  int16: 16,
  uint16: 16,
  int32: 32,
  uint32: 32,
  int64: 64,
  uint64: 64,
  float: 32,
  double: 64,
};

/** Registers that a type takes; undefined where the format says how many. */
export function registersOf(type: RegisterType): number | undefined {
  const bits = NUMBER_BITS[type];
  return bits === undefined ? undefined : bits / 16;
}
