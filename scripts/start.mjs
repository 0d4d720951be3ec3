// `npm start`: builds, then runs a real Node-RED with the nodes and the demo flow on the embedded emulator.
import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { get } from 'node:http';
import { createRequire } from 'node:module';
import { connect } from 'node:net';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { modernNode } from './node-binary.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const userDir = resolve(process.env.ALINK_DEMO_DIR || join(root, '.demo'));
const host = process.env.HOST || '127.0.0.1';
const port = readPort(process.env.PORT || '1880');
const require = createRequire(import.meta.url);

if (await answers(port)) {
  fail(
    `port ${port} is taken by another program; choose another one, for example: PORT=${port + 1} npm start`,
  );
}
console.log('Building …');
try {
  execFileSync(process.execPath, [join(root, 'scripts', 'build.mjs')], { stdio: 'inherit' });
} catch {
  fail('the build failed; what is above says why');
}
prepareUserDir();
run();

/** @param {string} text */
function readPort(text) {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1 || number > 65535) fail(`PORT must be 1–65535, not "${text}"`);
  return number;
}

/** @param {string} message @returns {never} */
function fail(message) {
  console.error(`npm start: ${message}`);
  process.exit(1);
}

/** @param {number} number @returns {Promise<boolean>} */
function answers(number) {
  return new Promise((done) => {
    const socket = connect(number, host === '0.0.0.0' ? '127.0.0.1' : host);
    socket.once('connect', () => {
      socket.destroy();
      done(true);
    });
    socket.once('error', () => done(false));
  });
}

function prepareUserDir() {
  const modules = join(userDir, 'node_modules');
  mkdirSync(modules, { recursive: true });
  const link = join(modules, 'node-red-contrib-alink');
  rmSync(link, { recursive: true, force: true });
  symlinkSync(root, link, 'junction');
  const manifest = { name: 'alink-demo', private: true, dependencies: { 'node-red-contrib-alink': '*' } };
  writeFileSync(join(userDir, 'package.json'), JSON.stringify(manifest, null, 2));
  const flows = join(userDir, 'flows.json');
  const demo = join(root, 'examples', 'demo.json');
  if (existsSync(demo) && !existsSync(flows)) copyFileSync(demo, flows);
  else if (!existsSync(flows)) console.log('examples/demo.json is not there: Node-RED starts without a flow');
  const secretFile = join(userDir, '.credential-secret');
  if (!existsSync(secretFile)) writeFileSync(secretFile, randomBytes(24).toString('hex'), { mode: 0o600 });
  const settings = {
    uiPort: port,
    uiHost: host,
    flowFile: 'flows.json',
    credentialSecret: readFileSync(secretFile, 'utf8'),
    telemetry: { enabled: false, updateNotification: false },
    editorTheme: { tours: false, palette: { catalogues: [] } },
    externalModules: { palette: { allowInstall: false } },
    logging: { console: { level: 'info', metrics: false, audit: false } },
  };
  writeFileSync(join(userDir, 'settings.js'), `module.exports = ${JSON.stringify(settings, null, 2)};\n`, {
    mode: 0o600,
  });
}

function run() {
  const node = modernNode();
  // No binary is published for 32-bit ARM, and there Node-RED 4.1 runs on what the host has.
  const nodeRed = node ? 'node-red' : 'node-red-4';
  const red = join(dirname(require.resolve(`${nodeRed}/package.json`)), 'red.js');
  const child = spawn(node ?? process.execPath, [red, '--userDir', userDir], { stdio: 'inherit' });
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM']))
    process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => process.exit(code ?? (signal ? 0 : 1)));
  announce();
}

/** Says the address once the editor answers; Node-RED itself prints it among many other lines. */
function announce() {
  const url = `http://${host === '0.0.0.0' ? '127.0.0.1' : host}:${port}/`;
  const again = () => setTimeout(announce, 300).unref();
  const request = get(url, (response) => {
    response.resume();
    if (response.statusCode !== 200) return again();
    console.log(`\nFiles: ${userDir}   Stop: Ctrl+C\nNode-RED is ready: ${url}`);
  });
  request.on('error', again);
}
