import type { DataType } from '../thing-model';
import type { PlannedRead, PlannedValue, PlannedWrite, ValueKind } from './poll';
import { MOST_AT_ONCE } from './read/modbus';
import type { ModbusDevice, ModbusProperty, OperateType } from './types';

/** What a gateway does for one Modbus device. */
export interface ModbusPlan {
  productKey: string;
  deviceName: string;
  serverId: string;
  /** Unit on the server. */
  unitId: number;
  reads: readonly PlannedRead[];
  writes: readonly PlannedWrite[];
}

export interface PlanOptions {
  /**
   * Registers or coils that nobody asked for and that may be read in between, so that fewer requests are needed; 0 by
   * default, because many devices refuse addresses that they do not have.
   */
  gap?: number;
}

const LARGEST_GAP = 32;
const READ_CODES: Readonly<Record<OperateType, PlannedRead['fc']>> = {
  coilStatus: 1,
  inputStatus: 2,
  holdingRegister: 3,
  inputRegister: 4,
};

/**
 * Plans how a device is polled and written. Neighbouring addresses with one polling time go into one request of at most
 * 125 registers or 2,000 coils; a value is never split.
 */
export function planModbusDevice(device: ModbusDevice, { gap = 0 }: PlanOptions = {}): ModbusPlan {
  const { productKey, deviceName, slaveId, server, properties, thingModel } = device;
  const kinds = new Map(
    [...(thingModel?.properties ?? [])].map(([identifier, { dataType }]) => [identifier, kindOf(dataType)]),
  );
  const isReadOnly = ({ identifier }: ModbusProperty) =>
    thingModel?.properties.get(identifier)?.accessMode === 'r';
  const readable = properties.filter(
    ({ identifier, writeOnly }) =>
      writeOnly !== true && thingModel?.properties.get(identifier)?.accessMode !== 'w',
  );
  return {
    productKey,
    deviceName,
    serverId: server.serverId,
    unitId: slaveId,
    reads: planReads(readable, kinds, Math.min(Math.max(gap, 0), LARGEST_GAP)),
    writes: properties
      .filter((property) => property.writeCode !== undefined && !isReadOnly(property))
      .map(planWrite),
  };
}

/** Which form the platform wants; undefined for types that no register holds. */
export function kindOf({ type }: DataType): ValueKind | undefined {
  if (type === 'bool' || type === 'enum' || type === 'int') return 'whole';
  return type === 'text' || type === 'date' ? 'text' : undefined;
}

function planReads(
  properties: readonly ModbusProperty[],
  kinds: ReadonlyMap<string, ValueKind | undefined>,
  gap: number,
): PlannedRead[] {
  const groups = new Map<string, ModbusProperty[]>();
  for (const property of properties) {
    const key = `${READ_CODES[property.operateType]}/${property.pollingTime}`;
    const group = groups.get(key) ?? [];
    groups.set(key, group);
    group.push(property);
  }
  return [...groups.values()].flatMap((group) => join(group, kinds, gap));
}

function join(
  group: readonly ModbusProperty[],
  kinds: ReadonlyMap<string, ValueKind | undefined>,
  gap: number,
): PlannedRead[] {
  const reads: Array<PlannedRead & { values: PlannedValue[] }> = [];
  for (const property of [...group].sort((a, b) => a.address - b.address)) {
    const { identifier, operateType, address, format, pollingTime, report } = property;
    const fc = READ_CODES[operateType];
    const most = format.bits ? MOST_AT_ONCE.bits : MOST_AT_ONCE.registers;
    const last = reads.at(-1);
    const end = address + format.count;
    const fits =
      last !== undefined && address <= last.address + last.quantity + gap && end - last.address <= most;
    const read = fits ? last : { fc, address, quantity: 0, pollingTime, values: [] };
    if (read !== last) reads.push(read);
    read.quantity = Math.max(read.quantity, end - read.address);
    const kind = kinds.get(identifier);
    read.values.push({
      identifier,
      offset: address - read.address,
      format,
      ...(report === 'change' ? { onChange: true } : {}),
      ...(kind === undefined ? {} : { kind }),
    });
  }
  return reads;
}

function planWrite({
  identifier,
  operateType,
  address,
  format,
  writeCode = 16,
}: ModbusProperty): PlannedWrite {
  return { identifier, fc: writeCode, readFc: READ_CODES[operateType], address, format };
}
