import { isJsonObject, type Json, type JsonObject } from '../protocol';
import { restoreContent } from './files/content';
import { DEFAULT_MODULE, Firmware, type FirmwareSettings, VERIFICATION } from './ota/firmware';
import { OTA_TARGETS, OTA_TASK_STATUS, OtaJob, type OtaJobSettings, OtaTask } from './ota/jobs';
import { OtaError } from './ota/ota-error';
import type { Platform } from './platform';

/** Firmware packages with their batches, as a snapshot keeps them; those whose files are too large for it are left out. */
export function writeFirmwares({ ota }: Platform): JsonObject[] {
  return ota.firmwares
    .list()
    .reverse()
    .flatMap((firmware): JsonObject[] => {
      const { firmwareId, settings, createdAt, changedAt, verification } = firmware;
      const files: JsonObject[] = [];
      for (const { name, digest, content } of firmware.files) {
        const saved = content.save();
        if (saved === undefined) return [];
        files.push({ name, digest, content: saved });
      }
      const jobs = ota.jobs.ofFirmware(firmware).reverse().map(writeJob);
      const written = { ...settings, srcVersion: settings.srcVersion ?? null, udi: settings.udi ?? null };
      return [{ firmwareId, createdAt, changedAt, verification, settings: written, files, jobs }];
    });
}

/** Brings back what `writeFirmwares` gave; what the configuration file has already, or cannot be, is left out. */
export function readFirmwares(platform: Platform, saved: Json | undefined): void {
  for (const entry of Array.isArray(saved) ? saved : []) {
    if (!isJsonObject(entry)) continue;
    const { firmwareId, createdAt, changedAt, verification, settings, files, jobs } = entry;
    if (typeof firmwareId !== 'string' || typeof createdAt !== 'number' || !isJsonObject(settings)) continue;
    if (!platform.registry.products.has(String(settings.productKey))) continue;
    const served = restoreFiles(platform, files);
    if (served === undefined) continue;
    const firmware = new Firmware(restoreSettings(settings), served, createdAt, firmwareId);
    const known = Object.values(VERIFICATION).find((value) => value === verification);
    firmware.verified(known ?? VERIFICATION.none, typeof changedAt === 'number' ? changedAt : createdAt);
    try {
      makeWay(platform, firmware);
      platform.ota.firmwares.add(firmware);
    } catch (thrown) {
      if (!(thrown instanceof OtaError)) throw thrown;
      for (const file of served) platform.forgetFile(file);
      continue;
    }
    for (const job of Array.isArray(jobs) ? jobs : []) restoreJob(platform, firmware, job);
  }
}

// The same package of the configuration file; one with other files stays, and what the snapshot knows of it is over.
function makeWay({ ota }: Platform, firmware: Firmware): void {
  const { productKey, version, module, srcVersion } = firmware.settings;
  const same = ota.firmwares.list().find(({ settings }) => {
    if (settings.productKey !== productKey || settings.module !== module) return false;
    return settings.version === version && settings.srcVersion === srcVersion;
  });
  const digests = ({ files }: Firmware) => files.map(({ digest }) => digest).join();
  if (same !== undefined && digests(same) === digests(firmware)) ota.deleteFirmware(same);
}

function writeJob(job: OtaJob): JsonObject {
  const { jobId, settings, createdAt, changedAt, streamId, cancelled, isTaking, tasks } = job;
  return {
    jobId,
    createdAt,
    changedAt,
    streamId,
    cancelled,
    isTaking,
    // Without what is undefined.
    settings: JSON.parse(JSON.stringify(settings)) as JsonObject,
    tasks: tasks.map(({ device, startedAt, retryAt, ...task }) => ({
      ...device.identity,
      taskId: task.taskId,
      srcVersion: task.srcVersion,
      createdAt: task.createdAt,
      changedAt: task.changedAt,
      startedAt: startedAt ?? null,
      retries: task.retries,
      retryAt: retryAt ?? null,
      status: task.status,
      progress: task.progress,
      description: task.description,
    })),
  };
}

function restoreFiles(platform: Platform, saved: Json | undefined) {
  const files: Array<{ name: string; digest: string; content: ReturnType<typeof restoreContent> }> = [];
  for (const entry of Array.isArray(saved) ? saved : []) {
    const { name, digest, content } = isJsonObject(entry) ? entry : {};
    files.push({ name: String(name), digest: String(digest), content: restoreContent(content) });
  }
  const memory = files.reduce((sum, { content }) => sum + (content?.memoryBytes ?? 0), 0);
  if (files.length === 0 || files.some(({ content }) => content === undefined)) return undefined;
  if (!platform.firmwareBudget.claim(memory)) return undefined;
  return files.flatMap(({ name, digest, content }) =>
    content === undefined ? [] : [platform.files.add({ name, digest, content, purpose: 'ota.upgrade' })],
  );
}

