import { formatTopic, type JsonObject, operation as operationOf } from '../../protocol';
import { otaResultMessage, versionMessage } from '../forwarding/ota-messages';
import type { Ground } from '../ground';
import type { Device } from '../registry/device';
import { type Firmware, FirmwareStore, VERIFICATION } from './firmware';
import { checkJob, fits } from './job-rules';
import { OtaJob, type OtaJobSettings, OtaJobStore, OtaTask, type OtaTaskStatus } from './jobs';
import { describeOffer, STREAM_FILE_ID } from './offer';
import { OtaError } from './ota-error';

const MOST_MODULES = 100;
/** How often a device joins one dynamic batch that is for certain versions. */
const MOST_MATCHES = 10;
const MINUTE = 60_000;
const LONGEST_TIMER_MS = 2 ** 31 - 1;
const LONGEST_DESCRIPTION = 1024;
/** What a device reports instead of a percentage (G.3). */
const FAILURES = new Map([
  [-1, 'upgrade failed'],
  [-2, 'download failed'],
  [-3, 'verification failed'],
  [-4, 'flashing failed'],
]);

/** Firmware over the air, the platform's side: which device gets what, and what became of it (section G). */
export class Ota {
  readonly firmwares: FirmwareStore;
  readonly jobs = new OtaJobStore();

  constructor(private readonly platform: Ground) {
    this.firmwares = new FirmwareStore(platform.limits.firmwares);
  }

  /**
   * Makes an upgrade and tells its devices.
   * @param devices those that are meant; ones that run the version already, or one that it is not for, are left out
   * @throws OtaError
   */
  createJob(firmware: Firmware, settings: OtaJobSettings, devices: readonly Device[]): OtaJob {
    const { platform, jobs } = this;
    const now = platform.clock();
    const mqttBytes = platform.limits.mqttFirmwareBytes;
    checkJob(firmware, settings, devices, { earlier: jobs.ofFirmware(firmware), mqttBytes, now });
    const job = new OtaJob(firmware, settings, now, jobs.nextStream());
    const known = settings.dynamicMode === 2 ? [] : [...new Set(devices)];
    const meant = known.filter((device) => fits(job, device));
    jobs.add(job, meant.length);
    if (settings.type === 'VERIFY_FIRMWARE') firmware.verified(VERIFICATION.running, now);
    this.tell(
      job,
      meant.map((device) => this.addTask(job, device)),
    );
    this.judgeVerification(job);
    this.plan(job);
    return job;
  }

  /** Sets the timers of a batch that is new, or that a snapshot brought back. */
  plan(job: OtaJob): void {
    const { scheduledAt, finishAt } = job.settings;
    if (scheduledAt !== undefined) this.at(scheduledAt, () => this.begin(job));
    if (finishAt !== undefined) this.at(finishAt, () => this.finish(job));
    for (const task of job.tasks) {
      if (!task.isOpen) continue;
      this.planRetry(task);
      this.planTimeout(task);
    }
  }

  private begin(job: OtaJob): void {
    const begun = job.tasks.filter(({ status }) => status === 'SCHEDULED');
    for (const task of begun) {
      task.change(job.settings.needConfirm ? 'CONFIRM' : 'QUEUED', this.platform.clock());
    }
    this.tell(job, begun);
  }

  private finish(job: OtaJob): void {
    for (const task of job.tasks)
      if (task.isOpen) this.end(task, 'CANCELED', 'the time of the batch is over');
  }

  /** Offers tasks to their devices, so many in a minute as the batch allows. */
  private tell({ settings }: OtaJob, tasks: readonly OtaTask[]): void {
    const queued = tasks.filter(({ status }) => status === 'QUEUED');
    const most = settings.maximumPerMinute ?? Math.max(1, queued.length);
    const offer = (some: readonly OtaTask[]) => {
      for (const task of some) if (task.status === 'QUEUED') this.push(task);
    };
    offer(queued.slice(0, most));
    for (let i = most; i < queued.length; i += most) {
      this.platform.later((i / most) * MINUTE, () => offer(queued.slice(i, i + most)));
    }
  }

