import type { Json } from '../envelope';

/** A value as JSON holds it, or where it holds something that JSON cannot. */
export type JsonResult = { ok: true; value: Json } | { ok: false; path: string; found: string };

const DEEPEST = 16;

/**
 * Reads any JavaScript value as JSON; never throws. A Date becomes ISO text; undefined members are left out. NaN, functions,
 * BigInt, buffers, maps, cycles and deep nesting are named instead of being written as null or `{}`.
 */
export function toJson(value: unknown): JsonResult {
  try {
    return readValue(value, '', 0);
  } catch {
    // Getters and proxies may throw what they like.
    return { ok: false, path: '', found: 'an object that cannot be read' };
  }
}

function readValue(value: unknown, path: string, depth: number): JsonResult {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return { ok: true, value };
    case 'number':
      return Number.isFinite(value) ? { ok: true, value } : { ok: false, path, found: String(value) };
    case 'object':
      return value === null ? { ok: true, value } : objectToJson(value, path, depth);
    default:
      return { ok: false, path, found: typeof value };
  }
}

function objectToJson(value: object, path: string, depth: number): JsonResult {
  if (depth >= DEEPEST) return { ok: false, path, found: 'nesting deeper than 16 levels' };
  if (value instanceof Date) {
    const time = value.getTime();
    return Number.isFinite(time)
      ? { ok: true, value: value.toISOString() }
      : { ok: false, path, found: 'an invalid date' };
  }
  if (Array.isArray(value)) {
    const list: Json[] = [];
    for (let i = 0; i < value.length; i++) {
      const element = readValue(value[i], `${path}[${i}]`, depth + 1);
      if (!element.ok) return element;
      list.push(element.value);
    }
    return { ok: true, value: list };
  }
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer)
    return { ok: false, path, found: 'a buffer' };
  if (value instanceof Map || value instanceof Set) return { ok: false, path, found: value.constructor.name };
  const entries: Array<[string, Json]> = [];
  for (const [name, inner] of Object.entries(value)) {
    if (inner === undefined) continue;
    const member = readValue(inner, path === '' ? name : `${path}.${name}`, depth + 1);
    if (!member.ok) return member;
    entries.push([name, member.value]);
  }
  // fromEntries defines `__proto__` as a member instead of setting the prototype.
  return { ok: true, value: Object.fromEntries(entries) };
}
