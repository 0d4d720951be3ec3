import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import {
  decodeRegisters,
  encodeRegisters,
  RegisterError,
  type RegisterFormat,
  type RegisterProblem,
  type RegisterType,
} from '../../../../protocol/model-configuration';

type NumberType = Exclude<RegisterType, 'string' | 'bool' | 'customized data'>;

/** How Node.js writes each type, big-endian; independent of the code under test. */
const WRITERS: Record<NumberType, (value: number | bigint) => Buffer> = {
  int16: (value) => made(2, (buffer) => buffer.writeInt16BE(Number(value))),
  uint16: (value) => made(2, (buffer) => buffer.writeUInt16BE(Number(value))),
  int32: (value) => made(4, (buffer) => buffer.writeInt32BE(Number(value))),
  uint32: (value) => made(4, (buffer) => buffer.writeUInt32BE(Number(value))),
  int64: (value) => made(8, (buffer) => buffer.writeBigInt64BE(BigInt(value))),
  uint64: (value) => made(8, (buffer) => buffer.writeBigUInt64BE(BigInt(value))),
  float: (value) => made(4, (buffer) => buffer.writeFloatBE(Number(value))),
  double: (value) => made(8, (buffer) => buffer.writeDoubleBE(Number(value))),
};
const SAMPLES: Record<NumberType, ReadonlyArray<number | bigint>> = {
  int16: [0, 1, -1, 0x1234, 32_767, -32_768],
  uint16: [0, 1, 0x1234, 65_535],
  int32: [0, -1, 0x12345678, 2_147_483_647, -2_147_483_648],
  uint32: [0, 0x12345678, 4_294_967_295],
  int64: [0, -1, 0x0102030405060, -9_007_199_254_740_991n, 2n ** 63n - 1n, -(2n ** 63n)],
  uint64: [0, 9_007_199_254_740_991n, 9_007_199_254_740_993n, 2n ** 64n - 1n],
  float: [0, 1, -1, 21.3, 0.1, 3.4028234663852886e38, 1.401298464324817e-45, 16_777_217],
  double: [0, -1, 21.3, 0.1, Math.PI, Number.MAX_VALUE, Number.MIN_VALUE],
};
const ORDERS = [
  { label: 'as it is', swap16: false, reverseRegister: false },
  { label: 'swap16', swap16: true, reverseRegister: false },
  { label: 'reverseRegister', swap16: false, reverseRegister: true },
  { label: 'both', swap16: true, reverseRegister: true },
];
const SCALINGS = [1, 0.1, 10, 0.001, -1, 2.5];

function made(size: number, write: (buffer: Buffer) => void): Buffer {
  const buffer = Buffer.alloc(size);
  write(buffer);
  return buffer;
}

/** Registers as a device of that order would send them, by means of Buffer alone. */
function registersOf(bytes: Buffer, { swap16, reverseRegister }: (typeof ORDERS)[number]): number[] {
  const copy = Buffer.from(bytes);
  if (swap16) copy.swap16();
  const registers = Array.from({ length: copy.length / 2 }, (_, i) => copy.readUInt16BE(2 * i));
  return reverseRegister ? registers.reverse() : registers;
}

function formatOf(type: RegisterType, count: number, order = ORDERS[0], scaling = 1): RegisterFormat {
  return {
    type,
    count,
    ...(order?.swap16 ? { swap16: true as const } : {}),
    ...(order?.reverseRegister ? { reverseRegister: true as const } : {}),
    ...(scaling === 1 ? {} : { scaling }),
  };
}

function refused(problem: RegisterProblem, pattern: RegExp, run: () => unknown): void {
  assert.throws(run, (error: unknown) => {
    assert.ok(error instanceof RegisterError);
    assert.equal(error.problem, problem);
    assert.match(error.message, pattern);
    return true;
  });
}

