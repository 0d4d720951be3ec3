import type { DeviceIdentity } from '../../protocol';
import {
  bytesContent,
  type Content,
  type DigestMethod,
  diskContent,
  generatedContent,
} from '../files/content';
import type { Download } from '../files/file-server';
import { UnknownDeviceError } from '../options';
import type { Platform } from '../platform';
import type { Device } from '../registry/device';
import { DEFAULT_MODULE, type Firmware, VERIFICATION } from './firmware';
import type { OtaJob, OtaJobSettings, OtaTask, OtaTaskStatus } from './jobs';
import { OtaError } from './ota-error';
import { addFirmware, fileNameOf } from './packages';

/** A file of a firmware package: bytes or text, noise of a size that takes no memory, or a file on disk. */
export type NewFirmwareFile = {
  /** Made from module and version when absent. */
  name?: string;
} & ({ content: Uint8Array | string } | { size: number; seed?: number } | { path: string });

export interface NewFirmware {
  productKey: string;
  /** 1–64 of letters, digits, points, `-` and `_`. */
  version: string;
  /** `default` by default: the whole device. */
  module?: string;
  files: NewFirmwareFile | readonly NewFirmwareFile[];
  /** A difference package; it needs `srcVersion`. */
  isDiff?: boolean;
  /** Only devices with this version get it. */
  srcVersion?: string;
  name?: string;
  description?: string;
  /** `SHA256` by default. */
  signMethod?: DigestMethod;
  /** `_package_udi` of the offer. */
  udi?: string;
  /** An upgrade is refused until `verify` succeeded, as on the platform; false by default. */
  needsVerification?: boolean;
}

export interface NewUpgrade {
  /** All of the product when absent. */
  devices?: readonly DeviceIdentity[];
  /** Devices get it when they ask only, when false. */
  needPush?: boolean;
  /** Tasks wait until they are confirmed (`ConfirmOTATask`). */
  needConfirm?: boolean;
  protocol?: 'HTTPS' | 'MQTT';
  /** Running versions that it is for; any when absent. */
  srcVersions?: readonly string[];
  /** Earlier tasks that have not begun are cancelled for it. */
  overwrite?: boolean;
  multiModule?: boolean;
  /** From the first progress report on. */
  timeoutMs?: number;
  /** How often a device is offered the package again after it failed, by itself; 0 by default. */
  retryCount?: number;
  /** Milliseconds between a failure and the next offer; 0 by default. */
  retryMs?: number;
  /** Devices that are told in a minute; all at once by default. */
  maximumPerMinute?: number;
  /** In `extData` of the offer. */
  tags?: Readonly<Record<string, string>>;
}

export interface FirmwareView {
  firmwareId: string;
  productKey: string;
  version: string;
  module: string;
  isDiff: boolean;
  signMethod: DigestMethod;
  verification: keyof typeof VERIFICATION;
  /** Sizes in bytes, digests in hexadecimal. */
  files: Array<{ name: string; size: number; digest: string }>;
}

/** One device's part of an upgrade. */
export interface UpgradeView {
  taskId: string;
  jobId: string;
  firmwareId: string;
  identity: DeviceIdentity;
  module: string;
  srcVersion: string;
  destVersion: string;
  status: OtaTaskStatus;
  /** Percent. */
  progress: number;
  description: string;
}

/** Firmware over the air, in process. */
export interface FirmwarePanel {
  /** Adds a package; digests of large files take seconds. @throws OtaError @throws the system's error for a file on disk */
  add(firmware: NewFirmware): Promise<{ firmwareId: string }>;
  list(): FirmwareView[];
  /** @throws OtaError while an upgrade with it has not ended */
  remove(firmwareId: string): void;
  /** Verifies a package with a few devices first. @throws OtaError @throws UnknownDeviceError */
  verify(firmwareId: string, devices: readonly DeviceIdentity[], settings?: NewUpgrade): { jobId: string };
  /** Upgrades devices: those that are there are told at once, others when they come. @throws OtaError @throws UnknownDeviceError */
  upgrade(firmwareId: string, settings?: NewUpgrade): { jobId: string };
  /** Ends every task that has not ended. @returns whether there is such a job */
  cancel(jobId: string): boolean;
  /** Agrees to every task that waits for it (`needConfirm`). @returns how many there were @throws OtaError */
  confirm(jobId: string): number;
  /** Tries what failed or was cancelled once more. @returns how many there were @throws OtaError */
  retry(jobId: string): number;
  /** Sends the offer of a device's open task once more. @returns whether it is on its way @throws UnknownDeviceError */
  push(identity: DeviceIdentity, module?: string): boolean;
  /** Tasks of an upgrade, oldest first. @throws OtaError */
  tasks(jobId: string): UpgradeView[];
  /** What was fetched over HTTP, oldest first. */
  downloads(): Download[];
}

