import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { AlinkError } from '../../../sdk';
import { Lane } from '../../../sdk/gateway/lane';
import type { PackedReport, ReportPart } from '../../../sdk/gateway/packed-report';
import type { Packer } from '../../../sdk/gateway/packer';
import { meter, PackPlatform, packerOf } from '../../support/pack-platform';
import { rejection } from '../../support/sdk-device';

describe('limits of the packer', () => {
  let platform: PackPlatform;
  let packer: Packer;

  beforeEach(() => {
    platform = new PackPlatform();
    packer = packerOf(platform);
  });

  afterEach(() => {
    packer.close(new AlinkError('closed', 'end of the test'));
    assert.deepEqual(platform.faults, []);
  });

  const now = { packWindowMs: 0 };
  const post = (i: number, values: unknown = { a: i }, options = {}) =>
    packer.properties(meter(i), values, { ...now, ...options });

  it('learns smaller limits from the platform and goes on with them', async () => {
    platform.limits = { properties: 30, events: 5, subDevices: 6 };
    const wide = (from: number) =>
      Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`p${from + i}`, i]));
    await post(1, wide(0));
    await Promise.all(Array.from({ length: 40 }, (_, i) => post(i, { a: i, b: i })));
    await Promise.all(Array.from({ length: 40 }, (_, i) => packer.event(meter(i % 3), `e${i}`, {}, now)));
    const { length } = platform.sent;
    await Promise.all(Array.from({ length: 20 }, (_, i) => post(i)));
    assert.equal(platform.sent.length - length, 4, 'no pack is refused any more');
    assert.equal(platform.taken.length, 50 + 80 + 40 + 20);
  });

  it('gives up what takes too long, is aborted, or comes when too much waits; all of it ends at close', async () => {
    const held: Array<() => void> = [];
    platform.before = () => new Promise((resolve) => held.push(resolve));
    let online = true;
    packer = packerOf(platform, { online: () => online, defaultTimeoutMs: 1 });
    const stop = new AbortController();
    const waiting = { ...now, timeoutMs: 10_000 };
    const first = post(1, { a: 1 }, waiting);
    const late = rejection(post(1, { a: 2 }, { packWindowMs: 10_000 }));
    const aborted = rejection(post(1, { a: 3 }, { ...waiting, signal: stop.signal }));
    const last = rejection(post(1, { a: 4 }, waiting));
    stop.abort();
    assert.equal((await aborted).key, 'aborted');
    assert.equal((await rejection(post(3, { a: 3 }, { ...waiting, signal: stop.signal }))).key, 'aborted');
    assert.equal((await late).key, 'timeout');
    online = false;
    assert.deepEqual((await rejection(post(1, { a: 5 }))).key, 'waitingTimeout');
    assert.equal(packer.size, 2);
    const many = Array.from({ length: 19_998 }, (_, i) => rejection(post(i, { a: i }, waiting)));
    assert.equal(packer.size, 20_000);
    assert.equal((await rejection(post(1, { a: 5 }))).key, 'waitingFull');
    for (let i = 0; i < 40; i++) await turn();
    assert.equal(platform.mostUnanswered, 16);
    held[0]?.();
    assert.equal((await first).status, 'acknowledged');
    packer.close(new AlinkError('closed', 'it is over'));
    for (const error of await Promise.all([last, ...many])) assert.equal(error.key, 'closed');
    assert.equal(packer.size, 0);
    assert.equal((await rejection(post(1))).key, 'closed');
    assert.deepEqual(
      platform.taken.map(({ value }) => value),
      [1],
    );
  });

  it('packs 1,500 sub-devices that report at once into 75 messages, one a turn of the event loop', async () => {
    let turns = 0;
    let running = true;
    const count = (): void => {
      turns++;
      if (running) setImmediate(count);
    };
    const packsIn = new Map<number, number>();
    platform.before = () => void packsIn.set(turns, (packsIn.get(turns) ?? 0) + 1);
    const all = Array.from({ length: 1500 }, (_, i) => post(i, { a: i, b: i / 2, c: `text ${i}` }));
    setImmediate(count);
    await Promise.all(all);
    running = false;
    assert.equal(platform.sent.length, 75);
    assert.ok(platform.mostUnanswered <= 16);
    assert.equal(Math.max(...packsIn.values()), 1);
  });

  it('does not send what nobody waits for any more, nor lets it pile up', async () => {
    const held: Array<() => void> = [];
    platform.before = () => new Promise((resolve) => held.push(resolve));
    const first = post(1);
    while (held.length === 0) await turn();
    const rounds = 30;
    for (let round = 0; round < rounds; round++) {
      const stop = new AbortController();
      const many = Array.from({ length: 1000 }, (_, i) =>
        rejection(post(i % 2, { a: -1 }, { signal: stop.signal })),
      );
      await turn();
      stop.abort();
      for (const error of await Promise.all(many)) assert.equal(error.key, 'aborted');
      assert.equal(packer.size, 1);
    }
    const unsent = new AbortController();
    const before = platform.sent.length;
    const early = [10, 11].map((i) => rejection(post(i, { a: -1 }, { signal: unsent.signal })));
    unsent.abort();
    await Promise.all(early);
    await turn();
    assert.equal(platform.sent.length, before);
    const signals = platform.sent.map(({ options }) => options.signal?.aborted);
    assert.equal(signals[0], false);
    assert.ok(signals.slice(1).every(Boolean), 'what waits in the outbox is taken out of it');
    platform.before = () => undefined;
    for (const release of held) release();
    await first;
    await post(1);
    assert.ok(platform.packs.slice(-1).every((values) => values.every(({ value }) => value !== -1)));
  });

  it('hears of a part that arrived when the time of the rest is over', async () => {
    packer = packerOf(platform, { online: () => platform.packs.length < 2 });
    platform.before = () => (platform.packs.length === 1 ? undefined : new Promise(() => undefined));
    const error = await rejection(post(1, [{ a: 1 }, { a: 2 }], { timeoutMs: 1 }));
    assert.equal(error.key, 'timeout');
    assert.equal(platform.taken.length, 1);
  });

  it('splits a report that is larger than a message, and holds none that cannot be sent', async () => {
    const text = '温度'.repeat(350);
    const large = Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`p${i}`, text]));
    const { reply } = await post(1, large);
    assert.equal(reply.code, 200);
    assert.deepEqual(
      platform.packs.map(({ length }) => length),
      [120, 80],
    );
    const results = await Promise.allSettled(Array.from({ length: 200 }, (_, i) => post(i, large)));
    const refusals = results.filter(({ status }) => status === 'rejected').length;
    assert.ok(refusals > 110 && refusals < 130, `${refusals} of 200 reports of 420 KB`);
  });

  it('keeps nothing of things that reported, nor listeners of a signal', async () => {
    const { signal } = new AbortController();
    for (let i = 0; i < 21_000; i += 1000) {
      await Promise.all(Array.from({ length: 1000 }, (_, k) => post(i + k, { a: 1 }, { signal })));
    }
    assert.equal(getEventListeners(signal, 'abort').length, 0);
    const lane = new Lane('key', meter(1), false);
    const report = { settled: true } as PackedReport;
    for (let i = 0; i < 1000; i++) {
      lane.queue.push({ report } as ReportPart);
      lane.ended();
    }
    assert.ok(lane.queue.size <= 200, `${lane.queue.size} wait`);
  });

  it('has no more in the pack of a suspect than in any other', async () => {
    platform.judge = ({ value }) => (value === 'bad' ? 6310 : undefined);
    const all = [
      post(1, { a: 'bad' }),
      ...Array.from({ length: 50 }, (_, i) => packer.event(meter(1), `e${i}`, {}, now)),
    ];
    await Promise.allSettled(all);
    await rejection(post(2, { a: 'bad' }));
    let release = (): void => undefined;
    platform.before = () =>
      new Promise((resolve) => {
        release = resolve;
      });
    const first = rejection(post(2, { a: 'bad' }));
    const later = Array.from({ length: 50 }, (_, i) => packer.event(meter(2), `e${i}`, {}, now));
    await turn();
    await turn();
    platform.before = () => undefined;
    release();
    await Promise.all([first, ...later]);
    assert.equal(platform.taken.length, 100);
  });
});
