import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';

const MEGABYTE = 1024 * 1024;
const SAMPLE_MS = 10;

/** Whether this system tells the memory of another process. */
export const tellsMemory = process.platform !== 'win32';

/** How much a process's resident set grew at most while something was done, in MB. */
export async function grownBy(pid: number, work: () => Promise<unknown>): Promise<number> {
  const before = resident(pid);
  let most = before.now;
  const ending = new AbortController();
  const watching = (async () => {
    while (!ending.signal.aborted) {
      most = Math.max(most, resident(pid).now);
      await setTimeout(SAMPLE_MS);
    }
  })();
  try {
    await work();
  } finally {
    ending.abort();
    await watching;
  }
  // A peak between two samples, where the system has kept it: all that came before it was lower.
  const { highest } = resident(pid);
  if (highest > before.highest) most = Math.max(most, highest);
  return (most - before.now) / MEGABYTE;
}

/** In bytes; the highest ever is 0 where nobody knows it. */
function resident(pid: number): { now: number; highest: number } {
  const file = `/proc/${pid}/status`;
  if (!existsSync(file)) {
    const kilobytes = execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' });
    return { now: Number(kilobytes) * 1024, highest: 0 };
  }
  const text = readFileSync(file, 'utf8');
  const bytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1]) * 1024;
  return { now: bytes('VmRSS'), highest: bytes('VmHWM') };
}