function restoreSettings(saved: JsonObject): FirmwareSettings {
  const { isDiff, srcVersion, udi, signMethod, needsVerification, module } = saved;
  return {
    productKey: String(saved.productKey),
    version: String(saved.version),
    module: typeof module === 'string' ? module : DEFAULT_MODULE,
    isDiff: isDiff === true,
    srcVersion: typeof srcVersion === 'string' ? srcVersion : undefined,
    name: String(saved.name),
    description: String(saved.description),
    signMethod: signMethod === 'MD5' ? 'MD5' : 'SHA256',
    udi: typeof udi === 'string' ? udi : undefined,
    needsVerification: needsVerification === true,
  };
}

function restoreJob(platform: Platform, firmware: Firmware, saved: Json): void {
  if (!isJsonObject(saved)) return;
  const { jobId, createdAt, changedAt, streamId, cancelled, isTaking, settings, tasks } = saved;
  if (typeof jobId !== 'string' || typeof createdAt !== 'number' || typeof streamId !== 'number') return;
  const job = new OtaJob(firmware, restoreJobSettings(settings), createdAt, streamId, jobId);
  job.cancelled = cancelled === true;
  job.isTaking = isTaking === true;
  if (typeof changedAt === 'number') job.changedAt = changedAt;
  const saidTasks = Array.isArray(tasks) ? tasks : [];
  platform.ota.jobs.add(job, saidTasks.length);
  for (const task of saidTasks) restoreTask(platform, job, task);
  platform.ota.plan(job);
}

function restoreJobSettings(saved: Json | undefined): OtaJobSettings {
  const settings = isJsonObject(saved) ? saved : {};
  const number = (name: string) => {
    const value = settings[name];
    return typeof value === 'number' ? value : undefined;
  };
  const { type, selection, target, group, srcVersions, tags, protocol, dynamicMode } = settings;
  return {
    type: type === 'VERIFY_FIRMWARE' ? type : 'UPGRADE_FIRMWARE',
    selection: selection === 'DYNAMIC' ? selection : 'STATIC',
    target: OTA_TARGETS.find((known) => known === target) ?? 'ALL',
    grayPercent: number('grayPercent'),
    group: isJsonObject(group) ? { id: String(group.id), name: String(group.name) } : undefined,
    dynamicMode: dynamicMode === 1 || dynamicMode === 2 ? dynamicMode : undefined,
    srcVersions: Array.isArray(srcVersions) ? srcVersions.map(String) : [],
    protocol: protocol === 'MQTT' ? protocol : 'HTTPS',
    needPush: settings.needPush !== false,
    needConfirm: settings.needConfirm === true,
    overwrite: settings.overwrite === true,
    multiModule: settings.multiModule === true,
    timeoutMs: number('timeoutMs'),
    maximumPerMinute: number('maximumPerMinute'),
    retryCount: number('retryCount') ?? 0,
    retryMs: number('retryMs') ?? 0,
    scheduledAt: number('scheduledAt'),
    finishAt: number('finishAt'),
    tags: isJsonObject(tags)
      ? Object.fromEntries(Object.entries(tags).map(([key, value]) => [key, String(value)]))
      : {},
  };
}

function restoreTask({ registry, ota }: Platform, job: OtaJob, saved: Json): void {
  if (!isJsonObject(saved)) return;
  const { productKey, deviceName, taskId, srcVersion, createdAt, changedAt, startedAt, status } = saved;
  if (typeof taskId !== 'string' || typeof createdAt !== 'number') return;
  const device = registry.find({ productKey: String(productKey), deviceName: String(deviceName) });
  if (device === undefined) return;
  const task = new OtaTask(job, device, String(srcVersion), createdAt, taskId);
  task.status = OTA_TASK_STATUS.find((known) => known === status) ?? 'CANCELED';
  if (typeof changedAt === 'number') task.changedAt = changedAt;
  if (typeof startedAt === 'number') task.startedAt = startedAt;
  if (typeof saved.progress === 'number') task.progress = saved.progress;
  if (typeof saved.retries === 'number') task.retries = saved.retries;
  if (typeof saved.retryAt === 'number') task.retryAt = saved.retryAt;
  task.description = String(saved.description);
  ota.jobs.addTask(task);
}
