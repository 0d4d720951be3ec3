import assert from 'node:assert/strict';
import type { MqttClient } from 'mqtt';
import { type Emulator, OtaError, startEmulator } from '../../../emulator';
import { connack, LAMP_1, LAMP_2, lampClient, onlineLamp, PRODUCT, request } from '../../support/emulator';
import {
  addImage,
  IMAGE,
  inform,
  md5,
  offers,
  progress,
  sha256,
  upgrade,
  upgradeTopic,
} from '../../support/firmware';

const S = `/sys/${LAMP_1.productKey}/${LAMP_1.deviceName}/thing`;
const REQUEST = `/ota/device/request/${LAMP_1.productKey}/${LAMP_1.deviceName}`;
const MINUTE = 60_000;

describe('emulator: OTA', () => {
  let emulator: Emulator;
  let lamp: MqttClient;
  let now: number;

  beforeEach(async () => {
    now = Date.UTC(2026, 0, 1);
    emulator = await startEmulator({ clock: () => now, config: { products: [PRODUCT] } });
    lamp = await onlineLamp(emulator, LAMP_1, { parameters: { _ss: 1 } });
    await lamp.subscribeAsync(`${S}/ota/firmware/get_reply`, { qos: 1 });
  });

  afterEach(async () => {
    await lamp.endAsync(true);
    await emulator.close();
  });

  const status = () => [upgrade(emulator)?.status, upgrade(emulator)?.progress];
  const results = () =>
    emulator.messages
      .list(({ topic }) => topic.endsWith('/ota/upgrade'))
      .map(({ json }) => json as Record<string, unknown>);
  const get = async (module?: string) => {
    const params = module === undefined ? {} : { module };
    return (await request(lamp, `${S}/ota/firmware/get`, params)).data as Record<string, unknown>;
  };

  it('offers a package, follows the progress, and calls it a success when the version is reported', async () => {
    const next = offers(lamp);
    await inform(lamp, '1.0.0');
    const { jobId } = emulator.firmware.upgrade(await addImage(emulator), { tags: { site: 'north' } });
    const { url, ...offer } = await next();
    assert.deepEqual(offer, {
      version: '2.0.0',
      size: IMAGE.length,
      isDiff: 0,
      signMethod: 'SHA256',
      sign: sha256(IMAGE),
      extData: { site: 'north' },
    });
    assert.deepEqual(Buffer.from(await (await fetch(url)).arrayBuffer()), IMAGE);
    assert.deepEqual(status(), ['NOTIFIED', 0]);
    await progress(lamp, '35', 'downloading');
    assert.deepEqual(status(), ['IN_PROGRESS', 35]);
    await progress(lamp, 100);
    // The last word is the version's.
    assert.deepEqual(status(), ['IN_PROGRESS', 100]);
    await inform(lamp, '2.0.0');
    assert.deepEqual(status(), ['SUCCEEDED', 100]);
    const [task] = emulator.firmware.tasks(jobId);
    assert.deepEqual([task?.srcVersion, task?.destVersion], ['1.0.0', '2.0.0']);
    const [result, ...others] = results();
    assert.deepEqual(others, []);
    assert.deepEqual(
      [result?.status, result?.srcVersion, result?.destVersion, result?.jobId, result?.taskId],
      ['SUCCEEDED', '1.0.0', '2.0.0', jobId, task?.taskId],
    );
    // Once more changes nothing.
    await inform(lamp, '2.0.0');
    assert.equal(results().length, 1);
    assert.deepEqual(await get(), {});
  });

  it('tells applications the version', async () => {
    await inform(lamp, '1.0.0', 'MCU');
    const [message] = emulator.messages.list(({ topic }) => topic.endsWith('/ota/version/post'));
    assert.ok(message);
    const { moduleName, moduleVersion, deviceName } = message.json as Record<string, unknown>;
    assert.deepEqual([moduleName, moduleVersion, deviceName], ['MCU', '1.0.0', 'lamp-1']);
    assert.deepEqual(emulator.devices.get(LAMP_1)?.firmwareVersions, { MCU: '1.0.0' });
  });

  it('calls any other version after the download a failure', async () => {
    await inform(lamp, '1.0.0');
    emulator.firmware.upgrade(await addImage(emulator));
    await progress(lamp, '100');
    await inform(lamp, '1.0.0');
    assert.deepEqual(status(), ['FAILED', 100]);
    assert.deepEqual(
      results().map((result) => result.status),
      ['FAILED'],
    );
    // What failed is not offered again.
    assert.deepEqual(await get(), {});
  });

  it('offers again to a device that restarted in the middle of the download', async () => {
    const next = offers(lamp);
    await inform(lamp, '1.0.0');
    emulator.firmware.upgrade(await addImage(emulator));
    await next();
    await progress(lamp, '40');
    await inform(lamp, '1.0.0');
    assert.equal((await next()).version, '2.0.0');
    assert.deepEqual(status(), ['IN_PROGRESS', 40]);
    await inform(lamp, '1.5.0');
    assert.deepEqual(status()[0], 'FAILED');
  });

  for (const [step, description] of [
    ['-1', 'upgrade failed'],
    ['-2', 'download failed'],
    ['-3', 'verification failed'],
    ['-4', 'flashing failed'],
  ] as const) {
    it(`takes step ${step} as a failure`, async () => {
      emulator.firmware.upgrade(await addImage(emulator));
      await progress(lamp, step);
      assert.deepEqual(status()[0], 'FAILED');
      assert.equal(upgrade(emulator)?.description, description);
    });
  }

  it('drops what is no progress', async () => {
    emulator.firmware.upgrade(await addImage(emulator));
    for (const step of ['101', '-5', 'half', '1.5', '', 101]) await progress(lamp, step);
    assert.deepEqual(status(), ['NOTIFIED', 0]);
    await lamp.publishAsync(`/ota/device/progress/${LAMP_1.productKey}/lamp-1`, 'no JSON', { qos: 1 });
    await lamp.publishAsync(`/ota/device/inform/${LAMP_1.productKey}/lamp-1`, '{"id":1,"params":[]}', {
      qos: 1,
    });
    assert.deepEqual(status(), ['NOTIFIED', 0]);
  });

  it('fails a task that takes too long after its first progress', async () => {
    emulator.firmware.upgrade(await addImage(emulator), { timeoutMs: 10 * MINUTE });
    now += 20 * MINUTE;
    assert.deepEqual(await get().then(({ version }) => version), '2.0.0');
    await progress(lamp, '10');
    now += 9 * MINUTE;
    assert.equal((await get()).version, '2.0.0');
    now += MINUTE;
    assert.deepEqual(await get(), {});
    assert.deepEqual([status()[0], upgrade(emulator)?.description], ['FAILED', 'timeout']);
  });

  it('waits for a device that is away, and pushes when it comes', async () => {
    await lamp.endAsync(true);
    await emulator.exchanges.waitFor(({ kind }) => kind === 'disconnect');
    emulator.firmware.upgrade(await addImage(emulator));
    assert.deepEqual(status(), ['QUEUED', 0]);
    lamp = lampClient(emulator, LAMP_1, { parameters: { _ss: 1 } });
    const next = offers(lamp);
    assert.equal(await connack(lamp), 0);
    assert.equal((await next()).version, '2.0.0');
    assert.deepEqual(status(), ['NOTIFIED', 0]);
  });

  it('waits for a device that has yet to subscribe', async () => {
    const other = await onlineLamp(emulator, LAMP_2);
    emulator.firmware.upgrade(await addImage(emulator), { devices: [LAMP_2] });
    assert.equal(upgrade(emulator, LAMP_2)?.status, 'QUEUED');
    const next = offers(other, LAMP_2);
    await other.subscribeAsync(upgradeTopic(LAMP_2), { qos: 1 });
    assert.equal((await next()).version, '2.0.0');
    await other.endAsync(true);
  });

  it('pushes to nobody who shall ask, and answers who asks', async () => {
    emulator.firmware.upgrade(await addImage(emulator), { needPush: false });
    await inform(lamp, '1.0.0');
    assert.deepEqual(status(), ['QUEUED', 0]);
    const { version, sign } = await get();
    assert.deepEqual([version, sign], ['2.0.0', sha256(IMAGE)]);
    assert.deepEqual(status(), ['NOTIFIED', 0]);
  });

  it('answers the old request, on its own topic or on that of the push', async () => {
    const ask = async (from: Emulator, client: MqttClient, topic: string) => {
      const answered = new Promise<string>((resolve) => {
        client.on('message', (on, payload) => on === topic && resolve(payload.toString()));
      });
      from.exchanges.list();
      await client.publishAsync(REQUEST, '{"id":7,"params":{"version":"1.0.0"}}', { qos: 1 });
      return JSON.parse(await answered) as { code: unknown; id: unknown; message: string; data?: unknown };
    };
    const none = await ask(emulator, lamp, REQUEST);
    assert.deepEqual(none, { code: 500, id: 7, message: 'none upgrade operation of the device.' });
    emulator.firmware.upgrade(await addImage(emulator), { needPush: false });
    lamp.removeAllListeners('message');
    const { code, id, data } = await ask(emulator, lamp, REQUEST);
    assert.deepEqual([code, id, (data as { version: string }).version], ['1000', 7, '2.0.0']);

    const limits = { otaAnswersOnUpgrade: true };
    const second = await startEmulator({ config: { products: [PRODUCT] }, limits });
    const other = await onlineLamp(second, LAMP_1, { parameters: { _ss: 1 } });
    second.firmware.upgrade(await addImage(second), { needPush: false });
    assert.equal((await ask(second, other, upgradeTopic())).code, '1000');
    await other.endAsync(true);
    await second.close();
  });

  it('tells several files, with MD5 for old devices', async () => {
    const next = offers(lamp);
    const second = Buffer.from('second file');
    const id = await addImage(emulator, '3.0.0', {
      signMethod: 'MD5',
      udi: '{"notice":"x"}',
      files: [
        { name: 'a.bin', content: IMAGE },
        { name: 'b.bin', content: second },
      ],
    });
    emulator.firmware.upgrade(id);
    const offer = await next();
    assert.deepEqual(Object.keys(offer).sort(), ['extData', 'files', 'isDiff', 'signMethod', 'version']);
    assert.deepEqual(offer.extData, { _package_udi: '{"notice":"x"}' });
    assert.deepEqual(
      offer.files?.map(({ fileUrl: _, ...file }) => file),
      [
        { fileName: 'a.bin', fileSize: IMAGE.length, fileMd5: md5(IMAGE), fileSign: md5(IMAGE) },
        { fileName: 'b.bin', fileSize: second.length, fileMd5: md5(second), fileSign: md5(second) },
      ],
    );
    const [, address = ''] = offer.files?.map(({ fileUrl }) => fileUrl) ?? [];
    assert.equal(await (await fetch(address)).text(), 'second file');
  });

  it('keeps modules apart', async () => {
    await inform(lamp, '1.0.0', 'MCU');
    const whole = await addImage(emulator);
    const mcu = await addImage(emulator, '1.1.0', { module: 'MCU', isDiff: true, srcVersion: '1.0.0' });
    emulator.firmware.upgrade(mcu, { multiModule: true, needPush: false });
    emulator.firmware.upgrade(whole, { multiModule: true, needPush: false });
    const { module, isDiff, version } = await get('MCU');
    assert.deepEqual([module, isDiff, version], ['MCU', 1, '1.1.0']);
    assert.equal((await get()).version, '2.0.0');
    assert.deepEqual(await get('radio'), {});
    await progress(lamp, '50', '', 'MCU');
    await inform(lamp, '1.1.0', 'MCU');
    assert.deepEqual(
      emulator.devices.get(LAMP_1)?.upgrades.map(({ module: name, status: state }) => [name, state]),
      [
        ['MCU', 'SUCCEEDED'],
        ['default', 'NOTIFIED'],
      ],
    );
  });

  it('gives a device one upgrade at a time', async () => {
    const second = await addImage(emulator, '2.1.0');
    emulator.firmware.upgrade(await addImage(emulator));
    emulator.firmware.upgrade(second, { devices: [LAMP_1] });
    assert.equal(upgrade(emulator)?.status, 'FAILED');
    emulator.firmware.upgrade(second, { devices: [LAMP_1], overwrite: true });
    const states = () => emulator.devices.get(LAMP_1)?.upgrades.map(({ status: state }) => state);
    assert.deepEqual(states(), ['CANCELED', 'FAILED', 'NOTIFIED']);
    await progress(lamp, '5');
    emulator.firmware.upgrade(await addImage(emulator, '2.2.0'), { devices: [LAMP_1], overwrite: true });
    assert.deepEqual(states(), ['CANCELED', 'FAILED', 'IN_PROGRESS', 'FAILED']);
  });

  it('leaves out devices that it is not for', async () => {
    await inform(lamp, '2.0.0');
    const id = await addImage(emulator);
    const { jobId } = emulator.firmware.upgrade(id, { devices: [LAMP_1] });
    assert.deepEqual(emulator.firmware.tasks(jobId), []);
    const other = await addImage(emulator, '4.0.0');
    const wanted = emulator.firmware.upgrade(other, { srcVersions: ['1.0.0', '2.0.0'] });
    assert.deepEqual(
      emulator.firmware.tasks(wanted.jobId).map(({ identity }) => identity.deviceName),
      ['lamp-1'],
    );
  });

  it('cancels, and offers nothing any more', async () => {
    const { jobId } = emulator.firmware.upgrade(await addImage(emulator));
    assert.equal(emulator.firmware.cancel(jobId), true);
    assert.equal(emulator.firmware.cancel('none'), false);
    assert.deepEqual(await get(), {});
    await progress(lamp, '50');
    assert.deepEqual(status(), ['CANCELED', 0]);
  });

  it('verifies first where that is wanted', async () => {
    const id = await addImage(emulator, '2.0.0', { needsVerification: true });
    const verification = () => emulator.firmware.list()[0]?.verification;
    const refused = (code: string) => (thrown: unknown) => thrown instanceof OtaError && thrown.code === code;
    assert.throws(() => emulator.firmware.upgrade(id), refused('NotVerified'));
    emulator.firmware.verify(id, [LAMP_1]);
    assert.equal(verification(), 'running');
    assert.throws(() => emulator.firmware.upgrade(id), refused('NotVerified'));
    await progress(lamp, '-3');
    assert.equal(verification(), 'failed');
    emulator.firmware.verify(id, [LAMP_1]);
    await progress(lamp, '100');
    await inform(lamp, '2.0.0');
    assert.equal(verification(), 'done');
    emulator.firmware.upgrade(id);
  });

  it('judges a verification anew that is tried again', async () => {
    const id = await addImage(emulator, '2.0.0', { needsVerification: true });
    const { jobId } = emulator.firmware.verify(id, [LAMP_1]);
    await progress(lamp, '-1');
    const verdict = () => emulator.firmware.list()[0]?.verification;
    assert.equal(verdict(), 'failed');
    assert.equal(emulator.firmware.retry(jobId), 1);
    assert.equal(verdict(), 'running');
    await inform(lamp, '2.0.0');
    assert.equal(verdict(), 'done');
  });

  it('tries nothing again while the device has another upgrade, of whatever module', async () => {
    const first = emulator.firmware.upgrade(await addImage(emulator));
    assert.equal(emulator.firmware.cancel(first.jobId), true);
    const mcu = await addImage(emulator, '1.0.0', { module: 'MCU' });
    const second = emulator.firmware.upgrade(mcu, { devices: [LAMP_1] });
    assert.equal(emulator.firmware.retry(first.jobId), 1);
    assert.deepEqual(
      emulator.firmware.tasks(first.jobId).map(({ identity, status: state }) => [identity.deviceName, state]),
      [
        ['lamp-1', 'CANCELED'],
        ['lamp-2', 'QUEUED'],
      ],
    );
    emulator.firmware.cancel(second.jobId);
    assert.equal(emulator.firmware.retry(first.jobId), 1);
  });

  it('refuses packages that cannot be', async () => {
    const add = (more: object) => addImage(emulator, '2.0.0', more);
    for (const more of [
      { version: 'two words' },
      { module: '' },
      { productKey: 'none' },
      { files: [] },
      { files: { content: '' } },
      { files: { name: '../x', content: 'x' } },
      { files: { name: '..', content: 'x' } },
      { isDiff: true },
      { udi: 'x'.repeat(4097) },
      {
        files: [
          { name: 'a', content: 'x' },
          { name: 'a', content: 'y' },
        ],
      },
    ]) {
      await assert.rejects(add(more), OtaError, JSON.stringify(more).slice(0, 80));
    }
    await add({});
    await assert.rejects(add({}), { code: 'FirmwareExists' });
  });

  it('keeps packages that are in use, and forgets the others with their files', async () => {
    const id = await addImage(emulator);
    const next = offers(lamp);
    emulator.firmware.upgrade(id, { devices: [LAMP_1] });
    const { url } = await next();
    assert.throws(() => emulator.firmware.remove(id), { code: 'FirmwareInUse' });
    await inform(lamp, '2.0.0');
    emulator.firmware.remove(id);
    assert.equal((await fetch(url)).status, 404);
    assert.deepEqual(emulator.devices.get(LAMP_1)?.upgrades, []);
  });

  it('keeps no more firmware in memory than it may', async () => {
    const limits = { firmwareBytes: 500_000 };
    const small = await startEmulator({ config: { products: [PRODUCT] }, limits });
    const id = await addImage(small);
    await assert.rejects(addImage(small, '3.0.0'), { code: 'ExceedLimit' });
    // What was refused takes nothing.
    small.firmware.remove(id);
    await addImage(small, '2.5.0');
    await assert.rejects(addImage(small, '2.5.0', { files: { content: 'x' } }), { code: 'FirmwareExists' });
    for (let i = 0; i < 3; i++) {
      const files = [
        { name: 'a.bin', content: Buffer.alloc(150_000) },
        { name: 'b.bin', content: 'x' },
      ];
      await assert.rejects(addImage(small, '2.5.0', { files }), { code: 'FirmwareExists' });
    }
    const [first] = small.firmware.list();
    small.firmware.remove(first?.firmwareId ?? '');
    await addImage(small, '3.0.0');
    await small.close();
  });
});
