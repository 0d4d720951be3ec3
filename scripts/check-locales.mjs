// Every string exists in both languages, with the same placeholders, and every key that a dialog names exists.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readDialog } from './dialog-template.mjs';

const root = resolve(process.argv[2] ?? join(dirname(fileURLToPath(import.meta.url)), '..'));
const english = join(root, 'locales', 'en-US');
const chinese = join(root, 'locales', 'zh-CN');
/** @type {string[]} */
const problems = [];

const names = new Set([...readdirSync(english), ...readdirSync(chinese)]);
for (const name of names) {
  if (!existsSync(join(english, name)) || !existsSync(join(chinese, name)))
    problems.push(`${name}: is there in one language only`);
  else if (name.endsWith('.json')) compare(name);
}
for (const node of readdirSync(join(root, 'nodes')).filter((name) => name.startsWith('alink-')))
  checkDialog(node);

for (const problem of problems) console.error(problem);
console.log(problems.length === 0 ? 'locales: both languages agree' : `locales: ${problems.length} wrong`);
process.exitCode = problems.length === 0 ? 0 : 1;

/** @param {string} name */
function compare(name) {
  const a = strings(JSON.parse(readFileSync(join(english, name), 'utf8')));
  const b = strings(JSON.parse(readFileSync(join(chinese, name), 'utf8')));
  for (const key of new Set([...a.keys(), ...b.keys()])) {
    const [first, second] = [a.get(key), b.get(key)];
    if (first === undefined || second === undefined)
      problems.push(`${name}: ${key} is there in one language only`);
    else if (first.trim() === '' || second.trim() === '') problems.push(`${name}: ${key} is empty`);
    else if (placeholders(first) !== placeholders(second))
      problems.push(`${name}: ${key} has other placeholders in the other language`);
  }
}

/** @param {unknown} value @param {string} [path] @returns {Map<string, string>} */
function strings(value, path = '') {
  if (typeof value === 'string') return new Map([[path, value]]);
  /** @type {Map<string, string>} */
  const all = new Map();
  for (const [key, inner] of Object.entries(/** @type {object} */ (value))) {
    for (const entry of strings(inner, path === '' ? key : `${path}.${key}`)) all.set(...entry);
  }
  return all;
}

/** @param {string} text */
function placeholders(text) {
  return [...text.matchAll(/__(\w+?)__/g)]
    .map(([, name]) => name)
    .sort()
    .join();
}

/** @param {string} node */
function checkDialog(node) {
  const known = strings(JSON.parse(readFileSync(join(english, `${node}.json`), 'utf8')));
  const html = readDialog(join(root, 'nodes', node, 'editor.html'));
  for (const [, list] of html.matchAll(/data-i18n="([^"]+)"/g)) {
    for (const part of (list ?? '').split(';')) {
      const key = part.replace(/^\[[\w-]+\]/, '');
      if (!key.includes(':') && !known.has(key))
        problems.push(`${node}: the dialog names ${key}, which no language has`);
    }
  }
}
