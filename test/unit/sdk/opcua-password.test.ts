import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { OpcUaPasswordError } from '../../../protocol/model-configuration';
import { decryptOpcUaPassword, encryptOpcUaPassword } from '../../../sdk/model-configuration/opcua-password';

const SECRET = 'testTNmjyWHQzniA8wEkTNmjyWHQtest';

describe('password of an OPC UA server (H.3)', () => {
  it('the vector of the reference, in both directions', () => {
    assert.equal(encryptOpcUaPassword('test123', SECRET), '7lBTkjb1RBAltOSgBBsCdA==');
    assert.equal(decryptOpcUaPassword('7lBTkjb1RBAltOSgBBsCdA==', SECRET), 'test123');
    assert.equal(decryptOpcUaPassword('7lBTkjb1\r\nRBAltOSgBBsCdA==\n', SECRET), 'test123');
  });

  it('round trip with secrets of 16, 24 and 32 characters', () => {
    const secret = fc
      .constantFrom(16, 24, 32)
      .chain((length) => fc.string({ minLength: length, maxLength: length, unit: 'grapheme-ascii' }));
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 50 }), secret, (password, key) => {
        assert.equal(decryptOpcUaPassword(encryptOpcUaPassword(password, key), key), password);
      }),
    );
  });

  it('says what is wrong and never holds the password or the secret', () => {
    const cases = [
      ['7lBTkjb1RBAltOSgBBsCdA==', 'short', 'secretLength'],
      ['7lBTkjb1RBAltOSgBBsCdA==', `${SECRET.slice(0, 15)}é${SECRET.slice(17)}`, 'secretLength'],
      ['7lBTkjb1RBAltOSgBBsCdA==', 'anotherSecretWithThirtyTwoChars!', 'wrongSecret'],
      // The samples of the guide: their secret is not given.
      ['XIJTginONohPEUAyZxLB7Q==', SECRET, 'wrongSecret'],
      ['hAaX5s13gwX2JwyvUkOAfQ==', SECRET, 'wrongSecret'],
      ['', SECRET, 'notBase64'],
      ['not base64!', SECRET, 'notBase64'],
      ['AAAA', SECRET, 'notBase64'],
    ] as const;
    for (const [encrypted, secret, problem] of cases) {
      assert.throws(
        () => decryptOpcUaPassword(encrypted, secret),
        (error: unknown) => {
          assert.ok(error instanceof OpcUaPasswordError);
          assert.equal(error.problem, problem);
          assert.ok(!error.message.includes(secret));
          if (encrypted !== '') assert.ok(!error.message.includes(encrypted));
          return true;
        },
      );
    }
  });
});
