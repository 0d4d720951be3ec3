import type { Platform } from './platform';
import type { Device } from './registry/device';
import type { Job, JobSettings, JobTask, TaskStatus } from './registry/jobs';

/**
 * Makes a job and tells its devices (B.6 row 89). One that cannot be told finds its task when it asks.
 * @throws JobLimitError
 */
export function createJob(platform: Platform, settings: JobSettings, devices: readonly Device[]): Job {
  const now = platform.clock();
  const job = platform.registry.jobs.create(settings, devices, now);
  for (const task of job.tasks) {
    task.change('SENT', now);
    if (!notify(platform, task)) task.change('QUEUED', now);
  }
  return job;
}

/** Ends the tasks that have not ended, and tells their devices. */
export function cancelJob(platform: Platform, job: Job): void {
  job.cancelled = true;
  end(platform, job, 'CANCELLED');
}

/** Forgets a job; devices that still work on it are told. */
export function deleteJob(platform: Platform, job: Job): void {
  end(platform, job, 'REMOVED');
  platform.registry.jobs.delete(job);
}

function end(platform: Platform, job: Job, status: TaskStatus): void {
  const now = platform.clock();
  job.changedAt = now;
  for (const task of job.tasks) {
    if (!task.isOpen(now)) continue;
    const known = task.status(now) !== 'QUEUED';
    task.change(status, now);
    if (known) notify(platform, task);
  }
}

/** @returns whether the notice reached the device or waits for it */
function notify(platform: Platform, task: JobTask): boolean {
  const { device } = task;
  const delivery = platform.request(device, 'thing.job.notify', { task: task.describe(platform.clock()) });
  return delivery === 'sent' || delivery === 'queued';
}
