import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, it } from 'mocha';
import { OPERATIONS } from '../../../protocol';

const ROOT = resolve(__dirname, '..', '..', '..');
const page = readFileSync(join(ROOT, 'docs', 'operations.md'), 'utf8');

describe('docs/operations.md', () => {
  it('is what scripts/docs.mjs makes of the catalogue', () => {
    const command = ['--import', 'tsx', join('scripts', 'docs.mjs'), '--print'];
    const printed = execFileSync(process.execPath, command, { cwd: ROOT, encoding: 'utf8' });
    assert.equal(page, printed, 'run: node --import tsx scripts/docs.mjs');
  });

  it('has one row for each operation', () => {
    const rows = [...page.matchAll(/^\| `([^`]+)`/gm)].map(([, name]) => name);
    assert.deepEqual([...rows].sort(), OPERATIONS.map(({ name }) => name).sort());
  });
});
