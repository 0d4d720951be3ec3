import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { fileSecretStore, type SecretStore } from '../../../sdk';

const IDENTITY = { productKey: 'a1Test', deviceName: 'lamp-1' };

describe('secret store', () => {
  let folder: string;
  let store: SecretStore;

  beforeEach(() => {
    folder = join(mkdtempSync(join(tmpdir(), 'alink-secrets-')), 'new', 'folder');
    store = fileSecretStore(folder);
  });

  afterEach(() => rmSync(join(folder, '..', '..'), { recursive: true, force: true }));

  it('gives back what another one stored, readable by its owner alone', async () => {
    await store.write(IDENTITY, 'cn-shanghai', { deviceSecret: 'first' });
    await store.write(IDENTITY, 'cn-shanghai', { deviceSecret: 'second' });
    assert.deepEqual(await fileSecretStore(folder).read(IDENTITY, 'cn-shanghai'), { deviceSecret: 'second' });
    assert.equal(await store.read(IDENTITY, 'us-west-1'), undefined);
    const files = readdirSync(folder);
    assert.equal(files.length, 1, 'no temporary file is left');
    if (process.platform !== 'win32') {
      assert.equal(statSync(join(folder, files[0] ?? '')).mode & 0o777, 0o600);
      assert.equal(statSync(folder).mode & 0o777, 0o700);
    }
  });

  it('keeps apart whatever is not the same, inside its folder', async () => {
    const name = fc.string({ minLength: 1, maxLength: 64 });
    const device = fc.record({ productKey: name, deviceName: name });
    const hostile = fc.constantFrom(
      '..',
      '../../x',
      'a\0b',
      '/etc/passwd',
      'CON',
      'A'.repeat(64),
      'a'.repeat(64),
    );
    const pair = fc.tuple(fc.record({ productKey: name, deviceName: fc.oneof(name, hostile) }), device, name);
    await fc.assert(
      fc.asyncProperty(pair, async ([one, two, platform]) => {
        rmSync(folder, { recursive: true, force: true });
        await store.write(one, platform, { deviceSecret: 'one' });
        if (JSON.stringify(one) === JSON.stringify(two)) return;
        assert.equal(await store.read(two, platform), undefined);
        assert.deepEqual(await store.read(one, platform), { deviceSecret: 'one' });
        assert.equal(readdirSync(folder).length, 1);
      }),
      { numRuns: 30 },
    );
  });

  it('keeps apart long names that differ only at the end, and in case', async () => {
    const long = 'A'.repeat(31);
    for (const [i, deviceName] of [`${long}1`, `${long}2`, `${long.toLowerCase()}1`].entries()) {
      await store.write({ productKey: 'pk', deviceName }, 'p', { deviceSecret: String(i) });
    }
    const read = await store.read({ productKey: 'pk', deviceName: `${long}1` }, 'p');
    assert.deepEqual(read, { deviceSecret: '0' });
    assert.equal(new Set(readdirSync(folder).map((file) => file.toLowerCase())).size, 3);
  });

  it('says that a file is damaged or is that of another device', async () => {
    await store.write(IDENTITY, 'p', { deviceSecret: 'x' });
    const [file = ''] = readdirSync(folder);
    const good = readFileSync(join(folder, file), 'utf8');
    for (const text of ['', '{', '[]', '{}', good.replace('lamp-1', 'lamp-2'), good.slice(0, -5)]) {
      writeFileSync(join(folder, file), text);
      await assert.rejects(store.read(IDENTITY, 'p'), { key: 'secretStore' });
    }
  });

  it('says that it cannot store', async () => {
    await store.write(IDENTITY, 'p', { deviceSecret: 'x' });
    const blocked = fileSecretStore(join(folder, readdirSync(folder)[0] ?? '', 'below'));
    await assert.rejects(blocked.write(IDENTITY, 'p', { deviceSecret: 'x' }), { key: 'secretStore' });
  });
});
