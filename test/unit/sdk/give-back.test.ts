import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { giveBack } from '../../../sdk/give-back';

describe('memory of bytes that nobody uses any more', () => {
  it('is given back when it is theirs alone', function () {
    if (!('transfer' in ArrayBuffer.prototype)) this.skip();
    const bytes = Buffer.allocUnsafeSlow(1000);
    giveBack(bytes);
    assert.equal(bytes.buffer.byteLength, 0);
    giveBack(bytes);
  });

  it('stays when others share it', () => {
    const whole = Buffer.allocUnsafeSlow(1000).fill(7);
    giveBack(whole.subarray(1));
    giveBack(whole.subarray(0, 999));
    giveBack(Buffer.from('out of the pool of Node.js'));
    giveBack(new Uint8Array());
    giveBack(undefined);
    assert.ok(whole.equals(Buffer.alloc(1000, 7)));
    assert.equal(Buffer.from('x').toString(), 'x');
  });
});
