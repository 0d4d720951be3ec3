import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { AlinkError } from '../../../../sdk';
import { failure, failureStep, storageError } from '../../../../sdk/ota/failure';

describe('failures of firmware', () => {
  it('name the step to report, the upgrade as a whole when there is none', () => {
    for (const step of [-1, -2, -3, -4] as const) {
      assert.equal(failureStep(failure('downloadFailed', step, 'cut')), step);
    }
    assert.equal(failureStep(new AlinkError('timeout', 'late')), -1);
    assert.equal(failureStep(new AlinkError('timeout', 'late', { details: { step: 7 } })), -1);
  });

  it('tell a full disk from others', () => {
    const of = (code: string) => storageError(Object.assign(new Error('no'), { code }));
    for (const code of ['ENOSPC', 'EDQUOT']) assert.equal(of(code).key, 'diskFull');
    assert.deepEqual([of('EACCES').key, of('EACCES').details.reason], ['firmwareStorage', 'EACCES']);
    assert.equal(storageError('text').details.reason, 'text');
    const path = '/mnt/usb/firmware';
    const { details, message } = storageError(Object.assign(new Error('no'), { code: 'EROFS', path }));
    assert.deepEqual([details.rule, details.code, details.path], ['storageAt', 'EROFS', path]);
    // The platform is told the sentence.
    assert.ok(!message.includes(path), message);
    const own = new AlinkError('aborted', 'given up');
    assert.equal(storageError(own), own);
  });
});
