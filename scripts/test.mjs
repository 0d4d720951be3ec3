// `npm test`: checks, build and every suite; ends with one line that counts. `npm test -- unit -g words` runs a part.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { modernNode } from './node-binary.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const require = createRequire(import.meta.url);
const results = mkdtempSync(join(tmpdir(), 'alink-test-'));
/** How long a suite may keep handles open after its last test: longer than embedded emulators outlive a deploy. */
const GRACE_MS = 10_000;
const SUITE_LIMIT_MS = 12 * 60_000;

/** @typedef {{ name: string; kind: 'check' | 'suite'; run: (extra: string[]) => Promise<Outcome> }} Step */

/** What came of a step; `output` when it was not shown at once. @typedef {{ passed: number; failed: number; output?: string }} Outcome */

/** How a step's process ended. @typedef {{ code: number; killed: boolean; output: string }} Ending */

const bin = (/** @type {string} */ name, /** @type {string} */ file) =>
  join(dirname(require.resolve(`${name}/package.json`)), file);
const tsc = bin('typescript', 'bin/tsc');

/** @type {Step[]} */
const steps = [
  check('format', [bin('@biomejs/biome', 'bin/biome'), 'ci', '.']),
  check('types', [tsc, '-p', 'tsconfig.json', '--noEmit']),
  check('types-editor', [tsc, '-p', 'tsconfig.editor.json']),
  check('types-test', [tsc, '-p', 'tsconfig.test.json']),
  check('types-scripts', [tsc, '-p', 'tsconfig.scripts.json']),
  check('imports', ['scripts/check-imports.mjs']),
  check('locales', ['scripts/check-locales.mjs']),
  check('build', ['scripts/build.mjs']),
  suite('unit', 'test/unit'),
  suite('integration', 'test/integration'),
  suite('integration-4', 'test/integration/nodes', 'node-red-4'),
  suite('conformance', 'test/conformance'),
  suite('editor', 'test/editor'),
  suite('editor-4', 'test/editor', 'node-red-4'),
  suite('package', 'test/package'),
];

/** Suites wait for sockets and timers most of the time, so two of them share a machine of two cores well. */
const LANES = 2;

/** Processes of the steps, on Unix each with its group. @type {Set<number>} */
const running = new Set();
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
  process.on(signal, () => {
    for (const pid of running) kill(pid);
    rmSync(results, { recursive: true, force: true });
    process.exit(1);
  });
}

