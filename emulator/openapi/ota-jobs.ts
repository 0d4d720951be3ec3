import { OTA_TARGETS, type OtaJob, type OtaJobSettings, type OtaTask, type OtaTaskStatus } from '../ota/jobs';
import type { Device } from '../registry/device';
import { groupOf } from './device-groups';
import { asAction } from './ota-errors';
import { firmwareOf } from './ota-firmware';
import { describeJob, jobOf, summary } from './ota-views';
import { ActionError, type ActionParameters } from './parameters';
import { utcTime } from './times';

const MOST_DEVICES = 200;
const MOST_TAGS = 10;
const TAG_KEY = /^[A-Za-z0-9.]{1,30}$/;
const LONGEST_TAG = 1024;
const LONGEST_TAGS = 4096;
const MINUTE = 60_000;
const DAY_MINUTES = 1440;
const RETRY_MINUTES = [0, 10, 30, 60, DAY_MINUTES];
const RETRY_COUNTS = [1, 2, 5];

function createVerifyJob(parameters: ActionParameters): object {
  return create(parameters, { type: 'VERIFY_FIRMWARE', target: 'SPECIFIC' }, named(parameters));
}

function createStaticUpgradeJob(parameters: ActionParameters): object {
  const plan = {
    scheduledAt: optionalTime(parameters, 'ScheduleTime'),
    finishAt: optionalTime(parameters, 'ScheduleFinishTime'),
  };
  const target = parameters.text('TargetSelection');
  if (parameters.optional('DnListFileUrl') !== undefined) {
    throw invalid('This emulator takes no lists of devices in files.');
  }
  const all = () => [...parameters.product().devices.values()];
  switch (target) {
    case 'ALL':
      return create(parameters, { ...plan, target }, all());
    case 'SPECIFIC':
      return create(parameters, { ...plan, target }, named(parameters));
    case 'GRAY': {
      const grayPercent = Number(parameters.text('GrayPercent'));
      if (!(grayPercent > 0 && grayPercent <= 100)) throw invalid('GrayPercent is a number of 0.01 to 100.');
      const devices = all();
      const few = devices.slice(0, Math.max(1, Math.floor((devices.length * grayPercent) / 100)));
      return create(parameters, { ...plan, target, grayPercent }, few);
    }
    case 'GROUP': {
      const { groupId: id, name, devices } = groupOf(parameters);
      const product = parameters.product();
      const meant = [...devices].filter((device) => device.product === product);
      return create(parameters, { ...plan, target, group: { id, name } }, meant);
    }
    default:
      throw invalid(`TargetSelection is one of ${OTA_TARGETS.join(', ')}.`);
  }
}

function createDynamicUpgradeJob(parameters: ActionParameters): object {
  const dynamicMode = parameters.number('DynamicMode', 1, { min: 1, max: 2 }) === 2 ? 2 : 1;
  if (parameters.optional('GroupId') !== undefined) throw invalid('This emulator has no dynamic groups.');
  const devices = [...parameters.product().devices.values()];
  return create(parameters, { selection: 'DYNAMIC', target: 'ALL', dynamicMode }, devices);
}

function create(
  parameters: ActionParameters,
  more: Partial<OtaJobSettings> & Pick<OtaJobSettings, 'target'>,
  devices: readonly Device[],
): object {
  const { platform } = parameters;
  const firmware = firmwareOf(parameters);
  if (parameters.product().productKey !== firmware.settings.productKey) {
    throw invalid('The firmware package is of another product.');
  }
  const minutes = parameters.number('TimeoutInMinutes', 0, { max: DAY_MINUTES });
  const perMinute = parameters.number('MaximumPerMinute', 0, { max: 10_000 });
  const settings: OtaJobSettings = {
    type: 'UPGRADE_FIRMWARE',
    selection: 'STATIC',
    grayPercent: undefined,
    group: undefined,
    dynamicMode: undefined,
    srcVersions: parameters.list('SrcVersion'),
    protocol: protocolOf(parameters),
    needPush: parameters.optional('NeedPush') !== 'false',
    needConfirm: parameters.optional('NeedConfirm') === 'true',
    overwrite: parameters.number('OverwriteMode', 1, { min: 1, max: 2 }) === 2,
    multiModule: parameters.optional('MultiModuleMode') === 'true',
    timeoutMs: minutes === 0 ? undefined : minutes * MINUTE,
    maximumPerMinute: perMinute === 0 ? undefined : perMinute,
    ...retriesOf(parameters),
    scheduledAt: undefined,
    finishAt: undefined,
    tags: tagsOf(parameters),
    ...more,
  };
  const job = asAction(() => platform.ota.createJob(firmware, settings, devices));
  return { Data: { JobId: job.jobId, UtcCreate: utcTime(job.createdAt) } };
}

