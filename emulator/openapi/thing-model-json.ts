import { isJsonObject, type Json, type JsonObject } from '../../protocol';

// The API writes a thing model in another form than devices and the console's export (TSL): types in capitals with
// their own names for modes and kinds, and lists instead of objects for the values of bool and enum.

const MODES: ReadonlyArray<readonly [tsl: string, api: string]> = [
  ['r', 'READ_ONLY'],
  ['rw', 'READ_WRITE'],
  ['w', 'WRITE_ONLY'],
];
const EVENT_TYPES: ReadonlyArray<readonly [tsl: string, api: string]> = [
  ['info', 'INFO_EVENT_TYPE'],
  ['alert', 'ALERT_EVENT_TYPE'],
  ['error', 'ERROR_EVENT_TYPE'],
];
const FEATURES = ['properties', 'events', 'services'] as const;
/** What the platform generates itself (I.1). */
const GENERATED = new Set(['post', 'set', 'get']);

/** A thing model (TSL) in the API's form (`ThingModelJson`), without what the platform generates. */
export function toApiModel(productKey: string, document: JsonObject): JsonObject {
  const own = (name: (typeof FEATURES)[number]) =>
    objects(document[name]).filter(
      ({ identifier }) => name === 'properties' || !GENERATED.has(String(identifier)),
    );
  return {
    productKey,
    properties: own('properties').map((entry) => ({
      ...typeToApi(entry.dataType),
      ...head(entry, productKey),
      name: entry.name ?? '',
      rwFlag: apiName(MODES, entry.accessMode),
    })),
    events: own('events').map((entry) => ({
      ...head(entry, productKey),
      eventName: entry.name ?? '',
      eventType: apiName(EVENT_TYPES, entry.type),
      outputdata: parametersToApi(entry.outputData, 'PARAM_OUTPUT'),
    })),
    services: own('services').map((entry) => ({
      ...head(entry, productKey),
      serviceName: entry.name ?? '',
      callType: entry.callType === 'sync' ? 'SYNC' : 'ASYNC',
      inputParams: parametersToApi(entry.inputData, 'PARAM_INPUT'),
      outputParams: parametersToApi(entry.outputData, 'PARAM_OUTPUT'),
    })),
  };
}

/**
 * The features of a `ThingModelJson` as a thing model document (TSL).
 * @param before a document whose other features stay; those of the same identifier are replaced
 */
export function fromApiModel(
  productKey: string,
  model: JsonObject,
  before: JsonObject | undefined,
): JsonObject {
  const given: Record<(typeof FEATURES)[number], JsonObject[]> = {
    properties: objects(model.properties).map((entry) => ({
      ...headFromApi(entry),
      name: entry.name ?? entry.identifier ?? '',
      accessMode: tslName(MODES, entry.rwFlag),
      dataType: typeFromApi(entry),
    })),
    events: objects(model.events).map((entry) => ({
      ...headFromApi(entry),
      name: entry.eventName ?? entry.identifier ?? '',
      type: tslName(EVENT_TYPES, entry.eventType),
      method: `thing.event.${String(entry.identifier)}.post`,
      outputData: parametersFromApi(entry.outputdata ?? entry.outputData),
    })),
    services: objects(model.services).map((entry) => ({
      ...headFromApi(entry),
      name: entry.serviceName ?? entry.identifier ?? '',
      callType: entry.callType === 'SYNC' ? 'sync' : 'async',
      method: `thing.service.${String(entry.identifier)}`,
      inputData: parametersFromApi(entry.inputParams),
      outputData: parametersFromApi(entry.outputParams),
    })),
  };
  const document: JsonObject = { ...before, profile: { productKey } };
  for (const name of FEATURES) {
    const identifiers = new Set(given[name].map(({ identifier }) => identifier));
    const kept = objects(before?.[name]).filter(({ identifier }) => !identifiers.has(identifier ?? null));
    document[name] = [...kept, ...given[name]];
  }
  return document;
}

function head({ identifier = '', required = false, desc }: JsonObject, productKey: string): JsonObject {
  return {
    productKey,
    identifier,
    required: required === true,
    custom: true,
    ...(desc === undefined ? {} : { description: desc }),
  };
}

