import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, describe, it } from 'mocha';

const PROJECT = resolve(__dirname, '..', '..');
const START_LIMIT_MS = 60_000;

describe('npm start', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'alink-start-'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  function start(port: number): { child: ChildProcess; closed: Promise<unknown[]>; output: () => string } {
    const child = spawn(process.execPath, [join(PROJECT, 'scripts', 'start.mjs')], {
      env: { ...process.env, PORT: String(port), ALINK_DEMO_DIR: folder },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => {
        output += text;
        child.emit('printed');
      });
    return { child, closed: once(child, 'close'), output: () => output };
  }

  async function runUntilReady(): Promise<void> {
    const probe = createServer().listen(0, '127.0.0.1');
    await once(probe, 'listening');
    const { port } = probe.address() as AddressInfo;
    probe.close();
    await once(probe, 'close');
    const { child, closed, output } = start(port);
    const url = `http://127.0.0.1:${port}/`;
    while (!output().includes(`Node-RED is ready: ${url}\n`)) {
      const [code] = await Promise.race([once(child, 'printed'), closed]);
      assert.equal(code, undefined, output());
    }
    const flows = (await (await fetch(`${url}flows`)).json()) as Array<{ type: string }>;
    assert.ok(
      flows.some(({ type }) => type === 'alink-device'),
      'no flow of ours',
    );
    child.kill('SIGTERM');
    assert.deepEqual(await closed, [0, null], output());
  }

  it('builds, runs the demo, says where, and ends when told to', async function () {
    this.timeout(START_LIMIT_MS);
    await runUntilReady();
    assert.ok(existsSync(join(folder, 'flows.json')));
  });

  it('keeps flows and secret of an earlier start', async function () {
    this.timeout(START_LIMIT_MS);
    const file = join(folder, 'flows.json');
    const flows = JSON.parse(readFileSync(file, 'utf8')) as object[];
    const edited = JSON.stringify([...flows, { id: 'mine', type: 'tab', label: 'mine' }]);
    writeFileSync(file, edited);
    const secret = readFileSync(join(folder, '.credential-secret'), 'utf8');
    await runUntilReady();
    assert.equal(readFileSync(file, 'utf8'), edited);
    assert.equal(readFileSync(join(folder, '.credential-secret'), 'utf8'), secret);
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
