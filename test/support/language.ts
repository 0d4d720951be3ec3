import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { NodeAPI } from 'node-red';

const LOCALES = join(resolve(__dirname, '..', '..'), 'locales');

/** What the runtime offers a node in one language: only `_`. */
export function speaking(language: string): NodeAPI {
  const catalogueOf = (type: string): unknown =>
    JSON.parse(readFileSync(join(LOCALES, language, `${type}.json`), 'utf8'));
  // As a key is written: package/type:path.
  const find = (key: string) => {
    const [, type = '', path = ''] = /^[^/]*\/([^:]*):(.*)$/.exec(key) ?? [];
    const inside = (at: unknown, name: string) => (at as Record<string, unknown> | undefined)?.[name];
    return path.split('.').reduce(inside, catalogueOf(type));
  };
  const translate = (key: string, values: Record<string, string | number>) => {
    const text = find(key);
    if (typeof text !== 'string') return key;
    return text.replace(/__(\w+)__/g, (_, name: string) => String(values[name]));
  };
  return { _: translate } as unknown as NodeAPI;
}
