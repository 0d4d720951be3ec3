import { randomBytes } from 'node:crypto';
import type { Device } from '../registry/device';
import type { Firmware } from './firmware';
import { OtaError } from './ota-error';

/** State of one device's upgrade; names of the platform's API. */
export const OTA_TASK_STATUS = [
  /** Waits until the application agrees. */
  'CONFIRM',
  /** Its batch is planned for later. */
  'SCHEDULED',
  /** To be pushed. */
  'QUEUED',
  /** The device has the offer. */
  'NOTIFIED',
  /** It reported progress. */
  'IN_PROGRESS',
  'SUCCEEDED',
  'FAILED',
  'CANCELED',
] as const;
export type OtaTaskStatus = (typeof OTA_TASK_STATUS)[number];
const ENDS: readonly OtaTaskStatus[] = ['SUCCEEDED', 'FAILED', 'CANCELED'];
const MOST_JOBS = 1000;
const MOST_TASKS = 100_000;

/** Which devices a batch is for; names of the platform's API. */
export const OTA_TARGETS = ['ALL', 'SPECIFIC', 'GRAY', 'GROUP'] as const;

export interface OtaJobSettings {
  type: 'VERIFY_FIRMWARE' | 'UPGRADE_FIRMWARE';
  selection: 'STATIC' | 'DYNAMIC';
  target: (typeof OTA_TARGETS)[number];
  grayPercent: number | undefined;
  /** The group as it was called when the batch was made. */
  group: { id: string; name: string } | undefined;
  /** 1: devices that fit now or later, 2: only those that report a version later. */
  dynamicMode: 1 | 2 | undefined;
  /** Running versions that it is for; any when empty. */
  srcVersions: readonly string[];
  protocol: 'HTTPS' | 'MQTT';
  needPush: boolean;
  needConfirm: boolean;
  /** An earlier task that has not begun is cancelled for the new one. */
  overwrite: boolean;
  /** A device may have tasks for several modules at once. */
  multiModule: boolean;
  /** From the first progress report on, milliseconds. */
  timeoutMs: number | undefined;
  /** Devices that are told in a minute. */
  maximumPerMinute: number | undefined;
  /** How often a device is offered the package again after it failed, by itself. */
  retryCount: number;
  /** Milliseconds from a failure to the next offer. */
  retryMs: number;
  /** Milliseconds since 1970. */
  scheduledAt: number | undefined;
  /** What has not ended by then is cancelled; milliseconds since 1970. */
  finishAt: number | undefined;
  /** Sent to the devices with the offer (`extData`). */
  tags: Readonly<Record<string, string>>;
}

/** One device's part of an upgrade. */
export class OtaTask {
  status: OtaTaskStatus;
  /** Percent. */
  progress = 0;
  description = '';
  changedAt: number;
  /** First progress report. */
  startedAt: number | undefined;
  /** How often it was offered again by itself. */
  retries = 0;
  /** It failed, and is offered again at this time; what it shows stays as it was meanwhile. */
  retryAt: number | undefined;
  /** The next try is due, and the device was away. */
  isOwed = false;

  constructor(
    readonly job: OtaJob,
    readonly device: Device,
    /** What ran before it; empty while the device has not told. */
    public srcVersion: string,
    readonly createdAt: number,
    readonly taskId: string = randomBytes(12).toString('hex'),
  ) {
    this.changedAt = createdAt;
    this.status = 'QUEUED';
  }

  get isOpen(): boolean {
    return !ENDS.includes(this.status);
  }

  /** Whether the device may have the offer. */
  get isDue(): boolean {
    if (this.retryAt !== undefined) return false;
    return this.status === 'QUEUED' || this.status === 'NOTIFIED' || this.status === 'IN_PROGRESS';
  }

  change(status: OtaTaskStatus, now: number, description = this.description): void {
    if (status === 'IN_PROGRESS') this.startedAt ??= now;
    this.status = status;
    this.description = description;
    this.changedAt = now;
  }

