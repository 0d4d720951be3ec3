import { isJsonObject, type Json, type JsonObject } from '../../protocol';
import { cancelJob, createJob, deleteJob } from '../jobs';
import type { Device } from '../registry/device';
import { type Job, JobLimitError, type JobTask } from '../registry/jobs';
import { ActionError, type ActionParameters } from './parameters';
import { utcTime } from './times';

const LARGEST_DOCUMENT = 65_536;
const JOB_NAME = /^[\p{Script=Han}\w]{4,30}$/u;

/** Only CUSTOM_JOB: the other types are services and properties for many devices, which have actions of their own. */
function createJobAction(parameters: ActionParameters): object {
  const { platform } = parameters;
  const type = parameters.text('Type');
  if (type !== 'CUSTOM_JOB') throw invalid('This emulator has jobs of the type CUSTOM_JOB only.');
  const name = parameters.text('JobName');
  if (!JOB_NAME.test(name)) throw invalid('JobName has 4 to 30 letters, digits or underscores.');
  const text = parameters.text('JobDocument');
  if (text.length > LARGEST_DOCUMENT)
    throw invalid(`JobDocument is longer than ${LARGEST_DOCUMENT} characters.`);
  const target = parameters.json('TargetConfig');
  if (!isJsonObject(target)) throw invalid('TargetConfig must be an object.');
  const file = parameters.optional('JobFile') === undefined ? undefined : parameters.json('JobFile');
  const timeout = parameters.optional('TimeoutConfig') === undefined ? {} : parameters.json('TimeoutConfig');
  const minutes = isJsonObject(timeout) ? timeout.inProgressTimeoutInMinutes : undefined;
  try {
    const job = createJob(
      platform,
      {
        name,
        description: parameters.optional('Description')?.slice(0, 100) ?? '',
        document: parameters.json('JobDocument'),
        file: isJsonObject(file) ? file : undefined,
        inProgressMs: typeof minutes === 'number' && minutes > 0 ? minutes * 60_000 : undefined,
        target,
      },
      targetDevices(parameters, target),
    );
    return { JobId: job.jobId };
  } catch (thrown) {
    if (!(thrown instanceof JobLimitError)) throw thrown;
    throw new ActionError('iot.job.ExceedLimit', thrown.message);
  }
}

function queryJob(parameters: ActionParameters): object {
  const job = jobOf(parameters);
  const { document, file, inProgressMs, target } = job.settings;
  const devices = Array.isArray(target.targetDevices) ? target.targetDevices.filter(isJsonObject) : [];
  return {
    Data: {
      ...summary(job, parameters.platform.clock()),
      JobDocument: JSON.stringify(document),
      ...(file === undefined
        ? {}
        : { JobFile: { FileUrl: file.fileUrl, Sign: file.sign, SignMethod: file.signMethod } }),
      TimeoutConfig: inProgressMs === undefined ? {} : { InProgressTimeoutInMinutes: inProgressMs / 60_000 },
      TargetConfig: {
        TargetType: target.targetType,
        TargetProduct: target.targetProduct,
        TargetDevices: {
          targetDevices: devices.map(({ productKey, deviceName }) => ({
            ProductKey: productKey,
            DeviceName: deviceName,
          })),
        },
      },
    },
  };
}

function listJob(parameters: ActionParameters): object {
  const now = parameters.platform.clock();
  const status = parameters.optional('Status');
  const jobs = parameters.platform.registry.jobs.list();
  const { rows, ...paging } = parameters.page(
    jobs.filter((job) => status === undefined || job.status(now) === status),
  );
  return { ...paging, Page: paging.CurrentPage, Data: { data: rows.map((job) => summary(job, now)) } };
}

function cancelJobAction(parameters: ActionParameters): object {
  cancelJob(parameters.platform, jobOf(parameters));
  return {};
}

function deleteJobAction(parameters: ActionParameters): object {
  deleteJob(parameters.platform, jobOf(parameters));
  return {};
}

