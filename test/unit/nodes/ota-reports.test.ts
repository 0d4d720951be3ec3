import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { ACTIONS, readReport } from '../../../nodes/alink-ota-progress/reports';
import { AlinkError } from '../../../sdk';

const STEPS = new Set([-4, -3, -2, -1, ...Array.from({ length: 100 }, (_, i) => i + 1)]);

describe('what an ota progress node is to report', () => {
  it('is a version or a step that the platform knows, or an error that names the field', () => {
    const message = fc.record(
      {
        version: fc.anything(),
        percent: fc.anything(),
        failure: fc.anything(),
        step: fc.oneof(fc.integer({ min: -9, max: 120 }), fc.anything()),
        description: fc.anything(),
        module: fc.anything(),
      },
      { requiredKeys: [] },
    );
    const value = fc.oneof(message, fc.anything(), fc.double(), fc.integer().map(String));
    fc.assert(
      fc.property(fc.constantFrom(...ACTIONS), value, fc.anything(), (action, given, description) => {
        try {
          const report = readReport(action, given, description);
          if (report.version === undefined) {
            assert.ok(STEPS.has(report.step), String(report.step));
            assert.ok((report.description ?? '').length <= 500);
          } else assert.match(report.version, /^\S[^\p{C}]{0,63}$/u);
        } catch (thrown) {
          if (!(thrown instanceof AlinkError)) throw thrown;
          assert.equal(thrown.key, 'invalidInput');
          assert.ok(typeof thrown.details.rule === 'string');
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('rounds percentages, and takes numbers as text', () => {
    for (const [given, step] of [
      [0, 1],
      [0.4, 1],
      ['41.6', 42],
      [100, 100],
    ] as const) {
      assert.deepEqual(readReport('progress', given, undefined), { step, description: undefined });
    }
    assert.deepEqual(readReport('failure', '-2', new Error('no route')), {
      step: -2,
      description: 'no route',
    });
    assert.deepEqual(readReport('version', ' 1.2 ', undefined), { version: '1.2' });
  });
});
