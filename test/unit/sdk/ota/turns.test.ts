import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { Turns } from '../../../../sdk/ota/download/turns';

describe('turns of downloads', () => {
  it('let so many work at a time, the others in their order, whoever fails or gives up', async () => {
    const turns = new Turns(2);
    const never = new AbortController().signal;
    const giving = new AbortController();
    const ends = new Map<string, (fails?: boolean) => void>();
    const started: string[] = [];
    const work = (name: string, signal = never) =>
      turns.run(signal, () => {
        started.push(name);
        return new Promise<void>((resolve, reject) => {
          ends.set(name, (fails) => (fails ? reject(new Error(name)) : resolve()));
        });
      });
    const a = work('a');
    const b = work('b');
    const c = work('c', giving.signal);
    const d = work('d');
    const e = work('e');
    giving.abort(new Error('given up'));
    await assert.rejects(c, /given up/);
    await assert.rejects(work('x', giving.signal), /given up/);
    assert.deepEqual(started, ['a', 'b']);
    ends.get('a')?.(true);
    await assert.rejects(a, /a/);
    await tick();
    assert.deepEqual(started, ['a', 'b', 'd']);
    ends.get('d')?.();
    ends.get('b')?.();
    await Promise.all([b, d, tick()]);
    assert.deepEqual(started, ['a', 'b', 'd', 'e']);
    const f = work('f');
    await tick();
    assert.deepEqual(started.at(-1), 'f');
    ends.get('e')?.();
    ends.get('f')?.();
    await Promise.all([e, f]);
  });
});

function tick(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
