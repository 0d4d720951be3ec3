import { isJsonObject } from '../../envelope';
import { identityProblem } from '../../identity';
import type {
  ModbusProperty,
  OpcUaEvent,
  OpcUaParameter,
  OpcUaProperty,
  OpcUaService,
  ProductModel,
} from '../types';
import { type Entry, entries, field, needText, number, type Problems, show, under } from './fields';
import { readModbusProperty } from './modbus';

const MOST = { features: 1000, parameters: 100 } as const;
const LONGEST_DISPLAY_NAME = 512;
const IDENTIFIER = /^[A-Za-z0-9_]{1,50}(:[A-Za-z0-9_]{1,50})?$/;

/** Reads one entry of `modelList` (H.1). @returns undefined when it cannot be used; the problem says why */
export function readModel(entry: Entry, problems: Problems): ProductModel | undefined {
  const profile = field(entry.body, 'profile');
  const productKey = isJsonObject(profile) ? field(profile, 'productKey') : undefined;
  if (typeof productKey !== 'string' || identityProblem(productKey) !== undefined) {
    return problems.leftOut(under(entry.path, 'profile.productKey'), '{value} is not a productKey', {
      value: show(productKey),
    });
  }
  const modbus: ModbusProperty[] = [];
  const properties: OpcUaProperty[] = [];
  for (const [property, identifier] of features(entry, 'properties', problems)) {
    // One product may not mix them, but a document that does says plainly which is which.
    if (Object.hasOwn(property.body, 'displayName') && !Object.hasOwn(property.body, 'operateType')) {
      const named = readNamed(property, identifier, problems);
      if (named) properties.push(named);
    } else {
      const read = readModbusProperty(property, identifier, problems);
      if (read) modbus.push(read);
    }
  }
  const services = features(entry, 'services', problems).flatMap(([service, identifier]): OpcUaService[] => {
    const named = readNamed(service, identifier, problems);
    if (named === undefined) return [];
    const inputData = readParameters(service, 'inputData', problems);
    return [{ ...named, inputData, outputData: readParameters(service, 'outputData', problems) }];
  });
  const events = features(entry, 'events', problems).flatMap(([event, identifier]): OpcUaEvent[] => {
    const named = readNamed(event, identifier, problems);
    return named === undefined
      ? []
      : [{ ...named, outputData: readParameters(event, 'outputData', problems) }];
  });
  return { productKey, modbus, opcUa: { properties, services, events } };
}

function features(from: Entry, name: string, problems: Problems): Array<[Entry, string]> {
  const seen = new Set<string>();
  return entries(from, name, MOST.features, problems).flatMap((entry): Array<[Entry, string]> => {
    const identifier = readIdentifier(entry, problems);
    if (identifier === undefined) return [];
    if (seen.has(identifier)) {
      problems.leftOut(under(entry.path, 'identifier'), '"{name}" is there twice; the first one counts', {
        name: identifier,
      });
      return [];
    }
    seen.add(identifier);
    return [[entry, identifier]];
  });
}

function readIdentifier(entry: Entry, problems: Problems): string | undefined {
  const value = field(entry.body, 'identifier');
  // `__proto__` would name no property of an object.
  if (typeof value === 'string' && IDENTIFIER.test(value) && value !== '__proto__') return value;
  return problems.leftOut(under(entry.path, 'identifier'), '{value} is not 1–50 of A–Z, a–z, 0–9 and _', {
    value: show(value),
  });
}

function readNamed(entry: Entry, identifier: string, problems: Problems): OpcUaProperty | undefined {
  const displayName = needText(entry, 'displayName', LONGEST_DISPLAY_NAME, problems);
  return displayName === undefined ? undefined : { identifier, displayName };
}

function readParameters(from: Entry, name: string, problems: Problems): OpcUaParameter[] {
  const found = entries(from, name, MOST.parameters, problems).flatMap((entry, i): OpcUaParameter[] => {
    const identifier = readIdentifier(entry, problems);
    if (identifier === undefined) return [];
    const rule = { least: 0, most: MOST.parameters - 1, whole: true, assumed: i };
    return [{ identifier, index: number(entry, 'index', rule, problems) }];
  });
  const taken = new Set<number>();
  return found
    .filter(({ identifier, index }) => {
      if (!taken.has(index)) return taken.add(index);
      problems.leftOut(under(from.path, name), '"{identifier}" has the index {index} of another one', {
        identifier,
        index,
      });
      return false;
    })
    .sort((a, b) => a.index - b.index);
}
