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
import { createServer } from 'node:net';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { modernNode } from './node-binary.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const userDir = resolve(process.env.ALINK_DEMO_DIR || join(root, '.demo'));
const host = process.env.HOST || '127.0.0.1';
const port = readPort(process.env.PORT || '1880');
const require = createRequire(import.meta.url);

const obstacle = await whyNotListen();
if (obstacle !== undefined) fail(obstacle);
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

/**
 * Listens for a moment, so that the reason comes before the build and not out of the middle of Node-RED's log.
 * @returns {Promise<string | undefined>}
 */
function whyNotListen() {
  return new Promise((done) => {
    const probe = createServer();
    probe.once('error', (error) => done(explain(/** @type {NodeJS.ErrnoException} */ (error))));
    probe.listen({ port, host, exclusive: true }, () => probe.close(() => done(undefined)));
  });
}

/** @param {NodeJS.ErrnoException} error */
function explain({ code, message }) {
  const another = port < 65535 ? port + 1 : 1880;
  if (code === 'EADDRINUSE')
    return `port ${port} is taken by another program; choose another one, for example: PORT=${another} npm start`;
  if (code === 'EACCES')
    return `port ${port} needs more rights than you have; choose another one: PORT=1880 npm start`;
  return `cannot listen on HOST=${host}: ${message}`;
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
  const stop = () => child.kill('SIGTERM');
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) process.on(signal, stop);
  // npm hands a signal to the shell between, which ends without handing it on.
  const parent = process.ppid;
  const watch = () => process.ppid !== parent && stop();
  if (process.env.npm_lifecycle_event !== undefined) setInterval(watch, 300).unref();
  child.on('exit', (code, signal) => process.exit(code ?? (signal ? 0 : 1)));
  announce();
}

/** Says the address once the editor answers; Node-RED itself prints it among many other lines. */
function announce() {
  const url = `http://${reachable()}:${port}/`;
  const again = () => setTimeout(announce, 300).unref();
  const request = get(url, (response) => {
    response.resume();
    if (response.statusCode !== 200) return again();
    console.log(`\nFiles: ${userDir}   Stop: Ctrl+C\nNode-RED is ready: ${url}`);
  });
  request.on('error', again);
}

/** The host as a browser on this machine would write it. */
function reachable() {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}
