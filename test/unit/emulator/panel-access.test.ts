import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { mayUsePanel } from '../../../emulator/http/panel';

const allowed = (remoteAddress: string, headers: Record<string, string>) =>
  mayUsePanel({ socket: { remoteAddress }, headers } as unknown as IncomingMessage);

describe('access to the fault panel', () => {
  it('is open to programs on this machine', () => {
    assert.ok(allowed('127.0.0.1', { host: '127.0.0.1:80' }));
    assert.ok(allowed('::ffff:127.0.0.1', { host: 'localhost:80' }));
    assert.ok(allowed('::1', { host: '[::1]:80' }));
  });

  it('is closed to other machines', () => {
    assert.equal(allowed('192.168.1.7', { host: '127.0.0.1:80' }), false);
    assert.equal(allowed('', { host: '127.0.0.1:80' }), false);
  });

  it('is closed to foreign names that resolve here', () => {
    assert.equal(allowed('127.0.0.1', { host: 'evil.example:80' }), false);
    assert.equal(allowed('127.0.0.1', {}), false);
    assert.equal(allowed('127.0.0.1', { host: 'evil.example:80', origin: 'http://evil.example:80' }), false);
  });

  it('is closed to pages of another origin', () => {
    assert.equal(allowed('127.0.0.1', { host: '127.0.0.1:80', origin: 'http://127.0.0.1:81' }), false);
    assert.equal(allowed('127.0.0.1', { host: '127.0.0.1:80', 'sec-fetch-site': 'cross-site' }), false);
    assert.ok(allowed('127.0.0.1', { host: '127.0.0.1:80', origin: 'http://127.0.0.1:80' }));
  });
});
