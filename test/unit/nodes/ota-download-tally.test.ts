import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'mocha';
import { DownloadTally } from '../../../nodes/alink-ota-in/download-tally';
import type { DownloadsShown } from '../../../nodes/shared/status';

describe('downloads of a node', () => {
  let shown: DownloadsShown | undefined;
  let tally: DownloadTally;
  beforeEach(() => {
    shown = undefined;
    tally = new DownloadTally((next) => {
      shown = next;
    });
  });
  const sum = (loading: number, waiting: number, doneBytes: number, totalBytes: number) =>
    assert.deepEqual(shown, { loading, waiting, doneBytes, totalBytes });

  it('add up, whether they have begun or wait', () => {
    const first = tally.add(100);
    tally.add(300);
    sum(0, 2, 0, 400);
    first.tell(40);
    sum(1, 1, 40, 400);
    first.tell(70);
    sum(1, 1, 70, 400);
  });

  it('count as done when they have ended, until all have', () => {
    const [first, second] = [tally.add(100), tally.add(300)];
    first.tell(100);
    first.end(true);
    sum(0, 1, 100, 400);
    second.end(true);
    assert.ok(tally.isOver);
    tally.add(10);
    sum(0, 1, 0, 10);
  });

  it('do not count when they failed half-way, as if they had been loaded', () => {
    const [first, second] = [tally.add(100), tally.add(300)];
    second.tell(30);
    first.tell(40);
    sum(2, 0, 70, 400);
    first.end(false);
    sum(1, 0, 30, 300);
  });

  it('end once, and say nothing any more', () => {
    const [first, second] = [tally.add(100), tally.add(100)];
    // Given up before its turn came.
    first.end(false);
    first.end(true);
    first.tell(5);
    sum(0, 1, 0, 100);
    assert.ok(!tally.isOver);
    second.end(true);
    assert.ok(tally.isOver);
  });
});
