import { isJsonObject, type Json, type JsonObject } from '../../protocol';

/** Part of the document: what the device reported, or what the application wants. */
type Part = 'reported' | 'desired';
type Attributes = Map<string, { value: Json; time: number }>;

/** Attributes of the reported part, and of the desired part (B.2, section D). */
const MOST_ATTRIBUTES = 128;
// Nobody names a limit; a document of more than one message would only be hostile.
const LARGEST_DOCUMENT = 256 * 1024;

/** A change that is refused; codes of B.2. */
export class ShadowError extends Error {
  override readonly name = 'ShadowError';
  constructor(
    readonly code: 402 | 403 | 404 | 405 | 408 | 409 | 500,
    message: string,
  ) {
    super(message);
  }
}

export interface ShadowChange {
  state: Json | undefined;
  version: Json | undefined;
}

/** The shadow document of one device (B.2). Times in it are seconds since 1970, as the platform prints them. */
export class Shadow {
  private stored = 0;
  private changedAt = 0;
  private readonly parts: Record<Part, Attributes> = { reported: new Map(), desired: new Map() };

  get version(): number {
    return this.stored;
  }

  /** Nothing was ever written, or the document was reset. */
  get isEmpty(): boolean {
    return this.stored === 0 && this.parts.reported.size === 0 && this.parts.desired.size === 0;
  }

  get wantsSomething(): boolean {
    return this.parts.desired.size > 0;
  }

  /**
   * Takes the device's update: reported attributes are merged, `"null"` or null as desired clears it (section J row
   * 47). Version −1 empties the document first and sets it to 0.
   * @param now milliseconds since 1970
   * @throws ShadowError
   */
  update({ state, version }: ShadowChange, now: number): void {
    const next = this.nextVersion(version);
    const { reported, desired } = readState(state);
    if (reported === undefined && desired === undefined) throw new ShadowError(404, 'nothing is reported');
    if (isJsonObject(reported) && Object.keys(reported).length === 0) {
      throw new ShadowError(405, 'reported is empty');
    }
    const kept = next === 0 ? empty() : this.parts;
    const merged = {
      reported: merge(kept.reported, reported, now),
      desired: merge(kept.desired, desired, now),
    };
    this.put(next, merged, now);
  }

  /** Takes the device's delete: one key each whose value is `"null"` or null, or all of them. @throws ShadowError */
  delete({ state, version }: ShadowChange, now: number): void {
    const next = this.nextVersion(version);
    const given = readState(state);
    if (given.reported === undefined && given.desired === undefined) {
      throw new ShadowError(404, 'neither reported nor desired is named');
    }
    const kept = next === 0 ? empty() : this.parts;
    this.put(
      next,
      { reported: without(kept.reported, given.reported), desired: without(kept.desired, given.desired) },
      now,
    );
  }

  /**
   * Takes the application's wish. Version 0 asks for no version control, −1 resets.
   * @param whole false to keep the wishes that are not named
   * @throws ShadowError
   */
  want({ state, version }: ShadowChange, whole: boolean, now: number): void {
    const next = version === 0 ? this.stored + 1 : this.nextVersion(version);
    const { desired } = readState(state);
    if (desired === undefined) throw new ShadowError(404, 'nothing is desired');
    if (isJsonObject(desired) && Object.keys(desired).length === 0) {
      throw new ShadowError(405, 'desired is empty');
    }
    const kept = next === 0 ? empty() : this.parts;
    const base = whole || isNothing(desired) ? new Map() : kept.desired;
    this.put(next, { reported: kept.reported, desired: merge(base, desired, now) }, now);
  }

  /** `state` and `metadata` of an answer; a part without attributes is left out. */
  content(): { state: JsonObject; metadata: JsonObject } {
    const state: JsonObject = {};
    const metadata: JsonObject = {};
    for (const part of ['reported', 'desired'] as const) {
      const attributes = [...this.parts[part]];
      if (attributes.length === 0) continue;
      // fromEntries defines `__proto__` as a member instead of setting the prototype.
      state[part] = Object.fromEntries(attributes.map(([key, { value }]) => [key, value]));
      metadata[part] = Object.fromEntries(
        attributes.map(([key, { time }]) => [key, { timestamp: inSeconds(time) }]),
      );
    }
    return { state, metadata };
  }