function queryJob(parameters: ActionParameters): object {
  return { Data: describeJob(jobOf(parameters)) };
}

function listJobByFirmware(parameters: ActionParameters): object {
  return listed(parameters, parameters.platform.ota.jobs.ofFirmware(firmwareOf(parameters)));
}

function listJobByDevice(parameters: ActionParameters): object {
  const firmware = firmwareOf(parameters);
  const device = parameters.device();
  const jobs = parameters.platform.ota.jobs.ofFirmware(firmware);
  return listed(
    parameters,
    jobs.filter(({ tasks }) => tasks.some((task) => task.device === device)),
  );
}

function listed(parameters: ActionParameters, jobs: readonly OtaJob[]): object {
  for (const job of jobs) parameters.platform.ota.settle(job);
  const { rows, ...paging } = parameters.page(jobs, { most: 100 });
  return { ...paging, Data: { SimpleOTAJobInfo: rows.map(summary) } };
}

/** Which tasks end is said by their state: none, unless it is asked for. */
function cancelTaskByJob(parameters: ActionParameters): object {
  const job = jobOf(parameters);
  const wanted: ReadonlyArray<[name: string, status: OtaTaskStatus]> = [
    ['CancelScheduledTask', 'SCHEDULED'],
    ['CancelQueuedTask', 'QUEUED'],
    ['CancelInProgressTask', 'IN_PROGRESS'],
    ['CancelNotifiedTask', 'NOTIFIED'],
    ['CancelUnconfirmedTask', 'CONFIRM'],
  ];
  const states = wanted.filter(([name]) => parameters.optional(name) === 'true').map(([, status]) => status);
  parameters.platform.ota.cancel(job, states);
  return {};
}

/** Of the firmware, or of one batch, for some devices, also in the middle of an upgrade; not what is planned. */
function cancelTaskByDevice(parameters: ActionParameters): object {
  const { ota } = parameters.platform;
  const product = parameters.product();
  const jobId = parameters.optional('JobId');
  const firmwareId = parameters.optional('FirmwareId');
  if (jobId === undefined && firmwareId === undefined) {
    throw new ActionError('MissingFirmwareId', 'FirmwareId or JobId is mandatory for this action.');
  }
  const names = parameters.list('DeviceName', MOST_DEVICES);
  for (const name of names) {
    for (const task of product.devices.get(name)?.upgrades.values() ?? []) {
      const { job } = task;
      if (jobId !== undefined && job.jobId !== jobId) continue;
      if (firmwareId !== undefined && job.firmware.firmwareId !== firmwareId) continue;
      if (task.isOpen && task.status !== 'SCHEDULED') ota.cancelTask(task);
    }
  }
  return {};
}

function cancelStrategyByJob(parameters: ActionParameters): object {
  const job = jobOf(parameters);
  if (job.settings.selection !== 'DYNAMIC') {
    throw new ActionError('iot.ota.InvalidJob', 'Only a dynamic batch has a strategy.');
  }
  parameters.platform.ota.stopTaking(job);
  return {};
}

function confirmTask(parameters: ActionParameters): object {
  for (const task of tasksOf(parameters)) {
    if (!parameters.platform.ota.confirm(task)) {
      throw new ActionError('iot.ota.NotExistedTask', 'A task does not wait for a confirmation.');
    }
  }
  return {};
}