describe('values of registers', () => {
  for (const [type, samples] of Object.entries(SAMPLES) as Array<[NumberType, Array<number | bigint>]>) {
    for (const order of ORDERS) {
      it(`${type}, ${order.label}: the same as Node.js, in both directions`, () => {
        for (const sample of samples) {
          const bytes = WRITERS[type](sample);
          const registers = registersOf(bytes, order);
          const format = formatOf(type, bytes.length / 2, order);
          assert.deepEqual(encodeRegisters(format, sample), registers, `encode ${sample}`);
          const decoded = decodeRegisters(format, registers);
          if (type === 'float') assert.equal(Math.fround(Number(decoded)), Math.fround(Number(sample)));
          else if (type === 'double') assert.equal(decoded, sample);
          else assert.equal(BigInt(decoded), BigInt(sample));
          assert.equal(
            typeof decoded,
            Number.isSafeInteger(Number(decoded)) || /f|d/.test(type) ? 'number' : 'string',
          );
        }
      });

      it(`${type}, ${order.label}: every scaling`, () => {
        for (const scaling of SCALINGS) {
          const format = formatOf(type, WRITERS[type](0).length / 2, order, scaling);
          for (const raw of [0, 1, 3, 7, 123]) {
            const registers = registersOf(WRITERS[type](raw), order);
            const value = decodeRegisters(format, registers);
            // What a person would write: 3 × 0.1 is 0.3, not 0.30000000000000004.
            assert.equal(value, Number((raw * scaling).toFixed(6)));
            if (raw !== 0) assert.deepEqual(encodeRegisters(format, value), registers);
          }
        }
      });
    }
  }

  it('well-known orders of 0x12345678 and 1.0', () => {
    const cases = [
      [ORDERS[0], [0x1234, 0x5678], [0x3f80, 0]],
      [ORDERS[1], [0x3412, 0x7856], [0x803f, 0]],
      [ORDERS[2], [0x5678, 0x1234], [0, 0x3f80]],
      [ORDERS[3], [0x7856, 0x3412], [0, 0x803f]],
    ] as const;
    for (const [order, integer, float] of cases) {
      assert.equal(decodeRegisters(formatOf('uint32', 2, order), integer), 0x12345678);
      assert.equal(decodeRegisters(formatOf('float', 2, order), float), 1);
    }
  });

  it('64-bit numbers are numbers as long as JSON keeps their digits, else decimal text', () => {
    const format = formatOf('int64', 4);
    assert.equal(decodeRegisters(format, [0x1f, 0xffff, 0xffff, 0xffff]), Number.MAX_SAFE_INTEGER);
    assert.equal(decodeRegisters(format, [0x20, 0, 0, 1]), '9007199254740993');
    assert.deepEqual(encodeRegisters(format, '9007199254740993'), [0x20, 0, 0, 1]);
    assert.deepEqual(encodeRegisters(format, 9007199254740993n), [0x20, 0, 0, 1]);
    assert.equal(decodeRegisters({ ...format, scaling: 10 }, [0x20, 0, 0, 1]), '90071992547409930');
    assert.equal(decodeRegisters({ ...format, scaling: 0.5 }, [0, 0, 0, 3]), 1.5);
  });

  it('a float has the digits that were meant', () => {
    const registers = registersOf(WRITERS.float(21.3), { label: '', swap16: false, reverseRegister: false });
    assert.equal(decodeRegisters(formatOf('float', 2), registers), 21.3);
    assert.equal(decodeRegisters(formatOf('float', 2, ORDERS[0], 0.1), registers), 2.13);
  });

  it('rounds to the nearest step, halves away from zero', () => {
    const format = formatOf('int16', 1, ORDERS[0], 0.1);
    const cases = [
      [21.34, 213],
      [21.35, 214],
      [-21.35, -214],
      [0.04, 0],
      ['1e2', 1000],
    ] as const;
    for (const [value, raw] of cases) {
      assert.deepEqual(encodeRegisters(format, value), [raw & 0xffff], String(value));
    }
  });

  it('refuses what does not fit, with the range in the units of the value', () => {
    refused('outOfRange', /^65536 is not from 0 to 65535 \(uint16\)$/, () =>
      encodeRegisters(formatOf('uint16', 1), 65_536),
    );
    refused('outOfRange', /-0\.1 is not from 0 to 6553\.5/, () =>
      encodeRegisters(formatOf('uint16', 1, ORDERS[0], 0.1), -0.1),
    );
    refused('outOfRange', /from -32767 to 32768/, () =>
      encodeRegisters(formatOf('int16', 1, ORDERS[0], -1), 40_000),
    );
    refused('outOfRange', /too large for float/, () => encodeRegisters(formatOf('float', 2), 1e39));
    refused('outOfRange', /int64/, () => encodeRegisters(formatOf('int64', 4), 2n ** 63n));
    for (const value of ['', 'warm', Number.NaN, Number.POSITIVE_INFINITY, null, {}, [1], undefined]) {
      refused('notNumber', /is not a number/, () => encodeRegisters(formatOf('uint16', 1), value));
    }
    for (const value of [2, 'yes', null]) {
      refused('notBool', /neither 0 nor 1/, () => encodeRegisters(formatOf('bool', 1), value));
    }
  });

  it('refuses registers that hold no value', () => {
    refused('badData', /2 registers are needed, 1 came/, () => decodeRegisters(formatOf('int32', 2), [1]));
    refused('badData', /65536 is not a register/, () => decodeRegisters(formatOf('int16', 1), [65_536]));
    refused('badData', /NaN/, () => decodeRegisters(formatOf('float', 2), [0x7fc0, 0]));
    refused('badData', /Infinity/, () => decodeRegisters(formatOf('double', 4), [0x7ff0, 0, 0, 0]));
    refused('badData', /UTF-8/, () => decodeRegisters(formatOf('string', 1), [0xff41]));
    refused('badData', /coil/, () => decodeRegisters({ type: 'bool', count: 1, bits: true }, [7]));
  });

  it('text is UTF-8 and ends with a zero byte', () => {
    for (const order of ORDERS) {
      const format = formatOf('string', 4, order);
      const registers = registersOf(Buffer.from('泵-1\0\0\0', 'utf8'), order);
      assert.deepEqual(encodeRegisters(format, '泵-1'), registers);
      assert.equal(decodeRegisters(format, registers), '泵-1');
    }
    refused('tooLong', /10 bytes do not fit into 4 registers/, () =>
      encodeRegisters(formatOf('string', 4), '0123456789'),
    );
    refused('notText', /lone surrogate/, () => encodeRegisters(formatOf('string', 4), '\ud800'));
    refused('notText', /true is not text/, () => encodeRegisters(formatOf('string', 4), true));
  });

  it('customized data is hexadecimal text', () => {
    const format = formatOf('customized data', 2, ORDERS[1]);
    assert.equal(decodeRegisters(format, [0x3412, 0x7856]), '12345678');
    assert.deepEqual(encodeRegisters(format, '0x1234'), [0x3412, 0]);
    refused('notHex', /hexadecimal/, () => encodeRegisters(format, '123'));
    refused('tooLong', /registers/, () => encodeRegisters(format, '0011223344'));
  });

  it('bool is 0 or 1', () => {
    assert.equal(decodeRegisters(formatOf('bool', 1), [0x0100]), 1);
    assert.equal(decodeRegisters(formatOf('bool', 1), [0]), 0);
    for (const value of [true, 1, '1', 'true'])
      assert.deepEqual(encodeRegisters(formatOf('bool', 1), value), [1]);
    for (const value of [false, 0, '0', 'false'])
      assert.deepEqual(encodeRegisters(formatOf('bool', 1), value), [0]);
    assert.equal(decodeRegisters({ type: 'bool', count: 1, bits: true }, [true, false]), 1);
    assert.deepEqual(encodeRegisters({ type: 'bool', count: 1, bits: true }, 1), [true]);
  });

  it('several coils are an unsigned number, the lowest address first', () => {
    const format: RegisterFormat = { type: 'uint16', count: 4, bits: true };
    assert.equal(decodeRegisters(format, [false, true, 0, 1]), 10);
    assert.deepEqual(encodeRegisters(format, 10), [false, true, false, true]);
    refused('outOfRange', /16 is not from 0 to 15/, () => encodeRegisters(format, 16));
  });

  it('a bit mask reads its bits and leaves the others', () => {
    const format: RegisterFormat = { type: 'uint16', count: 1, bitMask: 0x0ff0 };
    assert.equal(decodeRegisters(format, [0xa12b]), 0x12);
    assert.deepEqual(encodeRegisters(format, 0x34, [0xa12b]), [0xa34b]);
    const bit: RegisterFormat = { type: 'bool', count: 1, bitMask: 0x0100, swap16: true };
    assert.equal(decodeRegisters(bit, [0x0001]), 1);
    assert.deepEqual(encodeRegisters(bit, true, [0xf000]), [0xf001]);
    assert.deepEqual(encodeRegisters(bit, false, [0xf001]), [0xf000]);
    refused('outOfRange', /256 is not from 0 to 255/, () => encodeRegisters(format, 256, [0]));
    refused('currentMissing', /must be read first/, () => encodeRegisters(format, 1));
  });

  it('round trip of any whole number, order and scaling', () => {
    const types = ['int16', 'uint16', 'int32', 'uint32', 'int64', 'uint64'] as const;
    const any = fc.record({
      type: fc.constantFrom(...types),
      order: fc.constantFrom(...ORDERS),
      scaling: fc.constantFrom(...SCALINGS, 1e-6, 123.456),
      raw: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    });
    fc.assert(
      fc.property(any, ({ type, order, scaling, raw }) => {
        const bits = Number(type.replace(/\D/g, ''));
        const bytes = Buffer.from(
          BigInt.asUintN(bits, raw)
            .toString(16)
            .padStart(bits / 4, '0'),
          'hex',
        );
        const registers = registersOf(bytes, order);
        const format = formatOf(type, bits / 16, order, scaling);
        const value = decodeRegisters(format, registers);
        // A fraction with more digits than a double is the only thing that may be rounded.
        const exact = typeof value === 'string' || Math.abs(Number(value) / scaling) < 2 ** 50;
        if (exact) assert.deepEqual(encodeRegisters(format, value), registers);
      }),
    );
  });

  it('round trip of any float, double, text and bytes', () => {
    const order = fc.constantFrom(...ORDERS);
    const finite = { noNaN: true, noDefaultInfinity: true };
    fc.assert(
      fc.property(order, fc.float(finite), fc.double(finite), (at, float, double) => {
        const single = formatOf('float', 2, at);
        const stored = encodeRegisters(single, float);
        assert.equal(
          Math.fround(Number(decodeRegisters(single, stored as number[]))),
          Math.fround(float) + 0,
        );
        const whole = formatOf('double', 4, at);
        assert.equal(decodeRegisters(whole, encodeRegisters(whole, double) as number[]), double + 0);
      }),
    );
    fc.assert(
      fc.property(
        order,
        fc.string({ unit: 'binary', maxLength: 20 }),
        fc.uint8Array({ maxLength: 40 }),
        (at, text, bytes) => {
          const format = formatOf('string', 40, at);
          const kept = text.split('\0')[0] ?? '';
          assert.equal(decodeRegisters(format, encodeRegisters(format, text) as number[]), kept);
          const raw = formatOf('customized data', 20, at);
          const hex = Buffer.from(bytes).toString('hex');
          assert.equal(decodeRegisters(raw, encodeRegisters(raw, hex) as number[]), hex.padEnd(80, '0'));
        },
      ),
    );
  });

  it('a register that is none is told, also one that cannot be made text', () => {
    for (const register of [{ toString: null }, Object.create(null), [1], Symbol('1'), () => 1, '1', 1.5]) {
      const data = [register] as unknown as number[];
      assert.throws(() => decodeRegisters({ type: 'int16', count: 1 }, data), RegisterError);
      assert.throws(() => decodeRegisters({ type: 'bool', count: 1 }, data), RegisterError);
    }
  });

  it('whatever is given, only a RegisterError is thrown', () => {
    const format = fc.record({
      type: fc.constantFrom<RegisterType>(
        'int16',
        'uint64',
        'float',
        'double',
        'string',
        'bool',
        'customized data',
      ),
      count: fc.integer({ min: 1, max: 8 }),
    });
    fc.assert(
      fc.property(format, fc.anything({ withBigInt: true }), fc.array(fc.anything()), (at, value, data) => {
        for (const run of [() => encodeRegisters(at, value), () => decodeRegisters(at, data as number[])]) {
          try {
            run();
          } catch (error) {
            assert.ok(error instanceof RegisterError, String(error));
          }
        }
      }),
    );
  });
});
