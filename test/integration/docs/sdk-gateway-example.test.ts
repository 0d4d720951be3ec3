import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { describe, it } from 'mocha';

const EXAMPLE = join(resolve(__dirname, '..', '..', '..'), 'docs', 'sdk-gateway-example.mjs');

describe('docs/sdk-gateway-example.mjs', () => {
  it('brings sub-devices online, names the one that is refused, reports for the others, and ends by itself', async () => {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [EXAMPLE], { timeout: 30_000 });
    const lines = stdout.trim().split('\n');
    const online = lines.indexOf('meter-1: online ');
    assert.ok(online >= 0 && online < lines.indexOf('meter-1 reports: 200'), stdout);
    assert.ok(lines.includes('refused: meter-9 401'), stdout);
    assert.ok(lines.includes('acknowledged: 199'), stdout);
    assert.equal(stderr, '');
  });
});