function reupgradeTask(parameters: ActionParameters): object {
  const job = jobOf(parameters);
  for (const task of tasksOf(parameters)) {
    if (task.job !== job || !parameters.platform.ota.retry(task)) {
      throw new ActionError('iot.ota.InvalidJob', 'A task did not fail, or its device has another upgrade.');
    }
  }
  return {};
}

function tasksOf(parameters: ActionParameters): OtaTask[] {
  return parameters.list('TaskId', 10).map((taskId) => {
    const task = parameters.platform.ota.jobs.findTask(taskId);
    if (task === undefined) throw new ActionError('iot.ota.NotExistedTask', 'The task does not exist.');
    return task;
  });
}

function named(parameters: ActionParameters): Device[] {
  const names = parameters.list('TargetDeviceName', MOST_DEVICES + 1);
  if (names.length === 0 || names.length > MOST_DEVICES) {
    throw invalid(`TargetDeviceName names 1 to ${MOST_DEVICES} devices.`);
  }
  const product = parameters.product();
  return names.map((name) => {
    const device = product.devices.get(name);
    if (device === undefined)
      throw new ActionError('iot.device.NotExistedDevice', 'The device does not exist.');
    return device;
  });
}

/** None without `RetryInterval`, as on the platform. */
function retriesOf(parameters: ActionParameters): Pick<OtaJobSettings, 'retryCount' | 'retryMs'> {
  if (parameters.optional('RetryInterval') === undefined) return { retryCount: 0, retryMs: 0 };
  const minutes = parameters.number('RetryInterval', 0);
  const retryCount = Number(parameters.text('RetryCount'));
  if (!RETRY_MINUTES.includes(minutes)) throw invalid(`RetryInterval is one of ${RETRY_MINUTES.join(', ')}.`);
  if (!RETRY_COUNTS.includes(retryCount)) throw invalid(`RetryCount is one of ${RETRY_COUNTS.join(', ')}.`);
  return { retryCount, retryMs: minutes * MINUTE };
}

function optionalTime(parameters: ActionParameters, name: string): number | undefined {
  return parameters.optional(name) === undefined ? undefined : parameters.number(name, 0, { min: 1 });
}

function protocolOf(parameters: ActionParameters): 'HTTPS' | 'MQTT' {
  const protocol = parameters.optional('DownloadProtocol') ?? 'HTTPS';
  if (protocol !== 'HTTPS' && protocol !== 'MQTT') throw invalid('DownloadProtocol is HTTPS or MQTT.');
  return protocol;
}

function tagsOf(parameters: ActionParameters): Record<string, string> {
  const tags = new Map<string, string>();
  for (let i = 1; i <= MOST_TAGS; i++) {
    const key = parameters.optional(`Tag.${i}.Key`);
    if (key === undefined) break;
    const value = parameters.text(`Tag.${i}.Value`);
    if (!TAG_KEY.test(key) || value.length > LONGEST_TAG) throw invalid(`Tag.${i} is too long or no tag.`);
    tags.set(key, value);
  }
  const length = [...tags].reduce((sum, [key, value]) => sum + key.length + value.length, 0);
  if (length > LONGEST_TAGS) throw invalid(`The tags have more than ${LONGEST_TAGS} characters.`);
  return Object.fromEntries(tags);
}

function invalid(message: string): ActionError {
  return new ActionError('iot.common.InvalidFormattedParameter', message);
}

export const OTA_JOB_ACTIONS = {
  CreateOTAVerifyJob: createVerifyJob,
  CreateOTAStaticUpgradeJob: createStaticUpgradeJob,
  CreateOTADynamicUpgradeJob: createDynamicUpgradeJob,
  QueryOTAJob: queryJob,
  ListOTAJobByFirmware: listJobByFirmware,
  ListOTAJobByDevice: listJobByDevice,
  CancelOTATaskByJob: cancelTaskByJob,
  CancelOTATaskByDevice: cancelTaskByDevice,
  CancelOTAStrategyByJob: cancelStrategyByJob,
  ConfirmOTATask: confirmTask,
  ReupgradeOTATask: reupgradeTask,
};
