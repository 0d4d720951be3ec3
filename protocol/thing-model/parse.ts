import { isJsonObject, type Json, type JsonObject } from '../envelope';
import { utf8Length } from '../identity';
import { LIMITS } from '../limits';
import { show } from './check';
import type {
  DataType,
  EventDefinition,
  Member,
  PropertyDefinition,
  ServiceDefinition,
  ThingModel,
} from './types';

/** What is wrong with a thing model document, and where. */
export class ThingModelError extends Error {
  override readonly name = 'ThingModelError';
  /** @param path JSON path in the document, for example `properties[2].dataType.type` */
  constructor(
    readonly path: string,
    readonly reason: string,
  ) {
    super(`${path}: ${reason}`);
  }
}

const IDENTIFIER = /^[A-Za-z0-9_]{1,50}(:[A-Za-z0-9_]{1,50})?$/;
// Section D: words that the protocol itself uses in these places.
const RESERVED = new Set(['set', 'get', 'post', 'property', 'event', 'time', 'value']);
const NUMERIC = new Map([
  ['int', 'int'],
  ['int32', 'int'],
  ['float', 'float'],
  ['double', 'double'],
] as const);
const ARRAY_ITEMS = new Set<DataType['type']>(['int', 'float', 'double', 'text', 'struct']);
const DEEPEST_TYPE = 2;
const MOST = { members: 50, enumItems: 100, elements: 512 } as const;
// Features that the platform generates itself; they describe the protocol, not the device (I.1).
const GENERATED_EVENTS = new Set(['post']);
const GENERATED_SERVICES = new Set(['set', 'get']);

/**
 * Reads a thing model (TSL) as the console exports it: numbers as text, modules in `functionBlocks`.
 * @param document JSON text or the parsed value
 * @throws ThingModelError with the path and the reason
 */
export function parseThingModel(document: Json | string): ThingModel {
  const body = typeof document === 'string' ? readText(document) : document;
  if (!isJsonObject(body)) throw new ThingModelError('$', 'is not a JSON object');
  const properties = new Map<string, PropertyDefinition>();
  const events = new Map<string, EventDefinition>();
  const services = new Map<string, ServiceDefinition>();
  const into = { properties, events, services };
  readFeatures(body, '', '$', into);
  for (const key of ['functionBlocks', 'blocks']) {
    for (const [block, path] of objects(body, key, '$')) {
      const id = text(block, ['functionBlockId', 'identifier']) ?? '';
      // Features of the default module are named without it.
      const prefix = id === '' || id === 'default' || block.isDefault === true ? '' : `${id}:`;
      readFeatures(block, prefix, path, into);
    }
  }
  const profile = isJsonObject(body.profile) ? body.profile : {};
  const productKey = typeof profile.productKey === 'string' ? profile.productKey : undefined;
  return { ...(productKey === undefined ? {} : { productKey }), ...into, document: body };
}

function readText(document: string): Json {
  if (utf8Length(document) > LIMITS.thingModelBytes) throw new ThingModelError('$', 'is larger than 512 KB');
  try {
    return JSON.parse(document) as Json;
  } catch {
    throw new ThingModelError('$', 'is not JSON');
  }
}

interface Features {
  properties: Map<string, PropertyDefinition>;
  events: Map<string, EventDefinition>;
  services: Map<string, ServiceDefinition>;
}

function readFeatures(body: JsonObject, prefix: string, path: string, into: Features): void {
  for (const [entry, at] of objects(body, 'properties', path)) {
    const identifier = readFeatureIdentifier(entry, at, prefix);
    const mode = entry.accessMode ?? 'rw';
    if (mode !== 'r' && mode !== 'rw' && mode !== 'w')
      throw new ThingModelError(`${at}.accessMode`, 'is not r, rw or w');
    into.properties.set(identifier, {
      identifier,
      name: text(entry, ['name']) ?? identifier,
      accessMode: mode,
      required: entry.required === true,
      dataType: readDataType(entry.dataType, `${at}.dataType`, 0),
    });
  }
  for (const [entry, at] of objects(body, 'events', path)) {
    if (isGenerated(entry, GENERATED_EVENTS)) continue;
    const identifier = readFeatureIdentifier(entry, at, prefix);
    const type = entry.type ?? 'info';
    if (type !== 'info' && type !== 'alert' && type !== 'error') {
      throw new ThingModelError(`${at}.type`, 'is not info, alert or error');
    }
    const outputData = readMembers(entry, 'outputData', at, 0);
    into.events.set(identifier, { identifier, name: text(entry, ['name']) ?? identifier, type, outputData });
  }
  for (const [entry, at] of objects(body, 'services', path)) {
    if (isGenerated(entry, GENERATED_SERVICES)) continue;
    const identifier = readFeatureIdentifier(entry, at, prefix);
    into.services.set(identifier, {
      identifier,
      name: text(entry, ['name']) ?? identifier,
      callType: entry.callType === 'sync' ? 'sync' : 'async',
      inputData: readMembers(entry, 'inputData', at, 0),
      outputData: readMembers(entry, 'outputData', at, 0),
    });
  }
}

function isGenerated({ identifier }: JsonObject, names: ReadonlySet<string>): boolean {
  return typeof identifier === 'string' && names.has(identifier);
}

function readFeatureIdentifier(entry: JsonObject, path: string, prefix: string): string {
  const identifier = readIdentifier(entry, path);
  if (RESERVED.has(identifier)) {
    throw new ThingModelError(`${path}.identifier`, `"${identifier}" is a reserved word`);
  }
  return prefix + identifier;
}

