import { randomBytes } from 'node:crypto';
import type { Json, JsonObject } from '../../protocol';
import type { Device } from './device';

/** Status of one device's part of a job (B.6 row 91). */
export type TaskStatus =
  | 'QUEUED'
  | 'SENT'
  | 'IN_PROGRESS'
  | 'SUCCEEDED'
  | 'FAILED'
  | 'REJECTED'
  | 'CANCELLED'
  | 'REMOVED'
  | 'TIMED_OUT';

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
  readonly taskId = newId();
  private written: TaskStatus = 'QUEUED';
  progress = 0;
  statusDetails: JsonObject = {};
  changedAt: number;
  private startedAt: number | undefined;

  constructor(
    readonly job: Job,
    readonly device: Device,
    readonly queuedAt: number,
  ) {
    this.changedAt = queuedAt;
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
  readonly jobId = newId();
  readonly tasks: JobTask[] = [];
  cancelled = false;
  changedAt: number;

  constructor(
    readonly settings: JobSettings,
    readonly createdAt: number,
  ) {
    this.changedAt = createdAt;
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
    if (this.jobs.size >= MOST_JOBS || this.tasks + devices.length > MOST_TASKS) {
      throw new JobLimitError('the emulator keeps no more jobs');
    }
    const job = new Job(settings, now);
    for (const device of devices) {
      const task = new JobTask(job, device, now);
      job.tasks.push(task);
      device.tasks.set(task.taskId, task);
    }
    this.tasks += devices.length;
    this.jobs.set(job.jobId, job);
    return job;
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