  /** Back to the beginning, to be tried once more. */
  restart(now: number): void {
    this.progress = 0;
    this.startedAt = undefined;
    this.retries = 0;
    this.retryAt = undefined;
    this.change('QUEUED', now, '');
  }

  /** It failed, and is not over yet: the platform shows the state that it had, and its time runs on. */
  retryLater(at: number, now: number, description: string): void {
    this.retries++;
    this.retryAt = at;
    this.progress = 0;
    this.change(this.status, now, description);
  }
}

/** An upgrade of many devices; number of the stream that its file is in, for downloads over MQTT. */
export class OtaJob {
  readonly tasks: OtaTask[] = [];
  changedAt: number;
  cancelled = false;
  /** A dynamic batch goes on taking devices in until it is cancelled. */
  isTaking: boolean;

  constructor(
    readonly firmware: Firmware,
    readonly settings: OtaJobSettings,
    readonly createdAt: number,
    readonly streamId: number,
    readonly jobId: string = randomBytes(12).toString('hex'),
  ) {
    this.changedAt = createdAt;
    this.isTaking = settings.selection === 'DYNAMIC';
  }

  /** Status names of the platform's API. */
  get status(): 'PLANNED' | 'IN_PROGRESS' | 'COMPLETED' | 'CANCELED' {
    if (this.cancelled) return 'CANCELED';
    if (this.tasks.some(({ status }) => status === 'SCHEDULED')) return 'PLANNED';
    return this.isTaking || this.tasks.some(({ isOpen }) => isOpen) ? 'IN_PROGRESS' : 'COMPLETED';
  }
}

/** All upgrades; each device holds its own tasks too. */
export class OtaJobStore {
  private readonly jobs = new Map<string, OtaJob>();
  private tasks = 0;
  private streams = 0;

  /** Latest first. */
  list(): OtaJob[] {
    return [...this.jobs.values()].reverse();
  }

  get(jobId: string): OtaJob | undefined {
    return this.jobs.get(jobId);
  }

  ofFirmware({ firmwareId }: Firmware): OtaJob[] {
    return this.list().filter(({ firmware }) => firmware.firmwareId === firmwareId);
  }

  findTask(taskId: string): OtaTask | undefined {
    for (const { tasks } of this.jobs.values()) {
      const task = tasks.find((candidate) => candidate.taskId === taskId);
      if (task !== undefined) return task;
    }
    return undefined;
  }

  nextStream(): number {
    return ++this.streams;
  }

  /** @param tasks how many it will have @throws OtaError when there are too many */
  add(job: OtaJob, tasks: number): void {
    this.makeRoom(tasks);
    if (this.jobs.size >= MOST_JOBS) throw new OtaError('ExceedLimit', `more than ${MOST_JOBS} batches`);
    if (this.tasks + tasks > MOST_TASKS)
      throw new OtaError('ExceedLimit', `more than ${MOST_TASKS} upgrades`);
    this.streams = Math.max(this.streams, job.streamId);
    this.jobs.set(job.jobId, job);
  }

  /** Whether a device can be taken in that came later than its batch. */
  get isFull(): boolean {
    return this.tasks >= MOST_TASKS;
  }

  addTask(task: OtaTask): void {
    this.tasks++;
    task.job.tasks.push(task);
    task.device.upgrades.set(task.taskId, task);
  }

  remove(job: OtaJob): void {
    this.jobs.delete(job.jobId);
    this.tasks -= job.tasks.length;
    for (const { device, taskId } of job.tasks) device.upgrades.delete(taskId);
  }

  /** The oldest that have ended go first. */
  private makeRoom(tasks: number): void {
    for (const job of this.jobs.values()) {
      if (this.jobs.size < MOST_JOBS && this.tasks + tasks <= MOST_TASKS) return;
      if (job.status === 'COMPLETED' || job.status === 'CANCELED') this.remove(job);
    }
  }
}
