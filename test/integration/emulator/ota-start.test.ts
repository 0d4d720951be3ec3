import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError, startEmulator } from '../../../emulator';
import { LAMP_1, onlineLamp, PRODUCT, request } from '../../support/emulator';
import { IMAGE, inform, offers, progress, sha256, upgrade } from '../../support/firmware';

const { productKey } = PRODUCT;

describe('emulator: firmware and configurations from the start', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'alink-'));
  });

  afterEach(() => rm(folder, { recursive: true }));

  const withFirmware = (firmware: unknown, more = {}) => ({
    products: [{ ...PRODUCT, firmware, ...more }],
  });

  it('come from the configuration file', async () => {
    const path = join(folder, 'image.bin');
    await writeFile(path, IMAGE);
    const config = withFirmware(
      [
        { version: '1.0.0', files: [{ path }] },
        {
          version: '2.0.0',
          module: 'MCU',
          isDiff: true,
          srcVersion: '1.0.0',
          signMethod: 'MD5',
          udi: 'x',
          needsVerification: true,
          files: [
            { name: 'a.txt', text: 'text' },
            { name: 'b.bin', base64: 'AAEC' },
            { name: 'c.bin', size: 1000, seed: 3 },
          ],
        },
      ],
      { configuration: { content: { interval: 5 } } },
    );
    const emulator = await startEmulator({ config });
    const [mcu, whole] = emulator.firmware.list();
    assert.deepEqual(whole?.files, [
      { name: 'default-1.0.0.bin', size: IMAGE.length, digest: sha256(IMAGE) },
    ]);
    assert.deepEqual(
      [mcu?.module, mcu?.isDiff, mcu?.signMethod, mcu?.verification],
      ['MCU', true, 'MD5', 'none'],
    );
    assert.deepEqual(
      mcu?.files.map(({ size }) => size),
      [4, 3, 1000],
    );
    assert.deepEqual(JSON.parse(emulator.configuration.get(productKey).content ?? ''), { interval: 5 });
    const lamp = await onlineLamp(emulator, LAMP_1, { parameters: { _ss: 1 } });
    const next = offers(lamp);
    emulator.firmware.upgrade(whole?.firmwareId ?? '');
    assert.deepEqual(Buffer.from(await (await fetch((await next()).url)).arrayBuffer()), IMAGE);
    await lamp.endAsync(true);
    await emulator.close();
  });

  for (const [firmware, path] of [
    [[{ version: '1.0.0' }], 'products[0].firmware[0].files'],
    [[{ files: [{ text: 'x' }] }], 'products[0].firmware[0].version'],
    [[{ version: '1', files: [{}] }], 'products[0].firmware[0].files[0]'],
    [[{ version: '1', files: [{ text: 'x', size: 3 }] }], 'products[0].firmware[0].files[0]'],
    [[{ version: '1', files: [{ path: '/nowhere/at/all' }] }], 'products[0].firmware[0].files[0].path'],
    [[{ version: '1', files: [{ size: -1 }] }], 'products[0].firmware[0].files[0].size'],
    [[{ version: '1', files: [{ base64: '*' }] }], 'products[0].firmware[0].files[0].base64'],
    [[{ version: 'a b', files: [{ text: 'x' }] }], 'products[0].firmware[0]'],
    [[{ version: '1', signMethod: 'CRC', files: [{ text: 'x' }] }], 'products[0].firmware[0].signMethod'],
    [[{ version: '1', crc: 1, files: [{ text: 'x' }] }], 'products[0].firmware[0].crc'],
  ] as const) {
    it(`refuses ${JSON.stringify(firmware)}`, async () => {
      const started = startEmulator({ config: withFirmware(firmware) });
      await assert.rejects(
        started,
        (thrown: unknown) => thrown instanceof ConfigError && thrown.path === path,
      );
    });
  }

  it('refuses a configuration that is too large', async () => {
    const config = { products: [{ ...PRODUCT, configuration: { content: 'x'.repeat(70_000) } }] };
    await assert.rejects(startEmulator({ config }), /configuration.content/);
  });

  it('are kept by a snapshot, with batches and versions', async () => {
    const snapshotFile = join(folder, 'state.json');
    const config = withFirmware([{ version: '3.0.0', files: [{ text: 'three' }] }]);
    const first = await startEmulator({ config, snapshotFile });
    const lamp = await onlineLamp(first, LAMP_1, { parameters: { _ss: 1 } });
    const next = offers(lamp);
    await inform(lamp, '1.0.0');
    const small = await first.firmware.add({ productKey, version: '2.0.0', files: { content: IMAGE } });
    await first.firmware.add({ productKey, version: '2.1.0', files: { size: 50_000_000 } });
    await first.firmware.add({
      productKey,
      version: '2.2.0',
      files: { content: Buffer.alloc(2_000_000, 1) },
    });
    const { jobId } = first.firmware.upgrade(small.firmwareId, {
      timeoutMs: 3_600_000,
      retryCount: 1,
      retryMs: 600_000,
      tags: { a: 'b' },
    });
    await next();
    await progress(lamp, '30', 'on the way');
    await progress(lamp, '-2', 'no way');
    const [configured] = first.firmware.list().filter(({ version }) => version === '3.0.0');
    first.configuration.set(productKey, { content: { a: 1 } });
    first.configuration.set(productKey, { enabled: false });
    const { configId } = first.configuration.get(productKey);
    await lamp.endAsync(true);
    await first.close();

    // Late enough for the next try.
    const clock = () => Date.now() + 660_000;
    const second = await startEmulator({ config, snapshotFile, clock });
    // Too large for a snapshot: what was only in memory is gone.
    assert.deepEqual(
      second.firmware
        .list()
        .map(({ version }) => version)
        .sort(),
      ['2.0.0', '2.1.0', '3.0.0'],
    );
    const again = second.firmware.list().find(({ version }) => version === '3.0.0');
    assert.equal(again?.firmwareId, configured?.firmwareId);
    const [task] = second.firmware.tasks(jobId);
    assert.deepEqual(
      [task?.status, task?.progress, task?.description, task?.srcVersion],
      ['IN_PROGRESS', 0, 'no way', '1.0.0'],
    );
    assert.deepEqual(second.devices.get(LAMP_1)?.firmwareVersions, { default: '1.0.0' });
    const kept = second.configuration.get(productKey);
    assert.deepEqual([kept.enabled, kept.configId], [false, configId]);
    const back = await onlineLamp(second, LAMP_1, { parameters: { _ss: 1 } });
    const offered = offers(back);
    // The try that was to come.
    const offer = await offered();
    assert.deepEqual(offer.extData, { a: 'b' });
    assert.deepEqual(Buffer.from(await (await fetch(offer.url)).arrayBuffer()), IMAGE);
    await inform(back, '1.0.0');
    assert.equal((await offered()).version, '2.0.0');
    await inform(back, '2.0.0');
    // An answer to something later, so that the report is handled.
    await request(back, `/sys/${productKey}/lamp-1/thing/deviceinfo/delete`, []);
    assert.equal(upgrade(second)?.status, 'SUCCEEDED');
    await back.endAsync(true);
    await second.close();
  });
});
