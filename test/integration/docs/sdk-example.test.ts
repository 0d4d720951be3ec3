import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { describe, it } from 'mocha';

const EXAMPLE = join(resolve(__dirname, '..', '..', '..'), 'docs', 'sdk-example.mjs');

describe('docs/sdk-example.mjs', () => {
  it('reports, is acknowledged, is refused by the thing model, and ends by itself', async () => {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [EXAMPLE], { timeout: 15_000 });
    const lines = stdout.trim().split('\n');
    assert.ok(lines.some((line) => line.startsWith('state: online')));
    assert.deepEqual(lines.slice(-4), [
      'properties: 200',
      'event: acknowledged',
      'refused: thingModel temperature: 200 is above the maximum 120',
      'samples: 3 events: 1',
    ]);
    assert.equal(stderr, '');
  });
});
