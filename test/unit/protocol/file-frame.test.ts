import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import {
  Crc64,
  crc16,
  crc64,
  FileFrameError,
  formatFileFrame,
  type JsonObject,
  LARGEST_FRAME_HEADER_BYTES,
  parseFileFrame,
} from '../../../protocol';

interface Vector {
  name: string;
  inputs: { ascii: string; header: JsonObject; data: string };
  expected: { crc: number; crcHex: string; frameHex: string };
}

const { vectors } = JSON.parse(readFileSync(join(__dirname, '../../vectors.json'), 'utf8')) as {
  vectors: Vector[];
};
const named = (prefix: string) => {
  const found = vectors.filter(({ name }) => name.startsWith(prefix));
  assert.ok(found.length > 0, `no vector ${prefix}`);
  return found;
};
const bytes = (text: string) => new TextEncoder().encode(text);
const hex = (data: Uint8Array) => Buffer.from(data).toString('hex');

describe('checksums of files', () => {
  for (const { name, inputs, expected } of named('crc16-arc.')) {
    it(name, () => assert.equal(crc16(bytes(inputs.ascii)), expected.crc));
  }
  for (const { name, inputs, expected } of named('crc64-xz.')) {
    it(name, () => assert.equal(crc64(bytes(inputs.ascii)), expected.crcHex));
  }

  it('is the same in pieces', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.uint8Array(), (a, b) => {
        const pieces = new Crc64().update(a).update(b).digest();
        assert.equal(pieces, crc64(Uint8Array.from([...a, ...b])));
        assert.match(pieces, /^[0-9a-f]{16}$/);
      }),
    );
  });
});

describe('frame of a block', () => {
  for (const { name, inputs, expected } of named('file.')) {
    it(name, () => {
      const frame = formatFileFrame({ header: inputs.header, data: bytes(inputs.data) });
      assert.equal(hex(frame), expected.frameHex);
      const read = parseFileFrame(frame);
      assert.deepEqual(read.header, inputs.header);
      assert.equal(hex(read.data), hex(bytes(inputs.data)));
      assert.ok(read.crcFits);
    });
  }

  it('reads back what it wrote', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.string()), fc.uint8Array(), (params, data) => {
        const read = parseFileFrame(formatFileFrame({ header: { id: '1', params }, data }));
        assert.deepEqual(JSON.stringify(read.header), JSON.stringify({ id: '1', params }));
        assert.equal(hex(read.data), hex(data));
        assert.ok(read.crcFits);
      }),
    );
  });

  it('tells one changed bit of the data', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1 }), fc.nat(), (data, where) => {
        const frame = formatFileFrame({ header: {}, data });
        const bit = where % ((data.length + 2) * 8);
        const at = frame.length - 1 - (bit >> 3);
        frame[at] = (frame[at] as number) ^ (1 << (bit & 7));
        assert.equal(parseFileFrame(frame).crcFits, false);
      }),
    );
  });

  it('takes any bytes without another error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (frame) => {
        try {
          parseFileFrame(frame);
        } catch (thrown) {
          assert.ok(thrown instanceof FileFrameError, String(thrown));
        }
      }),
    );
  });

  it('names what is wrong', () => {
    const problem = (frame: Uint8Array) => {
      try {
        parseFileFrame(frame);
      } catch (thrown) {
        assert.ok(thrown instanceof FileFrameError);
        return thrown.problem;
      }
      return undefined;
    };
    const framed = (header: string) => Uint8Array.from([0, header.length, ...bytes(header), 0, 0]);
    assert.equal(problem(Uint8Array.from([0, 0, 0])), 'tooShort');
    assert.equal(problem(Uint8Array.from([0, 9, 123, 125, 0, 0])), 'tooShort');
    assert.equal(problem(framed('[1]')), 'badHeader');
    assert.equal(problem(framed('{')), 'badHeader');
    assert.equal(problem(framed('{}')), undefined);
    assert.throws(
      () => formatFileFrame({ header: { id: 'x'.repeat(LARGEST_FRAME_HEADER_BYTES) }, data: bytes('') }),
      FileFrameError,
    );
  });
});
