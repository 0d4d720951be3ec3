import { isJsonObject, type Json, type JsonObject } from '../../protocol';
import { alink } from './types';

/** B.1 row 17: the thing model's document; 6321 for a product that has none. */
export const thingModelGet = alink((_, { device }) => {
  const model = device.product.thingModel;
  return model === undefined ? { code: 6321 } : { code: 200, data: model.document };
});

/** B.1 row 18: the thing model with the named members only, without what the platform generates unless asked for. */
export const dynamicModelGet = alink(({ params }, { device }) => {
  const model = device.product.thingModel;
  if (model === undefined) return { code: 6321 };
  const { nodes = ['identifier', 'type'], addDefault = false } = isJsonObject(params) ? params : {};
  if (!Array.isArray(nodes) || !nodes.every((node) => typeof node === 'string')) {
    return { code: 460, note: 'nodes is not a list of texts' };
  }
  const reduced = reduce(model.document, new Set([...STRUCTURE, ...nodes]));
  if (isJsonObject(reduced) && addDefault !== true) {
    reduced.events = without(reduced.events, ['post']);
    reduced.services = without(reduced.services, ['set', 'get']);
  }
  return { code: 200, data: reduced };
});

/** Members that hold the others. */
const STRUCTURE = [
  'properties',
  'events',
  'services',
  'inputData',
  'outputData',
  'dataType',
  'item',
  'profile',
  'productKey',
];

function reduce(node: Json, kept: ReadonlySet<string>): Json {
  if (Array.isArray(node)) return node.map((element) => reduce(element, kept));
  if (!isJsonObject(node)) return node;
  const entries = Object.entries(node).flatMap(([name, inner]): Array<[string, Json]> => {
    if (kept.has(name)) return [[name, reduce(inner, kept)]];
    // Specs hold limits, which are left out, or the members of a struct and the items of an array, which are not.
    return name === 'specs' ? reduceSpecs(inner, kept) : [];
  });
  return Object.fromEntries(entries);
}

function reduceSpecs(specs: Json, kept: ReadonlySet<string>): Array<[string, Json]> {
  if (Array.isArray(specs)) return [['specs', reduce(specs, kept)]];
  return isJsonObject(specs) && specs.item !== undefined
    ? [['specs', { item: reduce(specs.item, kept) } satisfies JsonObject]]
    : [];
}

function without(list: Json | undefined, identifiers: readonly string[]): Json {
  return (Array.isArray(list) ? list : []).filter(
    (entry) => !(isJsonObject(entry) && identifiers.includes(String(entry.identifier))),
  );
}
