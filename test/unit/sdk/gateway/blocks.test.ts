import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { AlinkError } from '../../../../sdk';
import { Blocks } from '../../../../sdk/gateway/blocks';
import { Pace } from '../../../../sdk/gateway/pace';

function refused(code: number, retry: 'no' | 'slow' | 'login' = 'no'): AlinkError {
  return new AlinkError('platformRefused', `${code}`, { code, retry });
}

async function result(promise: Promise<void>): Promise<number | string> {
  try {
    await promise;
    return 'ok';
  } catch (thrown) {
    assert.ok(thrown instanceof AlinkError);
    return thrown.code ?? thrown.key;
  }
}

describe('blocks', () => {
  it('gather what is asked for together, never more than fits', async () => {
    const sizes: number[] = [];
    const blocks = new Blocks<number>({
      size: 50,
      send: async (entries) => {
        sizes.push(entries.length);
        return entries.map(() => undefined);
      },
    });
    await Promise.all(Array.from({ length: 120 }, (_, i) => blocks.add(i)));
    assert.deepEqual(sizes, [50, 50, 20]);
  });

  it('wait a moment for others when asked to, but not when they are full', async () => {
    const sizes: number[] = [];
    const blocks = new Blocks<number>({
      size: 3,
      gatherMs: 20,
      send: async (entries) => {
        sizes.push(entries.length);
        return entries.map(() => undefined);
      },
    });
    const first = blocks.add(1);
    await new Promise(setImmediate);
    await Promise.all([first, blocks.add(2)]);
    assert.deepEqual(sizes, [2]);
  });

  it('send each alone when a block is refused, so that only the bad ones fail', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 130 }),
        fc.uniqueArray(fc.nat(129), { maxLength: 20 }),
        fc.integer({ min: 1, max: 50 }),
        async (count, bad, size) => {
          const isBad = new Set(bad);
          const blocks = new Blocks<number>({
            size,
            send: async (entries) => {
              // All or nothing, as a batch login.
              if (entries.some((entry) => isBad.has(entry))) throw refused(6401);
              return entries.map(() => undefined);
            },
          });
          const all = Array.from({ length: count }, (_, i) => i);
          const results = await Promise.all(all.map((entry) => result(blocks.add(entry))));
          assert.deepEqual(
            results,
            all.map((entry) => (isBad.has(entry) ? 6401 : 'ok')),
          );
        },
      ),
      { numRuns: 60 },
    );
  });

  it('give each entry its own result when the message tells them apart', async () => {
    const blocks = new Blocks<number>({
      size: 10,
      send: async (entries) => entries.map((entry) => (entry % 2 ? refused(521) : undefined)),
    });
    assert.deepEqual(await Promise.all([0, 1, 2].map((entry) => result(blocks.add(entry)))), [
      'ok',
      521,
      'ok',
    ]);
  });

  it('do not repeat what fails for a reason of the moment', async () => {
    let sent = 0;
    const blocks = new Blocks<number>({
      size: 10,
      send: async () => {
        sent++;
        throw new AlinkError('timeout', 'no answer', { retry: 'slow' });
      },
    });
    assert.deepEqual(await Promise.all([1, 2].map((entry) => result(blocks.add(entry)))), [
      'timeout',
      'timeout',
    ]);
    assert.equal(sent, 1);
  });

  it('wait a while after "too many", then find out who it was', async () => {
    const sizes: number[] = [];
    const blocks = new Blocks<number>({
      size: 10,
      throttledMs: 1,
      send: async (entries) => {
        sizes.push(entries.length);
        if (entries.includes(2)) throw refused(429, 'slow');
        return entries.map(() => undefined);
      },
    });
    const results = await Promise.all([1, 2, 3].map((entry) => result(blocks.add(entry))));
    assert.deepEqual(results, ['ok', 429, 'ok']);
    assert.deepEqual(sizes, [3, 1, 1, 1]);
  });

  it('are not held up by a message that is never answered', async () => {
    const blocks = new Blocks<string>({
      size: 1,
      concurrency: 2,
      send: (entries) =>
        entries[0] === 'stuck' ? new Promise(() => undefined) : Promise.resolve([undefined]),
    });
    void blocks.add('stuck');
    await blocks.add('first');
    await blocks.add('second');
    await Promise.all([blocks.add('third'), blocks.add('fourth')]);
  });

  it('leave out what was given up, and fail what waits at the end', async () => {
    const seen: number[] = [];
    const blocks = new Blocks<number>({
      size: 1,
      concurrency: 1,
      send: async (entries) => {
        seen.push(...entries);
        return [undefined];
      },
    });
    const closing = new AbortController();
    const first = result(blocks.add(1));
    const second = result(blocks.add(2, closing.signal));
    closing.abort();
    assert.equal(await first, 'ok');
    assert.equal(await second, 'aborted');
    const third = result(blocks.add(3));
    blocks.failAll(new AlinkError('gatewayOffline', 'gone'));
    assert.equal(await third, 'gatewayOffline');
    assert.deepEqual(seen, [1]);
  });

  it('never go faster than their pace', async () => {
    let now = 0;
    const at: number[] = [];
    const pace = new Pace(100, () => now);
    // The clock moves only when somebody waits for it.
    pace.ready = async () => {
      now = Math.max(now, next);
    };
    let next = 0;
    const spend = pace.spend.bind(pace);
    pace.spend = (count) => {
      at.push(now);
      next = Math.max(now, next) + count * 10;
      spend(count);
    };
    const blocks = new Blocks<number>({
      size: 10,
      pace,
      send: async (entries) => entries.map(() => undefined),
    });
    await Promise.all(Array.from({ length: 35 }, (_, i) => blocks.add(i)));
    assert.deepEqual(at, [0, 100, 200, 300]);
  });
});

describe('pace', () => {
  it('lets a block go at once, and the next after its time', async () => {
    const pace = new Pace(1000);
    const startedAt = performance.now();
    await pace.ready();
    pace.spend(30);
    assert.ok(performance.now() - startedAt < 25, 'the first waits for nothing');
    await pace.ready();
    assert.ok(performance.now() - startedAt >= 28, 'the second waits for 30 / 1000 s');
  });

  it('has no limit at 0', async () => {
    const pace = new Pace(0);
    pace.spend(1_000_000);
    let isReady = false;
    void pace.ready().then(() => {
      isReady = true;
    });
    await Promise.resolve();
    assert.ok(isReady, 'no timer was needed');
  });
});
