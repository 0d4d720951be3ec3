import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setInterval as every } from 'node:timers/promises';
import { after, afterEach, before, beforeEach, describe, it } from 'mocha';
import type { Emulator } from '../../../emulator';
import { type NodeRed, startNodeRed } from '../../support/node-red';
import { otaPlatform, startOtaEmulator, unit, unitNode } from '../../support/ota-flows';
import { otaIn, otaProgress } from '../../support/ota-nodes';
import type { FlowNode } from '../../support/runtime';
import { newUserDir } from '../../support/user-dir';

/** Fewer on the older Node-RED: the same code is killed there. */
const KILLS = process.env.ALINK_TEST_NODE_RED === 'node-red-4' ? 5 : 20;
const SIZE = 96 * 1024 * 1024;
/** What a download may load again after a kill: what was not flushed, and what may come while a slow disk does it. */
const LOST = 8 * 4 * 1024 * 1024;
const SEED = 20_250_611;

/** Each message that reaches it becomes a line of a file. */
function toFile(id: string, property: string, overwrite = false): FlowNode[] {
  return [
    {
      id: `${id}-line`,
      z: 'tab',
      type: 'change',
      rules: [{ t: 'set', p: 'payload', pt: 'msg', to: property, tot: 'msg' }],
      wires: [[id]],
    },
    {
      id,
      z: 'tab',
      type: 'file',
      filenameType: 'str',
      appendNewline: true,
      overwriteFile: String(overwrite),
      encoding: 'none',
      wires: [[]],
    },
  ];
}

