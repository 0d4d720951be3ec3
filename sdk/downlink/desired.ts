import { isDeepStrictEqual } from 'node:util';
import { isJsonObject, type Json, type JsonObject, LIMITS, type ThingModel } from '../../protocol';
import type { ReadRequest } from './read';

/** Desired values that are news, with the version of each. */
export interface NewerDesired {
  params: JsonObject;
  versions: Record<string, number>;
}

/** What is known of properties besides their desired values. */
export interface KnownValues {
  /** The value as the thing model types it; undefined when no flow may have it. */
  accept: (identifier: string, value: Json) => Json | undefined;
  /** What the device reported last. */
  reported: (identifier: string) => Json | undefined;
}

/** Which version of each desired value a flow has seen, so that it gets each one once (B.1 row 15). */
export class DesiredValues {
  readonly #versions = new Map<string, number>();
  /** Set while online; the platform pushes a desired value at once but without its version. */
  readonly #pushed = new Map<string, Json>();

  /** Remembers what a property set brought. */
  pushed(params: Json): void {
    if (!isJsonObject(params)) return;
    for (const [identifier, value] of Object.entries(params)) {
      if (this.#pushed.size < LIMITS.propertiesPerPost || this.#pushed.has(identifier)) {
        this.#pushed.set(identifier, value);
      }
    }
  }

  /**
   * Takes the platform's answer.
   * @param asked only these count: what nobody asked for must not fill the memory
   * @returns what is newer than anything seen, values fitted to the thing model; undefined when nothing is
   */
  newer(data: Json, asked: readonly string[], { accept, reported }: KnownValues): NewerDesired | undefined {
    if (!isJsonObject(data)) return undefined;
    const params: Array<[string, Json]> = [];
    const versions: Array<[string, number]> = [];
    for (const identifier of asked) {
      const entry = Object.hasOwn(data, identifier) ? data[identifier] : undefined;
      if (!isJsonObject(entry) || typeof entry.version !== 'number' || entry.value === undefined) continue;
      const { version } = entry;
      if (version <= (this.#versions.get(identifier) ?? -1)) continue;
      this.#versions.set(identifier, version);
      const value = accept(identifier, entry.value);
      const pushed = this.#pushed.get(identifier);
      this.#pushed.delete(identifier);
      if (value === undefined) continue;
      // A device that has changed since is not where this value wants it, whoever set it before.
      const actual = reported(identifier) ?? pushed;
      if (pushed !== undefined && isDeepStrictEqual([pushed, actual], [value, value])) continue;
      params.push([identifier, value]);
      versions.push([identifier, version]);
    }
    if (params.length === 0) return undefined;
    return { params: Object.fromEntries(params), versions: Object.fromEntries(versions) };
  }
}

/** Desired values as the request that they stand for. */
export function desiredRead(params: JsonObject): ReadRequest {
  return {
    kind: 'propertySet',
    operation: 'thing.property.desired.get',
    method: 'thing.property.desired.get',
    topic: '',
    payload: new Uint8Array(),
    sync: false,
    params,
    wantsAnswer: false,
    duplicate: false,
  };
}

/** Lists of properties to ask for, as long as one request may be (section D). */
export function desiredRequests(model: ThingModel): string[][] {
  const writable = [...model.properties.values()].filter(({ accessMode }) => accessMode !== 'r');
  const lists: string[][] = [];
  for (let i = 0; i < writable.length; i += LIMITS.propertiesPerPost) {
    lists.push(writable.slice(i, i + LIMITS.propertiesPerPost).map(({ identifier }) => identifier));
  }
  return lists;
}
