import { randomBytes } from 'node:crypto';
import { isJsonObject, type Json, type JsonObject } from '../../protocol';
import type { Device } from './device';

const ALL_STATUS = [
  'QUEUED',
  'SENT',
  'IN_PROGRESS',
  'SUCCEEDED',
  'FAILED',
  'REJECTED',
  'CANCELLED',
  'REMOVED',
  'TIMED_OUT',
] as const;

/** Status of one device's part of a job (B.6 row 91). */
export type TaskStatus = (typeof ALL_STATUS)[number];

/** What a device may write. */
export const DEVICE_TASK_STATUS: readonly string[] = ['IN_PROGRESS', 'SUCCEEDED', 'FAILED', 'REJECTED'];
const OPEN_STATUS: readonly TaskStatus[] = ['QUEUED', 'SENT', 'IN_PROGRESS'];
const MOST_JOBS = 1000;
const MOST_TASKS = 100_000;

export interface JobSettings {
  name: string;
  description: string;
  /** The document that the devices get. */
  document: Json;
  /** `{"signMethod","sign","fileUrl"}` */
  file: JsonObject | undefined;
  /** Time for each device from IN_PROGRESS on, milliseconds. */
  inProgressMs: number | undefined;
  /** What the application asked for, as it wrote it. */
  target: JsonObject;
}

/** One device's part of a job. */
export class JobTask {
  private written: TaskStatus = 'QUEUED';
  progress = 0;
  statusDetails: JsonObject = {};
  changedAt: number;
  private startedAt: number | undefined;

  constructor(
    readonly job: Job,
    readonly device: Device,
    readonly queuedAt: number,
    readonly taskId: string = newId(),
  ) {
    this.changedAt = queuedAt;
  }

  /** What a snapshot keeps. */
  save(): JsonObject {
    const { device, taskId, queuedAt, changedAt, startedAt = null, progress, statusDetails } = this;
    return {
      ...device.identity,
      taskId,
      queuedAt,
      changedAt,
      startedAt,
      progress,
      statusDetails,
      status: this.written,
    };
  }

  /** Brings back what `save` gave. */
  restore({ status, changedAt, startedAt, progress, statusDetails }: JsonObject): void {
    this.written = ALL_STATUS.find((known) => known === status) ?? 'QUEUED';
    if (typeof changedAt === 'number') this.changedAt = changedAt;
    if (typeof startedAt === 'number') this.startedAt = startedAt;
    if (typeof progress === 'number') this.progress = progress;
    if (isJsonObject(statusDetails)) this.statusDetails = statusDetails;
  }

  /** @param now milliseconds since 1970; a task that takes too long is TIMED_OUT from then on */
  status(now: number): TaskStatus {
    const { inProgressMs } = this.job.settings;
    if (
      this.written === 'IN_PROGRESS' &&
      inProgressMs !== undefined &&
      this.startedAt !== undefined &&
      now > this.startedAt + inProgressMs
    ) {
      this.change('TIMED_OUT', this.startedAt + inProgressMs);
    }
    return this.written;
  }

  isOpen(now: number): boolean {
    return OPEN_STATUS.includes(this.status(now));
  }

  change(status: TaskStatus, now: number): void {
    if (status === 'IN_PROGRESS') this.startedAt ??= now;
    this.written = status;
    this.changedAt = now;
  }

  /** The `task` of notice and answer (B.6 rows 89, 90). */
  describe(now: number): JsonObject {
    const { document, file } = this.job.settings;
    return {
      taskId: this.taskId,
      status: this.status(now),
      jobDocument: document,
      ...(file === undefined ? {} : { jobFile: file }),
    };
  }
}

/** Work for many devices. */
export class Job {
  readonly tasks: JobTask[] = [];
  cancelled = false;
  changedAt: number;

  constructor(
    readonly settings: JobSettings,
    readonly createdAt: number,
    readonly jobId: string = newId(),
  ) {
    this.changedAt = createdAt;
  }

  add(task: JobTask): void {
    this.tasks.push(task);
    task.device.tasks.set(task.taskId, task);
  }

  /** Status names of the platform's API. */
  status(now: number): 'IN_PROGRESS' | 'COMPLETED' | 'CANCELLED' {
    if (this.cancelled) return 'CANCELLED';
    return this.tasks.some((task) => task.isOpen(now)) ? 'IN_PROGRESS' : 'COMPLETED';
  }
}

/** Too many jobs or tasks. */
export class JobLimitError extends Error {
  override readonly name = 'JobLimitError';
}

/** All jobs; each device holds its own tasks too. */
export class JobStore {
  private readonly jobs = new Map<string, Job>();
  private tasks = 0;

  /** Latest first. */
  list(): Job[] {
    return [...this.jobs.values()].reverse();
  }

  get(jobId: string): Job | undefined {
    return this.jobs.get(jobId);
  }

  findTask(taskId: string): JobTask | undefined {
    for (const job of this.jobs.values()) {
      const task = job.tasks.find((candidate) => candidate.taskId === taskId);
      if (task !== undefined) return task;
    }
    return undefined;
  }

  /** Makes a job with a task for each device. @throws JobLimitError */
  create(settings: JobSettings, devices: readonly Device[], now: number): Job {
    const different = new Set(devices);
    this.forgetEnded(different.size, now);
    if (this.jobs.size >= MOST_JOBS || this.tasks + different.size > MOST_TASKS) {
      throw new JobLimitError('the emulator keeps no more jobs');
    }
    const job = new Job(settings, now);
    for (const device of different) job.add(new JobTask(job, device, now));
    this.put(job);
    return job;
  }

  /** A job that was kept elsewhere, with its tasks. */
  put(job: Job): void {
    this.tasks += job.tasks.length;
    this.jobs.set(job.jobId, job);
  }

  /** Makes room for one more job with so many tasks: the oldest that have ended go first. */
  private forgetEnded(tasks: number, now: number): void {
    for (const job of this.jobs.values()) {
      if (this.jobs.size < MOST_JOBS && this.tasks + tasks <= MOST_TASKS) return;
      if (job.status(now) !== 'IN_PROGRESS') this.delete(job);
    }
  }

  delete(job: Job): void {
    this.jobs.delete(job.jobId);
    this.tasks -= job.tasks.length;
    for (const { device, taskId } of job.tasks) device.tasks.delete(taskId);
  }
}

function newId(): string {
  return randomBytes(12).toString('hex');
}
