import { OTA_TASK_STATUS, type OtaJob, type OtaTask } from '../ota/jobs';
import { ActionError, type ActionParameters } from './parameters';
import { utcTime } from './times';

const UNFINISHED = ['CONFIRM', 'QUEUED', 'NOTIFIED', 'IN_PROGRESS'];

/** @throws ActionError when there is none of this id */
export function jobOf(parameters: ActionParameters): OtaJob {
  const { ota } = parameters.platform;
  const job = ota.jobs.get(parameters.text('JobId'));
  if (job === undefined) throw new ActionError('iot.ota.NotExistedJob', 'The batch does not exist.');
  ota.settle(job);
  return job;
}

/** A batch as lists tell it. */
export function summary(job: OtaJob): object {
  const { settings, firmware, createdAt, changedAt } = job;
  const tags = Object.entries(settings.tags).map(([Key, Value]) => ({ Key, Value }));
  const ended = job.status === 'COMPLETED' || job.status === 'CANCELED';
  return {
    JobId: job.jobId,
    JobStatus: job.status,
    JobType: settings.type,
    FirmwareId: firmware.firmwareId,
    ProductKey: firmware.settings.productKey,
    SelectionType: settings.selection,
    TargetSelection: settings.target,
    Tags: { OtaTagDTO: tags },
    UtcCreate: utcTime(createdAt),
    UtcModified: utcTime(changedAt),
    UtcStartTime: utcTime(settings.scheduledAt ?? createdAt),
    UtcEndTime: ended ? utcTime(changedAt) : '',
  };
}

/** A batch with all that it was asked for. */
export function describeJob(job: OtaJob): object {
  const { settings, firmware } = job;
  return {
    ...summary(job),
    Name: firmware.settings.name,
    JobDesc: '',
    DestVersion: firmware.settings.version,
    SrcVersions: { SrcVersion: [...settings.srcVersions] },
    DownloadProtocol: settings.protocol,
    NeedPush: settings.needPush,
    NeedConfirm: settings.needConfirm,
    OverwriteMode: settings.overwrite ? 2 : 1,
    MultiModuleMode: settings.multiModule,
    ...(settings.dynamicMode === undefined ? {} : { DynamicMode: settings.dynamicMode }),
    ...(settings.grayPercent === undefined ? {} : { GrayPercent: String(settings.grayPercent) }),
    ...(settings.group === undefined ? {} : { GroupId: settings.group.id, GroupName: settings.group.name }),
    ...(settings.timeoutMs === undefined ? {} : { TimeoutInMinutes: settings.timeoutMs / 60_000 }),
    ...(settings.maximumPerMinute === undefined ? {} : { MaximumPerMinute: settings.maximumPerMinute }),
    ...(settings.retryCount === 0
      ? {}
      : { RetryCount: settings.retryCount, RetryInterval: settings.retryMs / 60_000 }),
    ...(settings.finishAt === undefined ? {} : { UtcScheduleFinishTime: utcTime(settings.finishAt) }),
    ...(settings.scheduledAt === undefined ? {} : { UtcScheduleTime: utcTime(settings.scheduledAt) }),
  };
}

function listTaskByJob(parameters: ActionParameters): object {
  const { tasks } = jobOf(parameters);
  const status = statusOf(parameters);
  const names = parameters.list('DeviceNames');
  const found = tasks
    .filter((task) => status === undefined || task.status === status)
    .filter(({ device }) => names.length === 0 || names.includes(device.identity.deviceName));
  const { rows, ...paging } = parameters.page(found, { most: 100 });
  return { ...paging, Data: { SimpleOTATaskInfo: rows.map(describeTask) } };
}

function listUnfinishedTaskByDevice(parameters: ActionParameters): object {
  const device = parameters.device();
  const { ota } = parameters.platform;
  const listed = parameters.list('TaskStatusList');
  const status = statusOf(parameters);
  const wanted = listed.length > 0 ? listed : status === undefined ? UNFINISHED : [status];
  const module = parameters.optional('ModuleName');
  const tasks = [...device.upgrades.values()].filter((task) => {
    ota.settle(task.job);
    const fits = module === undefined || task.job.firmware.settings.module === module;
    return fits && task.isOpen && wanted.includes(task.status);
  });
  return {
    Data: {
      SimpleOTATaskInfo: tasks.map((task) => ({
        ...describeTask(task),
        ModuleName: task.job.firmware.settings.module,
      })),
    },
  };
}

function describeTask(task: OtaTask): object {
  const { job, device, taskId, status, progress, description, srcVersion, createdAt, changedAt } = task;
  const { settings, firmwareId } = job.firmware;
  const { timeoutMs } = job.settings;
  return {
    TaskId: taskId,
    JobId: job.jobId,
    FirmwareId: firmwareId,
    ProductKey: device.identity.productKey,
    ProductName: device.product.name,
    DeviceName: device.identity.deviceName,
    IotId: device.iotId,
    TaskStatus: status,
    TaskDesc: description,
    Progress: String(progress),
    SrcVersion: srcVersion,
    DestVersion: settings.version,
    Timeout: timeoutMs === undefined ? '' : String(timeoutMs / 60_000),
    UtcCreate: utcTime(createdAt),
    UtcModified: utcTime(changedAt),
  };
}

function statusOf(parameters: ActionParameters): string | undefined {
  const status = parameters.optional('TaskStatus');
  if (status === undefined || OTA_TASK_STATUS.some((known) => known === status)) return status;
  throw new ActionError(
    'iot.common.InvalidFormattedParameter',
    `TaskStatus is one of ${OTA_TASK_STATUS.join(', ')}.`,
  );
}

export const OTA_TASK_ACTIONS = {
  ListOTATaskByJob: listTaskByJob,
  ListOTAUnfinishedTaskByDevice: listUnfinishedTaskByDevice,
};
