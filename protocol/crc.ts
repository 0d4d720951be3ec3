// CRC-16/ARC: polynomial 0x8005, reflected (B.7).
const POLYNOMIAL_16 = 0xa001;
// CRC-64/XZ: polynomial of ECMA-182, reflected, as two halves because numbers have 53 bits.
const POLYNOMIAL_64_HIGH = 0xc96c5795;
const POLYNOMIAL_64_LOW = 0xd7870f42;

const TABLE_16 = new Uint16Array(256);
const TABLE_64_HIGH = new Uint32Array(256);
const TABLE_64_LOW = new Uint32Array(256);
for (let byte = 0; byte < 256; byte++) {
  let crc = byte;
  let high = 0;
  let low = byte;
  for (let bit = 0; bit < 8; bit++) {
    crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL_16 : crc >>> 1;
    const odd = low & 1;
    low = (low >>> 1) | (high << 31);
    high >>>= 1;
    if (odd) {
      high ^= POLYNOMIAL_64_HIGH;
      low ^= POLYNOMIAL_64_LOW;
    }
  }
  TABLE_16[byte] = crc;
  TABLE_64_HIGH[byte] = high;
  TABLE_64_LOW[byte] = low;
}

/** CRC-16/ARC of a block of a file (B.7): a number of 16 bits. */
export function crc16(data: Uint8Array): number {
  let crc = 0;
  for (const byte of data) crc = (crc >>> 8) ^ (TABLE_16[(crc ^ byte) & 0xff] as number);
  return crc;
}

/** CRC-64/XZ of a whole file, fed in pieces: the `ficValue` of an upload (B.6 row 86). */
export class Crc64 {
  private high = -1;
  private low = -1;

  update(data: Uint8Array): this {
    let { high, low } = this;
    for (const byte of data) {
      const index = (low ^ byte) & 0xff;
      low = ((low >>> 8) | (high << 24)) ^ (TABLE_64_LOW[index] as number);
      high = (high >>> 8) ^ (TABLE_64_HIGH[index] as number);
    }
    this.high = high;
    this.low = low;
    return this;
  }

  /** 16 lower-case hex digits of what was fed so far; more may follow. */
  digest(): string {
    return hex(~this.high) + hex(~this.low);
  }
}

/** CRC-64/XZ of a whole file as 16 lower-case hex digits. */
export function crc64(data: Uint8Array): string {
  return new Crc64().update(data).digest();
}

function hex(half: number): string {
  return (half >>> 0).toString(16).padStart(8, '0');
}
