import { isJsonObject, type Json, type JsonObject } from '../protocol';
import { Job, JobTask } from './registry/jobs';
import type { Registry } from './registry/registry';

/** Jobs with their tasks, as a snapshot keeps them. */
export function writeJobs({ jobs }: Registry): JsonObject[] {
  return jobs
    .list()
    .reverse()
    .map(({ jobId, settings, createdAt, changedAt, cancelled, tasks }) => ({
      jobId,
      createdAt,
      changedAt,
      cancelled,
      name: settings.name,
      description: settings.description,
      document: settings.document,
      file: settings.file ?? null,
      inProgressMs: settings.inProgressMs ?? null,
      target: settings.target,
      tasks: tasks.map((task) => task.save()),
    }));
}

/** Brings back what `writeJobs` gave; tasks of devices that are gone, and what cannot be a job, are left out. */
export function readJobs(registry: Registry, saved: Json | undefined): void {
  for (const entry of Array.isArray(saved) ? saved : []) {
    if (!isJsonObject(entry)) continue;
    const {
      jobId,
      createdAt,
      changedAt,
      cancelled,
      name,
      description,
      document,
      file,
      inProgressMs,
      target,
    } = entry;
    if (typeof jobId !== 'string' || typeof createdAt !== 'number' || !isJsonObject(target)) continue;
    const settings = {
      name: String(name),
      description: String(description),
      document: document ?? {},
      file: isJsonObject(file) ? file : undefined,
      inProgressMs: typeof inProgressMs === 'number' ? inProgressMs : undefined,
      target,
    };
    const job = new Job(settings, createdAt, jobId);
    job.cancelled = cancelled === true;
    if (typeof changedAt === 'number') job.changedAt = changedAt;
    for (const task of Array.isArray(entry.tasks) ? entry.tasks : []) restoreTask(registry, job, task);
    registry.jobs.put(job);
  }
}

function restoreTask(registry: Registry, job: Job, saved: Json): void {
  if (!isJsonObject(saved)) return;
  const { productKey, deviceName, taskId, queuedAt } = saved;
  if (typeof taskId !== 'string' || typeof queuedAt !== 'number') return;
  const device = registry.find({ productKey: String(productKey), deviceName: String(deviceName) });
  if (device === undefined) return;
  const task = new JobTask(job, device, queuedAt, taskId);
  task.restore(saved);
  job.add(task);
}
