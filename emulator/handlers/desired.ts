import { isJsonObject, LIMITS } from '../../protocol';
import { alink } from './types';

/** B.1 row 15: values and versions of the identifiers that have one; the others are left out. */
export const desiredGet = alink(({ params }, { device }) => {
  if (!Array.isArray(params)) return { code: 460, note: 'params is not a list of identifiers' };
  if (params.length > LIMITS.propertiesPerPost) return { code: 6104, note: `${params.length} properties` };
  const identifiers = new Set<string>();
  for (const identifier of params) {
    if (typeof identifier !== 'string') return { code: 460, note: 'an identifier is not a text' };
    identifiers.add(identifier);
  }
  const found = [...identifiers].flatMap((identifier) => {
    const desired = device.desired.get(identifier);
    return desired === undefined
      ? []
      : [[identifier, { value: desired.value, version: desired.version }] as const];
  });
  return { code: 200, data: Object.fromEntries(found) };
});

/** B.1 row 16: forgets a wish, with a version only when it is still that one. */
export const desiredDelete = alink(({ params }, { device }) => {
  if (!isJsonObject(params)) return { code: 460, note: 'params is not an object' };
  const wanted = Object.entries(params);
  if (wanted.length > LIMITS.propertiesPerPost) return { code: 6104, note: `${wanted.length} properties` };
  for (const [identifier, entry] of wanted) {
    if (!isJsonObject(entry) || (entry.version !== undefined && typeof entry.version !== 'number')) {
      return { code: 460, note: `${identifier}: not an object with a version` };
    }
  }
  const kept: string[] = [];
  for (const [identifier, entry] of wanted) {
    const version = isJsonObject(entry) ? entry.version : undefined;
    const desired = device.desired.get(identifier);
    if (desired === undefined) continue;
    if (version === undefined || version === desired.version) device.desired.delete(identifier);
    else kept.push(`${identifier} has version ${desired.version}`);
  }
  return { code: 200, note: kept.length === 0 ? undefined : `kept: ${kept.slice(0, 5).join('; ')}` };
});
