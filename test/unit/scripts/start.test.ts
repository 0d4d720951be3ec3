import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, describe, it } from 'mocha';

const SCRIPT = join(resolve(__dirname, '..', '..', '..'), 'scripts', 'start.mjs');

describe('npm start with settings that cannot be', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'alink-start-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  for (const port of ['0', '65536', '1880x', '-1', '18.5']) {
    it(`refuses PORT=${port}`, () => refuses({ PORT: port }, /^npm start: PORT must be 1–65535/));
  }

  it('names a host that is not of this machine', () => {
    // An address for documentation; no machine has it.
    refuses({ HOST: '192.0.2.1' }, /^npm start: cannot listen on HOST=192\.0\.2\.1/);
  });

  function refuses(settings: NodeJS.ProcessEnv, reason: RegExp): void {
    const demo = join(folder, 'demo');
    const env = { ...process.env, PORT: '', HOST: '', ALINK_DEMO_DIR: demo, ...settings };
    const { status, stderr, stdout } = spawnSync(process.execPath, [SCRIPT], { env, encoding: 'utf8' });
    assert.equal(status, 1);
    assert.match(stderr, reason);
    assert.equal(stdout, '', 'nothing was built');
    assert.ok(!existsSync(demo), 'nothing is left behind');
  }
});