function readIdentifier({ identifier }: JsonObject, path: string): string {
  if (typeof identifier !== 'string' || !IDENTIFIER.test(identifier)) {
    throw new ThingModelError(`${path}.identifier`, 'is not 1–50 of A–Z, a–z, 0–9 and _');
  }
  return identifier;
}

function readMembers(entry: JsonObject, key: string, path: string, depth: number): Member[] {
  return objects(entry, key, path).map(([member, at]) => ({
    identifier: readIdentifier(member, at),
    name: text(member, ['name']) ?? '',
    dataType: readDataType(member.dataType, `${at}.dataType`, depth),
    required: member.required !== false,
  }));
}

function readDataType(value: Json | undefined, path: string, depth: number): DataType {
  if (!isJsonObject(value)) throw new ThingModelError(path, 'is missing');
  // The deepest there is: an array of structs. Stops the recursion before the types are compared.
  if (depth > DEEPEST_TYPE) throw new ThingModelError(path, 'is nested too deep');
  const type = typeof value.type === 'string' ? value.type.toLowerCase() : '';
  const specs = value.specs;
  const object = isJsonObject(specs) ? specs : {};
  const number = NUMERIC.get(type as 'int' | 'int32' | 'float' | 'double');
  if (number !== undefined) return numeric(number, object, path);
  switch (type) {
    case 'bool':
    case 'enum':
      return { type, labels: readLabels(object, path) };
    case 'text': {
      const length = readNumber(object.length, `${path}.specs.length`);
      return { type, ...(length === undefined ? {} : { length }) };
    }
    case 'date':
      return { type };
    case 'struct':
      return { type, members: readStructMembers(specs ?? [], path, depth) };
    case 'array':
      return readArray(object, path, depth);
    default:
      throw new ThingModelError(`${path}.type`, `${show(value.type)} is not a data type`);
  }
}

function readStructMembers(specs: Json, path: string, depth: number): Member[] {
  const members = readMembers({ specs }, 'specs', path, depth + 1);
  if (members.length > MOST.members) throw new ThingModelError(path, `has more than ${MOST.members} members`);
  members.forEach(({ dataType: { type } }, i) => {
    if (type !== 'struct' && type !== 'array') return;
    throw new ThingModelError(`${path}.specs[${i}].dataType.type`, 'a member cannot be a struct or an array');
  });
  return members;
}

function readArray(specs: JsonObject, path: string, depth: number): DataType {
  const size = readNumber(specs.size, `${path}.specs.size`);
  if (size !== undefined && (size < 1 || size > MOST.elements || !Number.isInteger(size))) {
    throw new ThingModelError(`${path}.specs.size`, `is not 1–${MOST.elements}`);
  }
  const item = readDataType(specs.item, `${path}.specs.item`, depth + 1);
  if (!ARRAY_ITEMS.has(item.type)) {
    throw new ThingModelError(`${path}.specs.item.type`, `elements cannot be of type ${item.type}`);
  }
  return { type: 'array', item, ...(size === undefined ? {} : { size }) };
}

function numeric(type: 'int' | 'float' | 'double', specs: JsonObject, path: string): DataType {
  const min = readNumber(specs.min, `${path}.specs.min`);
  const max = readNumber(specs.max, `${path}.specs.max`);
  const unit = typeof specs.unit === 'string' && specs.unit !== '' ? specs.unit : undefined;
  return {
    type,
    ...(min === undefined ? {} : { min }),
    ...(max === undefined ? {} : { max }),
    ...(unit === undefined ? {} : { unit }),
  };
}

function readNumber(value: Json | undefined, path: string): number | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  const number = typeof value === 'object' ? Number.NaN : Number(value);
  if (!Number.isFinite(number)) throw new ThingModelError(path, 'is not a number');
  return number;
}

function readLabels(specs: JsonObject, path: string): Readonly<Record<string, string>> {
  const labels: Record<string, string> = Object.create(null) as Record<string, string>;
  if (Object.keys(specs).length > MOST.enumItems) {
    throw new ThingModelError(`${path}.specs`, `has more than ${MOST.enumItems} items`);
  }
  for (const [key, label] of Object.entries(specs)) {
    if (!/^-?\d+$/.test(key)) throw new ThingModelError(`${path}.specs`, `"${key}" is not a whole number`);
    labels[key] = typeof label === 'string' ? label : show(label);
  }
  return labels;
}

function objects(body: JsonObject, key: string, path: string): Array<[JsonObject, string]> {
  const value = Object.hasOwn(body, key) ? body[key] : undefined;
  // Documents hold `""` or texts (`get` lists identifiers) where a list of definitions is meant.
  if (value === undefined || value === null || value === '') return [];
  if (!Array.isArray(value)) throw new ThingModelError(`${path}.${key}`, 'is not a list');
  return value.flatMap((entry, i): Array<[JsonObject, string]> => {
    if (typeof entry === 'string') return [];
    if (!isJsonObject(entry)) throw new ThingModelError(`${path}.${key}[${i}]`, 'is not an object');
    return [[entry, `${path}.${key}[${i}]`]];
  });
}

function text(entry: JsonObject, keys: readonly string[]): string | undefined {
  for (const key of keys) {
    const value = entry[key];
    if (typeof value === 'string') return value;
  }
  return undefined;
}
