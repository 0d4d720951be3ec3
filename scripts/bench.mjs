// `npm run bench`: builds, then measures against named peers; `-- --quick` for a first look.
import { execFileSync, spawn } from 'node:child_process';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { modernNode } from './node-binary.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const node = modernNode();
if (node === undefined) {
  console.error(
    'npm run bench: the current Node-RED needs Node.js 22.17 or later, and none is published for this machine',
  );
  process.exit(1);
}
execFileSync(process.execPath, [join(root, 'scripts', 'build.mjs')], { stdio: 'inherit' });
const child = spawn(node, ['--import', 'tsx', join(root, 'bench', 'run.ts'), ...process.argv.slice(2)], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, NODE_NO_WARNINGS: '1' },
});
child.on('exit', (code) => process.exit(code ?? 1));
