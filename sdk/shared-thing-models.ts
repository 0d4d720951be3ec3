import { createHash } from 'node:crypto';
import { type Json, parseThingModel, type ThingModel } from '../protocol';

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
