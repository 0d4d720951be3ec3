import assert from 'node:assert/strict';
import type Iot from '@alicloud/iot20180120';
import * as models from '@alicloud/iot20180120';
import type { MqttClient } from 'mqtt';
import { type Emulator, startEmulator } from '../../../emulator';
import { cloudClient } from '../../support/cloud';
import { LAMP_1, onlineLamp, PRODUCT } from '../../support/emulator';
import { IMAGE, inform, md5, type Offer, offers, progress, sha256 } from '../../support/firmware';

const { productKey } = PRODUCT;

describe('emulator: OTA by the vendor’s cloud SDK', () => {
  let emulator: Emulator;
  let cloud: Iot;
  let lamp: MqttClient;
  let next: () => Promise<Offer>;
  let now: number;

  beforeEach(async () => {
    now = Date.UTC(2026, 0, 1);
    emulator = await startEmulator({ clock: () => now, config: { products: [PRODUCT] } });
    cloud = cloudClient(emulator);
    lamp = await onlineLamp(emulator, LAMP_1, { parameters: { _ss: 1 } });
    next = offers(lamp);
  });

  afterEach(async () => {
    await lamp.endAsync(true);
    await emulator.close();
  });

  /** Posts a file as the vendor's object storage takes it. @returns the status and the address for the package */
  const upload = async (content: Uint8Array, change: (form: FormData) => void = () => undefined) => {
    const { body } = await cloud.generateOTAUploadURL(
      new models.GenerateOTAUploadURLRequest({ fileSuffix: 'bin' }),
    );
    const { data } = body ?? {};
    assert.ok(data?.host && data.key && data.policy && data.signature && data.OSSAccessKeyId);
    const form = new FormData();
    form.set('key', data.key);
    form.set('OSSAccessKeyId', data.OSSAccessKeyId);
    form.set('policy', data.policy);
    form.set('Signature', data.signature);
    form.set('success_action_status', '200');
    form.set('file', new Blob([Uint8Array.from(content)]), 'firmware.bin');
    change(form);
    const { status } = await fetch(data.host, { method: 'POST', body: form });
    return { status, firmwareUrl: data.firmwareUrl ?? '' };
  };
  const create = async (fields: Partial<models.CreateOTAFirmwareRequest> = {}) => {
    const given = fields.multiFiles === undefined ? { firmwareUrl: (await upload(IMAGE)).firmwareUrl } : {};
    const { body } = await cloud.createOTAFirmware(
      new models.CreateOTAFirmwareRequest({
        productKey,
        firmwareName: 'lamp firmware',
        destVersion: '2.0.0',
        signMethod: 'SHA256',
        needToVerify: false,
        ...given,
        ...fields,
      }),
    );
    return { code: body?.code, firmwareId: body?.data?.firmwareId ?? '' };
  };
  const upgradeAll = async (
    firmwareId: string,
    fields: Partial<models.CreateOTAStaticUpgradeJobRequest> = {},
  ) => {
    const { body } = await cloud.createOTAStaticUpgradeJob(
      new models.CreateOTAStaticUpgradeJobRequest({
        firmwareId,
        productKey,
        targetSelection: 'ALL',
        ...fields,
      }),
    );
    return { code: body?.code, jobId: body?.data?.jobId ?? '' };
  };
  const tasks = async (jobId: string, fields: Partial<models.ListOTATaskByJobRequest> = {}) => {
    const { body } = await cloud.listOTATaskByJob(new models.ListOTATaskByJobRequest({ jobId, ...fields }));
    assert.equal(body?.success, true, body?.errorMessage);
    return body?.data?.simpleOTATaskInfo ?? [];
  };
  const firmware = async (firmwareId: string) => {
    const { body } = await cloud.queryOTAFirmware(new models.QueryOTAFirmwareRequest({ firmwareId }));
    return body?.firmwareInfo;
  };

  it('takes a package from the upload to the success of a batch', async () => {
    assert.equal((await upload(IMAGE)).status, 200);
    const { firmwareId } = await create({ needToVerify: true, udi: '{"a":1}', firmwareSize: IMAGE.length });
    assert.equal((await firmware(firmwareId))?.status, 0);
    assert.equal((await upgradeAll(firmwareId)).code, 'iot.ota.NotVerified');
    const verify = await cloud.createOTAVerifyJob(
      new models.CreateOTAVerifyJobRequest({
        firmwareId,
        productKey,
        targetDeviceName: ['lamp-1'],
        tag: [new models.CreateOTAVerifyJobRequestTag({ key: 'site', value: 'north' })],
      }),
    );
    const offer = await next();
    assert.deepEqual(offer.extData, { site: 'north', _package_udi: '{"a":1}' });
    assert.equal(offer.sign, sha256(IMAGE));
    assert.equal((await firmware(firmwareId))?.status, 2);
    const verifyJob = verify.body?.data?.jobId ?? '';
    assert.deepEqual(
      (await tasks(verifyJob)).map(({ taskStatus }) => taskStatus),
      ['NOTIFIED'],
    );
    await progress(lamp, '50', 'half');
    const [running] = await tasks(verifyJob, { taskStatus: 'IN_PROGRESS' });
    assert.deepEqual([running?.progress, running?.taskDesc, running?.destVersion], ['50', 'half', '2.0.0']);
    assert.deepEqual(await tasks(verifyJob, { taskStatus: 'FAILED' }), []);
    await inform(lamp, '2.0.0');
    assert.equal((await firmware(firmwareId))?.status, 1);
    const { jobId } = await upgradeAll(firmwareId);
    // lamp-1 runs it already.
    assert.deepEqual(
      (await tasks(jobId)).map(({ deviceName, taskStatus }) => [deviceName, taskStatus]),
      [['lamp-2', 'QUEUED']],
    );
    const { body } = await cloud.queryOTAJob(new models.QueryOTAJobRequest({ jobId }));
    assert.deepEqual(
      [body?.data?.jobStatus, body?.data?.jobType, body?.data?.selectionType, body?.data?.targetSelection],
      ['IN_PROGRESS', 'UPGRADE_FIRMWARE', 'STATIC', 'ALL'],
    );
    const listed = await cloud.listOTAJobByFirmware(
      new models.ListOTAJobByFirmwareRequest({ firmwareId, currentPage: 1, pageSize: 10 }),
    );
    assert.deepEqual(
      listed.body?.data?.simpleOTAJobInfo?.map((job) => [job.jobType, job.jobStatus]),
      [
        ['UPGRADE_FIRMWARE', 'IN_PROGRESS'],
        ['VERIFY_FIRMWARE', 'COMPLETED'],
      ],
    );
    const ofDevice = await cloud.listOTAJobByDevice(
      new models.ListOTAJobByDeviceRequest({ firmwareId, ...LAMP_1, currentPage: 1, pageSize: 10 }),
    );
    assert.equal(ofDevice.body?.total, 1);
  });

  it('refuses uploads that were not granted', async () => {
    const changes: Array<(form: FormData) => void> = [
      (form) => form.set('key', 'ota/other.bin'),
      (form) => form.set('Signature', 'AAAA'),
      (form) => form.set('policy', 'AAAA'),
    ];
    for (const change of changes) assert.equal((await upload(IMAGE, change)).status, 403);
    assert.equal((await upload(IMAGE, (form) => form.delete('file'))).status, 400);
    assert.equal(
      (
        await upload(IMAGE, () => {
          now += 61_000;
        })
      ).status,
      403,
    );
    const { body } = await cloud.generateOTAUploadURL(
      new models.GenerateOTAUploadURLRequest({ fileSuffix: '../x' }),
    );
    assert.equal(body?.success, false);
  });

  it('takes no more of uploads than it has room for, also of those that are never granted', async () => {
    const limits = { firmwareBytes: 100_000 };
    const small = await startEmulator({ config: { products: [PRODUCT] }, limits });
    const post = (body: FormData | string) =>
      fetch(`${small.httpUrl}/oss-upload/`, { method: 'POST', body }).then(({ status }) => status);
    for (let i = 0; i < 3; i++) {
      const form = new FormData();
      form.set('key', 'x');
      form.set('file', new Blob([new Uint8Array(90_000)]), 'x');
      assert.equal(await post(form), 403);
    }
    const large = new FormData();
    large.set('file', new Blob([new Uint8Array(100_001)]), 'x');
    assert.equal(await post(large), 403);
    assert.equal(await post('no form'), 413);
    // Nothing of it is kept: there is room for this.
    await small.firmware.add({ productKey, version: '1', files: { content: Buffer.alloc(100_000) } });
    await small.close();
  });

  it('forgets packages with their product', async () => {
    const product = emulator.firmware;
    const created = await cloud.createProduct(
      new models.CreateProductRequest({ productName: 'short lived', nodeType: 0 }),
    );
    const key = created.body?.productKey ?? '';
    await product.add({ productKey: key, version: '1', files: { content: 'x' } });
    emulator.configuration.set(key, { content: {} });
    const [made] = product.list();
    // A batch that would go on for ever takes in nobody any more.
    await cloud.createOTADynamicUpgradeJob(
      new models.CreateOTADynamicUpgradeJobRequest({
        firmwareId: made?.firmwareId ?? '',
        productKey: key,
        dynamicMode: 1,
      }),
    );
    const { body } = await cloud.deleteProduct(new models.DeleteProductRequest({ productKey: key }));
    assert.equal(body?.success, true, body?.errorMessage);
    assert.deepEqual(product.list(), []);
  });

  it('keeps an upload for an hour', async () => {
    const { firmwareUrl } = await upload(IMAGE);
    now += 3_600_000;
    assert.equal((await create({ firmwareUrl })).code, 'iot.common.InvalidFormattedParameter');
  });

  it('counts an upload once, and keeps it when no package came of it', async () => {
    await emulator.close();
    const limits = { firmwareBytes: IMAGE.length * 1.5 };
    emulator = await startEmulator({ clock: () => now, config: { products: [PRODUCT] }, limits });
    cloud = cloudClient(emulator);
    const { firmwareUrl } = await upload(IMAGE);
    assert.equal((await create({ firmwareUrl, firmwareSize: 5 })).code, 'iot.ota.InvalidFirmware');
    const { firmwareId } = await create({ firmwareUrl });
    assert.equal((await firmware(firmwareId))?.firmwareSize, IMAGE.length);
    const again = await create({ firmwareUrl, destVersion: '3.0.0' });
    assert.equal(again.code, 'iot.common.InvalidFormattedParameter');
    // All of the room is there again.
    emulator.firmware.remove(firmwareId);
    await emulator.firmware.add({ productKey, version: '1', files: { content: Buffer.alloc(450_000) } });
  });

  it('takes a small file in the address', async () => {
    const firmwareUrl = `data:application/octet-stream;base64,${Buffer.from('small').toString('base64')}`;
    const { firmwareId } = await create({ firmwareUrl, signMethod: 'MD5' });
    const info = await firmware(firmwareId);
    assert.deepEqual([info?.firmwareSize, info?.firmwareSign], [5, md5(Buffer.from('small'))]);
    assert.equal(await (await fetch(info?.firmwareUrl ?? '')).text(), 'small');
  });

  it('takes several files', async () => {
    const [a, b] = [Buffer.from('first'), Buffer.from('second')];
    const files = [];
    for (const [name, content] of [
      ['a.bin', a],
      ['b.bin', b],
    ] as const) {
      files.push(
        new models.CreateOTAFirmwareRequestMultiFiles({
          name,
          size: content.length,
          url: (await upload(content)).firmwareUrl,
          signValue: sha256(content),
        }),
      );
    }
    const { firmwareId } = await create({ multiFiles: files });
    const info = await firmware(firmwareId);
    assert.deepEqual(
      info?.multiFiles?.map(({ name, size, signValue }) => [name, size, signValue]),
      [
        ['a.bin', 5, sha256(a)],
        ['b.bin', 6, sha256(b)],
      ],
    );
    await upgradeAll(firmwareId, { targetSelection: 'SPECIFIC', targetDeviceName: ['lamp-1'] });
    assert.deepEqual(
      (await next()).files?.map(({ fileName }) => fileName),
      ['a.bin', 'b.bin'],
    );
  });

  it('refuses packages and batches that cannot be', async () => {
    const codes: unknown[] = [];
    for (const fields of [
      { firmwareSize: 5 },
      { firmwareSign: 'f'.repeat(64) },
      { destVersion: 'two words' },
      { type: 1 },
      { productKey: 'none' },
      { firmwareUrl: 'https://elsewhere.example/x.bin' },
      { signMethod: 'CRC' },
    ]) {
      codes.push((await create(fields)).code);
    }
    const wrong = 'iot.common.InvalidFormattedParameter';
    assert.deepEqual(codes, [
      'iot.ota.InvalidFirmware',
      'iot.ota.InvalidFirmware',
      'iot.ota.InvalidFirmware',
      'iot.ota.InvalidFirmware',
      'iot.prod.NotExistedProduct',
      wrong,
      wrong,
    ]);
    const { firmwareId } = await create();
    assert.equal((await create()).code, 'iot.ota.FirmwareExists');
    const jobs: unknown[] = [];
    for (const fields of [
      { targetSelection: 'SPECIFIC', targetDeviceName: ['none'] },
      { targetSelection: 'SPECIFIC' },
      { targetSelection: 'GROUP' },
      { targetSelection: 'GRAY', grayPercent: '0' },
      { downloadProtocol: 'FTP' },
      { firmwareId: 'none' },
      { overwriteMode: 2, multiModuleMode: true },
      { scheduleTime: now + 8 * 24 * 3_600_000 },
    ]) {
      jobs.push((await upgradeAll(firmwareId, fields)).code);
    }
    assert.deepEqual(jobs, [
      'iot.device.NotExistedDevice',
      wrong,
      'MissingGroupId',
      wrong,
      wrong,
      'iot.ota.NotExistedFirmware',
      'iot.ota.InvalidJob',
      'iot.ota.InvalidJob',
    ]);
  });

  it('lists packages and deletes them', async () => {
    const { firmwareId } = await create();
    await create({ destVersion: '3.0.0' });
    const list = async (fields = {}) => {
      const { body } = await cloud.listOTAFirmware(
        new models.ListOTAFirmwareRequest({ currentPage: 1, pageSize: 10, ...fields }),
      );
      return body?.firmwareInfo?.simpleFirmwareInfo?.map(({ destVersion }) => destVersion);
    };
    assert.deepEqual(await list(), ['3.0.0', '2.0.0']);
    assert.deepEqual(await list({ destVersion: '2.0.0' }), ['2.0.0']);
    assert.deepEqual(await list({ productKey: 'other' }), []);
    await cloud.deleteOTAFirmware(new models.DeleteOTAFirmwareRequest({ firmwareId }));
    assert.deepEqual(await list(), ['3.0.0']);
  });

  it('knows modules and the versions of devices', async () => {
    const module = (fields: object) => ({ productKey, moduleName: 'MCU', ...fields });
    const createModule = () =>
      cloud.createOTAModule(new models.CreateOTAModuleRequest(module({ aliasName: 'motor' })));
    assert.equal((await createModule()).body?.success, true);
    assert.equal((await createModule()).body?.code, 'iot.ota.ModuleExists');
    await cloud.updateOTAModule(new models.UpdateOTAModuleRequest(module({ desc: 'turns' })));
    const list = async () => {
      const { body } = await cloud.listOTAModuleByProduct(
        new models.ListOTAModuleByProductRequest({ productKey }),
      );
      return body?.data?.map(({ moduleName, aliasName, desc }) => [moduleName, aliasName, desc]);
    };
    assert.deepEqual(await list(), [['MCU', 'motor', 'turns']]);
    const { firmwareId } = await create({ moduleName: 'MCU' });
    const remove = () => cloud.deleteOTAModule(new models.DeleteOTAModuleRequest(module({})));
    assert.equal((await remove()).body?.code, 'iot.ota.ModuleInUse');
    await upgradeAll(firmwareId);
    assert.equal((await next()).module, 'MCU');
    await inform(lamp, '2.0.0', 'MCU');
    await inform(lamp, '1.0.0');
    const versions = await cloud.listOTAModuleVersionsByDevice(
      new models.ListOTAModuleVersionsByDeviceRequest({ ...LAMP_1, currentPage: 1, pageSize: 10 }),
    );
    assert.deepEqual(
      versions.body?.data?.simpleOTAModuleInfo?.map(({ moduleName, moduleVersion }) => [
        moduleName,
        moduleVersion,
      ]),
      [
        ['MCU', '2.0.0'],
        ['default', '1.0.0'],
      ],
    );
    const detail = await cloud.queryDeviceDetail(new models.QueryDeviceDetailRequest({ ...LAMP_1 }));
    assert.equal(detail.body?.data?.firmwareVersion, '1.0.0');
  });
});
