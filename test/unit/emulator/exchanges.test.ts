import assert from 'node:assert/strict';
import { ExchangeLog } from '../../../emulator/exchanges';
import { Ring } from '../../../emulator/registry/ring';

describe('exchange log', () => {
  it('keeps the last entries, oldest first', () => {
    const log = new ExchangeLog(3, () => 0);
    for (const topic of ['a', 'b', 'c', 'd']) log.add({ kind: 'up', topic });
    assert.deepEqual(
      log.list().map(({ topic, seq }) => `${topic}${seq}`),
      ['b2', 'c3', 'd4'],
    );
  });

  it('finds entries that are there, and those that come', async () => {
    const log = new ExchangeLog(10, () => 0);
    log.add({ kind: 'up', topic: 'a' });
    assert.equal((await log.waitFor(({ topic }) => topic === 'a')).seq, 1);
    const later = log.waitFor(({ topic }) => topic === 'a', { since: log.latest });
    log.add({ kind: 'up', topic: 'b' });
    log.add({ kind: 'up', topic: 'a' });
    assert.equal((await later).seq, 3);
    await assert.rejects(
      log.waitFor(({ topic }) => topic === 'z', { timeoutMs: 1 }),
      { name: 'ExchangeTimeoutError', message: /within 1 ms/ },
    );
  });

  it('keeps the beginning of a payload, as it was', () => {
    const log = new ExchangeLog(10, () => 0);
    const payload = Buffer.alloc(10_000, 'x');
    log.add({ kind: 'up', payload });
    payload.fill('y');
    assert.equal(log.list()[0]?.text, 'x'.repeat(4096));
    log.add({ kind: 'down', payload: '{"a":1}' });
    assert.deepEqual(log.list()[1]?.json, { a: 1 });
    assert.equal(log.list()[0]?.json, undefined);
  });

  it('cuts names, topics and notes that somebody made too long', () => {
    const log = new ExchangeLog(10, () => 0);
    const long = 'x'.repeat(100_000);
    log.add({
      kind: 'http',
      identity: { productKey: long, deviceName: long },
      topic: long,
      note: long,
      payload: long,
    });
    assert.ok(JSON.stringify(log.list()).length < 10_000);
  });

  it('shows one line per entry', () => {
    const log = new ExchangeLog(10, () => Date.UTC(2026, 0, 1, 12));
    const identity = { productKey: 'pk', deviceName: 'dn' };
    log.add({ kind: 'up', identity, topic: '/t', payload: '{\n"a": 1}', code: 200, note: 'dropped: a' });
    assert.equal(String(log.list()[0]), '12:00:00.000 up         pk/dn /t code 200 (dropped: a) { "a": 1}');
  });
});

describe('ring', () => {
  it('overwrites the oldest', () => {
    const ring = new Ring<number>(3);
    assert.deepEqual([[...ring], ring.last()], [[], undefined]);
    for (let i = 1; i <= 7; i++) {
      ring.push(i);
      assert.equal(ring.last(), i);
      assert.deepEqual(
        [...ring],
        [i - 2, i - 1, i].filter((n) => n > 0),
      );
    }
  });
});
