import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, it } from 'mocha';

const PROJECT = resolve(__dirname, '..', '..');

describe('the lock file', () => {
  it('names no registry, so that everyone installs from their own', () => {
    const { packages } = JSON.parse(readFileSync(join(PROJECT, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, { resolved?: string; integrity?: string }>;
    };
    const entries = Object.entries(packages);
    assert.ok(entries.some(([, { integrity }]) => integrity !== undefined));
    assert.deepEqual(
      entries.filter(([, { resolved }]) => resolved !== undefined && resolved !== 'scripts/node-runtime'),
      [],
    );
    assert.doesNotMatch(readFileSync(join(PROJECT, '.npmrc'), 'utf8'), /registry\s*=|:\/\//);
  });
});
