// The direction in which code may depend: docs/architecture.md says why. `node scripts/check-imports.mjs [folder]`.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { circles } from './circles.mjs';

/** @typedef {{ target: string; kind: 'static' | 'require' | 'dynamic' | 'type' }} Import */

const PACKAGE = 'node-red-contrib-alink';
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

/** Files whose types may name each other. */
const MOST_IN_A_LOOP = 4;

const sources = LAYERS.flatMap((layer) => files(join(root, layer)));
const known = new Set(sources);
const loaded = await loads(sources);
const problems = [
  ...sources.flatMap((file) => check(file, loaded.get(file) ?? [])),
  ...loops().map((names) => `${names.join(', ')}: import each other in a loop`),
];
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

/**
 * Files that import each other in a loop: never for what they do, and for types only few that describe what belongs
 * together, such as a device and its product.
 * @returns {string[][]}
 */
function loops() {
  /** @type {Map<string, string[]>} */
  const values = new Map();
  /** @type {Map<string, string[]>} */
  const all = new Map();
  for (const file of sources) {
    const own = loaded.get(file) ?? [];
    values.set(
      file,
      targets(
        file,
        own.filter(({ kind }) => kind !== 'dynamic'),
      ),
    );
    all.set(file, targets(file, [...own, ...types(readFileSync(file, 'utf8'))]));
  }
  const large = circles(all).filter(({ length }) => length > MOST_IN_A_LOOP);
  return [...circles(values), ...large].map((loop) =>
    loop.map((file) => relative(root, file).split(sep).join('/')),
  );
}

/** @param {string} file @param {readonly Import[]} imports @returns {string[]} */
function targets(file, imports) {
  return imports
    .filter(({ target }) => target.startsWith('.'))
    .map(({ target }) => resolve(dirname(file), target))
    .flatMap((path) => [`${path}.ts`, join(path, 'index.ts')])
    .filter((path) => known.has(path));
}

/** @param {string} file @param {Import[]} loadedHere @returns {string[]} */
function check(file, loadedHere) {
  const name = relative(root, file).split(sep).join('/');
  const [layer = ''] = name.split('/');
  return [...loadedHere, ...types(readFileSync(file, 'utf8'))].flatMap(({ target, kind }) => {
    const reason = target.startsWith('.')
      ? checkLocal(layer, name, resolve(dirname(file), target), kind)
      : checkPackage(layer, name, target);
    return reason ? [`${name}: must not import ${target}: ${reason}`] : [];
  });
}

/**
 * What each file loads at run time, as a parser sees it; imports of types are gone by then.
 * @param {string[]} entries
 * @returns {Promise<Map<string, Import[]>>}
 */
async function loads(entries) {
  if (entries.length === 0) return new Map();
  const { metafile } = await build({
    entryPoints: entries,
    absWorkingDir: root,
    outdir: root,
    bundle: true,
    write: false,
    metafile: true,
    platform: 'node',
    format: 'esm',
    logLevel: 'error',
    // Otherwise an import whose names are never used as values would vanish.
    tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true } },
    plugins: [
      {
        name: 'stay in the file',
        setup: ({ onResolve }) =>
          onResolve({ filter: /.*/ }, ({ path, kind }) =>
            kind === 'entry-point' ? undefined : { path, external: true },
          ),
      },
    ],
  });
  return new Map(
    Object.entries(metafile.inputs).map(([file, { imports }]) => [
      resolve(root, file),
      imports.map(({ path, kind }) => ({
        target: path,
        kind: kind === 'dynamic-import' ? 'dynamic' : kind === 'require-call' ? 'require' : 'static',
      })),
    ]),
  );
}

/** @param {string} source @returns {Import[]} */
function types(source) {
  const statements = source.matchAll(
    /^\s*(?:import|export)\s+type\b[^;'"`]*?(?:\bfrom\s*|=\s*require\(\s*)['"]([^'"]+)['"]/gm,
  );
  const expressions = source.matchAll(/\bimport\(\s*['"]([^'"]+)['"]\s*\)\s*\./g);
  return [...statements, ...expressions].flatMap(([, target]) => (target ? [{ target, kind: 'type' }] : []));
}

/** @param {string} layer @param {string} name @param {string} path @param {Import['kind']} kind */
function checkLocal(layer, name, path, kind) {
  const target = relative(root, path).split(sep).join('/');
  const [to = ''] = target.split('/');
  if (!LAYERS.includes(to)) return 'it is outside the layers';
  if (to !== layer && !ALLOWED[layer]?.includes(to)) return `${layer}/ may not depend on ${to}/`;
  if (layer === 'nodes' && to === 'emulator' && kind !== 'type' && kind !== 'dynamic')
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
    if ((to === 'sdk' && kind !== 'type') || to === 'emulator') return 'the editor runs in a browser';
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
  if (target === PACKAGE || target.startsWith(`${PACKAGE}/`)) return 'name the file, so that its layer shows';
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