function headFromApi({ identifier = '', required = false, description }: JsonObject): JsonObject {
  return {
    identifier,
    required: required === true,
    ...(description === undefined ? {} : { desc: description }),
  };
}

function parametersToApi(list: Json | undefined, direction: string): JsonObject[] {
  return objects(list).map((entry, paraOrder) => ({
    ...typeToApi(entry.dataType),
    identifier: entry.identifier ?? '',
    name: entry.name ?? '',
    direction,
    paraOrder,
    custom: true,
  }));
}

function parametersFromApi(list: Json | undefined): JsonObject[] {
  return objects(list).map((entry) => ({
    identifier: entry.identifier ?? '',
    name: entry.name ?? entry.identifier ?? '',
    dataType: typeFromApi(entry),
  }));
}

/** `dataType` with `dataSpecs` or `dataSpecsList`. */
function typeToApi(dataType: Json | undefined): JsonObject {
  const { type, specs } = isJsonObject(dataType) ? dataType : {};
  const name = typeof type === 'string' ? type.toUpperCase() : '';
  if (Array.isArray(specs)) {
    const members = objects(specs).map(({ identifier = '', name: label = '', dataType: inner }) => {
      const { dataType: childDataType = '', ...rest } = typeToApi(inner);
      return { ...rest, dataType: name, identifier, name: label, childDataType };
    });
    return { dataType: name, dataSpecsList: members };
  }
  const details = isJsonObject(specs) ? specs : {};
  if (name === 'BOOL' || name === 'ENUM') {
    const values = Object.entries(details).map(([value, label]) => ({
      dataType: name,
      name: label,
      value: Number(value),
    }));
    return { dataType: name, dataSpecsList: values };
  }
  if (name === 'ARRAY') {
    const { size = '', item } = details;
    const { dataType: childDataType = '', ...rest } = typeToApi(item);
    return { dataType: name, dataSpecs: { ...rest, dataType: name, size, childDataType } };
  }
  return { dataType: name, dataSpecs: { ...details, dataType: name } };
}

/** @param entry holds `dataType` with `dataSpecs` or `dataSpecsList` */
function typeFromApi({ dataType, dataSpecs, dataSpecsList }: JsonObject): JsonObject {
  const type = String(dataType ?? '').toLowerCase();
  const list = objects(dataSpecsList);
  switch (type) {
    case 'struct':
      return {
        type,
        specs: list.map(({ identifier = '', name = '', childDataType = '', ...rest }) => ({
          identifier,
          name,
          dataType: typeFromApi({ ...rest, dataType: childDataType }),
        })),
      };
    case 'bool':
    case 'enum':
      return {
        type,
        specs: Object.fromEntries(list.map(({ name = '', value }) => [String(value), String(name)])),
      };
    case 'array': {
      const { size = '', childDataType = '', ...rest } = isJsonObject(dataSpecs) ? dataSpecs : {};
      return { type, specs: { size: String(size), item: typeFromApi({ ...rest, dataType: childDataType }) } };
    }
    default: {
      const { dataType: _, custom: __, ...specs } = isJsonObject(dataSpecs) ? dataSpecs : {};
      // In a thing model document numbers are text.
      const texts = Object.entries(specs).map(([name, value]): [string, Json] => [
        name,
        typeof value === 'number' ? String(value) : value,
      ]);
      return { type, specs: Object.fromEntries(texts) };
    }
  }
}

function apiName(names: ReadonlyArray<readonly [string, string]>, tsl: Json | undefined): string {
  return names.find(([name]) => name === tsl)?.[1] ?? names[0]?.[1] ?? '';
}

function tslName(names: ReadonlyArray<readonly [string, string]>, api: Json | undefined): Json {
  // An unknown name stays, so that the thing model's own check names it.
  return names.find(([, name]) => name === api)?.[0] ?? api ?? null;
}

function objects(list: Json | undefined): JsonObject[] {
  return Array.isArray(list) ? list.filter(isJsonObject) : [];
}
