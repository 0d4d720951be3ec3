import assert from 'node:assert/strict';
import { checkSignature, type OpenApiRequest } from '../../../emulator/openapi/signature';

const KEYS = [{ id: 'testid', secret: 'testsecret' }];

/** The example that the vendor prints for version 1.0 of the signature. */
function printed(changes: Record<string, string> = {}): OpenApiRequest {
  const query = new URLSearchParams({
    Timestamp: '2016-02-23T12:46:24Z',
    Format: 'XML',
    AccessKeyId: 'testid',
    Action: 'DescribeRegions',
    SignatureMethod: 'HMAC-SHA1',
    SignatureNonce: '3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf',
    Version: '2014-05-26',
    SignatureVersion: '1.0',
    Signature: 'OLeaidS1JvxuMvnyHOwuJ+uX5qY=',
    ...changes,
  });
  const origin = 'http://127.0.0.1';
  return {
    origin,
    method: 'GET',
    path: '/',
    query,
    form: new URLSearchParams(),
    body: Buffer.alloc(0),
    headers: {},
  };
}

describe('signature of the OpenAPI', () => {
  it('takes the printed example of version 1.0', () => {
    assert.equal(checkSignature(printed(), KEYS), undefined);
  });

  it('counts the fields of a form body as signed', () => {
    const request = printed();
    request.query.delete('Format');
    request.form.set('Format', 'XML');
    assert.equal(checkSignature(request, KEYS), undefined);
    request.form.set('Format', 'JSON');
    assert.equal(checkSignature(request, KEYS), 'SignatureDoesNotMatch');
  });

  it('refuses everything else with its reason', () => {
    assert.equal(checkSignature(printed({ Action: 'Other' }), KEYS), 'SignatureDoesNotMatch');
    assert.equal(checkSignature({ ...printed(), method: 'POST' }, KEYS), 'SignatureDoesNotMatch');
    assert.equal(checkSignature(printed({ AccessKeyId: 'nobody' }), KEYS), 'InvalidAccessKeyId.NotFound');
    assert.equal(checkSignature(printed({ SignatureMethod: 'NONE' }), KEYS), 'IncompleteSignature');
    const unsigned = printed();
    unsigned.query.delete('Signature');
    assert.equal(checkSignature(unsigned, KEYS), 'IncompleteSignature');
    unsigned.query.delete('AccessKeyId');
    assert.equal(checkSignature(unsigned, KEYS), 'MissingAccessKeyId');
    const broken = { ...printed(), headers: { authorization: 'ACS3-HMAC-SHA256 Credential=testid' } };
    assert.equal(checkSignature(broken, KEYS), 'IncompleteSignature');
  });
});
