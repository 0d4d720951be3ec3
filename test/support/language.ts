import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { NodeAPI } from 'node-red';

const LOCALES = join(resolve(__dirname, '..', '..'), 'locales');

/** What the runtime offers a node in one language: only `_`. */
export function speaking(language: string): NodeAPI {
  const catalogue: unknown = JSON.parse(readFileSync(join(LOCALES, language, 'alink-platform.json'), 'utf8'));
  const find = (key: string) =>
    key
      .slice(key.indexOf(':') + 1)
      .split('.')
      .reduce<unknown>((at, name) => (at as Record<string, unknown> | undefined)?.[name], catalogue);
  const translate = (key: string, values: Record<string, string | number>) => {
    const text = find(key);
    if (typeof text !== 'string') return key;
    return text.replace(/__(\w+)__/g, (_, name: string) => String(values[name]));
  };
  return { _: translate } as unknown as NodeAPI;
}
