// Builds dist/: the runtime by the TypeScript compiler, each editor dialog as one HTML file.
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { readDialog } from './dialog-template.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const dist = join(root, 'dist');
const require = createRequire(import.meta.url);

rmSync(dist, { recursive: true, force: true });
compile();
for (const name of nodeNames()) await buildNode(name);
if (existsSync(join(dist, 'emulator', 'cli.js'))) chmodSync(join(dist, 'emulator', 'cli.js'), 0o755);

function compile() {
  const tsc = join(dirname(require.resolve('typescript/package.json')), 'bin', 'tsc');
  try {
    execFileSync(process.execPath, [tsc, '-p', join(root, 'tsconfig.json')], { stdio: 'inherit' });
  } catch {
    console.error('build: the TypeScript compiler found errors');
    process.exit(1);
  }
}

/** @returns {string[]} */
function nodeNames() {
  return readdirSync(join(root, 'nodes')).filter((name) => name.startsWith('alink-'));
}

/** @param {string} name */
async function buildNode(name) {
  const source = join(root, 'nodes', name);
  const target = join(dist, 'nodes', name);
  mkdirSync(target, { recursive: true });
  const { outputFiles } = await build({
    entryPoints: [join(source, 'editor.ts')],
    bundle: true,
    write: false,
    format: 'iife',
    // Readable, because the flow library and the scorecard read registerType out of the HTML.
    minify: false,
    target: 'es2020',
    platform: 'browser',
    legalComments: 'inline',
    charset: 'utf8',
    logLevel: 'warning',
  });
  const script = (outputFiles[0]?.text ?? '').replaceAll('</script', '<\\/script');
  const template = readDialog(join(source, 'editor.html'));
  writeFileSync(
    join(target, `${name}.html`),
    `<script type="text/javascript">\n${script}</script>\n\n${template}`,
  );

  const icon = join(root, 'icons', `${name}.svg`);
  if (existsSync(icon)) cpSync(icon, join(target, 'icons', `${name}.svg`));
  for (const language of readdirSync(join(root, 'locales'))) {
    for (const kind of ['json', 'html']) {
      const file = join(root, 'locales', language, `${name}.${kind}`);
      if (existsSync(file)) cpSync(file, join(target, 'locales', language, `${name}.${kind}`));
    }
  }
}