  /** The application agrees. @returns false when the task does not wait for it */
  confirm(task: OtaTask): boolean {
    if (task.status !== 'CONFIRM') return false;
    task.change('QUEUED', this.platform.clock());
    this.push(task);
    return true;
  }

  /** Once more after a failure. @returns false when it did not fail, or the device has another upgrade */
  retry(task: OtaTask): boolean {
    if (task.status !== 'FAILED' && task.status !== 'CANCELED') return false;
    const { device, job } = task;
    if (this.inTheWay(job, device).length > 0) return false;
    const now = this.platform.clock();
    job.cancelled = false;
    if (job.settings.type === 'VERIFY_FIRMWARE') job.firmware.verified(VERIFICATION.running, now);
    task.restart(now);
    this.push(task);
    return true;
  }

  /** @param which states that end so @returns how many ended */
  cancel(job: OtaJob, which: readonly OtaTaskStatus[]): number {
    const tasks = job.tasks.filter((task) => task.isOpen && which.includes(task.status));
    for (const task of tasks) this.cancelTask(task);
    if (!job.isTaking && tasks.length > 0 && job.tasks.every(({ status }) => status === 'CANCELED')) {
      job.cancelled = true;
    }
    return tasks.length;
  }

  cancelTask(task: OtaTask): void {
    this.end(task, 'CANCELED', 'cancelled');
  }

  /** A dynamic batch takes no more devices in. */
  stopTaking(job: OtaJob): void {
    job.isTaking = false;
    job.changedAt = this.platform.clock();
  }

  /** @throws OtaError while devices work on it */
  deleteFirmware(firmware: Firmware): void {
    for (const job of this.jobs.ofFirmware(firmware)) {
      this.settle(job);
      if (job.status === 'IN_PROGRESS' || job.status === 'PLANNED') {
        throw new OtaError('FirmwareInUse', 'a batch of the package has not ended');
      }
    }
    for (const job of this.jobs.ofFirmware(firmware)) this.jobs.remove(job);
    this.firmwares.remove(firmware);
    for (const file of firmware.files) this.platform.forgetFile(file);
  }

  /** The device reported its version (B.6 row 80). @returns what people should know */
  versionReported(device: Device, module: string, version: string): string | undefined {
    const { platform } = this;
    const now = platform.clock();
    if (!device.moduleVersions.has(module) && device.moduleVersions.size >= MOST_MODULES) {
      return `more than ${MOST_MODULES} modules`;
    }
    device.moduleVersions.set(module, { version, time: now });
    platform.forwarding.publish(device, versionMessage(device, module, version, now));
    const task = this.openTask(device, module);
    const made = task ?? this.takeIn(device, module);
    if (made === undefined) return undefined;
    if (made.job.firmware.settings.version === version) {
      this.end(made, 'SUCCEEDED', 'success');
      return 'the upgrade succeeded';
    }
    if (made.status !== 'IN_PROGRESS' || made.srcVersion === '') made.srcVersion = version;
    // The same version in the middle of a download is a restart, after which the device goes on.
    const failed = made.progress >= 100 || version !== made.srcVersion;
    if (made.status === 'IN_PROGRESS' && made.isDue && failed) {
      return this.fail(made, `the device reported ${version}, not ${made.job.firmware.settings.version}`);
    }
    return this.push(made) ? 'offered' : undefined;
  }

  /** The device reported progress (row 82). @returns what people should know */
  progressReported(device: Device, module: string, step: number, description: string): string | undefined {
    const task = this.openTask(device, module);
    if (task === undefined || !task.isDue) return 'no upgrade of this module is under way';
    const now = this.platform.clock();
    const text = description.slice(0, LONGEST_DESCRIPTION);
    if (step < 0) return this.fail(task, text === '' ? (FAILURES.get(step) ?? 'failed') : text);
    const first = task.startedAt === undefined;
    task.progress = step;
    task.change('IN_PROGRESS', now, text);
    if (first) this.planTimeout(task);
    return undefined;
  }

