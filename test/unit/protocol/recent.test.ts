import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { Recent } from '../../../protocol/recent';

describe('what is remembered for a while', () => {
  it('is at least the last entries, at most twice as many, and the latest value of each', () => {
    const recent = new Recent<number>(3);
    for (let i = 0; i < 100; i++) recent.set(String(i), i);
    for (const i of [97, 98, 99]) assert.equal(recent.get(String(i)), i);
    const kept = Array.from({ length: 100 }, (_, i) => recent.get(String(i))).filter((i) => i !== undefined);
    assert.ok(kept.length <= 6, `${kept}`);
    recent.set('99', -1);
    assert.equal(recent.get('99'), -1);
    assert.equal(recent.get('none'), undefined);
  });
});
