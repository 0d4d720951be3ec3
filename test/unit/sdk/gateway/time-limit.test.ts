import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { withTimeLimit } from '../../../../sdk/gateway/time-limit';
import { rejection } from '../../../support/sdk-device';

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

  it('ends what whoever asked gives up, and tells it', async () => {
    const asker = new AbortController();
    let given: AbortSignal | undefined;
    const ended = withTimeLimit({ signal: asker.signal }, 'x', (limited) =>
      limited((signal) => {
        given = signal;
        return never();
      }),
    );
    asker.abort();
    assert.equal((await rejection(ended)).key, 'aborted');
    assert.equal(given?.aborted, true);
    const late = withTimeLimit({ timeoutMs: 60_000, signal: asker.signal }, 'x', (limited) => limited(never));
    assert.equal((await rejection(late)).key, 'aborted');
  });
});
