import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { withTimeLimit } from '../../../../sdk/gateway/time-limit';

const never = () => new Promise<never>(() => undefined);

describe('time limit of a request about many', () => {
  it('ends what takes too long, not what is done', async () => {
    const signals: Array<AbortSignal | undefined> = [];
    const ended = await withTimeLimit({ timeoutMs: 5 }, 'thing.topo.add', (limited) =>
      Promise.allSettled([
        limited(async (signal) => {
          signals.push(signal);
          return 'done';
        }),
        limited(never),
      ]),
    );
    assert.deepEqual(ended[0], { status: 'fulfilled', value: 'done' });
    const { reason } = ended[1] as PromiseRejectedResult;
    assert.deepEqual([reason.key, reason.details], ['timeout', { seconds: 0, operation: 'thing.topo.add' }]);
    assert.equal(signals[0]?.aborted, true);
  });

  it('tells tasks when whoever asked gives up', async () => {
    const asker = new AbortController();
    let given: AbortSignal | undefined;
    const done = withTimeLimit({ timeoutMs: 60_000, signal: asker.signal }, 'x', (limited) =>
      limited(async (signal) => {
        given = signal;
        asker.abort();
        return signal?.aborted;
      }),
    );
    assert.equal(await done, true);
    assert.notEqual(given, asker.signal);
    const again = withTimeLimit({ timeoutMs: 60_000, signal: asker.signal }, 'x', (limited) =>
      limited(async (signal) => signal?.aborted),
    );
    assert.equal(await again, true);
  });

  it('is none without a time', async () => {
    const { signal } = new AbortController();
    assert.equal(await withTimeLimit({ signal }, 'x', (limited) => limited(async (given) => given)), signal);
  });
});