  /** The offer for a device that asks (rows 83, 84); undefined when there is none. */
  offerFor(device: Device, module: string): JsonObject | undefined {
    const task = this.openTask(device, module);
    if (task === undefined || !task.isDue) return undefined;
    if (task.status === 'QUEUED') task.change('NOTIFIED', this.platform.clock());
    return this.describe(task);
  }

  /** The file of a stream that the device may read (row 85). */
  streamFile(device: Device, streamId: number, fileId: number) {
    if (fileId !== STREAM_FILE_ID) return undefined;
    const task = [...device.upgrades.values()].find(({ job }) => job.streamId === streamId);
    return task?.isOpen === true ? task.job.firmware.files[0] : undefined;
  }

  /** The device came online, or subscribed the topic: what is due goes out. */
  pushDue(device: Device): void {
    for (const task of device.upgrades.values()) {
      if (task.status === 'QUEUED' || task.isOwed) this.push(task);
    }
  }

  /** Pushes the offer of a task (row 81). @returns whether it is on its way */
  push(task: OtaTask): boolean {
    const { platform } = this;
    const { device, job } = task;
    if (!task.isDue || !job.settings.needPush) return false;
    const { name, topic } = operationOf('ota.upgrade');
    const wire = formatTopic(topic, { ...device.identity });
    const outlook = platform.sessionOf(device).outlook(wire, 1);
    if (outlook !== 'sent' && outlook !== 'queued') return false;
    const id = Number(platform.messageIds.next());
    const message = { code: '1000', data: this.describe(task), id, message: 'success' };
    platform.push(device, wire, JSON.stringify(message), 1, name);
    task.isOwed = false;
    if (task.status === 'QUEUED') task.change('NOTIFIED', platform.clock());
    return true;
  }

  /** The unfinished task for a module of a device. */
  openTask(device: Device, module: string): OtaTask | undefined {
    for (const task of device.upgrades.values()) {
      if (task.job.firmware.settings.module !== module || !task.isOpen) continue;
      this.settleTask(task);
      if (task.isOpen) return task;
    }
    return undefined;
  }

  /** Tasks that took too long fail. */
  settle(job: OtaJob): void {
    for (const task of job.tasks) this.settleTask(task);
  }

  /** Forgets packages, modules and batches of a product that is no more. */
  forgetProduct(productKey: string): void {
    for (const firmware of this.firmwares.list()) {
      if (firmware.settings.productKey !== productKey) continue;
      for (const job of this.jobs.ofFirmware(firmware)) this.stopTaking(job);
      this.deleteFirmware(firmware);
    }
    this.firmwares.forgetModules(productKey);
  }

  /** Ends everything of a device that is no more. */
  forget(device: Device): void {
    for (const task of device.upgrades.values()) if (task.isOpen) this.end(task, 'CANCELED', 'deleted');
  }

  private describe(task: OtaTask): JsonObject {
    const { faults, files } = this.platform;
    const { identity } = task.device;
    const strikes = (action: 'wrongDigest' | 'wrongSize') =>
      faults.strikeFile(action, identity, '', 'ota.upgrade') !== undefined;
    return describeOffer(task, files, {
      wrongDigest: strikes('wrongDigest'),
      wrongSize: strikes('wrongSize'),
    });
  }

  private addTask(job: OtaJob, device: Device): OtaTask {
    const now = this.platform.clock();
    const { module } = job.firmware.settings;
    const { overwrite, needConfirm, scheduledAt = 0 } = job.settings;
    const task = new OtaTask(job, device, device.moduleVersions.get(module)?.version ?? '', now);
    const others = this.inTheWay(job, device);
    this.jobs.addTask(task);
    if (others.some((other) => !overwrite || other.status === 'IN_PROGRESS')) {
      this.end(task, 'FAILED', 'another upgrade of the device has not ended');
      return task;
    }
    for (const other of others) this.end(other, 'CANCELED', 'overwritten by a later upgrade');
    if (scheduledAt > now) task.change('SCHEDULED', now);
    else if (needConfirm) task.change('CONFIRM', now);
    return task;
  }

