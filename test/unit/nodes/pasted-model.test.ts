import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { type DeviceDef, pastedModel } from '../../../nodes/alink-device/device-options';
import { isError } from '../../support/sdk-device';

describe('pasted thing model', () => {
  const def = (thingModel: string) => ({ thingModelSource: 'paste', thingModel }) as DeviceDef;

  it('is read once for all devices with the same text', () => {
    const text = JSON.stringify({ properties: [{ identifier: 'level' }] });
    const first = pastedModel(def(text));
    assert.deepEqual(first, JSON.parse(text));
    assert.equal(pastedModel(def(text)), first);
    assert.notEqual(pastedModel(def(`${text} `)), first);
  });

  it('that is none is said each time', () => {
    for (const text of ['{', '{', '[]', 'null']) {
      assert.throws(() => pastedModel(def(text)), isError('badSettings'));
    }
  });
});
