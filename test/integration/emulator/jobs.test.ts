import assert from 'node:assert/strict';
import type Iot from '@alicloud/iot20180120';
import * as models from '@alicloud/iot20180120';
import type { MqttClient } from 'mqtt';
import { type Emulator, startEmulator } from '../../../emulator';
import { cloudClient } from '../../support/cloud';
import { LAMP_1, LAMP_2, nextMessage, onlineLamp, PRODUCT, request } from '../../support/emulator';

const S = `/sys/${LAMP_1.productKey}/${LAMP_1.deviceName}/thing/job`;
const MINUTE = 60_000;

describe('emulator: jobs', () => {
  let emulator: Emulator;
  let lamp: MqttClient;
  let cloud: Iot;
  let now: number;

  beforeEach(async () => {
    now = Date.UTC(2026, 0, 1);
    emulator = await startEmulator({ clock: () => now, config: { products: [PRODUCT] } });
    lamp = await onlineLamp(emulator, LAMP_1, { parameters: { _ss: 1 } });
    cloud = cloudClient(emulator);
  });

  afterEach(async () => {
    await lamp.endAsync(true);
    await emulator.close();
  });

  const get = (taskId: unknown) => request(lamp, `${S}/get`, { taskId });
  const update = (params: object) => request(lamp, `${S}/update`, params);
  const tasks = () => emulator.devices.get(LAMP_1)?.tasks ?? [];
  const firstTask = () => {
    const [task] = tasks();
    assert.ok(task);
    return task;
  };

  it('tells the device, gives it the task and takes its progress', async () => {
    const notified = nextMessage(lamp);
    const file = { signMethod: 'Md5', sign: 'abc', fileUrl: 'http://127.0.0.1/x' };
    emulator.jobs.create([LAMP_1], { document: { clean: true }, file });
    const { topic, text } = await notified;
    const { taskId } = firstTask();
    const task = { taskId, status: 'SENT', jobDocument: { clean: true }, jobFile: file };
    assert.equal(topic, `${S}/notify`);
    assert.deepEqual(JSON.parse(text).params, { task });
    assert.deepEqual((await get('$next')).data, { taskId, task });
    assert.deepEqual((await get(taskId)).data, { taskId, task });
    assert.deepEqual((await get('$list')).data, { taskId: '$list', tasks: [{ taskId, status: 'SENT' }] });
    const details = { step: 'brushes' };
    assert.equal(
      (await update({ taskId, status: 'IN_PROGRESS', progress: 40, statusDetails: details })).code,
      200,
    );
    const { status, progress, statusDetails } = firstTask();
    assert.deepEqual([status, progress, statusDetails], ['IN_PROGRESS', 40, details]);
    assert.equal((await update({ taskId, status: 'SUCCEEDED', progress: 100 })).code, 200);
    assert.deepEqual((await get('$next')).data, { taskId: '$next' });
    assert.deepEqual((await get('$list')).data, { taskId: '$list', tasks: [] });
  });

  it('refuses what breaks the rules', async () => {
    emulator.jobs.create([LAMP_1]);
    const { taskId } = firstTask();
    for (const params of [
      { taskId: 'none', status: 'IN_PROGRESS' },
      { taskId, status: 'QUEUED' },
      { taskId, status: 'CANCELLED' },
      { taskId },
      { taskId, status: 'IN_PROGRESS', progress: 101 },
      { taskId, status: 'IN_PROGRESS', progress: '5' },
      { taskId, status: 'IN_PROGRESS', statusDetails: [] },
      { taskId, status: 'IN_PROGRESS', statusDetails: { x: 'x'.repeat(17_000) } },
    ]) {
      assert.equal((await update(params)).code, 460, JSON.stringify(params).slice(0, 100));
    }
    assert.equal((await get('none')).code, 460);
    assert.equal((await get(1)).code, 460);
    assert.equal((await update({ taskId, status: 'REJECTED' })).code, 200);
    assert.equal((await update({ taskId, status: 'IN_PROGRESS' })).code, 460);
    assert.equal(firstTask().status, 'REJECTED');
  });

  it('ends a task that takes too long', async () => {
    emulator.jobs.create([LAMP_1], { inProgressMs: MINUTE });
    const { taskId } = firstTask();
    now += 10 * MINUTE;
    assert.equal((await update({ taskId, status: 'IN_PROGRESS' })).code, 200);
    now += MINUTE;
    assert.equal((await update({ taskId, status: 'IN_PROGRESS', progress: 50 })).code, 200);
    now += 1;
    assert.equal((await update({ taskId, status: 'SUCCEEDED' })).code, 460);
    assert.equal(firstTask().status, 'TIMED_OUT');
  });

  it('is driven by the cloud', async () => {
    const { body: made } = await cloud.createJob(
      new models.CreateJobRequest({
        jobName: 'clean_all',
        type: 'CUSTOM_JOB',
        jobDocument: '{"clean":true}',
        targetConfig: { targetType: 'PRODUCT_KEY', targetProduct: LAMP_1.productKey },
        timeoutConfig: { inProgressTimeoutInMinutes: 5 },
      }),
    );
    assert.equal(made?.success, true, made?.errorMessage);
    const jobId = made?.jobId ?? '';
    const { body: job } = await cloud.queryJob(new models.QueryJobRequest({ jobId }));
    assert.deepEqual(
      [
        job?.data?.jobName,
        job?.data?.status,
        job?.data?.type,
        job?.data?.timeoutConfig?.inProgressTimeoutInMinutes,
      ],
      ['clean_all', 'IN_PROGRESS', 'CUSTOM_JOB', 5],
    );
    const { body: statistics } = await cloud.queryJobStatistics(
      new models.QueryJobStatisticsRequest({ jobId }),
    );
    // The other lamp is away and never subscribed.
    assert.deepEqual([statistics?.data?.total, statistics?.data?.sent, statistics?.data?.queued], [2, 1, 1]);
    const { taskId } = firstTask();
    await update({ taskId, status: 'FAILED', statusDetails: { why: 'dry' } });
    const { body: task } = await cloud.queryTask(new models.QueryTaskRequest({ taskId }));
    assert.deepEqual([task?.data?.status, task?.data?.statusDetail], ['FAILED', '{"why":"dry"}']);
    const { body: list } = await cloud.listTask(
      new models.ListTaskRequest({ jobId, status: 'QUEUED', limit: 10 }),
    );
    assert.deepEqual(
      list?.data?.data?.map(({ deviceName }) => deviceName),
      [LAMP_2.deviceName],
    );
    assert.equal((await cloud.cancelJob(new models.CancelJobRequest({ jobId }))).body?.success, true);
    const { body: jobs } = await cloud.listJob(
      new models.ListJobRequest({ currentPage: 1, pageSize: 10, status: 'CANCELLED' }),
    );
    assert.deepEqual(
      jobs?.data?.data?.map((entry) => entry.jobId),
      [jobId],
    );
    await cloud.deleteJob(new models.DeleteJobRequest({ jobId }));
    assert.equal(
      (await cloud.queryJob(new models.QueryJobRequest({ jobId }))).body?.code,
      'iot.job.NotExistedJob',
    );
    assert.deepEqual(tasks(), []);
  });

  it('tells a device that its task was cancelled', async () => {
    const { jobId } = emulator.jobs.create([LAMP_1]);
    await emulator.exchanges.waitFor(({ operation }) => operation === 'thing.job.notify');
    const since = emulator.exchanges.latest;
    assert.equal(emulator.jobs.cancel(jobId), true);
    const { json } = await emulator.exchanges.waitFor(({ operation }) => operation === 'thing.job.notify', {
      since,
    });
    assert.equal((json as { params: { task: { status: string } } }).params.task.status, 'CANCELLED');
    assert.equal(emulator.jobs.cancel('none'), false);
  });

  it('refuses jobs that it cannot do', async () => {
    const good = {
      jobName: 'clean_all',
      type: 'CUSTOM_JOB',
      jobDocument: '{}',
      targetConfig: { targetType: 'DEVICE_LIST', targetDevices: [LAMP_1] },
    };
    const make = async (more: object) =>
      (await cloud.createJob(new models.CreateJobRequest({ ...good, ...more }))).body?.success;
    assert.equal(await make({}), true);
    assert.equal(await make({ type: 'PUB' }), false);
    assert.equal(await make({ jobName: 'x' }), false);
    assert.equal(await make({ jobDocument: '{' }), false);
    assert.equal(await make({ targetConfig: { targetType: 'GROUP_ID' } }), false);
    assert.equal(await make({ targetConfig: { targetType: 'DEVICE_LIST', targetDevices: [null] } }), false);
  });
});
