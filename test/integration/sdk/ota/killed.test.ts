import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, describe, it } from 'mocha';
import type { FirmwareOffer } from '../../../../sdk';
import { FirmwareServer, madeUpContent } from '../../../support/firmware-server';

const CHILD = join(__dirname, '..', '..', '..', 'support', 'firmware-child.cjs');
const KILLS = 20;
const FLUSH_BYTES = 128 * 1024;
/** What was not flushed, and what may come while a slow disk does it. */
const UNFLUSHED = 8 * FLUSH_BYTES;
const MEGABYTE = 1024 * 1024;

describe('download of firmware in a process', () => {
  let server: FirmwareServer;
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'alink-kill-'));
  });

  afterEach(async () => {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  function download(offer: FirmwareOffer, flushBytes: number, kill = {}): ChildProcess {
    const given = JSON.stringify({ folder, offer, flushBytes, ...kill });
    return spawn(process.execPath, [CHILD, given], { stdio: ['ignore', 'pipe', 'pipe'] });
  }

  /** What the state file says is safe, and what is there. */
  function found(): { flushed: number; length: number } | undefined {
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
    const state = files.find((name) => name.endsWith('.firmware.json'));
    if (state === undefined) return undefined;
    const { files: entries } = JSON.parse(readFileSync(join(folder, state), 'utf8')) as {
      files: Array<{ flushed: number }>;
    };
    const part = files.find((name) => name.endsWith('.part-0'));
    return {
      flushed: entries[0]?.flushed ?? 0,
      length: part === undefined ? 0 : readFileSync(join(folder, part)).length,
    };
  }

  it('goes on after a kill at any moment from what was flushed, and ends with the right file', async () => {
    server = await FirmwareServer.start(madeUpContent(30 * MEGABYTE));
    const random = seeded(20260101);
    // Half of the connections are cut on the way besides.
    const cut = () => (random() < 0.5 ? random() * MEGABYTE : Number.POSITIVE_INFINITY);
    server.usual = (asked, response) => void drip(asked, response, server.content, cut());
    let safe = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      const asked = server.asked.length;
      const at = { killAt: Math.floor(random() * 2 * MEGABYTE), killAfterMs: Math.floor(random() * 4) };
      const running = download(server.offer(), FLUSH_BYTES, at);
      const [, signal] = (await once(running, 'exit')) as [number, string];
      assert.equal(signal, 'SIGKILL');
      assert.equal(server.asked[asked]?.from, safe, `start after kill ${kill}`);
      const { flushed, length } = found() ?? assert.fail('there is no state');
      assert.ok(flushed <= length, 'what is said to be safe is there');
      assert.ok(flushed >= safe, 'nothing is forgotten');
      assert.ok(length - flushed <= UNFLUSHED, `${length - flushed} bytes are loaded again`);
      safe = flushed;
    }
    assert.ok(safe > MEGABYTE, `it got as far as ${safe}`);
    server.usual = (asked, response) => server.serve(asked, response);
    const { path } = await result(download(server.offer(), FLUSH_BYTES));
    assert.equal(server.asked.at(-1)?.from, safe);
    assert.deepEqual(readFileSync(path), server.content);
  }).timeout(60_000);

  it('by two processes at once into one folder is loaded once', async () => {
    server = await FirmwareServer.start(madeUpContent(2 * MEGABYTE));
    server.usual = (asked, response) => void drip(asked, response, server.content);
    const both = [1, 2].map(() => result(download(server.offer(), FLUSH_BYTES)));
    for (const { path } of await Promise.all(both)) assert.deepEqual(readFileSync(path), server.content);
    assert.deepEqual(
      server.asked.map(({ from }) => from),
      [0],
    );
  }).timeout(60_000);

  it('takes no more memory for a large file than for a small one', async () => {
    const block = madeUpContent(MEGABYTE);
    server = await FirmwareServer.start(block);
    const count = 300;
    const hash = createHash('sha256');
    for (let i = 0; i < count; i++) hash.update(block);
    server.usual = (_, response) => {
      response.writeHead(200, { 'content-length': count * MEGABYTE });
      void repeat(response, block, count);
    };
    const digest = { method: 'sha256', value: hash.digest('hex') } as const;
    // A fifth is enough for the garbage collector to come round; a leak of the rest would be 240 MB.
    const {
      peaks: [first, rest],
      buffers,
    } = await result(download(server.offer({}, { size: count * MEGABYTE, digest }), 4 * MEGABYTE));
    assert.ok(rest - first < 30 * MEGABYTE, `${Math.round((rest - first) / MEGABYTE)} MB more`);
    // Given back as soon as they are done with; the collector, all that Node.js 20 has, lets 60 MB of them pile up.
    const most = 'transfer' in ArrayBuffer.prototype ? 10 : 80;
    assert.ok(buffers < most * MEGABYTE, `${Math.round(buffers / MEGABYTE)} MB of buffers`);
  }).timeout(60_000);
});

/** What the process says of itself at the end. */
interface Loaded {
  path: string;
  peaks: [number, number];
  /** Bytes. */
  buffers: number;
}

async function result(child: ChildProcess): Promise<Loaded> {
  let text = '';
  let problem = '';
  child.stdout?.on('data', (chunk) => {
    text += chunk;
  });
  child.stderr?.on('data', (chunk) => {
    problem += chunk;
  });
  const [code] = (await once(child, 'close')) as [number];
  assert.equal(code, 0, problem);
  return JSON.parse(text) as Loaded;
}

/** Sends as a network does that is slower than the disk. */
async function drip(
  { from }: { from: number },
  response: ServerResponse,
  content: Buffer,
  most = Number.POSITIVE_INFINITY,
): Promise<void> {
  const size = content.length;
  const range = { 'content-range': `bytes ${from}-${size - 1}/${size}` };
  response.writeHead(from > 0 ? 206 : 200, { 'content-length': size - from, ...(from > 0 ? range : {}) });
  response.setMaxListeners(0);
  for (let at = from; at < size && !response.destroyed; ) {
    const piece = content.subarray(at, at + 16 * 1024);
    if (!response.write(piece)) await Promise.race([once(response, 'drain'), once(response, 'close')]);
    at += piece.length;
    if (at - from >= most) response.destroy();
    await setTimeout(1);
  }
  response.end();
}

async function repeat(response: ServerResponse, block: Buffer, count: number): Promise<void> {
  response.setMaxListeners(0);
  for (let i = 0; i < count && !response.destroyed; i++) {
    if (!response.write(block)) await Promise.race([once(response, 'drain'), once(response, 'close')]);
  }
  response.end();
}

function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state >>> 0) / 2 ** 32;
  };
}
