import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { generate } from 'mqtt-packet';
import { PacketLengths } from '../../../sdk/session/packet-lengths';

const MOST = 1000;

describe('lengths of incoming packets', () => {
  const publish = (bytes: number) =>
    generate({
      cmd: 'publish',
      topic: 't',
      payload: Buffer.alloc(bytes - 3),
      qos: 0,
      dup: false,
      retain: false,
    });
  const follow = (bytes: Uint8Array, cuts: readonly number[]) => {
    const lengths = new PacketLengths(MOST);
    const ends = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
    let at = 0;
    for (const end of ends) {
      const found = lengths.follow(bytes.subarray(at, end));
      if (found !== undefined) return found;
      at = end;
    }
    return undefined;
  };
  const cuts = fc.array(fc.nat(), { maxLength: 10 });
  const sizes = fc.array(fc.oneof(fc.constantFrom(0, 3, 127, 128, MOST), fc.integer({ min: 3, max: MOST })));
  const stream = (of: readonly number[]) =>
    Buffer.concat(of.map((size) => (size === 0 ? generate({ cmd: 'pingresp' }) : publish(size))));

  it('lets packets pass that are not too large, however the stream is cut', () => {
    fc.assert(
      fc.property(sizes, cuts, (of, at) => {
        assert.equal(follow(stream(of), at), undefined);
      }),
    );
  });

  it('finds the first that is, by its header alone', () => {
    fc.assert(
      fc.property(sizes, fc.integer({ min: MOST + 1, max: 200_000 }), cuts, (of, large, at) => {
        const header = publish(large).subarray(0, 4);
        assert.ok((follow(Buffer.concat([stream(of), header]), at) ?? 0) > MOST);
        assert.equal(follow(Buffer.concat([stream(of), publish(large)]), []), large);
      }),
    );
    assert.equal(follow(Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f]), []), 2 ** 28 - 1);
  });

  it('leaves a length without an end to the parser', () => {
    const never = Buffer.from([0x30, 0x80, 0x80, 0x80, 0x80, 0x30, 0xff, 0xff, 0x7f]);
    for (const at of [[], [1, 2, 3], [4], [5]]) assert.equal(follow(never, at), undefined);
  });
});
