import { randomUUID } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { isJsonObject, parseJson } from '../../../protocol';
import { failure } from '../failure';

export interface LockTiming {
  /** From one sign of life of the holder to the next, ms. */
  beatMs: number;
  /** A holder that gave no sign for so long has ended, ms. */
  silentMs: number;
  /** Whoever wants the folder of a living holder gives up after so long, ms. */
  patienceMs: number;
}

const TIMING: LockTiming = { beatMs: 5_000, silentMs: 20_000, patienceMs: 60_000 };
/** From one look at the lock of another process to the next. */
const LOOK_MS = 250;
const LOCK_FILE = '.lock';

/** The last of those in this process who work in a folder or wait for it. */
const queues = new Map<string, Promise<unknown>>();

/**
 * Works in a folder while nobody else does: in this process, where a connection that is closed may still be writing
 * when the next one begins, one after the other; against other processes by a file in it, which the end of its holder,
 * however it comes, does not leave valid.
 * @param name of a folder that exists
 * @param work its signal is aborted when another process took the folder all the same
 * @throws AlinkError `firmwareStorage` when another process holds it; what `signal` was aborted with; what the disk or
 * `work` throws
 */
export async function inFolder<T>(
  name: string,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
  timing: LockTiming = TIMING,
): Promise<T> {
  // A link, or another case where case does not count, is no other folder. At once, so that the order stays.
  const folder = realpathSync.native(name);
  const before = queues.get(folder) ?? Promise.resolve();
  const own = before.then(async () => {
    signal.throwIfAborted();
    const lock = await FolderLock.take(folder, signal, timing);
    try {
      return await work(AbortSignal.any([signal, lock.lost]));
    } finally {
      await lock.release();
    }
  });
  const settled = own.then(
    () => undefined,
    () => undefined,
  );
  queues.set(folder, settled);
  void settled.then(() => {
    if (queues.get(folder) === settled) queues.delete(folder);
  });
  return own;
}

/** What is found of another holder. */
interface Holder {
  text: string;
  /** Changes with each sign of life. */
  beat: number;
}

/** The file that keeps other processes out. */
class FolderLock {
  readonly #path: string;
  readonly #text: string;
  readonly #lost = new AbortController();
  readonly #timer: NodeJS.Timeout;

  private constructor(
    private readonly folder: string,
    text: string,
    beatMs: number,
  ) {
    this.#path = join(folder, LOCK_FILE);
    this.#text = text;
    this.#timer = setInterval(() => void this.#beat(), beatMs);
    this.#timer.unref();
  }

  static async take(folder: string, signal: AbortSignal, timing: LockTiming): Promise<FolderLock> {
    const path = join(folder, LOCK_FILE);
    const text = JSON.stringify({ host: hostname(), pid: process.pid, id: randomUUID() });
    const began = performance.now();
    let seen: (Holder & { since: number }) | undefined;
    while (!(await created(path, text))) {
      const holder = await look(path);
      const now = performance.now();
      // Its signs are compared with each other, never with our clock: that may jump, or be another machine's.
      if (seen?.text !== holder?.text || seen?.beat !== holder?.beat)
        seen = holder && { ...holder, since: now };
      if (seen && (hasEnded(seen.text) || now - seen.since > timing.silentMs)) await remove(path, seen.text);
      else if (now - began > timing.patienceMs) throw taken(folder);
      else await setTimeout(LOOK_MS, undefined, { signal }).catch(() => signal.throwIfAborted());
    }
    return new FolderLock(folder, text, timing.beatMs);
  }

  /** Aborted when it is somebody else's now. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  async release(): Promise<void> {
    clearInterval(this.#timer);
    // What is left is seen to be ours by the next start.
    if (!this.#lost.signal.aborted) await remove(this.#path, this.#text).catch(() => undefined);
  }

  async #beat(): Promise<void> {
    try {
      if ((await readFile(this.#path, 'utf8')) === this.#text) {
        const now = new Date();
        await utimes(this.#path, now, now);
        return;
      }
    } catch (thrown) {
      // A disk that does not answer now says nothing about the lock.
      if ((thrown as NodeJS.ErrnoException).code !== 'ENOENT') return;
    }
    clearInterval(this.#timer);
    this.#lost.abort(taken(this.folder));
  }
}

async function created(path: string, text: string): Promise<boolean> {
  try {
    await writeFile(path, text, { flag: 'wx', mode: 0o600 });
    return true;
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw thrown;
  }
}

async function look(path: string): Promise<Holder | undefined> {
  try {
    const [text, { mtimeMs }] = await Promise.all([readFile(path, 'utf8'), stat(path)]);
    return { text, beat: mtimeMs };
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw thrown;
  }
}

/** A process of this machine that is no more. Of one elsewhere, or half written, nobody knows. */
function hasEnded(text: string): boolean {
  const { host, pid } = parsed(text);
  if (host !== hostname() || typeof pid !== 'number' || !Number.isSafeInteger(pid) || pid <= 0) return false;
  // In this process nobody else holds it, so it is an earlier one's of the same number: usual in containers.
  if (pid === process.pid) return true;
  try {
    process.kill(pid, 0);
    return false;
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

function parsed(text: string): { host?: unknown; pid?: unknown } {
  try {
    const body = parseJson(text);
    return isJsonObject(body) ? body : {};
  } catch {
    return {};
  }
}

/** Removes this lock and no other: somebody may have taken the place of a holder that ended. */
async function remove(path: string, text: string): Promise<void> {
  const aside = `${path}-${randomUUID()}`;
  try {
    await rename(path, aside);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw thrown;
  }
  const found = await readFile(aside, 'utf8').catch(() => text);
  // Its holder notices when it is not back in time, and stops.
  if (found !== text) await created(path, found);
  await rm(aside, { force: true });
}

function taken(folder: string) {
  const rule = 'firmwareFolderTaken';
  const reason = 'another process loads firmware into this folder';
  return failure('firmwareStorage', -2, reason, { details: { rule, folder } });
}
