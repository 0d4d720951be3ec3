import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { ProgressReports } from '../../../../sdk/ota/progress';

/** Reports whose sending the test ends. */
function bench(gapMs = 20) {
  const sent: string[] = [];
  const ends: Array<(error?: Error) => void> = [];
  let hold = false;
  const reports = new ProgressReports({
    gapMs,
    now: () => performance.now(),
    send: (module, step) => {
      sent.push(`${module} ${step}`);
      if (!hold) return Promise.resolve();
      return new Promise((resolve, reject) => ends.push((error) => (error ? reject(error) : resolve())));
    },
  });
  return {
    reports,
    sent,
    ends,
    hold: (on: boolean) => {
      hold = on;
    },
  };
}

describe('progress of firmware', () => {
  it('goes out at most once within the gap, and the last always', async () => {
    const { reports, sent } = bench();
    const startedAt = performance.now();
    const all = Array.from({ length: 50 }, (_, i) => reports.report('a', i + 1, undefined));
    await Promise.all(all);
    assert.deepEqual(sent, ['a 1', 'a 50']);
    assert.ok(performance.now() - startedAt >= 19);
  });

  it('is thinned out for each module alone', async () => {
    const { reports, sent } = bench(60_000);
    await Promise.all(['a', 'b', 'c'].map((module) => reports.report(module, 5, undefined)));
    assert.deepEqual(sent, ['a 5', 'b 5', 'c 5']);
  });

  it('waits for the one before, and fails with the one that was sent in its place', async () => {
    const { reports, sent, ends, hold } = bench(0);
    hold(true);
    const first = reports.report('a', 1, undefined);
    const second = reports.report('a', 2, undefined);
    const third = reports.report('a', -2, undefined);
    assert.deepEqual(sent, ['a 1']);
    ends.shift()?.();
    await first;
    assert.deepEqual(sent, ['a 1', 'a -2']);
    ends.shift()?.(new Error('lost'));
    await assert.rejects(second, /lost/);
    await assert.rejects(third, /lost/);
    hold(false);
    await reports.report('a', 3, undefined);
    assert.equal(sent.at(-1), 'a 3');
  });

  it('goes out before the end', async () => {
    const { reports, sent } = bench(60_000);
    await reports.report('a', 1, undefined);
    const last = reports.report('a', 100, undefined);
    reports.close();
    await last;
    assert.deepEqual(sent, ['a 1', 'a 100']);
  });

  it('does not remember every module for ever', async () => {
    const { reports, sent } = bench(0);
    for (let i = 0; i < 300; i++) await reports.report(`m${i}`, 1, undefined);
    assert.equal(sent.length, 300);
  });
});
