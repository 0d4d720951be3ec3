// The direction in which code may depend: docs/architecture.md says why. `node scripts/check-imports.mjs [folder]`.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(process.argv[2] ?? join(dirname(fileURLToPath(import.meta.url)), '..'));
const LAYERS = ['protocol', 'sdk', 'emulator', 'nodes'];
/** Folders that each layer may import besides itself. @type {Record<string, string[]>} */
const ALLOWED = {
  protocol: [],
  sdk: ['protocol'],
  emulator: ['protocol'],
  nodes: ['protocol', 'sdk', 'emulator'],
};
/** Packages that only some layers may load; a Pi that talks to the cloud never loads a broker. @type {Record<string, string[]>} */
const PACKAGES = {
  aedes: ['emulator'],
  selfsigned: ['emulator'],
  ws: ['emulator', 'sdk'],
  mqtt: ['sdk'],
  'crypto-js': ['nodes'],
};

const problems = LAYERS.flatMap((layer) => files(join(root, layer)).flatMap((file) => check(layer, file)));
for (const problem of problems) console.error(problem);
console.log(
  problems.length === 0 ? 'imports: every direction is right' : `imports: ${problems.length} wrong`,
);
process.exitCode = problems.length === 0 ? 0 : 1;

/** @param {string} folder @returns {string[]} */
function files(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) return files(path);
    return name.endsWith('.ts') ? [path] : [];
  });
}

/** @param {string} layer @param {string} file @returns {string[]} */
function check(layer, file) {
  const name = relative(root, file).split(sep).join('/');
  return imports(readFileSync(file, 'utf8')).flatMap(({ target, typeOnly, dynamic }) => {
    const reason = target.startsWith('.')
      ? checkLocal(layer, name, resolve(dirname(file), target), typeOnly, dynamic)
      : checkPackage(layer, name, target);
    return reason ? [`${name}: must not import ${target}: ${reason}`] : [];
  });
}

/**
 * @param {string} source
 * @returns {Array<{ target: string; typeOnly: boolean; dynamic: boolean }>}
 */
function imports(source) {
  const code = source.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/^\s*\/\/.*$/gm, '');
  const found = [];
  for (const [, type, target] of code.matchAll(
    /\b(?:import|export)\b(\s+type\b)?[^;'"()]*?\bfrom\s*['"]([^'"]+)['"]/g,
  )) {
    found.push({ target, typeOnly: type !== undefined, dynamic: false });
  }
  for (const [, target] of code.matchAll(/\bimport\s*['"]([^'"]+)['"]/g))
    found.push({ target, typeOnly: false, dynamic: false });
  for (const [, target] of code.matchAll(/\b(?:import|require)\(\s*['"]([^'"]+)['"]/g))
    found.push({ target, typeOnly: false, dynamic: true });
  return found;
}

/** @param {string} layer @param {string} name @param {string} path @param {boolean} typeOnly @param {boolean} dynamic */
function checkLocal(layer, name, path, typeOnly, dynamic) {
  const target = relative(root, path).split(sep).join('/');
  const [to = ''] = target.split('/');
  if (!LAYERS.includes(to)) return 'it is outside the layers';
  if (to !== layer && !ALLOWED[layer]?.includes(to)) return `${layer}/ may not depend on ${to}/`;
  if (layer === 'nodes' && to === 'emulator' && !typeOnly && !dynamic)
    return 'the emulator is loaded only when one is used: import()';
  if (layer !== 'nodes') return undefined;
  if (to === 'nodes') {
    const [, from] = name.split('/');
    const [, folder] = target.split('/');
    if (folder !== from && folder !== 'shared')
      return 'a node may not depend on another node; share it in nodes/shared/';
  }
  if (isBrowser(name)) {
    if (target.startsWith('protocol/hmac')) return 'the browser has no node:crypto';
    if (to === 'sdk' || to === 'emulator') return 'the editor runs in a browser';
    if (to === 'nodes' && !isBrowser(target) && !isBrowser(`${target}.ts`))
      return 'the editor runs in a browser';
  }
  return undefined;
}

/** @param {string} name */
function isBrowser(name) {
  return (
    /^nodes\/shared\/editor\//.test(name) ||
    /^nodes\/[^/]+\/(editor[^/]*|defaults|options)(\.ts)?$/.test(name)
  );
}

/** @param {string} layer @param {string} name @param {string} target */
function checkPackage(layer, name, target) {
  const builtin = target.startsWith('node:') || builtinModules.includes(target);
  if (layer === 'protocol' && !(name === 'protocol/hmac.ts' && target === 'node:crypto'))
    return 'protocol/ depends on nothing';
  if (isBrowser(name) && builtin) return 'the editor runs in a browser';
  const owner = target.startsWith('@')
    ? target.split('/').slice(0, 2).join('/')
    : (target.split('/')[0] ?? '');
  const layers = PACKAGES[owner];
  return layers && !layers.includes(layer) ? `only ${layers.join(' and ')} may load it` : undefined;
}
