import { isJsonObject } from '../../envelope';
import { type RegisterFormat, type RegisterType, registersOf } from '../registers';
import type { ModbusProperty, OperateType } from '../types';
import { HIGHEST_ADDRESS, isAmbiguousAddress, readAddress, readMask } from './addresses';
import { type Entry, field, number, type Problems, readNumber, show, under } from './fields';

/** What one request can read (Modbus application protocol 6.1–6.4). */
export const MOST_AT_ONCE = { registers: 125, bits: 2000 } as const;
/** What one request can write (6.12). */
const MOST_WRITTEN = 123;

const OPERATE_TYPES: readonly OperateType[] = [
  'coilStatus',
  'inputStatus',
  'holdingRegister',
  'inputRegister',
];
const TYPES: readonly RegisterType[] = [
  'int16',
  'uint16',
  'int32',
  'uint32',
  'int64',
  'uint64',
  'float',
  'double',
  'string',
  'bool',
  'customized data',
];
const POLLING = { least: 100, most: 86_400_000, assumed: 1000 };
// Coils make a number; longer ones than the largest type would be no number any more.
const MOST_COILS = 64;

/** Reads where a property lies in registers or coils. @returns undefined when it cannot be used; the problem says why */
export function readModbusProperty(
  entry: Entry,
  identifier: string,
  problems: Problems,
): ModbusProperty | undefined {
  const given = field(entry.body, 'operateType');
  const operateType = OPERATE_TYPES.find((type) => type === given);
  if (operateType === undefined) {
    return problems.leftOut(under(entry.path, 'operateType'), '{value} is not one of {choices}', {
      value: show(given),
      choices: OPERATE_TYPES.join(', '),
    });
  }
  const address = readPropertyAddress(entry, problems);
  const format = readFormat(entry, operateType, problems);
  if (address === undefined || format === undefined) return undefined;
  if (address + format.count - 1 > HIGHEST_ADDRESS) {
    return problems.leftOut(
      under(entry.path, 'registerAddress'),
      '{count} from {address} on end beyond 65535',
      { count: format.count, address },
    );
  }
  const writeCode = readWriteCode(entry, operateType, format, problems);
  const trigger = number(entry, 'trigger', { least: 1, most: 2, whole: true, assumed: 1 }, problems);
  const writeOnly = readNumber(field(entry.body, 'writeOnly') ?? 0) === 1;
  return {
    identifier,
    operateType,
    address,
    format,
    pollingTime: Math.round(number(entry, 'pollingTime', POLLING, problems)),
    report: trigger === 2 ? 'change' : 'each',
    ...(writeCode === undefined ? {} : { writeCode }),
    ...(writeOnly ? { writeOnly } : {}),
  };
}

function readPropertyAddress(entry: Entry, problems: Problems): number | undefined {
  const value = field(entry.body, 'registerAddress');
  const path = under(entry.path, 'registerAddress');
  const address = readAddress(value);
  if (address === undefined)
    return problems.leftOut(path, '{value} is not an address from 0x0 to 0xFFFF', { value: show(value) });
  if (isAmbiguousAddress(value))
    problems.assumed(path, '{value} has no 0x; {address} is taken', { value: show(value), address });
  return address;
}

function readFormat(entry: Entry, operateType: OperateType, problems: Problems): RegisterFormat | undefined {
  const bits = operateType === 'coilStatus' || operateType === 'inputStatus';
  const original = field(entry.body, 'originalDataType');
  const path = under(entry.path, 'originalDataType');
  if (!isJsonObject(original)) return problems.leftOut(path, 'is not an object');
  const specs = field(original, 'specs');
  const from: Entry = { body: isJsonObject(specs) ? specs : {}, path: `${path}.specs` };
  const given = field(original, 'type');
  const type = TYPES.find((name) => name === given);
  if (type === undefined)
    return problems.leftOut(`${path}.type`, '{value} is not a type of registers', { value: show(given) });
  if (bits && !isNumeric(type)) return problems.leftOut(`${path}.type`, 'coils cannot hold {type}', { type });
  const count = bits ? readCoils(from, type, problems) : readRegisters(from, type, problems);
  if (count === undefined) return undefined;
  const scaling = readScaling(entry, problems);
  const mask = readBitMask(entry, from, type, count * (bits ? 1 : 16), problems);
  return {
    type,
    count,
    ...(bits ? { bits } : {}),
    ...(readFlag(from, 'swap16') ? { swap16: true } : {}),
    ...(readFlag(from, 'reverseRegister') ? { reverseRegister: true } : {}),
    ...(scaling === 1 ? {} : { scaling }),
    ...(mask === undefined ? {} : { bitMask: mask }),
  };
}

