import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { explainCode, explainConnack, type RetryAdvice } from '../../../protocol';

/** Section C of the protocol reference, by its retry column. */
const REFERENCE: Array<[RetryAdvice, number[]]> = [
  ['none', [200, 1000, 0]],
  ['no', [401, 460, 5001, 6200, 6201, 5005, 6100, 6250, 6288, 6289, 6292, 6600, 6619]],
  ['slow', [500, 5244]],
  ['no', [428, 521, 522, 6203, 6204, 6280, 6287, 6400, 6401, 6402]],
  ['slow', [427, 429]],
  ['login', [520]],
  [
    'no',
    [6104, 6106, 6207, 6300, 6301, 6302, 6304, 6306, 6307, 6322, 6308, 6309, 6310, 6311, 6312, 6317, 6320],
  ],
  [
    'no',
    [6321, 6324, 6325, 6328, 6326, 6356, 6357, 6450, 6710, 6713, 6717, 6718, 26001, 26002, 26006, 26007],
  ],
  ['slow', [5159, 5160, 5161, 6313, 6314, 6316, 6318, 6323, 6329, 6661, 6760, 26010]],
  ['slow', [9112, 78119, 78121, 78127, 10000, 20004, 30001, 40000]],
  ['no', [78117, 78118, 78120, 78122, 78123, 78124, 78125, 78126, 10001, 20000, 403]],
  ['auth', [20001, 20002, 20003]],
];

describe('result codes', () => {
  for (const [retry, codes] of REFERENCE) {
    for (const code of codes) {
      it(`${code}: ${retry}`, () => {
        const found = explainCode(code);
        assert.equal(found?.retry, retry);
        assert.ok(found && found.en.length > 3);
        assert.match(found.zh, /\p{Script=Han}/u);
        // Chinese text has Chinese punctuation.
        assert.doesNotMatch(found.zh, /\p{Script=Han}[:,;!?]/u);
      });
    }
  }

  it('tells meanings of one number apart by the operation', () => {
    const en = (code: number, name?: string) => explainCode(code, name)?.en ?? '';
    assert.match(en(401), /signature/);
    assert.match(en(401, 'thing.topo.add'), /signature/);
    assert.match(en(401, 'shadow.update'), /method/);
    assert.match(en(403, 'shadow.update'), /version/);
    assert.match(en(403), /arrears/);
    assert.match(en(429, 'session.login'), /logins/);
    assert.match(en(429, 'thing.event.property.post'), /batches/);
    assert.match(en(520, 'session.error'), /session/);
    assert.match(en(500, 'ota.request'), /no upgrade/);
    // The newer operation answers with empty data instead; its 500 is a failure of the platform.
    assert.match(en(500, 'thing.ota.firmware.get'), /platform failed/);
    assert.match(en(401, 'no.such.operation'), /signature/);
  });

  it('knows the device’s own range and nothing beyond', () => {
    for (const code of [100_000, 105_000, 110_000]) assert.equal(explainCode(code)?.retry, 'no');
    for (const code of [99_999, 110_001, 100_000.5, -1, 123_456, Number.NaN]) {
      assert.equal(explainCode(code), undefined, String(code));
    }
  });

  it('explains the return codes of CONNACK', () => {
    for (const code of [0, 1, 2, 3, 4, 5]) {
      const found = explainConnack(code);
      assert.ok(found && found.en.length > 3);
      assert.match(found.zh, /\p{Script=Han}/u);
      assert.doesNotMatch(found.zh, /\p{Script=Han}[:,;!?]/u);
    }
    assert.equal(explainConnack(6), undefined);
    assert.match(explainConnack(4)?.en ?? '', /secret/);
  });
});
