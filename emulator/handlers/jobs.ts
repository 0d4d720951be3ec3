import { isJsonObject, type Json } from '../../protocol';
import { DEVICE_TASK_STATUS, type JobTask, type TaskStatus } from '../registry/jobs';
import { type Answer, alink } from './types';

const LARGEST_DETAILS = 16 * 1024;
const LONGEST_LIST = 100;

/** B.6 row 90: the next task that is open, the list of them, or one by its id. */
export const jobGet = alink(({ params }, { device, now }) => {
  const taskId = isJsonObject(params) ? params.taskId : undefined;
  if (typeof taskId !== 'string' || taskId === '') return { code: 460, note: 'taskId is missing' };
  const open = [...device.tasks.values()].filter((task) => task.isOpen(now));
  if (taskId === '$list') {
    const tasks = open
      .slice(0, LONGEST_LIST)
      .map((task) => ({ taskId: task.taskId, status: task.status(now) }));
    return { code: 200, data: { taskId, tasks } };
  }
  const task = taskId === '$next' ? open[0] : device.tasks.get(taskId);
  if (task === undefined && taskId !== '$next') return { code: 460, note: 'the device has no such task' };
  if (task === undefined) return { code: 200, data: { taskId } };
  // A device that fetched the task has it, whether the notice reached it or not.
  if (task.status(now) === 'QUEUED') task.change('SENT', now);
  return { code: 200, data: { taskId: task.taskId, task: task.describe(now) } };
});

/** B.6 row 91: forward only, and never out of an end. */
export const jobUpdate = alink(({ params }, { device, now }) => {
  const { taskId, status, progress, statusDetails = {} } = isJsonObject(params) ? params : {};
  const task = typeof taskId === 'string' ? device.tasks.get(taskId) : undefined;
  if (task === undefined) return { code: 460, note: 'the device has no such task' };
  const refused = updateProblem(task, now, status ?? null, progress, statusDetails);
  if (refused !== undefined) return { code: 460, note: refused };
  if (typeof progress === 'number') task.progress = progress;
  if (isJsonObject(statusDetails) && Object.keys(statusDetails).length > 0)
    task.statusDetails = statusDetails;
  task.change(status as TaskStatus, now);
  return { code: 200, data: { taskId: task.taskId } } satisfies Answer;
});

function updateProblem(
  task: JobTask,
  now: number,
  status: Json,
  progress: Json | undefined,
  statusDetails: Json,
): string | undefined {
  if (typeof status !== 'string' || !DEVICE_TASK_STATUS.includes(status)) {
    return `status is one of ${DEVICE_TASK_STATUS.join(', ')}`;
  }
  if (!task.isOpen(now)) return `the task is ${task.status(now)}`;
  if (
    progress !== undefined &&
    !(Number.isInteger(progress) && Number(progress) >= 0 && Number(progress) <= 100)
  ) {
    return 'progress is a whole number of 0 to 100';
  }
  if (!isJsonObject(statusDetails) || JSON.stringify(statusDetails).length > LARGEST_DETAILS) {
    return `statusDetails is not an object of at most ${LARGEST_DETAILS} characters`;
  }
  return undefined;
}
