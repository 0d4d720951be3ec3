import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { inFolder } from '../../../../sdk/ota/download/folder-lock';
import { assertSaid } from '../../../support/said';
import { rejection } from '../../../support/sdk-device';

const TIMING = { beatMs: 20, silentMs: 300, patienceMs: 700 };

describe('the lock of a firmware folder', () => {
  let folder: string;
  let lock: string;
  let never: AbortSignal;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'alink-lock-'));
    lock = join(folder, '.lock');
    never = new AbortController().signal;
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const enter = <T>(work: (signal: AbortSignal) => Promise<T>, signal = never) =>
    inFolder(folder, signal, work, TIMING);
  /** What another process leaves in the lock. */
  const held = (by: { host?: string; pid?: number }) =>
    writeFileSync(lock, JSON.stringify({ host: hostname(), pid: process.ppid, id: 'another', ...by }));

  it('lets one in at a time, in the order they came, and leaves nothing', async () => {
    const order: string[] = [];
    let open = 0;
    const work = (name: string) => async () => {
      assert.equal(++open, 1);
      assert.equal(JSON.parse(readFileSync(lock, 'utf8')).pid, process.pid);
      await new Promise((resolve) => setImmediate(resolve));
      order.push(name);
      open--;
      if (name === 'b') throw new Error('its own fault');
    };
    const results = await Promise.allSettled(['a', 'b', 'c'].map((name) => enter(work(name))));
    assert.deepEqual(order, ['a', 'b', 'c']);
    assert.deepEqual(
      results.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled'],
    );
    assert.deepEqual(readdirSync(folder), []);
  });

  it('is not waited for by who gave up meanwhile', async () => {
    const giving = new AbortController();
    let isIn = false;
    const first = enter(async () => giving.abort(new Error('given up')));
    const second = enter(async () => {
      isIn = true;
    }, giving.signal);
    await first;
    await assert.rejects(second, /given up/);
    assert.equal(isIn, false);
  });

  it('of a process that ended, or of an earlier one with this number, holds nobody up', async () => {
    const { pid } = spawnSync(process.execPath, ['-e', '']);
    for (const left of [pid, process.pid]) {
      held({ pid: left });
      const began = performance.now();
      await enter(async () => undefined);
      assert.ok(performance.now() - began < TIMING.silentMs);
    }
  });

  it('of another machine, or half written, ends when no sign of life comes, whatever its clock says', async () => {
    for (const leave of [() => held({ host: 'elsewhere' }), () => writeFileSync(lock, '{"host":')]) {
      leave();
      utimesSync(lock, new Date('2099-01-01'), new Date('2099-01-01'));
      const began = performance.now();
      await enter(async () => undefined);
      assert.ok(performance.now() - began >= TIMING.silentMs);
      assert.deepEqual(readdirSync(folder), []);
    }
  });

  it('of a living process keeps others out, who say so', async () => {
    held({});
    const beats = setInterval(() => utimesSync(lock, new Date(), new Date()), 20);
    try {
      const error = await rejection(enter(async () => assert.fail('it is taken')));
      assert.deepEqual(
        [error.key, error.details.step, error.details.rule],
        ['firmwareStorage', -2, 'firmwareFolderTaken'],
      );
      assertSaid(error);
    } finally {
      clearInterval(beats);
    }
    assert.equal(JSON.parse(readFileSync(lock, 'utf8')).id, 'another');
  });

  it('stops whoever lost it, and is left to the one who has it', async () => {
    const error = await rejection(
      enter(async (signal) => {
        held({});
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        signal.throwIfAborted();
      }),
    );
    assert.equal(error.details.rule, 'firmwareFolderTaken');
    assert.equal(JSON.parse(readFileSync(lock, 'utf8')).id, 'another');
  });

  it('shows that it is alive', async () => {
    await enter(async () => {
      utimesSync(lock, 1, 1);
      while (statSync(lock).mtimeMs < 2000) await new Promise((resolve) => setTimeout(resolve, 5));
    });
    assert.equal(existsSync(lock), false);
  });
});
