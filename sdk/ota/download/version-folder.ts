import { mkdir, readdir, readFile, rm, stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { isJsonObject, type Json, parseJson } from '../../../protocol';
import { folderName } from '../names';
import type { FirmwareFile, FirmwareOffer } from '../types';

/** Begins with a dot, as no name of an offer does; only folders that hold it are ever removed. */
const STATE_FILE = '.firmware.json';
const FORMAT = 1;
const MOST_FOLDERS = 1000;

interface FileState {
  name: string;
  size: number;
  digest: string;
  /** Bytes that are surely on the disk. */
  flushed: number;
}

interface FolderState {
  version: string;
  files: FileState[];
  /** ms since 1970, when all files were there and checked. */
  finishedAt: number | undefined;
}

/** The folder of one version of a module: its files, those that are being loaded, and what is known of them. */
export class VersionFolder {
  #state: FolderState;

  private constructor(
    readonly path: string,
    state: FolderState,
  ) {
    this.#state = state;
  }

  /** Makes it, or takes up what an earlier run left of the same files. */
  static async open(moduleFolder: string, offer: FirmwareOffer): Promise<VersionFolder> {
    const path = join(moduleFolder, folderName(offer.version));
    await mkdir(path, { recursive: true, mode: 0o700 });
    const wanted = offer.files.map(asState);
    const before = await readState(path);
    const isSame =
      before !== undefined &&
      before.files.length === wanted.length &&
      before.files.every(({ name, size, digest }, i) => {
        const file = wanted[i];
        return file?.name === name && file.size === size && file.digest === digest;
      });
    if (before !== undefined && !isSame) await rm(path, { recursive: true, force: true });
    if (!isSame) await mkdir(path, { recursive: true, mode: 0o700 });
    const state = isSame ? before : { version: offer.version, files: wanted, finishedAt: undefined };
    const folder = new VersionFolder(path, { ...state, finishedAt: undefined });
    await folder.#save();
    return folder;
  }

  pathOf({ name }: FirmwareFile): string {
    return join(this.path, name);
  }

  partPathOf(index: number): string {
    return join(this.path, `.part-${index}`);
  }

  flushedOf(index: number): number {
    return this.#state.files[index]?.flushed ?? 0;
  }

  /** What of a file need not be loaded: it may have been taken away since. */
  async bytesOf(file: FirmwareFile, index: number): Promise<number> {
    const [part, whole] = await Promise.all([sizeOf(this.partPathOf(index)), sizeOf(this.pathOf(file))]);
    return Math.min(file.size, Math.max(Math.min(part, this.flushedOf(index)), whole));
  }

  async setFlushed(index: number, bytes: number): Promise<void> {
    const file = this.#state.files[index];
    if (file === undefined || file.flushed === bytes) return;
    file.flushed = bytes;
    await this.#save();
  }

  async finish(now: number): Promise<void> {
    this.#state.finishedAt = now;
    await this.#save();
  }

  // Atomic and flushed: it must never tell of more than is there.
  #save(): Promise<void> {
    const text = JSON.stringify({ format: FORMAT, ...this.#state });
    return writeFileAtomic(join(this.path, STATE_FILE), text, { mode: 0o600, fsync: true });
  }
}

export interface Keeping {
  /** Stays. */
  current: string;
  /** The way back: of the others the first to stay. */
  running: string | undefined;
  /** So many others that are finished stay. */
  keep: number;
}

/**
 * Removes versions of a module that nobody needs: those that were never finished, and all but the newest finished ones.
 */
export async function cleanModule(moduleFolder: string, { current, running, keep }: Keeping): Promise<void> {
  const own = folderName(current);
  const wayBack = running === undefined ? undefined : folderName(running);
  const entries = await readdir(moduleFolder, { withFileTypes: true });
  const finished: Array<{ path: string; at: number }> = [];
  for (const entry of entries.slice(0, MOST_FOLDERS)) {
    if (!entry.isDirectory() || entry.name === own) continue;
    const path = join(moduleFolder, entry.name);
    const state = await readState(path);
    // Not one of ours: somebody keeps it there.
    if (state === undefined || folderName(state.version) !== entry.name) continue;
    if (state.finishedAt === undefined) await rm(path, { recursive: true, force: true });
    else finished.push({ path, at: entry.name === wayBack ? Number.POSITIVE_INFINITY : state.finishedAt });
  }
  finished.sort((a, b) => b.at - a.at);
  for (const { path } of finished.slice(keep)) await rm(path, { recursive: true, force: true });
}

/** Bytes that may be written where the folder is or will be; undefined where the system does not tell. */
export async function freeBytes(folder: string): Promise<number | undefined> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    const above = dirname(folder);
    return code === 'ENOENT' && above !== folder ? freeBytes(above) : undefined;
  }
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return 0;
    throw thrown;
  }
}

function asState({ name, size, digest }: FirmwareFile): FileState {
  return { name, size, digest: `${digest.method}:${digest.value}`, flushed: 0 };
}

async function readState(path: string): Promise<FolderState | undefined> {
  let text: string;
  try {
    text = await readFile(join(path, STATE_FILE), 'utf8');
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR') return undefined;
    throw thrown;
  }
  try {
    return parseState(parseJson(text));
  } catch {
    return undefined; // damaged: nothing in it can be relied on
  }
}

function parseState(body: Json): FolderState | undefined {
  if (!isJsonObject(body) || body.format !== FORMAT || !Array.isArray(body.files)) return undefined;
  const files = body.files.map((file): FileState | undefined => {
    if (!isJsonObject(file)) return undefined;
    const { name, size, digest, flushed } = file;
    if (typeof name !== 'string' || typeof digest !== 'string') return undefined;
    if (typeof size !== 'number' || typeof flushed !== 'number' || !Number.isSafeInteger(flushed))
      return undefined;
    return { name, size, digest, flushed: Math.min(Math.max(flushed, 0), size) };
  });
  if (typeof body.version !== 'string' || files.includes(undefined)) return undefined;
  return {
    version: body.version,
    files: files.filter((file) => file !== undefined),
    finishedAt: typeof body.finishedAt === 'number' ? body.finishedAt : undefined,
  };
}
