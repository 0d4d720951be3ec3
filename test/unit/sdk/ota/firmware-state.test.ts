import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, it } from 'mocha';
import type { FirmwareOffer } from '../../../../sdk';
import { FirmwareState, openFirmwareState } from '../../../../sdk/ota/firmware-state';
import { rejection } from '../../../support/sdk-device';

const IDENTITY = { productKey: 'a1Test', deviceName: 'lamp-1' };

function offer(version: string, value = 'a'): FirmwareOffer {
  const digest = { method: 'md5', value: value.repeat(32) } as const;
  return {
    version,
    module: 'default',
    isDiff: false,
    files: [{ name: 'a.bin', size: 7, digest, url: 'https://x/y?secret' }],
    source: 'push',
    receivedAt: 0,
  };
}

describe('state of firmware', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'alink-state-'));
  });

  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** Reads the file as a process would that has just started. */
  const start = () => FirmwareState.read(join(folder, 'state.json'), IDENTITY);

  /** The process ends while it applies the offer. */
  async function apply(version: string, value?: string): Promise<FirmwareState> {
    const state = await start();
    await state.loading(offer(version, value));
    await state.applying(offer(version, value));
    return start();
  }

  it('knows after the restart of an update what was under way, until the version is reported', async () => {
    await (await start()).reported('1.0.0');
    const state = await apply('1.0.1');
    const update = { version: '1.0.1', phase: 'applying', attempts: 1 } as const;
    assert.deepEqual(state.of(), { module: 'default', reported: '1.0.0', update });
    assert.deepEqual(await state.reported('1.0.1'), { result: 'updated' });
    assert.deepEqual((await start()).modules(), [{ module: 'default', reported: '1.0.1' }]);
  });

  it('gives up what was tried three times and never took effect, and tells so', async () => {
    await (await start()).reported('1.0.0');
    for (let i = 1; i <= 3; i++) {
      const state = await apply('1.0.1');
      assert.equal(state.of()?.update?.attempts, i);
      assert.deepEqual(await state.reported('1.0.0'), { result: 'failed', expected: '1.0.1' });
      assert.equal((await start()).of()?.update?.phase, 'failed');
      assert.equal((await (await start()).reported('1.0.0')).result, 'same');
    }
    const error = await rejection((await start()).loading(offer('1.0.1')));
    assert.deepEqual([error.key, error.details.step, error.details.attempts], ['firmwareGivenUp', -1, 3]);
    // More patience, other files of the same version, another version, and what is forgotten.
    await (await start()).loading(offer('1.0.1'), 4);
    for (const other of [await apply('1.0.1', 'b'), await apply('1.0.2')]) await other.reported('1.0.0');
    for (let i = 1; i <= 3; i++) await apply('1.0.1');
    await assert.rejects((await start()).loading(offer('1.0.1')), { key: 'firmwareGivenUp' });
    await (await start()).ended();
    const state = await apply('1.0.1');
    assert.deepEqual([state.of()?.update?.attempts, state.of()?.reported], [1, '1.0.0']);
  });

  it('counts what is applied, not what is loaded', async () => {
    for (let i = 0; i < 5; i++) await (await start()).loading(offer('2'), 1);
    const state = await apply('2');
    assert.equal(state.of()?.update?.attempts, 1);
    await assert.rejects(state.loading(offer('2'), 1), { key: 'firmwareGivenUp' });
  });

  it('finds what was being loaded when the process ended', async () => {
    await (await start()).loading(offer('2'));
    await (await start()).loading({ ...offer('7'), module: 'mcu' });
    await (await start()).applying(offer('2'));
    assert.deepEqual((await start()).loadingModules(), ['mcu']);
    // Another version that runs meanwhile changes nothing in that.
    assert.equal((await (await start()).reported('6', 'mcu')).result, 'same');
    assert.deepEqual((await start()).loadingModules(), ['mcu']);
    await (await start()).ended('mcu');
    const state = await start();
    assert.deepEqual([state.loadingModules(), state.of('mcu')?.reported], [[], '6']);
  });

  it('tells when another version runs for other reasons', async () => {
    const state = await start();
    assert.equal((await state.reported('1')).result, 'same');
    assert.equal((await state.reported('2')).result, 'changed');
    await state.loading(offer('3'));
    assert.equal((await state.reported('2')).result, 'same');
    assert.equal((await state.reported('3')).result, 'updated');
  });

  it('is one for all users of a thing, one file for each thing and platform, and holds no address', async () => {
    const [a, b] = await Promise.all([
      openFirmwareState(folder, IDENTITY, 'cn'),
      openFirmwareState(folder, IDENTITY, 'cn'),
    ]);
    assert.equal(a, b);
    await Promise.all(Array.from({ length: 20 }, (_, i) => a.reported('1', `m${i}`)));
    await a.loading(offer('1'));
    await (await openFirmwareState(folder, { ...IDENTITY, deviceName: 'lamp-2' }, 'cn')).reported('1');
    await (await openFirmwareState(folder, IDENTITY, 'emulator')).reported('1');
    const texts = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'));
    assert.equal(texts.length, 3);
    assert.equal(a.modules().length, 21);
    assert.doesNotMatch(texts.join(), /secret|https/);
  });

  it('keeps 200 modules; the one that was heard of longest ago gives way', async () => {
    const state = await start();
    const report = (name: string, version = '1') => state.reported(version, name);
    await Promise.all(Array.from({ length: 200 }, (_, i) => report(`m${i}`)));
    await Promise.all([report('m0', '2'), report('new')]);
    const known = await start();
    assert.equal(known.modules().length, 200);
    assert.deepEqual(
      [known.of('m0')?.reported, known.of('m1'), known.of('new')?.reported],
      ['2', undefined, '1'],
    );
  });

  it('starts anew from a damaged file, and reads whatever stands in it', async () => {
    const path = join(folder, 'state.json');
    const update = fc.record({
      version: fc.oneof(fc.string(), fc.jsonValue()),
      content: fc.oneof(fc.string(), fc.jsonValue()),
      phase: fc.oneof(fc.constantFrom('loading', 'applying', 'failed', '__proto__'), fc.jsonValue()),
      attempts: fc.oneof(fc.integer(), fc.jsonValue()),
    });
    const entry = fc.record({
      module: fc.oneof(fc.string(), fc.jsonValue()),
      reported: fc.oneof(fc.string(), fc.jsonValue()),
      update: fc.oneof(update, fc.jsonValue()),
    });
    let read = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc.array(entry).map((modules) => JSON.stringify({ format: 1, modules })),
        ),
        async (text) => {
          writeFileSync(path, text);
          const state = await start();
          for (const { module, reported = '', update } of state.modules()) {
            assert.deepEqual([typeof module, typeof reported], ['string', 'string']);
            if (update === undefined) continue;
            read++;
            assert.deepEqual([typeof update.version, typeof update.attempts], ['string', 'number']);
            assert.match(update.phase, /^(loading|applying|failed)$/);
          }
        },
      ),
      { numRuns: 200 },
    );
    assert.ok(read > 0);
  });

  it('says when it cannot be written, and writes again when it can', async () => {
    writeFileSync(join(folder, 'file'), '');
    const path = join(folder, 'file', 'state.json');
    const state = await FirmwareState.read(path, IDENTITY);
    const error = await rejection(state.reported('1'));
    assert.deepEqual([error.key, error.details.step], ['firmwareStorage', -1]);
    rmSync(join(folder, 'file'));
    await state.reported('2');
    assert.equal((await FirmwareState.read(path, IDENTITY)).of()?.reported, '2');
  });
});