function isNumeric(type: RegisterType): boolean {
  return type === 'bool' || /^u?int/.test(type);
}

function readRegisters(from: Entry, type: RegisterType, problems: Problems): number | undefined {
  const fixed = registersOf(type);
  const rule = { least: 1, most: MOST_AT_ONCE.registers, whole: true, assumed: fixed ?? 1 };
  const count = number(from, 'registerCount', rule, problems);
  if (fixed === undefined) return count;
  // The console shows the field for texts and bytes only, so what it writes for numbers need not mean anything.
  if (count !== fixed) {
    problems.assumed(
      under(from.path, 'registerCount'),
      '{type} takes {fixed}, not {count}; {fixed} is taken',
      { type, fixed, count },
    );
  }
  return fixed;
}

function readCoils(from: Entry, type: RegisterType, problems: Problems): number {
  const most = type === 'bool' ? 1 : MOST_COILS;
  return number(from, 'registerCount', { least: 1, most, whole: true, assumed: 1 }, problems);
}

function readScaling(entry: Entry, problems: Problems): number {
  const value = field(entry.body, 'scaling');
  if (value === undefined || value === '') return 1;
  const scaling = readNumber(value);
  const size = Math.abs(scaling ?? 0);
  if (scaling !== undefined && size >= 1e-30 && size <= 1e30) return scaling;
  problems.assumed(under(entry.path, 'scaling'), '{value} is not a number other than 0; 1 is taken', {
    value: show(value),
  });
  return 1;
}

/** A flag may be 0, 1, true, false or their text. */
function readFlag(from: Entry, name: string): boolean {
  const value = field(from.body, name);
  return value === true || value === 1 || value === '1' || value === 'true';
}

function readBitMask(
  entry: Entry,
  specs: Entry,
  type: RegisterType,
  width: number,
  problems: Problems,
): number | undefined {
  const value = field(entry.body, 'bitMask') ?? field(specs.body, 'bitMask');
  // 0 in a document of the console means that there is none.
  if (value === undefined || value === '' || readAddress(value) === 0) return undefined;
  const mask = readMask(value);
  if (isNumeric(type) && mask !== undefined && mask < 2 ** width) return mask;
  return problems.assumed(
    under(entry.path, 'bitMask'),
    '{value} is not a mask of {width} bits for {type}; none is taken',
    { value: show(value), width, type },
  );
}

function readWriteCode(
  entry: Entry,
  operateType: OperateType,
  { count }: RegisterFormat,
  problems: Problems,
): ModbusProperty['writeCode'] {
  if (operateType === 'inputStatus' || operateType === 'inputRegister') return undefined;
  const [single, several] = operateType === 'coilStatus' ? ([5, 15] as const) : ([6, 16] as const);
  const usual = count === 1 ? single : several;
  const value = field(entry.body, 'writeFunctionCode');
  const code = value === undefined || value === '' ? usual : readNumber(value);
  if (code === 0) return undefined;
  if (count > MOST_WRITTEN) {
    return problems.assumed(
      under(entry.path, 'writeFunctionCode'),
      '{count} registers are more than the {most} that can be written at once; it is only read',
      { count, most: MOST_WRITTEN },
    );
  }
  if (code === several || (code === single && count === 1)) return code;
  problems.assumed(
    under(entry.path, 'writeFunctionCode'),
    '{value} does not write {count} of {operateType}; {usual} is taken',
    { value: show(value), count, operateType, usual },
  );
  return usual;
}
