import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { partDone, waitFor } from '../../../../protocol/model-configuration/flow/waiting';
import { said } from '../../../../protocol/model-configuration/said';

const NO = said('cannot be written');

describe('requests of the platform that wait in a generated flow', () => {
  function storeOf() {
    const values = new Map<string, unknown>();
    return {
      get: (name: string) => values.get(name),
      set: (name: string, value: unknown) => values.set(name, value),
    };
  }

  it('are answered with the last part, with the first reason', () => {
    const store = storeOf();
    const topic = waitFor(store, { alink: 'a', device: 'd' }, 3, 0);
    assert.equal(partDone(store, topic, undefined), undefined);
    assert.equal(partDone(store, topic, NO), undefined);
    const reply = { alink: 'a', device: 'd', payload: {}, code: 400, reason: NO };
    assert.deepEqual(partDone(store, topic, said('is not reached')), reply);
    assert.equal(partDone(store, topic, undefined), undefined);
  });

  it('are at most 500: the oldest go first, and those that nobody waits for any more', () => {
    const store = storeOf();
    const topics = Array.from({ length: 510 }, (_, alink) => waitFor(store, { alink }, 1, 0));
    const answered = topics.map((topic) => partDone(store, topic, undefined)?.alink);
    assert.deepEqual(
      answered,
      Array.from({ length: 510 }, (_, i) => (i < 10 ? undefined : i)),
    );
    const old = waitFor(store, { alink: 'old' }, 1, 0);
    waitFor(store, { alink: 'new' }, 1, 60_001);
    assert.equal(partDone(store, old, undefined), undefined);
  });

  it('nothing else is taken for one of them', () => {
    const store = storeOf();
    for (const topic of [undefined, 7, '', 'constructor', '__proto__']) {
      assert.equal(partDone(store, topic, undefined), undefined);
    }
  });
});