export function createFirmwarePanel(platform: Platform): FirmwarePanel {
  const { ota } = platform;
  const firmwareOf = (firmwareId: string): Firmware => {
    const firmware = ota.firmwares.get(firmwareId);
    if (firmware === undefined) throw new OtaError('NotExistedFirmware', 'there is no such package');
    return firmware;
  };
  const jobOf = (jobId: string): OtaJob => {
    const job = ota.jobs.get(jobId);
    if (job === undefined) throw new OtaError('NotExistedJob', 'there is no such job');
    ota.settle(job);
    return job;
  };
  const devicesOf = (firmware: Firmware, identities: readonly DeviceIdentity[] | undefined): Device[] => {
    if (identities !== undefined) return identities.map((identity) => known(platform, identity));
    const product = platform.registry.products.get(firmware.settings.productKey);
    return [...(product?.devices.values() ?? [])];
  };
  return {
    add: async (input) => ({ firmwareId: (await addNewFirmware(platform, input)).firmwareId }),
    list: () => ota.firmwares.list().map(viewFirmware),
    remove: (firmwareId) => ota.deleteFirmware(firmwareOf(firmwareId)),
    verify: (firmwareId, devices, settings = {}) => {
      const firmware = firmwareOf(firmwareId);
      const made = jobSettings({ ...settings, devices }, 'VERIFY_FIRMWARE');
      return { jobId: ota.createJob(firmware, made, devicesOf(firmware, devices)).jobId };
    },
    upgrade: (firmwareId, settings = {}) => {
      const firmware = firmwareOf(firmwareId);
      const devices = devicesOf(firmware, settings.devices);
      return { jobId: ota.createJob(firmware, jobSettings(settings, 'UPGRADE_FIRMWARE'), devices).jobId };
    },
    cancel: (jobId) => {
      const job = ota.jobs.get(jobId);
      if (job === undefined) return false;
      ota.stopTaking(job);
      ota.cancel(job, ['CONFIRM', 'SCHEDULED', 'QUEUED', 'NOTIFIED', 'IN_PROGRESS']);
      return true;
    },
    confirm: (jobId) => jobOf(jobId).tasks.filter((task) => ota.confirm(task)).length,
    retry: (jobId) => jobOf(jobId).tasks.filter((task) => ota.retry(task)).length,
    push: (identity, module = DEFAULT_MODULE) => {
      const task = ota.openTask(known(platform, identity), module);
      return task !== undefined && ota.push(task);
    },
    tasks: (jobId) => {
      return jobOf(jobId).tasks.map(viewUpgrade);
    },
    downloads: () => [...platform.files.downloads],
  };
}

/** @throws OtaError @throws the system's error for a file on disk */
export function addNewFirmware(platform: Platform, input: NewFirmware): Promise<Firmware> {
  const { productKey, version, module = DEFAULT_MODULE, isDiff = false, srcVersion, files } = input;
  const settings = {
    productKey,
    version,
    module,
    isDiff,
    srcVersion,
    name: input.name ?? `${module} ${version}`,
    description: input.description ?? '',
    signMethod: input.signMethod ?? 'SHA256',
    udi: input.udi,
    needsVerification: input.needsVerification ?? false,
  };
  const list = 'length' in files ? files : [files];
  return addFirmware(
    platform,
    settings,
    list.map((file, i) => ({ name: file.name ?? fileNameOf(settings, i), content: contentOf(file) })),
  );
}

export function viewUpgrade(task: OtaTask): UpgradeView {
  const { taskId, job, device, srcVersion, status, progress, description } = task;
  const { firmwareId, settings } = job.firmware;
  return {
    taskId,
    jobId: job.jobId,
    firmwareId,
    identity: device.identity,
    module: settings.module,
    srcVersion,
    destVersion: settings.version,
    status,
    progress,
    description,
  };
}

function viewFirmware({ firmwareId, settings, files, verification }: Firmware): FirmwareView {
  const { productKey, version, module, isDiff, signMethod } = settings;
  const names = Object.keys(VERIFICATION) as Array<keyof typeof VERIFICATION>;
  return {
    firmwareId,
    productKey,
    version,
    module,
    isDiff,
    signMethod,
    verification: names.find((name) => VERIFICATION[name] === verification) ?? 'none',
    files: files.map(({ name, content, digest }) => ({ name, size: content.size, digest })),
  };
}

function contentOf(file: NewFirmwareFile): Content {
  if ('content' in file) return bytesContent(Buffer.from(file.content));
  return 'path' in file ? diskContent(file.path) : generatedContent(file.size, file.seed);
}

function jobSettings(settings: NewUpgrade, type: OtaJobSettings['type']): OtaJobSettings {
  const { devices, needPush = true, needConfirm = false, protocol = 'HTTPS', srcVersions = [] } = settings;
  return {
    type,
    selection: 'STATIC',
    target: devices === undefined ? 'ALL' : 'SPECIFIC',
    grayPercent: undefined,
    group: undefined,
    dynamicMode: undefined,
    srcVersions,
    protocol,
    needPush,
    needConfirm,
    overwrite: settings.overwrite ?? false,
    multiModule: settings.multiModule ?? false,
    timeoutMs: settings.timeoutMs,
    maximumPerMinute: settings.maximumPerMinute,
    retryCount: settings.retryCount ?? 0,
    retryMs: settings.retryMs ?? 0,
    scheduledAt: undefined,
    finishAt: undefined,
    tags: settings.tags ?? {},
  };
}

function known(platform: Platform, identity: DeviceIdentity): Device {
  const device = platform.registry.find(identity);
  if (device === undefined) throw new UnknownDeviceError(identity);
  return device;
}
