import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'mocha';
import type { Node, NodeAPI } from 'node-red';
import { StatusLine } from '../../../nodes/shared/status';

const LOADING = { loading: 1, waiting: 1, doneBytes: 10, totalBytes: 100 };
const { now } = Date;

describe('the status of a node', () => {
  let shown: string[];
  let line: StatusLine;

  beforeEach(() => {
    shown = [];
    const RED = { _: (key: string) => key } as unknown as NodeAPI;
    const status = ({ text = '' }: { text?: string }) => shown.push(text);
    line = new StatusLine(RED, { status } as unknown as Node);
    line.session({ name: 'online', waiting: 0 });
  });
  afterEach(() => {
    Date.now = now;
    line.close();
  });

  it('says nothing after the end: under its id another node speaks already', () => {
    const before = shown.length;
    line.close();
    line.downloads(LOADING);
    line.trial(1);
    line.session({ name: 'closing', waiting: 0 });
    assert.equal(shown.length, before);
  });

  it('goes on when the clock of the machine is set back', async () => {
    Date.now = () => now() - 3_600_000;
    const before = shown.length;
    line.downloads(LOADING);
    const end = performance.now() + 5000;
    while (shown.length === before) {
      assert.ok(performance.now() < end, 'nothing more was shown');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  });
});
