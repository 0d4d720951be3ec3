import { createHash } from 'node:crypto';
import { type Json, parseThingModel, type ThingModel, ThingModelError } from '../protocol';
import type { ThingOptions } from './types';

/** Thing models that are in use, by what their documents say. */
const byContent = new Map<string, WeakRef<ThingModel>>();
/** Spares reading a document again that is known as an object. */
const byDocument = new WeakMap<object, WeakRef<ThingModel>>();
const unused = new FinalizationRegistry<string>((key) => {
  if (byContent.get(key)?.deref() === undefined) byContent.delete(key);
});

/**
 * Reads a thing model, one for all devices with the same document: the hundreds of sub-devices of a plant are of a
 * few products, and a thing model takes ten times the memory of the rest of a sub-device.
 * @param document as `parseThingModel` takes it; an object must not be changed afterwards
 * @throws ThingModelError
 */
export function sharedThingModel(document: Json | string): ThingModel {
  const isObject = typeof document === 'object' && document !== null;
  const known = isObject ? byDocument.get(document)?.deref() : undefined;
  if (known !== undefined) return known;
  const text = typeof document === 'string' ? document : JSON.stringify(document);
  const key = createHash('sha256').update(text).digest('base64');
  let model = byContent.get(key)?.deref();
  if (model === undefined) {
    model = parseThingModel(document);
    byContent.set(key, new WeakRef(model));
    unused.register(model, key);
  }
  if (isObject) byDocument.set(document, new WeakRef(model));
  return model;
}

/**
 * The same options without a copy of the thing model of their own.
 * @returns them as they are when the document cannot be read; whoever needs the model says so
 */
export function withSharedModel<O extends ThingOptions>(options: O): O {
  const { thingModel } = options;
  if (thingModel?.document === undefined) return options;
  try {
    const { document } = sharedThingModel(thingModel.document);
    return { ...options, thingModel: { ...thingModel, document } };
  } catch (thrown) {
    if (thrown instanceof ThingModelError) return options;
    throw thrown;
  }
}
