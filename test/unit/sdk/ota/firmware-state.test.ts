import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
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
  let starts: number;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'alink-state-'));
    starts = 0;
  });

  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** Reads the file as a process would that has just started. */
  const start = () => FirmwareState.read(folder, join(folder, 'state.json'));

  async function apply(version: string, value?: string): Promise<FirmwareState> {
    const state = await start();
    const given = offer(version, value);
    await state.offered(given);
    await state.downloaded({ offer: given, files: [{ path: '/a.bin', name: 'a.bin', size: 7 }] });
    await state.applying();
    starts++;
    return start();
  }

  it('knows after the restart of an update what to report', async () => {
    await (await start()).confirm('1.0.0');
    const state = await apply('1.0.1');
    assert.equal(state.pending()[0]?.update?.phase, 'applying');
    assert.deepEqual(state.of()?.update?.files, [{ path: '/a.bin', name: 'a.bin', size: 7 }]);
    assert.deepEqual(await state.confirm('1.0.1'), { result: 'updated', version: '1.0.1' });
    assert.equal(state.pending()[0]?.running, '1.0.1');
    await state.reported('1.0.1');
    assert.deepEqual((await start()).pending(), []);
    assert.deepEqual((await start()).modules(), [{ module: 'default', running: '1.0.1', reported: '1.0.1' }]);
  });

  it('gives up what was tried three times and never took effect, and tells so', async () => {
    for (let i = 1; i <= 3; i++) {
      const state = await apply('1.0.1');
      assert.equal(state.of()?.update?.attempts, i);
      const expected = { result: 'failed', version: '1.0.0', expected: '1.0.1' } as const;
      assert.deepEqual(await state.confirm('1.0.0'), expected);
      assert.equal((await start()).of()?.update?.phase, 'failed');
    }
    const error = await rejection((await start()).offered(offer('1.0.1')));
    assert.deepEqual([error.key, error.details.step, error.details.attempts], ['firmwareGivenUp', -1, 3]);
    // Other files of the same version, another version, more patience, and what is forgotten.
    await (await start()).offered(offer('1.0.1'), 4);
    await (await apply('1.0.1', 'b')).confirm('1.0.0');
    await (await apply('1.0.2')).confirm('1.0.0');
    await (await start()).forget();
    assert.equal((await (await start()).offered(offer('1.0.1'))).attempts, 0);
    assert.equal(starts, 5);
  });

  it('counts a failure once, whether it was applied or not', async () => {
    const state = await start();
    await state.offered(offer('2'));
    assert.equal((await state.failed())?.attempts, 1);
    await state.offered(offer('2'));
    await state.applying();
    assert.equal((await state.failed())?.attempts, 2);
    assert.equal(await state.failed('none'), undefined);
  });

  it('keeps what is loaded when the same is offered again', async () => {
    const state = await start();
    await state.offered(offer('2'));
    await state.downloaded({ offer: offer('2'), files: [{ path: '/a', name: 'a', size: 7 }] });
    await state.offered(offer('2'));
    assert.equal(state.of()?.update?.phase, 'downloaded');
    await state.offered(offer('3'));
    assert.equal(state.of()?.update?.phase, 'offered');
  });

  it('tells when another version runs for other reasons', async () => {
    const state = await start();
    assert.equal((await state.confirm('1')).result, 'same');
    assert.equal((await state.confirm('2')).result, 'changed');
    await state.offered(offer('3'));
    assert.equal((await state.confirm('2')).result, 'same');
  });

  it('is one for all users of a thing, one file for each thing, and holds no address', async () => {
    const [a, b] = await Promise.all([
      openFirmwareState(folder, IDENTITY),
      openFirmwareState(folder, IDENTITY),
    ]);
    assert.equal(a, b);
    await Promise.all(Array.from({ length: 20 }, (_, i) => a.reported('1', `m${i}`)));
    await a.offered(offer('1'));
    const other = await openFirmwareState(folder, { ...IDENTITY, deviceName: 'lamp-2' });
    await other.confirm('1');
    const files = readdirSync(folder);
    assert.equal(files.length, 2);
    assert.equal(a.modules().length, 21);
    assert.doesNotMatch(JSON.stringify(a.modules()), /secret/);
  });

  it('starts anew from a damaged file, and reads whatever stands in it', async () => {
    const path = join(folder, 'state.json');
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc
            .array(fc.record({ module: fc.jsonValue(), running: fc.jsonValue(), update: fc.jsonValue() }))
            .map((modules) => JSON.stringify({ format: 1, modules })),
        ),
        async (text) => {
          writeFileSync(path, text);
          const state = await start();
          for (const { module } of state.modules()) assert.equal(typeof module, 'string');
          state.pending();
        },
      ),
      { numRuns: 200 },
    );
  });

  it('says when it cannot be written', async () => {
    writeFileSync(join(folder, 'file'), '');
    const state = await FirmwareState.read(join(folder, 'file', 'x'), join(folder, 'new', 'state.json'));
    assert.equal((await rejection(state.confirm('1'))).key, 'firmwareStorage');
  });
});
