import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { type Emulator, type EmulatorOptions, type FaultRule, startEmulator } from '../../../../emulator';
import {
  closeAllDevices,
  type Device,
  type DeviceOptions,
  type DownloadedFirmware,
  type DownloadOptions,
  type FirmwareOffer,
  openDevice,
  openFirmwareState,
} from '../../../../sdk';
import { LAMP_1, PRODUCT } from '../../../support/emulator';
import { addImage, IMAGE, upgrade } from '../../../support/firmware';
import { rejection, state } from '../../../support/sdk-device';
import { again, meter, QUICK, SdkPlant } from '../../../support/sdk-plant';

describe('firmware of a device on the emulator', () => {
  let emulator: Emulator;
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'alink-ota-'));
  });

  afterEach(async () => {
    await closeAllDevices();
    await emulator.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function start(options: EmulatorOptions = {}): Promise<void> {
    emulator = await startEmulator({ config: { products: [PRODUCT] }, ...options });
  }

  async function online(more: Partial<DeviceOptions> = {}): Promise<Device> {
    const device = openDevice({
      identity: LAMP_1,
      platform: { kind: 'custom', host: '127.0.0.1' },
      transport: 'tcp',
      port: emulator.ports.mqtt ?? 0,
      authentication: { kind: 'deviceSecret', deviceSecret: 'secret-of-lamp-1' },
      timing: { ...QUICK, progressMs: 5, blockGapMs: 0, downloadBackoff: { first: 1, longest: 4 } },
      ...more,
    });
    device.connect();
    await state(device, 'online');
    return device;
  }

  const next = (device: Device, module?: string) =>
    new Promise<FirmwareOffer>((resolve) => {
      device.ota.onOffer(module, resolve);
    });

  const download = (device: Device, offer: FirmwareOffer, more: Partial<DownloadOptions> = {}) =>
    device.ota.download(offer, { folder, allowHttp: true, keepFreeBytes: 0, ...more });

  const content = ({ files }: DownloadedFirmware) => readFileSync(files[0]?.path ?? '');

  it('is offered, loaded, applied over a restart, and a success when the new version is told', async () => {
    await start();
    const firmware = await openFirmwareState(folder, LAMP_1, 'emulator');
    const device = await online();
    await device.ota.reportVersion('1.0.0');
    await firmware.reported('1.0.0');
    const offered = next(device);
    const udi = '{"note":"夜间升级"}';
    emulator.firmware.upgrade(await addImage(emulator, '2.0.0', { udi }), { devices: [LAMP_1] });
    const offer = await offered;
    assert.deepEqual(offer.extData, { _package_udi: { note: '夜间升级' } });
    await firmware.loading(offer);
    const loaded = await download(device, offer, {
      onProgress: ({ percent }) => void device.ota.reportProgress(Math.max(percent, 1)),
    });
    assert.ok(content(loaded).equals(IMAGE));
    await device.ota.reportProgress(100);
    assert.deepEqual([upgrade(emulator)?.status, upgrade(emulator)?.progress], ['IN_PROGRESS', 100]);
    await firmware.applying(offer);
    await device.release();

    const restarted = openDevice({
      identity: LAMP_1,
      platform: { kind: 'custom', host: '127.0.0.1' },
      transport: 'tcp',
      port: emulator.ports.mqtt ?? 0,
      authentication: { kind: 'deviceSecret', deviceSecret: 'secret-of-lamp-1' },
      timing: QUICK,
    });
    restarted.ota.onOffer(undefined, () => assert.fail('it runs already'));
    const told = restarted.ota.reportVersion('2.0.0');
    restarted.connect();
    await told;
    assert.equal(upgrade(emulator)?.status, 'SUCCEEDED');
    assert.deepEqual(await firmware.reported('2.0.0'), { result: 'updated' });
    assert.equal(firmware.of()?.update, undefined);
  });

  it('is a failure with the step that the error names', async () => {
    await start();
    emulator.faults.add({ action: 'wrongDigest' });
    const device = await online();
    const offered = next(device);
    emulator.firmware.upgrade(await addImage(emulator));
    const error = await rejection(download(device, await offered));
    assert.deepEqual([error.key, error.details.step], ['firmwareMismatch', -3]);
    await device.ota.reportProgress(Number(error.details.step), error.message);
    assert.equal(upgrade(emulator)?.status, 'FAILED');
    assert.match(upgrade(emulator)?.description ?? '', /sha256/);
  });

  it('is not told as the old version again when the connection is lost before it is applied', async () => {
    await start();
    const device = await online();
    await device.ota.reportVersion('1.0.0', undefined, { eachSession: true });
    const offered = next(device);
    emulator.firmware.upgrade(await addImage(emulator));
    await download(device, await offered);
    await device.ota.reportProgress(100);
    const back = again(device, 'online');
    emulator.faults.kick(LAMP_1);
    await back;
    // Answered after everything that a new session begins with.
    await device.ota.ask();
    assert.equal(upgrade(emulator)?.status, 'IN_PROGRESS');
  });

  const faults: FaultRule[] = [
    { action: 'cutAt', offset: 100_000 },
    { action: 'corrupt', offset: 5, times: 1 },
    { action: 'ignoreRange' },
    { action: 'urlExpired', times: 1 },
    { action: 'urlAltered', times: 1 },
    { action: 'redirect', times: 1 },
    { action: 'status', status: 503, times: 1 },
    { action: 'slow', bytesPerSecond: 3_000_000 },
  ];
  for (const fault of faults) {
    it(`survives the fault ${fault.action} over HTTP`, async () => {
      await start();
      const device = await online();
      const offered = next(device);
      emulator.firmware.upgrade(await addImage(emulator));
      const offer = await offered;
      emulator.faults.add(fault);
      if (fault.action === 'ignoreRange') emulator.faults.add({ action: 'cutAt', offset: 1000, times: 1 });
      assert.ok(content(await download(device, offer)).equals(IMAGE));
      const { length } = emulator.firmware.downloads();
      if (fault.action !== 'slow') assert.ok(length > 1 || fault.action === 'status', 'the fault struck');
    });
  }

  it('goes nowhere that is not allowed', async () => {
    await start();
    const device = await online();
    const offered = next(device);
    emulator.firmware.upgrade(await addImage(emulator));
    const offer = await offered;
    emulator.faults.add({ action: 'redirect', to: 'https://elsewhere.example/x' });
    const error = await rejection(download(device, offer, { hosts: ['127.0.0.1'] }));
    assert.deepEqual([error.key, error.details.host], ['firmwareNotAllowed', 'elsewhere.example']);
    const plain = await rejection(download(device, offer, { allowHttp: false }));
    assert.equal(plain.key, 'firmwareNotAllowed');
  });

  it('comes in blocks over MQTT, also when some are damaged', async () => {
    await start();
    const device = await online();
    const offered = next(device);
    emulator.firmware.upgrade(await addImage(emulator), { protocol: 'MQTT' });
    const offer = await offered;
    assert.ok(offer.files[0]?.stream);
    emulator.faults.add({ action: 'wrongCrc', times: 2 });
    assert.ok(content(await download(device, offer)).equals(IMAGE));
  });

  it('comes in several files, of a module, the old way', async () => {
    await start();
    const device = await online();
    const files = [
      { name: 'a.bin', content: 'a' },
      { name: 'b.bin', content: 'b' },
    ];
    const productKey = PRODUCT.productKey;
    const several = await emulator.firmware.add({
      productKey,
      version: '2',
      module: 'MCU',
      files,
      signMethod: 'MD5',
    });
    emulator.firmware.upgrade(several.firmwareId, { needPush: false, multiModule: true });
    const offer = await device.ota.ask('MCU');
    assert.ok(offer);
    const loaded = await download(device, offer);
    assert.deepEqual(
      loaded.files.map(({ name, path }) => [name, readFileSync(path, 'utf8')]),
      [
        ['a.bin', 'a'],
        ['b.bin', 'b'],
      ],
    );
    assert.equal(await device.ota.request('1.0.0'), undefined);
    emulator.firmware.upgrade(await addImage(emulator), { needPush: false, multiModule: true });
    assert.equal((await device.ota.request('1.0.0'))?.version, '2.0.0');
  });

  it('comes over HTTPS with the root certificate of the device options', async () => {
    await start({ doors: { mqtt: 0, https: 0 } });
    const device = await online({ ca: emulator.ca ?? '' });
    const offered = next(device);
    emulator.firmware.upgrade(await addImage(emulator));
    const offer = await offered;
    assert.match(offer.files[0]?.url ?? '', /^https:/);
    assert.ok(content(await download(device, offer, { allowHttp: false })).equals(IMAGE));
  });
});

describe('firmware of a sub-device on the emulator', () => {
  let plant: SdkPlant;

  afterEach(() => plant.stop());

  it('goes the way of any device, on its own topics', async () => {
    plant = await SdkPlant.start();
    const [device, other] = await plant.online(2);
    assert.ok(device && other);
    const { emulator, folder } = plant;
    other.ota.onOffer(undefined, () => assert.fail('it is not for this one'));
    await device.ota.reportVersion('1.0.0');
    const offered = new Promise<FirmwareOffer>((resolve) => {
      device.ota.onOffer(undefined, resolve);
    });
    const { firmwareId } = await emulator.firmware.add({
      productKey: meter(0).productKey,
      version: '2.0.0',
      files: { content: IMAGE },
    });
    emulator.firmware.upgrade(firmwareId, { devices: [meter(0)] });
    const { files } = await device.ota.download(await offered, { folder, allowHttp: true, keepFreeBytes: 0 });
    assert.ok(readFileSync(files[0]?.path ?? '').equals(IMAGE));
    await device.ota.reportProgress(100);
    await device.ota.reportVersion('2.0.0');
    assert.equal(upgrade(emulator, meter(0))?.status, 'SUCCEEDED');
  });
});
