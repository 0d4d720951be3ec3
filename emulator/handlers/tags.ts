import { isJsonObject, type Json, LIMITS } from '../../protocol';
import { alink } from './types';

const KEY = /^[A-Za-z_]\w*$/;
// Nobody names a limit of values; one that is no longer than a log entry keeps memory bounded.
const LONGEST_VALUE = 4096;

/** B.3 row 30. One wrong tag refuses all. */
export const tagsUpdate = alink(({ params }, { device }) => {
  const problem = listProblem(params);
  if (problem !== undefined || !Array.isArray(params)) return { code: 460, note: problem };
  const tags = new Map<string, string>();
  for (const entry of params) {
    const { attrKey, attrValue } = isJsonObject(entry) ? entry : {};
    if (!tagKeyFits(attrKey)) {
      return { code: 460, note: `attrKey ${JSON.stringify(attrKey)?.slice(0, 64)} breaks the rule` };
    }
    if (!tagValueFits(attrValue)) {
      return {
        code: 460,
        note: `${attrKey}: attrValue is not a text of at most ${LONGEST_VALUE} characters`,
      };
    }
    tags.set(attrKey, attrValue);
  }
  const added = [...tags.keys()].filter((key) => !device.tags.has(key)).length;
  if (device.tags.size + added > LIMITS.tagsPerDevice) {
    return { code: 460, note: `more than ${LIMITS.tagsPerDevice} tags` };
  }
  for (const [key, value] of tags) device.tags.set(key, value);
  return { code: 200 };
});

/** B.3 row 31; a key that the device does not have is no fault. */
export const tagsDelete = alink(({ params }, { device }) => {
  const problem = listProblem(params);
  if (problem !== undefined || !Array.isArray(params)) return { code: 460, note: problem };
  const keys = params.map((entry) => (isJsonObject(entry) ? entry.attrKey : undefined));
  if (!keys.every((key) => typeof key === 'string')) return { code: 460, note: 'an attrKey is missing' };
  for (const key of keys) device.tags.delete(key);
  return { code: 200 };
});

/** B.3 row 32; all tags when no key is named. */
export const tagsGet = alink(({ params }, { device }) => {
  const keys = isJsonObject(params) ? [] : params;
  if (!Array.isArray(keys) || keys.length > LIMITS.tagsPerRequest) {
    return { code: 460, note: 'params is not a list of keys' };
  }
  const wanted = new Set(keys);
  const tags = [...device.tags].filter(([key]) => wanted.size === 0 || wanted.has(key));
  return { code: 200, data: tags.map(([attrKey, attrValue]) => ({ attrKey, attrValue })) };
});

/** Whether a tag may be called so (section D). */
export function tagKeyFits(key: Json | undefined): key is string {
  return typeof key === 'string' && key.length <= LIMITS.tagKeyBytes && KEY.test(key);
}

export function tagValueFits(value: Json | undefined): value is string {
  return typeof value === 'string' && value.length <= LONGEST_VALUE;
}

function listProblem(params: Json): string | undefined {
  if (!Array.isArray(params) || params.length === 0) return 'params is not a list of tags';
  return params.length > LIMITS.tagsPerRequest
    ? `${params.length} tags, at most ${LIMITS.tagsPerRequest}`
    : undefined;
}