describe('alink-ota-in over restarts of Node-RED', () => {
  let emulator: Emulator;
  let red: NodeRed | undefined;
  let userDir = '';
  let count = 0;
  let identity = unit(0);
  before(async () => {
    emulator = await startOtaEmulator();
  });
  beforeEach(() => {
    identity = unit(count++);
    userDir = newUserDir();
  });
  afterEach(async () => {
    await red?.kill();
    red = undefined;
    rmSync(userDir, { recursive: true, force: true });
    await emulator.faults.clear();
  });
  after(() => emulator.close());

  const start = async (nodes: readonly FlowNode[]) => {
    const placed = nodes.map((node) => ({
      ...node,
      x: 100,
      y: 100,
      ...(node.type === 'file' ? { filename: join(userDir, `${node.id}.txt`) } : {}),
    }));
    const flows = [
      { id: 'tab', type: 'tab', label: 'ota' },
      otaPlatform(emulator),
      unitNode(identity),
      ...placed,
    ];
    const { credentials = {} } = unitNode(identity) as { credentials?: object };
    red = await startNodeRed({ flows, credentials: { device: credentials }, userDir });
    return red;
  };
  const restart = async (nodes: readonly FlowNode[]) => {
    await red?.kill();
    return start(nodes);
  };
  const lines = (id: string) => {
    const path = join(userDir, `${id}.txt`);
    return existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : [];
  };
  const offer = async (version: string, files: { content: string } | { size: number; seed: number }) => {
    const { productKey } = identity;
    const { firmwareId } = await emulator.firmware.add({ productKey, version, files });
    return emulator.firmware.upgrade(firmwareId, { devices: [identity] }).jobId;
  };
  const informed = (version: string, since = 0) =>
    emulator.exchanges.waitFor(
      (one) =>
        one.operation === 'ota.inform' &&
        one.identity?.deviceName === identity.deviceName &&
        one.text.includes(`"${version}"`),
      { since, timeoutMs: 20_000 },
    );
  const ended = (jobId: string) =>
    emulator.messages.waitFor(
      ({ topic, json }) => topic.endsWith('/ota/upgrade') && (json as { jobId: string }).jobId === jobId,
      { timeoutMs: 30_000 },
    );
  const statusOf = (jobId: string) => emulator.firmware.tasks(jobId)[0]?.status;

  it(`a download goes on after each of ${KILLS} kills, and the upgrade succeeds once`, async function () {
    this.timeout(240_000);
    const flow = [
      otaIn({ wires: [['report', 'path-line']] }),
      ...toFile('path', 'payload.path'),
      otaProgress({ action: 'version', value: 'payload.version', wires: [[]] }),
    ];
    const random = seeded(SEED);
    const points = Array.from({ length: KILLS }, () => Math.floor(random() * SIZE)).sort((a, b) => a - b);
    // Slow enough to be killed in its course.
    emulator.faults.add({ action: 'slow', bytesPerSecond: 60 * 1024 * 1024, times: KILLS });
    await start(flow);
    await informed('1.0.0');
    const jobId = await offer('1.1.0', { size: SIZE, seed: 7 });
    const began: Array<{ offset: number; atLeast: number }> = [];
    let atLeast = 0;
    const note = () => {
      const { length } = began;
      for (const { offset } of emulator.firmware.downloads().slice(length)) began.push({ offset, atLeast });
    };
    for (const point of points) {
      await written(() => loaded(userDir) >= point);
      await red?.kill();
      const size = loaded(userDir);
      const flushed = flushedIn(userDir);
      assert.ok(size - flushed <= LOST, `${size - flushed} bytes are loaded again`);
      await start(flow);
      // The platform has long noticed that the one before is dead.
      note();
      atLeast = flushed;
    }
    const { json } = await ended(jobId);
    assert.equal((json as { status: string }).status, 'SUCCEEDED');
    assert.equal(emulator.messages.list(({ topic }) => topic.endsWith('/ota/upgrade')).length, 1);
    await written(() => lines('path').length > 0);
    const [path = '', ...more] = lines('path');
    assert.deepEqual(more, []);
    const [file] = emulator.firmware.list().find(({ version }) => version === '1.1.0')?.files ?? [];
    assert.equal(await digestOf(path), file?.digest);
    note();
    assert.ok(began.length > KILLS / 2, `${began.length} downloads`);
    assert.deepEqual(
      began.filter((one) => one.offset < one.atLeast),
      [],
    );
  });

  it('after the restart of an update the new version is the first thing told', async function () {
    this.timeout(60_000);
    // "Applying" is writing the version into the file that the node reads.
    const flow = [
      otaIn({ version: 'version.txt', versionType: 'file', wires: [['version-line']] }),
      ...toFile('version', 'payload.version', true),
    ];
    await start(flow);
    const jobId = await offer('2.0.0', { content: 'an image' });
    await written(() => lines('version').length > 0);
    const since = emulator.exchanges.latest;
    await restart(flow);
    await informed('2.0.0', since);
    const ours = (operation: string | undefined) => /ota/.test(String(operation));
    const [first] = emulator.exchanges.list(
      (one) => one.seq > since && one.kind === 'up' && ours(one.operation),
    );
    assert.equal(first?.operation, 'ota.inform');
    await ended(jobId);
    assert.equal(statusOf(jobId), 'SUCCEEDED');
    assert.deepEqual(lines('version'), ['2.0.0']);
  });

  it('firmware that never takes effect is given up, over restarts; the platform is told', async function () {
    this.timeout(60_000);
    const flow = [
      otaIn({ attempts: '2', versionType: 'none', wires: [['given-line']] }),
      ...toFile('given', 'payload.version'),
      { id: 'catch', z: 'tab', type: 'catch', scope: null, uncaught: false, wires: [['failed-line']] },
      ...toFile('failed', 'error.message'),
    ];
    await start(flow);
    const jobId = await offer('2.0.0', { content: 'an image' });
    await written(() => lines('given').length === 1);
    await restart(flow);
    await written(() => lines('given').length === 2);
    await restart(flow);
    assert.equal((await ended(jobId).then(({ json }) => json as { status: string })).status, 'FAILED');
    await written(() => lines('failed').length === 1);
    assert.match(lines('failed')[0] ?? '', /2\.0\.0 was tried 2 times/);
    assert.deepEqual(lines('given'), ['2.0.0', '2.0.0']);
  });
});

/** How many bytes of a download are in its file. */
function loaded(userDir: string): number {
  const folder = join(userDir, 'alink', 'firmware');
  if (!existsSync(folder)) return 0;
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const sizes = names
    .filter((name) => name.endsWith('.part-0'))
    .map((name) => statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0);
  return Math.max(0, ...sizes);
}

/** How many bytes of a download are known to be on the disk. */
function flushedIn(userDir: string): number {
  const folder = join(userDir, 'alink', 'firmware');
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const state = names.find((name) => name.endsWith('.firmware.json'));
  if (state === undefined) return 0;
  const { files } = JSON.parse(readFileSync(join(folder, state), 'utf8')) as { files: [{ flushed: number }] };
  return files[0].flushed;
}

/** Looks until it is so. */
async function written(isSo: () => boolean): Promise<void> {
  const limit = AbortSignal.timeout(30_000);
  for await (const _ of every(5, undefined, { signal: limit })) if (isSo()) return;
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
