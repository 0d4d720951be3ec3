// Writes the text of the function nodes in generated flows (protocol/model-configuration/flow/texts/) from their tested
// source. `node scripts/function-texts.mjs` after a change there; `--print` only prints them as JSON, for the test that
// they are current.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const folder = join(root, 'protocol', 'model-configuration', 'flow');

/** Each text by name: the file it is made from. */
const SOURCES = {
  ask: 'modbus-ask.ts',
  decode: 'modbus-decode.ts',
  write: 'modbus-write.ts',
  opcUa: 'opcua.ts',
};

/**
 * JavaScript that defines what the file exports.
 * @param {keyof typeof SOURCES} name
 * @returns {Promise<string>}
 */
async function functionText(name) {
  const { outputFiles } = await build({
    entryPoints: [join(folder, SOURCES[name])],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'neutral',
    target: 'es2022',
    charset: 'utf8',
    logLevel: 'warning',
  });
  return (outputFiles[0]?.text ?? '')
    .replace(/^export \{[^}]*\};\n/m, '')
    .replace(/^\/\/ protocol\/.*\n/gm, '');
}

/** @returns {Promise<Record<string, string>>} content of each generated file, by its name */
async function functionTextFiles() {
  /** @type {Record<string, string>} */
  const files = {};
  for (const name of /** @type {Array<keyof typeof SOURCES>} */ (Object.keys(SOURCES))) {
    const escaped = (await functionText(name)).replace(/[\\`]|\$\{/g, '\\$&');
    const file = `${SOURCES[name].replace('.ts', '')}-text.ts`;
    files[file] =
      `/** Made from ../${SOURCES[name]} by scripts/function-texts.mjs. */\nexport const ${name}Text = \`${escaped}\`;\n`;
  }
  return files;
}

const files = await functionTextFiles();
if (process.argv.includes('--print')) process.stdout.write(JSON.stringify(files));
else {
  mkdirSync(join(folder, 'texts'), { recursive: true });
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, 'texts', name), content);
}
