import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { Comms } from '../support/comms';
import { neededLater } from '../support/examples';
import { type NodeRed, startNodeRed } from '../support/node-red';
import type { FlowNode } from '../support/runtime';

const PROJECT = resolve(__dirname, '..', '..');
const NAME = 'node-red-contrib-alink';
const EXAMPLES = `library/examples/flows/${NAME}`;
const EXAMPLE_NAMES = readdirSync(join(PROJECT, 'examples')).map((file) => file.replace(/\.json$/, ''));
/** The largest that a Raspberry Pi on a slow line should have to load. */
const PACKED_LIMIT = 1_000_000;

describe('the package in an empty Node-RED', () => {
  let folder: string;
  let userDir: string;
  let red: NodeRed;

  before(async function () {
    this.timeout(180_000);
    folder = mkdtempSync(join(tmpdir(), 'alink-packed-'));
    // What a suite runs on was built before; a build here would take it away from under the others.
    npm(PROJECT, 'pack', '--ignore-scripts', '--pack-destination', folder);
    userDir = join(folder, 'user');
    npm(
      folder,
      'install',
      '--prefix',
      userDir,
      '--omit=dev',
      '--prefer-offline',
      '--no-audit',
      '--no-fund',
      tarball(),
    );
    red = await startNodeRed({ userDir });
  });
  after(async () => {
    await red?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('is small', () => {
    const bytes = readFileSync(tarball()).length;
    assert.ok(bytes < PACKED_LIMIT, `${bytes} bytes`);
  });

  it('brings nothing that is compiled at installation', () => {
    const folders = readdirSync(userDir, { recursive: true, withFileTypes: true });
    assert.ok(
      folders.some(({ name }) => name === 'mqtt-packet'),
      'packages were installed',
    );
    assert.deepEqual(
      folders.filter(({ name }) => name === 'binding.gyp' || name.endsWith('.node')),
      [],
    );
  });

  it('brings nothing of its own development', () => {
    for (const name of ['typescript', 'node-red', 'crypto-js', 'mocha'])
      assert.ok(!existsSync(join(userDir, 'node_modules', name)), name);
  });

  it('offers its examples under Import', async () => {
    const entries = await get<Array<{ fn: string }>>(`${EXAMPLES}/`);
    assert.deepEqual(entries.map(({ fn }) => fn.replace(/\.json$/, '')).sort(), EXAMPLE_NAMES.sort());
  });

  // The dashboard's example needs the dashboard, and has a test of its own with it.
  for (const name of EXAMPLE_NAMES.filter((example) => !example.includes('dashboard'))) {
    it(`deploys the example ${name}, and it works as imported`, async () => {
      const flow = await get<FlowNode[]>(`${EXAMPLES}/${name}`);
      const comms = await Comms.open(red.url);
      try {
        const { rev } = JSON.parse(await post('flows', { flows: flow })) as { rev: string };
        // The answer comes before the flows run; an inject node can be pressed only then.
        await comms.told(
          'the flows run',
          ({ topic, data }) => topic === 'notification/runtime-deploy' && data?.revision === rev,
        );
        const later = neededLater(flow);
        const buttons = flow.filter(({ id, type }) => type === 'inject' && !later.has(id));
        // Ten times, because one of the examples joins ten measurements.
        for (const { id } of buttons) for (let i = 0; i < 10; i++) await post(`inject/${id}`, {});
        const catches = flow.filter(({ type }) => type === 'catch');
        const afterFailures = new Set(catches.flatMap(({ wires }) => (wires as string[][]).flat()));
        const ours = flow.filter(
          // What works on failures has nothing to do.
          ({ id, type, wires }) =>
            type.startsWith('alink-') && wires !== undefined && !afterFailures.has(id) && !later.has(id),
        );
        const shown = ours.map((node) => ({ node, debugs: debugsBehind(flow, node) }));
        assert.ok(shown.some(({ debugs }) => debugs.size > 0));
        // What ends in a reply node shows in the answer, at the node that asked.
        for (const { node, debugs } of shown.filter((one) => one.debugs.size > 0)) {
          await comms.told(
            `what ${node.type} ${node.id} gives`,
            ({ topic, data }) => topic === 'debug' && debugs.has(data?.id ?? ''),
          );
        }
      } finally {
        await comms.close();
      }
    });
  }

  it('tells no error', () =>
    assert.doesNotMatch(red.output(), /\[red\]|UnhandledPromise|Cannot find module/));

  function tarball(): string {
    const name = readdirSync(folder).find((file) => file.endsWith('.tgz'));
    assert.ok(name, 'nothing was packed');
    return join(folder, name);
  }

  async function get<T>(path: string): Promise<T> {
    const response = await fetch(red.url + path, { headers: { accept: 'application/json' } });
    const text = await response.text();
    assert.equal(response.status, 200, `${path}: ${text}`);
    return JSON.parse(text) as T;
  }

  async function post(path: string, body: object): Promise<string> {
    const headers = { 'content-type': 'application/json', 'node-red-api-version': 'v2' };
    const response = await fetch(red.url + path, { method: 'POST', headers, body: JSON.stringify(body) });
    const text = await response.text();
    assert.ok(response.ok, `${path}: ${response.status} ${text}`);
    return text;
  }
});

/** `npm` as a user calls it, without what the `npm` that runs the tests hands on about this project. */
function npm(cwd: string, ...args: string[]): void {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^npm_(package|lifecycle|config_local_prefix)/i.test(name),
    ),
  );
  const cli = process.env.npm_execpath;
  const [program, command] = cli?.endsWith('.js') ? [process.execPath, [cli, ...args]] : ['npm', args];
  execFileSync(program, command, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
}

/** The debug nodes that a message of the node can reach without passing another node of ours. */
function debugsBehind(flow: readonly FlowNode[], node: FlowNode): Set<string> {
  const found = new Set<string>();
  const passed = new Set<string>();
  const follow = (from: FlowNode): void => {
    for (const id of (from.wires as string[][]).flat()) {
      const next = flow.find((candidate) => candidate.id === id);
      if (!next || passed.has(id)) continue;
      passed.add(id);
      if (next.type === 'debug') found.add(id);
      else follow(next);
    }
  };
  follow(node);
  return found;
}
