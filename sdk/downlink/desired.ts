import { isDeepStrictEqual } from 'node:util';
import { isJsonObject, type Json, type JsonObject, LIMITS, type ThingModel } from '../../protocol';

/** Desired values that are news, with the version of each. */
export interface NewerDesired {
  params: JsonObject;
  versions: Record<string, number>;
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

  /** Takes the platform's answer. @returns what is newer than anything seen, undefined when nothing is */
  newer(data: Json): NewerDesired | undefined {
    if (!isJsonObject(data)) return undefined;
    const params: Array<[string, Json]> = [];
    const versions: Array<[string, number]> = [];
    for (const [identifier, entry] of Object.entries(data)) {
      if (!isJsonObject(entry) || typeof entry.version !== 'number' || entry.value === undefined) continue;
      const { version, value } = entry;
      if (version <= (this.#versions.get(identifier) ?? -1)) continue;
      this.#versions.set(identifier, version);
      const known = this.#pushed.get(identifier);
      this.#pushed.delete(identifier);
      if (known !== undefined && isDeepStrictEqual(known, value)) continue;
      params.push([identifier, value]);
      versions.push([identifier, version]);
    }
    if (params.length === 0) return undefined;
    return { params: Object.fromEntries(params), versions: Object.fromEntries(versions) };
  }
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
