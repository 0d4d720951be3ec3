import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type AddressInfo, createServer } from 'node:net';
import { dirname, join } from 'node:path';
import type { Timing } from '../../sdk';
import type { FlowNode } from './runtime';
import { newUserDir, QUIET } from './user-dir';

const START_LIMIT_MS = 30_000;
const STOP_LIMIT_MS = 10_000;
/** As built: what the nodes load. */
const TIMING = join(__dirname, '..', '..', 'dist', 'sdk', 'session', 'timing.js');

/** A full Node-RED in a process of its own. */
export interface NodeRed {
  /** Of the editor, with `httpAdminRoot`; ends with a slash. */
  url: string;
  userDir: string;
  /** Of its process. */
  pid: number;
  /** What it has printed until now. */
  output(): string;
  /** Ends it the way a service manager does and removes its user directory; fails when it does not end well. */
  stop(): Promise<void>;
  /** Ends it in the middle of whatever it does, as a power cut; its user directory stays, for the next. */
  kill(): Promise<void>;
}

export interface NodeRedOptions {
  flows?: readonly FlowNode[];
  /** Secrets of the nodes, by node id. */
  credentials?: Readonly<Record<string, object>>;
  /** More settings, for example `httpAdminRoot` or `adminAuth`; plain JSON. */
  settings?: { readonly httpAdminRoot?: string; readonly [name: string]: unknown };
  lang?: string;
  /** Times of the SDK that a test cannot wait for. */
  timing?: Partial<Timing>;
  /** Folder of the package to install; the project as built, unless told. */
  packageDir?: string;
  /** A user directory with the package in it, instead of a new one; removed at the end like that. */
  userDir?: string;
}

/** The command file of the Node-RED that `ALINK_TEST_NODE_RED` names (`node-red` or `node-red-4`). */
export function nodeRedPath(): string {
  const name = process.env.ALINK_TEST_NODE_RED ?? 'node-red';
  return join(dirname(require.resolve(`${name}/package.json`)), 'red.js');
}

/**
 * Starts Node-RED on the Node.js that runs the tests, and waits until its flows run and its editor answers.
 * Unlike `startRuntime` there may be several, and what they load is gone when they end.
 */
export async function startNodeRed(options: NodeRedOptions = {}): Promise<NodeRed> {
  const userDir = options.userDir ?? newUserDir(options.packageDir);
  const port = await freePort();
  writeFileSync(join(userDir, 'flows.json'), JSON.stringify(options.flows ?? []));
  if (options.credentials)
    writeFileSync(join(userDir, 'flows_cred.json'), JSON.stringify(options.credentials));
  writeFileSync(join(userDir, 'settings.js'), settingsFile(port, options));
  const child = spawn(process.execPath, [nodeRedPath(), '--userDir', userDir], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let output = '';
  const closed = once(child, 'close');
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      child.emit('printed');
    });
  }
  const address = `http://127.0.0.1:${port}${options.settings?.httpAdminRoot ?? ''}`;
  const stop = () => end(child, closed, userDir, () => output);
  try {
    // Log lines are translated, the address in them is not.
    await ready(child, () => output.includes(address));
  } catch (error) {
    child.kill('SIGKILL');
    await closed;
    rmSync(userDir, { recursive: true, force: true });
    throw new Error(`Node-RED did not start: ${(error as Error).message}\n${output}`);
  }
  const kill = async () => {
    child.kill('SIGKILL');
    await closed;
  };
  const { pid = 0 } = child;
  return { url: address.replace(/\/*$/, '/'), userDir, pid, output: () => output, stop, kill };
}

function settingsFile(port: number, options: NodeRedOptions): string {
  const settings = {
    uiPort: port,
    uiHost: '127.0.0.1',
    flowFile: 'flows.json',
    // So that credentials can be written as they are.
    credentialSecret: false,
    lang: options.lang ?? 'en-US',
    ...QUIET,
    ...options.settings,
  };
  const util = createRequire(nodeRedPath()).resolve('@node-red/util');
  return `
Object.assign(require(${JSON.stringify(TIMING)}).TIMING, ${JSON.stringify(options.timing ?? {})});
require(${JSON.stringify(util)}).events.once('flows:started', () => process.send('flows started'));
module.exports = ${JSON.stringify(settings, null, 2)};
`;
}

function ready(child: ChildProcess, listening: () => boolean): Promise<void> {
  return new Promise((done, failed) => {
    let running = false;
    const timer = setTimeout(() => failed(new Error(`not within ${START_LIMIT_MS} ms`)), START_LIMIT_MS);
    const look = () => {
      if (!running || !listening()) return;
      clearTimeout(timer);
      done();
    };
    child.once('message', () => {
      running = true;
      look();
    });
    child.on('printed', look);
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      failed(new Error(`it ended with ${code ?? signal}`));
    });
  });
}

async function end(
  child: ChildProcess,
  closed: Promise<unknown[]>,
  userDir: string,
  output: () => string,
): Promise<void> {
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
  const [code, signal] = await closed;
  clearTimeout(timer);
  rmSync(userDir, { recursive: true, force: true });
  if (code !== 0) throw new Error(`Node-RED ended with ${code ?? signal}\n${output()}`);
}

/** A port of this machine that nothing listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
