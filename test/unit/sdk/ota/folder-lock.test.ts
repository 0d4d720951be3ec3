import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
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

  /** Resolves when the holder has given another sign of life. */
  const beat = async () => {
    utimesSync(lock, 1, 1);
    while (statSync(lock).mtimeMs < 2000) await new Promise((resolve) => setTimeout(resolve, 5));
  };

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

  it('is not waited for by who gives up while another process has it', async () => {
    held({});
    const giving = new AbortController();
    const given = enter(async () => assert.fail('it is taken'), giving.signal);
    setImmediate(() => giving.abort(new Error('given up')));
    await assert.rejects(given, /given up/);
  });

  it('holds for the folder by whichever of its names', async function () {
    if (process.platform === 'win32') return this.skip(); // links need rights there
    const other = `${folder}-link`;
    symlinkSync(folder, other);
    try {
      let isIn = false;
      let second: Promise<void> | undefined;
      await enter(async (signal) => {
        const work = async () => {
          isIn = true;
        };
        second = inFolder(other, never, work, TIMING);
        for (let beats = 0; beats < 5; beats++) await beat();
        assert.deepEqual([isIn, signal.aborted], [false, false]);
      });
      await second;
      assert.ok(isIn);
    } finally {
      rmSync(other);
    }
  });

  it('that is a link to nowhere does not spin', async function () {
    if (process.platform === 'win32') return this.skip();
    symlinkSync(join(folder, 'nowhere'), lock);
    const error = await rejection(enter(async () => assert.fail('it is taken')));
    assert.equal(error.details.rule, 'firmwareFolderTaken');
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
      await beat();
    });
    assert.equal(existsSync(lock), false);
  });
});