  /** Open tasks of a device that keep it from another one: of the same module, or of any when modules are not apart. */
  private inTheWay({ firmware, settings }: OtaJob, device: Device): OtaTask[] {
    const others = [...device.upgrades.values()];
    for (const other of others) this.settleTask(other);
    return others.filter((other) => {
      return (
        other.isOpen &&
        (!settings.multiModule || other.job.firmware.settings.module === firmware.settings.module)
      );
    });
  }

  /** A device that reported a version joins the latest dynamic batch that it fits. */
  private takeIn(device: Device, module: string): OtaTask | undefined {
    const job = this.jobs.list().find((candidate) => {
      const { settings } = candidate.firmware;
      if (!candidate.isTaking || settings.module !== module) return false;
      if (settings.productKey !== device.identity.productKey) return false;
      const earlier = [...device.upgrades.values()].filter((task) => task.job === candidate).length;
      const most = candidate.settings.srcVersions.length === 0 ? 1 : MOST_MATCHES;
      return earlier < most && fits(candidate, device);
    });
    return job === undefined || this.jobs.isFull ? undefined : this.addTask(job, device);
  }

  /** A try failed: another one is due, or the upgrade is over. @returns what people should know */
  private fail(task: OtaTask, description: string): string {
    const { retryCount, retryMs } = task.job.settings;
    if (task.retries >= retryCount) {
      this.end(task, 'FAILED', description);
      return 'the upgrade failed';
    }
    const now = this.platform.clock();
    task.retryLater(now + retryMs, now, description);
    this.planRetry(task);
    return 'the upgrade failed and is tried again';
  }

  private planTimeout(task: OtaTask): void {
    const { startedAt } = task;
    const { timeoutMs } = task.job.settings;
    if (startedAt === undefined || timeoutMs === undefined) return;
    this.at(startedAt + timeoutMs, () => this.settleTask(task));
  }

  private planRetry(task: OtaTask): void {
    const { retryAt } = task;
    if (retryAt === undefined) return;
    this.at(retryAt, () => {
      if (!task.isOpen || task.retryAt !== retryAt) return;
      task.retryAt = undefined;
      task.isOwed = !this.push(task);
    });
  }

  private settleTask(task: OtaTask): void {
    const { timeoutMs } = task.job.settings;
    if (task.status !== 'IN_PROGRESS' || timeoutMs === undefined || task.startedAt === undefined) return;
    if (this.platform.clock() >= task.startedAt + timeoutMs) this.end(task, 'FAILED', 'timeout');
  }

  private end(task: OtaTask, status: 'SUCCEEDED' | 'FAILED' | 'CANCELED', description: string): void {
    const now = this.platform.clock();
    if (status === 'SUCCEEDED') task.progress = 100;
    task.change(status, now, description);
    task.job.changedAt = now;
    if (status !== 'CANCELED') {
      this.platform.forwarding.publish(task.device, otaResultMessage(task, status, now));
    }
    this.judgeVerification(task.job);
  }

  private judgeVerification(job: OtaJob): void {
    if (job.settings.type !== 'VERIFY_FIRMWARE' || job.tasks.some(({ isOpen }) => isOpen)) return;
    if (job.firmware.verification !== VERIFICATION.running) return;
    const came = (wanted: OtaTaskStatus) => job.tasks.some(({ status }) => status === wanted);
    // What was only cancelled says nothing about the package.
    const { failed, done, none } = VERIFICATION;
    const verdict = came('FAILED') ? failed : came('SUCCEEDED') ? done : none;
    job.firmware.verified(verdict, this.platform.clock());
  }

  /** @param time milliseconds since 1970 */
  private at(time: number, work: () => void): void {
    const ms = Math.max(0, time - this.platform.clock());
    // Longer than a timer can be.
    if (ms > LONGEST_TIMER_MS) this.platform.later(LONGEST_TIMER_MS, () => this.at(time, work));
    else this.platform.later(ms, work);
  }
}