function listTask(parameters: ActionParameters): object {
  const now = parameters.platform.clock();
  const status = parameters.optional('Status');
  const jobId = parameters.optional('JobId');
  const device = parameters.optional('Device') === undefined ? undefined : parameters.json('Device');
  const wanted = isJsonObject(device) ? device : {};
  const tasks = parameters.platform.registry.jobs
    .list()
    .filter((job) => jobId === undefined || job.jobId === jobId)
    .flatMap((job) => job.tasks)
    .filter(
      (task) =>
        (status === undefined || task.status(now) === status) &&
        (wanted.productKey === undefined || wanted.productKey === task.device.identity.productKey) &&
        (wanted.deviceName === undefined || wanted.deviceName === task.device.identity.deviceName),
    );
  const limit = parameters.number('Limit', 10, { min: 1, max: 50 });
  const start = parameters.number('NextToken', 0);
  const next = start + limit;
  return {
    ...(next < tasks.length ? { NextToken: String(next) } : {}),
    Data: { data: tasks.slice(start, next).map((task) => describeTask(task, now)) },
  };
}

function queryTask(parameters: ActionParameters): object {
  const { platform } = parameters;
  const task = platform.registry.jobs.findTask(parameters.text('TaskId'));
  if (task === undefined) throw new ActionError('iot.job.NotExistedTask', 'The task does not exist.');
  const statusDetail = JSON.stringify(task.statusDetails);
  return { Data: { ...describeTask(task, platform.clock()), StatusDetail: statusDetail, Message: '' } };
}

function queryJobStatistics(parameters: ActionParameters): object {
  const now = parameters.platform.clock();
  const { tasks } = jobOf(parameters);
  const count = (status: string) => tasks.filter((task) => task.status(now) === status).length;
  return {
    Data: {
      Total: tasks.length,
      Queued: count('QUEUED'),
      Sent: count('SENT'),
      InProgress: count('IN_PROGRESS'),
      Succeeded: count('SUCCEEDED'),
      Failed: count('FAILED'),
      Rejected: count('REJECTED'),
      Cancelled: count('CANCELLED'),
      TimeOut: count('TIMED_OUT'),
    },
  };
}

function targetDevices(parameters: ActionParameters, target: JsonObject): Device[] {
  const { registry } = parameters.platform;
  switch (target.targetType) {
    case 'PRODUCT_KEY': {
      const product = registry.products.get(String(target.targetProduct));
      if (product === undefined) throw invalid('targetProduct names no product.');
      return [...product.devices.values()];
    }
    case 'DEVICE_LIST': {
      const list = Array.isArray(target.targetDevices) ? target.targetDevices : [];
      if (list.length === 0) throw invalid('targetDevices is empty.');
      return list.map((entry: Json) => {
        const { productKey, deviceName } = isJsonObject(entry) ? entry : {};
        const device = registry.find({ productKey: String(productKey), deviceName: String(deviceName) });
        if (device === undefined) {
          throw new ActionError('iot.device.NotExistedDevice', 'A device of targetDevices does not exist.');
        }
        return device;
      });
    }
    default:
      throw invalid('targetType is PRODUCT_KEY or DEVICE_LIST.');
  }
}

function summary(job: Job, now: number): object {
  return {
    JobId: job.jobId,
    JobName: job.settings.name,
    Description: job.settings.description,
    Type: 'CUSTOM_JOB',
    Status: job.status(now),
    UtcCreate: utcTime(job.createdAt),
    UtcModified: utcTime(job.changedAt),
  };
}

function describeTask(task: JobTask, now: number): object {
  const { job, device, taskId, progress, queuedAt, changedAt } = task;
  return {
    TaskId: taskId,
    JobId: job.jobId,
    JobName: job.settings.name,
    ProductKey: device.identity.productKey,
    DeviceName: device.identity.deviceName,
    IotId: device.iotId,
    Status: task.status(now),
    Progress: String(progress),
    UtcQueueTime: utcTime(queuedAt),
    UtcModified: utcTime(changedAt),
  };
}

function jobOf(parameters: ActionParameters): Job {
  const job = parameters.platform.registry.jobs.get(parameters.text('JobId'));
  if (job === undefined) throw new ActionError('iot.job.NotExistedJob', 'The job does not exist.');
  return job;
}

function invalid(message: string): ActionError {
  return new ActionError('iot.common.InvalidFormattedParameter', message);
}

export const JOB_ACTIONS = {
  CreateJob: createJobAction,
  QueryJob: queryJob,
  ListJob: listJob,
  CancelJob: cancelJobAction,
  DeleteJob: deleteJobAction,
  ListTask: listTask,
  QueryTask: queryTask,
  QueryJobStatistics: queryJobStatistics,
};
