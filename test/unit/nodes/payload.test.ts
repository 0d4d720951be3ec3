import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { decodePayload, encodePayload, toBytes } from '../../../nodes/shared/payload';
import { AlinkError } from '../../../sdk';

const isInvalid = (thrown: unknown) => thrown instanceof AlinkError && thrown.key === 'invalidInput';
const bytes = fc.uint8Array({ maxLength: 200 });

describe('payloads', () => {
  it('any bytes are read somehow, and as a buffer exactly', () => {
    fc.assert(
      fc.property(bytes, (payload) => {
        const value = decodePayload(payload, 'auto');
        assert.ok(Buffer.isBuffer(value) || typeof value === 'string' || typeof value === 'object');
        assert.deepEqual(decodePayload(payload, 'buffer'), Buffer.from(payload));
      }),
    );
  });

  it('what is read by its content is the same bytes when it is sent again', () => {
    fc.assert(
      fc.property(bytes, (payload) => {
        const value = decodePayload(payload, 'auto');
        if (typeof value === 'object' && !Buffer.isBuffer(value)) return; // JSON may be written in more ways
        assert.deepEqual(Buffer.from(encodePayload(value, 'auto')), Buffer.from(payload));
      }),
    );
  });

  it('JSON comes back as it went', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
        const text = encodePayload(value, 'json');
        assert.deepEqual(decodePayload(Buffer.from(text), 'json'), JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it('bytes come back from hexadecimal, Base64, arrays and buffers that went through JSON', () => {
    fc.assert(
      fc.property(bytes, (payload) => {
        const buffer = Buffer.from(payload);
        const forms: Array<[unknown, 'hex' | 'base64']> = [
          [buffer.toString('hex'), 'hex'],
          [buffer.toString('hex').toUpperCase().replace(/../g, '$& '), 'hex'],
          [buffer.toString('base64'), 'base64'],
          [buffer.toString('base64url'), 'base64'],
          [[...payload], 'hex'],
          [JSON.parse(JSON.stringify(buffer)), 'hex'],
        ];
        for (const [value, text] of forms) assert.deepEqual(Buffer.from(toBytes(value, text)), buffer);
      }),
    );
  });

  it('anything else is refused, not guessed', () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        try {
          assert.ok(toBytes(value, 'hex') instanceof Uint8Array);
        } catch (thrown) {
          assert.ok(isInvalid(thrown), String(thrown));
        }
      }),
    );
    for (const value of ['123', 'xy', [256], [1.5], [-1], {}, null, undefined, 7]) {
      assert.throws(() => toBytes(value, 'hex'), isInvalid);
    }
    for (const value of ['a*b', '====', 'AB-/', 'A'])
      assert.throws(() => toBytes(value, 'base64'), isInvalid);
  });

  it('refuses JSON that is none, ill-formed or too deep', () => {
    for (const payload of ['', '{', Buffer.from([0x22, 0xff, 0x22]), '['.repeat(40) + ']'.repeat(40)]) {
      assert.throws(() => decodePayload(Buffer.from(payload), 'json'), isInvalid);
    }
    assert.deepEqual(Object.keys(decodePayload(Buffer.from('{"__proto__":1}'), 'json') as object), [
      '__proto__',
    ]);
  });
});
