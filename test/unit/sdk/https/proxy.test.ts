import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { proxyFor } from '../../../../sdk/https/proxy';

const PROXY = 'http://proxy.test:3128';

describe('the proxy of the environment', () => {
  /** Host and port of the proxy for an address. */
  const way = (address: string, environment: Record<string, string>): string | undefined => {
    const proxy = proxyFor(new URL(address), environment);
    return proxy && `${proxy.host}:${proxy.port}`;
  };

  it('is that of the scheme, in lower case first, else the one for all', () => {
    const file = 'https://files.test/a';
    assert.equal(way(file, {}), undefined);
    assert.equal(way(file, { HTTPS_PROXY: PROXY }), 'proxy.test:3128');
    assert.equal(way(file, { HTTPS_PROXY: PROXY, https_proxy: 'http://other.test' }), 'other.test:80');
    assert.equal(way(file, { http_proxy: PROXY }), undefined);
    assert.equal(way('http://files.test/a', { HTTP_PROXY: PROXY }), 'proxy.test:3128');
    assert.equal(way(file, { ALL_PROXY: 'proxy.test:8080' }), 'proxy.test:8080');
    assert.equal(way(file, { https_proxy: 'https://[2001:db8::1]' }), '2001:db8::1:443');
  });

  const exempt: Array<[string, string, boolean]> = [
    ['files.test', 'files.test', true],
    ['files.test', 'FILES.TEST', true],
    ['files.test', 'other.test, files.test', true],
    ['files.test', 'other.test files.test', true],
    ['files.test', '.test', true],
    ['files.test', '*.test', true],
    ['files.test', 'test', true],
    ['files.test', '*', true],
    ['files.test', 'les.test', false],
    ['files.test', 'files.test.example', false],
    ['files.test', '', false],
    ['files.test', ',,', false],
    ['files.test:8443', 'files.test:8443', true],
    ['files.test:8443', 'files.test:443', false],
    ['files.test', 'files.test:443', true],
    ['10.0.0.7', '10.0.0.7', true],
    ['10.0.0.7', '0.0.7', false],
    ['[2001:db8::1]', '2001:db8::1', true],
    ['[2001:db8::1]', '[2001:db8::1]', true],
    ['[2001:db8::1]:8443', '[2001:db8::1]:443', false],
  ];
  for (const [host, list, isExempt] of exempt) {
    it(`is ${isExempt ? 'not ' : ''}used for ${host} with NO_PROXY="${list}"`, () => {
      const found = way(`https://${host}/a`, { https_proxy: PROXY, NO_PROXY: list });
      assert.equal(found, isExempt ? undefined : 'proxy.test:3128');
    });
  }

  it('is never used for this machine, where no proxy gets to', () => {
    for (const host of ['localhost', 'a.localhost', '127.0.0.1', '127.8.9.10', '[::1]']) {
      assert.equal(way(`https://${host}:8443/a`, { https_proxy: PROXY }), undefined, host);
    }
    for (const host of ['localhost.test', '127.0.0.1.test', '128.0.0.1']) {
      assert.ok(way(`https://${host}/a`, { https_proxy: PROXY }), host);
    }
  });

  it('gives its credentials to itself alone, percent signs and all', () => {
    const { authorization } =
      proxyFor(new URL('https://files.test'), { https_proxy: 'http://a:50%25%@proxy.test' }) ?? {};
    assert.equal(authorization, `Basic ${Buffer.from('a:50%25%').toString('base64')}`);
  });

  it('has to be one for http', () => {
    for (const https_proxy of ['socks5://proxy.test:1080', 'http://', 'http://[']) {
      assert.throws(() => proxyFor(new URL('https://files.test'), { https_proxy }), {
        name: 'HttpsError',
        problem: 'gone',
      });
    }
  });
});
