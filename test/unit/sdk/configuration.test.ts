import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import type { Json } from '../../../protocol';
import { AlinkError } from '../../../sdk';
import { readConfigurationOffer, readModelOffer } from '../../../sdk/configuration/offer';
import { knownAs, readKeptModel, readState, takeBack, writeState } from '../../../sdk/configuration/state';

const DIGEST = 'ab'.repeat(32);
const OFFER = { configId: 'c1', configSize: 5, sign: DIGEST, signMethod: 'Sha256', url: 'https://x/' };
/** Values that are nearly right, among any. */
const hostile = (names: readonly string[]) =>
  fc.oneof(
    fc.jsonValue(),
    fc.dictionary(
      fc.constantFrom(...names, '__proto__'),
      fc.oneof(fc.jsonValue(), fc.constantFrom(DIGEST, 'sha256', 'c1')),
    ),
  ) as fc.Arbitrary<Json>;

describe('configuration that the platform names', () => {
  it('is read, sizes as number or text, the digest without case', () => {
    assert.deepEqual(readConfigurationOffer({ ...OFFER, configSize: '5', sign: DIGEST.toUpperCase() }), {
      configId: 'c1',
      url: 'https://x/',
      digest: DIGEST,
      size: 5,
    });
    const { configSize: _, signMethod: __, ...bare } = OFFER;
    assert.deepEqual(readConfigurationOffer(bare), { configId: 'c1', url: 'https://x/', digest: DIGEST });
  });

  it('or refused with a reason, whatever it is', () => {
    const check = (read: () => { digest: string; url: string }) => {
      try {
        const { digest, url } = read();
        assert.match(digest, /^[0-9a-f]{64}$/);
        assert.notEqual(url, '');
      } catch (thrown) {
        assert.ok(thrown instanceof AlinkError && thrown.key === 'configurationOffer', String(thrown));
        assert.equal(thrown.code, 460);
      }
    };
    fc.assert(
      fc.property(hostile([...Object.keys(OFFER), 'digest', 'digestMethod']), (data) => {
        check(() => readConfigurationOffer(data));
        check(() => readModelOffer(data));
      }),
    );
  });
});

describe('state of configurations on disk', () => {
  const KEPT = { configId: 'c1', digest: DIGEST, text: '{}' };

  it('comes back as it was written', () => {
    const state = {
      good: KEPT,
      incoming: { ...KEPT, source: 'get' as const, attempts: 2, guardMs: 5 },
      tried: { ...KEPT, guardMs: 5, deadline: 6, hadGrace: true },
      refused: { configId: 'c2', digest: DIGEST },
      rollback: { reason: { configId: 'c3', problem: 'notAnswered' as const }, attempts: 1 },
      takenBack: [{ configId: 'c3', digest: DIGEST }],
    };
    assert.deepEqual(readState(JSON.parse(JSON.stringify(writeState(state)))), state);
  });

  it('is read whatever it is, and written again', () => {
    const names = ['good', 'incoming', 'tried', 'refused', 'rollback', 'takenBack'];
    const part = hostile(['configId', 'digest', 'text', 'attempts', 'guardMs', 'deadline', 'problem']);
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...names), part), fc.jsonValue(), (json, other) => {
        const state = readState(json);
        assert.deepEqual(readState(JSON.parse(JSON.stringify(writeState(state)))), state);
        readState(other as Json);
        readKeptModel(other as Json);
      }),
    );
  });

  it('without a document that can be read is as good as none', () => {
    for (const text of ['{', '['.repeat(500), 5]) {
      assert.equal(readState({ good: { ...KEPT, text } }).good, undefined);
      assert.equal(readKeptModel({ digest: DIGEST, text, receivedAt: 1 }), undefined);
    }
  });

  it('remembers what was taken back in bounds, the latest last', () => {
    const state = readState(undefined);
    for (let i = 0; i < 200; i++) takeBack(state, { configId: `c${i}`, digest: DIGEST });
    takeBack(state, { configId: 'c199', digest: DIGEST });
    assert.equal(state.takenBack.length, 50);
    assert.equal(knownAs(state, { configId: 'c199', digest: DIGEST }), 'rolledBack');
    assert.equal(knownAs(state, { configId: 'c1', digest: DIGEST }), undefined);
    assert.equal(knownAs(state, { configId: 'c199', digest: 'another' }), undefined);
  });

  it('knows a configuration by its id and its digest, and the one on trial before the good one', () => {
    const state = { ...readState(undefined), good: KEPT };
    assert.equal(knownAs(state, KEPT), 'unchanged');
    assert.equal(knownAs(state, { ...KEPT, digest: '' }), undefined);
    const tried = { ...KEPT, configId: 'c2', guardMs: 1, deadline: 1, hadGrace: false };
    assert.equal(knownAs({ ...state, tried }, KEPT), undefined);
    assert.equal(knownAs({ ...state, tried }, tried), 'unchanged');
  });
});
