import type { OtaTask } from '../ota/jobs';
import type { Device } from '../registry/device';
import type { PlatformMessageInput } from './messages';

/** An upgrade ended (B.9). */
export function otaResultMessage(
  { device, job, taskId, srcVersion, description }: OtaTask,
  status: 'SUCCEEDED' | 'FAILED',
  now: number,
): PlatformMessageInput {
  const { productKey, deviceName } = device.identity;
  const { version, module } = job.firmware.settings;
  return {
    topic: `/${productKey}/${deviceName}/ota/upgrade`,
    body: {
      iotId: device.iotId,
      productKey,
      deviceName,
      moduleName: module,
      status,
      srcVersion,
      destVersion: version,
      desc: description,
      jobId: job.jobId,
      taskId,
      messageCreateTime: now,
    },
  };
}

/** A device told the version of a module (B.9). */
export function versionMessage(
  { identity, iotId }: Device,
  module: string,
  version: string,
  now: number,
): PlatformMessageInput {
  const { productKey, deviceName } = identity;
  return {
    topic: `/${productKey}/${deviceName}/ota/version/post`,
    body: {
      iotId,
      productKey,
      deviceName,
      moduleName: module,
      moduleVersion: version,
      messageCreateTime: now,
    },
  };
}
