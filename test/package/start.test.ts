import assert from 'node:assert/strict';
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { Comms } from '../support/comms';
import { freePort } from '../support/node-red';
import type { FlowNode } from '../support/runtime';

const PROJECT = resolve(__dirname, '..', '..');
const SCRIPT = join(PROJECT, 'scripts', 'start.mjs');
const START_LIMIT_MS = 60_000;

interface Started {
  child: ChildProcess;
  /** Exit code and signal, once it and all that it started have ended. */
  closed: Promise<unknown[]>;
  output(): string;
}

describe('npm start', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'alink-start-'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  function start(port: number): Started {
    return watch(spawn(process.execPath, [SCRIPT], options({ PORT: String(port) })));
  }

  /** With the shell between that npm has there too. */
  function startAsNpmDoes(port: number): Started {
    const env = { PORT: String(port), npm_lifecycle_event: 'start' };
    const line = `"${process.execPath}" "${SCRIPT}"; exit $?`;
    return watch(spawn('sh', ['-c', line], options(env)));
  }

  function options(env: NodeJS.ProcessEnv): SpawnOptions {
    return {
      env: { ...process.env, npm_lifecycle_event: undefined, HOST: '', ALINK_DEMO_DIR: folder, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    };
  }

  async function runUntilReady(how: (port: number) => Started): Promise<Started> {
    const port = await freePort();
    const started = how(port);
    const { child, closed, output } = started;
    const url = `http://127.0.0.1:${port}/`;
    while (!output().includes(`Node-RED is ready: ${url}\n`)) {
      const [code] = await Promise.race([once(child, 'printed'), closed]);
      assert.equal(code, undefined, output());
    }
    const comms = await Comms.open(url);
    const acknowledged = nodeOf('debug', 'acknowledged');
    await comms.told('the demo reports', ({ topic, data }) => topic === 'debug' && data?.id === acknowledged);
    await comms.close();
    return started;
  }

  it('builds, runs the demo, says where, and ends when told to', async function () {
    this.timeout(START_LIMIT_MS);
    const { child, closed, output } = await runUntilReady(start);
    child.kill('SIGTERM');
    assert.deepEqual(await closed, [0, null], output());
    assert.ok(existsSync(join(folder, 'flows.json')));
  });

  it('keeps flows and secret of an earlier start', async function () {
    this.timeout(START_LIMIT_MS);
    const file = join(folder, 'flows.json');
    const flows = JSON.parse(readFileSync(file, 'utf8')) as object[];
    const edited = JSON.stringify([...flows, { id: 'mine', type: 'tab', label: 'mine' }]);
    writeFileSync(file, edited);
    const secret = readFileSync(join(folder, '.credential-secret'), 'utf8');
    const { child, closed, output } = await runUntilReady(start);
    child.kill('SIGINT');
    assert.deepEqual(await closed, [0, null], output());
    assert.equal(readFileSync(file, 'utf8'), edited);
    assert.equal(readFileSync(join(folder, '.credential-secret'), 'utf8'), secret);
  });

  it('ends with the shell that npm started it in', async function () {
    this.timeout(START_LIMIT_MS);
    const { child, closed, output } = await runUntilReady(startAsNpmDoes);
    child.kill('SIGTERM');
    // Its outputs close when the last process that writes to them has ended.
    assert.deepEqual(await closed, [null, 'SIGTERM'], output());
  });

  it('names the remedy when the port is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const { closed, output } = start(port);
    assert.deepEqual(await closed, [1, null]);
    assert.match(output(), new RegExp(`port ${port} is taken.*PORT=\\d+ npm start`));
    other.close();
  });
});

function watch(child: ChildProcess): Started {
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      child.emit('printed');
    });
  return { child, closed: once(child, 'close'), output: () => output };
}

/** Id of a node of the demo. */
function nodeOf(type: string, name: string): string {
  const flow = JSON.parse(readFileSync(join(PROJECT, 'examples', 'demo.json'), 'utf8')) as FlowNode[];
  const node = flow.find((candidate) => candidate.type === type && candidate['name'] === name);
  assert.ok(node, `the demo has no ${name}`);
  return node.id;
}
