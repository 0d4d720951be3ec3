import assert from 'node:assert/strict';
import type Iot from '@alicloud/iot20180120';
import * as models from '@alicloud/iot20180120';
import type { MqttClient } from 'mqtt';
import { type Emulator, startEmulator } from '../../../emulator';
import { cloudClient } from '../../support/cloud';
import { LAMP_1, LAMP_2, onlineLamp, PRODUCT, request } from '../../support/emulator';
import { addImage, inform, type Offer, offers, progress, upgrade } from '../../support/firmware';

const { productKey } = PRODUCT;
const MINUTE = 60_000;
const FIRMWARE_GET = `/sys/${productKey}/${LAMP_1.deviceName}/thing/ota/firmware/get`;

describe('emulator: batches by the vendor’s cloud SDK', () => {
  let emulator: Emulator;
  let cloud: Iot;
  let lamp: MqttClient;
  let next: () => Promise<Offer>;
  let now: number;
  let firmwareId: string;

  beforeEach(async () => {
    now = Date.UTC(2026, 0, 1);
    emulator = await startEmulator({ clock: () => now, config: { products: [PRODUCT] } });
    cloud = cloudClient(emulator);
    lamp = await onlineLamp(emulator, LAMP_1, { parameters: { _ss: 1 } });
    await lamp.subscribeAsync(`${FIRMWARE_GET}_reply`, { qos: 1 });
    next = offers(lamp);
    firmwareId = await addImage(emulator);
  });

  afterEach(async () => {
    await lamp.endAsync(true);
    await emulator.close();
  });

  const batch = async (fields: Partial<models.CreateOTAStaticUpgradeJobRequest> = {}) => {
    const asked = { firmwareId, productKey, targetSelection: 'ALL', ...fields };
    const { body } = await cloud.createOTAStaticUpgradeJob(
      new models.CreateOTAStaticUpgradeJobRequest(asked),
    );
    return { code: body?.code, jobId: body?.data?.jobId ?? '' };
  };
  const query = async (jobId: string) =>
    (await cloud.queryOTAJob(new models.QueryOTAJobRequest({ jobId }))).body?.data;
  const tasks = async (jobId: string) => {
    const { body } = await cloud.listOTATaskByJob(new models.ListOTATaskByJobRequest({ jobId }));
    return body?.data?.simpleOTATaskInfo ?? [];
  };
  const asked = async () => (await request(lamp, FIRMWARE_GET, {})).data as Partial<Offer>;
  const status = () => upgrade(emulator)?.status;
  const results = () => emulator.messages.list(({ topic }) => topic.endsWith('/ota/upgrade')).length;

  it('cancels what it is told to, by batch and by device', async () => {
    const other = await onlineLamp(emulator, LAMP_2, { parameters: { _ss: 1 } });
    const { jobId } = await batch();
    await progress(lamp, '10');
    const states = async () => (await tasks(jobId)).map(({ taskStatus }) => taskStatus);
    const cancel = (fields: object) =>
      cloud.cancelOTATaskByJob(new models.CancelOTATaskByJobRequest({ jobId, ...fields }));
    await cancel({});
    await cancel({ cancelQueuedTask: true, cancelScheduledTask: true });
    assert.deepEqual(await states(), ['IN_PROGRESS', 'NOTIFIED']);
    await cancel({ cancelNotifiedTask: true });
    assert.deepEqual(await states(), ['IN_PROGRESS', 'CANCELED']);
    await cloud.cancelOTATaskByDevice(
      new models.CancelOTATaskByDeviceRequest({
        productKey,
        firmwareId,
        deviceName: ['lamp-2'],
      }),
    );
    assert.deepEqual(await states(), ['IN_PROGRESS', 'CANCELED']);
    await cancel({ cancelInProgressTask: true });
    assert.deepEqual(await states(), ['CANCELED', 'CANCELED']);
    const [, second] = await tasks(jobId);
    const again = await cloud.reupgradeOTATask(
      new models.ReupgradeOTATaskRequest({ jobId, taskId: [second?.taskId ?? ''] }),
    );
    assert.equal(again.body?.success, true);
    assert.deepEqual(await states(), ['CANCELED', 'NOTIFIED']);
    await cloud.cancelOTATaskByDevice(
      new models.CancelOTATaskByDeviceRequest({ productKey, jobId, deviceName: ['lamp-2'] }),
    );
    assert.deepEqual(await states(), ['CANCELED', 'CANCELED']);
    await other.endAsync(true);
  });

  it('waits for a confirmation', async () => {
    await batch({ needConfirm: true });
    const unfinished = async () => {
      const { body } = await cloud.listOTAUnfinishedTaskByDevice(
        new models.ListOTAUnfinishedTaskByDeviceRequest({ ...LAMP_1 }),
      );
      return body?.data?.simpleOTATaskInfo ?? [];
    };
    const [task] = await unfinished();
    assert.deepEqual([task?.taskStatus, task?.moduleName], ['CONFIRM', 'default']);
    await inform(lamp, '1.0.0');
    assert.equal((await unfinished())[0]?.taskStatus, 'CONFIRM');
    const confirm = () =>
      cloud.confirmOTATask(new models.ConfirmOTATaskRequest({ taskId: [task?.taskId ?? ''] }));
    await confirm();
    assert.equal((await next()).version, '2.0.0');
    assert.equal((await confirm()).body?.success, false);
    await inform(lamp, '2.0.0');
    assert.deepEqual(await unfinished(), []);
  });

  it('plans a batch for later', async () => {
    const { jobId } = await batch({
      scheduleTime: now + 20,
      targetSelection: 'GRAY',
      grayPercent: '50',
    });
    const job = async () => (await cloud.queryOTAJob(new models.QueryOTAJobRequest({ jobId }))).body?.data;
    assert.equal((await job())?.jobStatus, 'PLANNED');
    assert.equal((await next()).version, '2.0.0');
    assert.equal((await job())?.jobStatus, 'IN_PROGRESS');
    assert.equal((await tasks(jobId)).length, 1);
  });

  it('takes in devices that come later', async () => {
    const dynamic = (fields = {}) =>
      cloud.createOTADynamicUpgradeJob(
        new models.CreateOTADynamicUpgradeJobRequest({
          firmwareId,
          productKey,
          dynamicMode: 2,
          srcVersion: ['1.0.0'],
          ...fields,
        }),
      );
    const { body } = await dynamic();
    const jobId = body?.data?.jobId ?? '';
    assert.deepEqual(await tasks(jobId), []);
    assert.equal((await dynamic()).body?.code, 'iot.ota.DynamicJobExists');
    await inform(lamp, '0.9.0');
    assert.deepEqual(await tasks(jobId), []);
    await inform(lamp, '1.0.0');
    assert.equal((await next()).version, '2.0.0');
    await inform(lamp, '2.0.0');
    assert.equal(upgrade(emulator)?.status, 'SUCCEEDED');
    await cloud.cancelOTAStrategyByJob(new models.CancelOTAStrategyByJobRequest({ jobId }));
    const other = await onlineLamp(emulator, LAMP_2, { parameters: { _ss: 1 } });
    await inform(other, '1.0.0', undefined, LAMP_2);
    assert.equal((await tasks(jobId)).length, 1);
    const job = await cloud.queryOTAJob(new models.QueryOTAJobRequest({ jobId }));
    assert.equal(job.body?.data?.jobStatus, 'COMPLETED');
    await other.endAsync(true);
  });

  it('offers again after a failure, as often as it is told to', async () => {
    const { jobId } = await batch({ retryInterval: 0, retryCount: 1, srcVersion: ['1.0.0'] });
    assert.deepEqual(await tasks(jobId), []);
    await inform(lamp, '1.0.0');
    const { jobId: second } = await batch({ retryInterval: 0, retryCount: 1, srcVersion: ['1.0.0'] });
    const described = await query(second);
    assert.deepEqual([described?.retryCount, described?.retryInterval], [1, 0]);
    await next();
    await progress(lamp, '30');
    await progress(lamp, '-2', 'no way to the server');
    await next();
    const [task] = await tasks(second);
    assert.deepEqual(
      [task?.taskStatus, task?.progress, task?.taskDesc],
      ['IN_PROGRESS', '0', 'no way to the server'],
    );
    assert.equal(results(), 0);
    await progress(lamp, '-3');
    assert.equal(status(), 'FAILED');
    assert.equal(results(), 1);
  });

  it('gives no offer between a failure and the next try, and takes the version all the same', async () => {
    await batch({ retryInterval: 10, retryCount: 2, timeoutInMinutes: 60 });
    await next();
    await progress(lamp, '30');
    await progress(lamp, '-4');
    assert.deepEqual(await asked(), {});
    await inform(lamp, '1.0.0');
    assert.equal(status(), 'IN_PROGRESS');
    await inform(lamp, '2.0.0');
    assert.equal(status(), 'SUCCEEDED');
  });

  it('lets the time of an upgrade run on between its tries', async () => {
    await batch({ retryInterval: 10, retryCount: 5, timeoutInMinutes: 30 });
    await progress(lamp, '30');
    await progress(lamp, '-1');
    now += 30 * MINUTE;
    assert.deepEqual(await asked(), {});
    assert.deepEqual([status(), upgrade(emulator)?.description], ['FAILED', 'timeout']);
  });

  for (const fields of [
    { retryInterval: 7, retryCount: 1 },
    { retryInterval: 10 },
    { retryInterval: 10, retryCount: 3 },
    { retryInterval: 60, retryCount: 1, timeoutInMinutes: 60 },
    { timeoutInMinutes: 1441 },
    { maximumPerMinute: 10_001 },
    { targetSelection: 'GRAY', grayPercent: '0' },
    { targetSelection: 'EVERYBODY' },
    { targetSelection: 'SPECIFIC', dnListFileUrl: 'https://files.example/list.csv' },
    { targetSelection: 'GROUP' },
    { downloadProtocol: 'FTP' },
    { overwriteMode: 3 },
    { overwriteMode: 2, multiModuleMode: true },
    { scheduleTime: Date.UTC(2027, 0, 1) },
    { scheduleTime: Date.UTC(2026, 0, 2), scheduleFinishTime: Date.UTC(2026, 0, 1) },
    { scheduleTime: Date.UTC(2026, 0, 2), scheduleFinishTime: Date.UTC(2026, 1, 2) },
  ]) {
    it(`refuses ${JSON.stringify(fields)}`, async () => {
      const { code, jobId } = await batch(fields);
      assert.match(code ?? '', /^(iot\.ota\.InvalidJob|iot\.common\.InvalidFormattedParameter|Missing.*)$/);
      assert.equal(jobId, '');
      assert.equal(status(), undefined);
    });
  }

  it('asks for a confirmation when the time of a plan has come', async () => {
    const { jobId } = await batch({ scheduleTime: now + 20, needConfirm: true });
    assert.equal((await query(jobId))?.jobStatus, 'PLANNED');
    while ((await query(jobId))?.jobStatus === 'PLANNED');
    assert.equal(status(), 'CONFIRM');
    assert.deepEqual(await asked(), {});
    const taskId = (await tasks(jobId)).map((task) => task.taskId ?? '');
    await cloud.confirmOTATask(new models.ConfirmOTATaskRequest({ taskId }));
    assert.equal((await next()).version, '2.0.0');
  });

  it('ends what is not done when the time of a batch is over', async () => {
    const { jobId } = await batch({ scheduleTime: now + 1, scheduleFinishTime: now + 40 });
    assert.equal((await query(jobId))?.utcScheduleFinishTime, '2026-01-01T00:00:00.040Z');
    await next();
    await progress(lamp, '30');
    while ((await query(jobId))?.jobStatus !== 'COMPLETED');
    assert.deepEqual(
      [status(), upgrade(emulator)?.description],
      ['CANCELED', 'the time of the batch is over'],
    );
    assert.deepEqual(await asked(), {});
  });

  it('tells so many devices in a minute', async () => {
    const { jobId } = await batch({ maximumPerMinute: 1 });
    assert.deepEqual(
      (await tasks(jobId)).map(({ taskStatus }) => taskStatus),
      ['NOTIFIED', 'QUEUED'],
    );
  });

  it('takes at least one device for GRAY, and rounds down', async () => {
    const few = await batch({ targetSelection: 'GRAY', grayPercent: '10' });
    assert.equal((await tasks(few.jobId)).length, 1);
    const most = await batch({ targetSelection: 'GRAY', grayPercent: '99', overwriteMode: 2 });
    assert.equal((await tasks(most.jobId)).length, 1);
  });

  it('cancels by device what has begun, and offers it again when it is told to', async () => {
    const { jobId } = await batch();
    await next();
    await progress(lamp, '30');
    await cloud.cancelOTATaskByDevice(
      new models.CancelOTATaskByDeviceRequest({ productKey, firmwareId, deviceName: ['lamp-1'] }),
    );
    assert.equal(status(), 'CANCELED');
    await progress(lamp, '60');
    assert.deepEqual([status(), upgrade(emulator)?.progress], ['CANCELED', 30]);
    assert.deepEqual(await asked(), {});
    const [task] = await tasks(jobId);
    const again = new models.ReupgradeOTATaskRequest({ jobId, taskId: [task?.taskId ?? ''] });
    assert.equal((await cloud.reupgradeOTATask(again)).body?.success, true);
    await next();
    await progress(lamp, '10');
    assert.deepEqual([status(), upgrade(emulator)?.progress], ['IN_PROGRESS', 10]);
  });

  it('takes a device in ten times that falls back to a version it is for', async () => {
    const { body } = await cloud.createOTADynamicUpgradeJob(
      new models.CreateOTADynamicUpgradeJobRequest({
        firmwareId,
        productKey,
        dynamicMode: 2,
        srcVersion: ['1.0.0'],
      }),
    );
    for (let i = 0; i < 12; i++) {
      await inform(lamp, '1.0.0');
      await progress(lamp, '-1');
    }
    assert.equal((await tasks(body?.data?.jobId ?? '')).length, 10);
  });

  it('takes progress in any order, and success only from the version', async () => {
    await batch();
    for (const [step, shown] of [
      ['50', 50],
      ['10', 10],
      ['100', 100],
    ] as const) {
      await progress(lamp, step);
      assert.deepEqual([status(), upgrade(emulator)?.progress], ['IN_PROGRESS', shown]);
    }
    await inform(lamp, '9.9.9');
    assert.equal(status(), 'FAILED');
    await inform(lamp, '2.0.0');
    await progress(lamp, '100');
    assert.equal(status(), 'FAILED');
  });

  it('ends what a deleted device had', async () => {
    const { jobId } = await batch();
    await next();
    await cloud.deleteDevice(new models.DeleteDeviceRequest(LAMP_1));
    assert.deepEqual(
      (await tasks(jobId)).map(({ deviceName, taskStatus }) => [deviceName, taskStatus]),
      [
        ['lamp-1', 'CANCELED'],
        ['lamp-2', 'QUEUED'],
      ],
    );
  });
});
