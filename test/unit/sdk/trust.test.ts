import assert from 'node:assert/strict';
import { before, describe, it } from 'mocha';
import { trustOf } from '../../../sdk/session/trust';
import { certificate } from '../../support/certificates';

describe('whom TLS trusts', () => {
  let cert = '';
  before(async () => {
    ({ cert } = await certificate());
  });

  it('is made once for all connections with the same roots', () => {
    assert.equal(trustOf(cert), trustOf(cert));
    assert.equal(trustOf(undefined), trustOf(undefined));
    assert.notEqual(trustOf(cert), trustOf(undefined));
    assert.notEqual(trustOf(cert), trustOf(`${cert}\n`));
  });

  it('is kept for a few roots only', () => {
    const first = trustOf(cert);
    for (let i = 1; i <= 30; i++) trustOf(cert + '\n'.repeat(i));
    assert.notEqual(trustOf(cert), first);
  });
});