  /** The whole document as applications read it. */
  document(): JsonObject {
    return { ...this.content(), timestamp: inSeconds(this.changedAt), version: this.stored };
  }

  /** Brings back what `document` gave; what cannot be one is ignored. */
  restore(document: Json | undefined): void {
    if (!isJsonObject(document) || typeof document.version !== 'number') return;
    const { state, metadata, timestamp } = document;
    this.stored = document.version;
    this.changedAt = typeof timestamp === 'number' ? timestamp * 1000 : 0;
    for (const part of ['reported', 'desired'] as const) {
      const values = isJsonObject(state) ? state[part] : undefined;
      const times = isJsonObject(metadata) ? metadata[part] : undefined;
      if (!isJsonObject(values)) continue;
      for (const [key, value] of Object.entries(values).slice(0, MOST_ATTRIBUTES)) {
        const entry = isJsonObject(times) && Object.hasOwn(times, key) ? times[key] : undefined;
        const seconds = isJsonObject(entry) ? entry.timestamp : undefined;
        this.parts[part].set(key, { value, time: typeof seconds === 'number' ? seconds * 1000 : 0 });
      }
    }
  }

  private nextVersion(version: Json | undefined): number {
    const number = typeof version === 'string' && /^-?\d{1,15}$/.test(version) ? Number(version) : version;
    if (typeof number !== 'number' || !Number.isSafeInteger(number)) {
      throw new ShadowError(403, 'version is not a number');
    }
    if (number === -1) return 0;
    if (number <= this.stored) {
      throw new ShadowError(409, `version ${number} is not greater than ${this.stored}`);
    }
    return number;
  }

  private put(version: number, parts: Record<Part, Attributes>, now: number): void {
    for (const part of ['reported', 'desired'] as const) {
      if (parts[part].size > MOST_ATTRIBUTES) {
        throw new ShadowError(408, `${parts[part].size} ${part} attributes, at most ${MOST_ATTRIBUTES}`);
      }
    }
    if (sizeOf(parts.reported) + sizeOf(parts.desired) > LARGEST_DOCUMENT) {
      throw new ShadowError(500, `the document would be larger than ${LARGEST_DOCUMENT} characters`);
    }
    this.stored = version;
    this.changedAt = now;
    this.parts.reported = parts.reported;
    this.parts.desired = parts.desired;
  }
}

function readState(state: Json | undefined): { reported: Json | undefined; desired: Json | undefined } {
  if (!isJsonObject(state)) throw new ShadowError(402, 'state is missing');
  const part = (name: Part) => {
    const value = Object.hasOwn(state, name) ? state[name] : undefined;
    if (value === undefined || isJsonObject(value) || isNothing(value)) return value;
    throw new ShadowError(404, `${name} is not an object`);
  };
  return { reported: part('reported'), desired: part('desired') };
}

function isNothing(value: Json): boolean {
  return value === null || value === 'null';
}

function merge(kept: Attributes, given: Json | undefined, now: number): Attributes {
  if (given === undefined) return kept;
  if (!isJsonObject(given)) return new Map();
  const merged = new Map(kept);
  for (const [key, value] of Object.entries(given)) merged.set(key, { value, time: now });
  return merged;
}

function without(kept: Attributes, given: Json | undefined): Attributes {
  if (given === undefined) return kept;
  if (!isJsonObject(given)) return new Map();
  const left = new Map(kept);
  for (const [key, value] of Object.entries(given)) if (isNothing(value)) left.delete(key);
  return left;
}

function sizeOf(attributes: Attributes): number {
  let size = 0;
  for (const [key, { value }] of attributes) size += key.length + JSON.stringify(value).length;
  return size;
}

function empty(): Record<Part, Attributes> {
  return { reported: new Map(), desired: new Map() };
}

function inSeconds(time: number): number {
  return Math.floor(time / 1000);
}