const [wanted, extra] = readArguments(process.argv.slice(2));
const total = { passed: 0, failed: 0 };
const chosen = steps.filter(isWanted);
const suites = chosen.filter(({ kind }) => kind === 'suite');
// `npm start`, which it tries, builds: that would take away from under the others what they run on.
const last = suites.filter(({ name }) => name === 'package');
const together = suites.filter((step) => !last.includes(step));
// Two at a time would mix their lines.
const showsAtOnce = suites.length < 2;
for (const step of chosen.filter(({ kind }) => kind === 'check')) await carryOut(step);
await Promise.all(
  Array.from({ length: LANES }, async () => {
    for (let step = together.shift(); step !== undefined; step = together.shift()) await carryOut(step);
  }),
);
for (const step of last) await carryOut(step);
rmSync(results, { recursive: true, force: true });
console.log(`\n${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed === 0 ? 0 : 1;

/** @param {Step} step */
async function carryOut(step) {
  const startedAt = Date.now();
  if (step.kind === 'check' || showsAtOnce) console.log(`\n── ${step.name}`);
  const { passed, failed, output = '' } = await step.run(extra);
  total.passed += passed;
  total.failed += failed;
  const seconds = ((Date.now() - startedAt) / 1000).toFixed(1);
  if (output !== '') process.stdout.write(`\n── ${step.name}\n${output}`);
  console.log(
    `── ${step.name}: ${failed === 0 ? 'ok' : 'FAILED'} (${passed} passed, ${failed} failed, ${seconds} s)`,
  );
}

/** Suites run on what was built, so a part of them in a fresh clone needs a build before. @param {Step} step */
function isWanted({ name }) {
  if (wanted.length === 0 || wanted.includes(name)) return true;
  const suites = steps.some((step) => step.kind === 'suite' && wanted.includes(step.name));
  return name === 'build' && suites && !existsSync(join(root, 'dist'));
}

/** @param {string[]} words @returns {[string[], string[]]} */
function readArguments(words) {
  const at = words.findIndex((word) => word.startsWith('-'));
  const names = at < 0 ? words : words.slice(0, at);
  const unknown = names.filter((name) => !steps.some((step) => step.name === name));
  if (unknown.length > 0) {
    console.error(
      `npm test: there is no step ${unknown.join(', ')}; the steps are ${steps.map((s) => s.name).join(', ')}`,
    );
    process.exit(2);
  }
  return [names, at < 0 ? [] : words.slice(at)];
}

/** @param {string} name @param {string[]} command @returns {Step} */
function check(name, command) {
  return {
    name,
    kind: 'check',
    run: async () => {
      const { code } = await execute(process.execPath, command, {});
      return code === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
    },
  };
}

/** @param {string} name @param {string} folder @param {string} [nodeRed] @returns {Step} */
function suite(name, folder, nodeRed = 'node-red') {
  return {
    name,
    kind: 'suite',
    run: async (extraArguments) => {
      const node = modernNode();
      if (node === undefined) {
        console.error('this suite needs Node.js 22.17 or later, and none is published for this machine');
        return { passed: 0, failed: 1 };
      }
      const file = join(results, `${name}.json`);
      const command = [
        '--import',
        'tsx',
        bin('mocha', 'bin/mocha.js'),
        '--reporter',
        join(root, 'test', 'support', 'reporter.cjs'),
        '--timeout',
        '20000',
        ...extraArguments,
        `${folder}/**/*.test.ts`,
      ];
      const env = { ALINK_TEST_RESULTS: file, ALINK_TEST_NODE_RED: nodeRed, NODE_NO_WARNINGS: '1' };
      return verdict(name, file, await execute(node, command, env, file));
    },
  };
}

/** @param {string} name @param {string} file @param {Ending} ending @returns {Outcome} */
function verdict(name, file, { code, killed, output }) {
  if (!existsSync(file)) {
    console.error(`${name}: the suite ended without a result`);
    return { passed: 0, failed: 1, output };
  }
  const { passes, failures, pending } = JSON.parse(readFileSync(file, 'utf8'));
  if (passes + failures === 0) console.error(`${name}: no test ran`);
  if (pending > 0) console.error(`${name}: ${pending} tests were skipped`);
  const broken = killed || passes + failures === 0 || (failures === 0 && code !== 0);
  return { passed: passes, failed: failures + (broken ? 1 : 0), output };
}

/**
 * @param {string} program
 * @param {string[]} command
 * @param {Record<string, string>} env
 * @param {string} [resultFile] written when the last test is over; from then on the process should end by itself
 * @returns {Promise<Ending>}
 */
function execute(program, command, env, resultFile) {
  return new Promise((done) => {
    const isShown = resultFile === undefined || showsAtOnce;
    const channel = isShown ? 'inherit' : 'pipe';
    const child = spawn(program, command, {
      cwd: root,
      stdio: ['ignore', channel, channel],
      env: { ...process.env, ...env },
      // A group of its own, so that a browser or a Node-RED that a suite started ends with it.
      detached: process.platform !== 'win32',
    });
    const { pid } = child;
    if (pid !== undefined) running.add(pid);
    /** @type {string[]} */
    const lines = [];
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text) => lines.push(text));
    }
    let killed = false;
    let overSince = 0;
    const startedAt = Date.now();
    const watch = setInterval(() => {
      if (resultFile !== undefined && overSince === 0 && existsSync(resultFile)) overSince = Date.now();
      const late = overSince > 0 && Date.now() - overSince > GRACE_MS;
      if (!late && Date.now() - startedAt < SUITE_LIMIT_MS) return;
      clearInterval(watch);
      console.error(
        late
          ? `handles were left open: the suite is over, but ${GRACE_MS / 1000} s later its process still runs`
          : `the step took longer than ${SUITE_LIMIT_MS / 60_000} minutes`,
      );
      killed = true;
      if (pid !== undefined) kill(pid);
    }, 250);
    child.on('error', (error) => console.error(error.message));
    child.on('close', (code) => {
      clearInterval(watch);
      if (pid !== undefined) kill(pid);
      done({ code: code ?? 1, killed, output: lines.join('') });
    });
  });
}

/** @param {number} pid */
function kill(pid) {
  running.delete(pid);
  try {
    process.kill(process.platform === 'win32' ? pid : -pid, 'SIGKILL');
  } catch {
    // it has ended, and all it started
  }
}
