import { rename, rm } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import { AlinkError } from '../../errors';
import { networkReason } from '../../https/error';
import { failure, storageError } from '../failure';
import type { FirmwareFile } from '../types';
import { asSourceError } from './http-source';
import { digestOf, PartFile } from './part-file';
import { type Source, SourceError } from './source';
import type { VersionFolder } from './version-folder';

export interface FileDownloadOptions {
  folder: VersionFolder;
  index: number;
  sourceOf: (file: FirmwareFile) => Source;
  /** The file with an address that is good again; undefined when nobody can tell now. @throws AlinkError when there is none */
  renew: (problem: SourceError) => Promise<FirmwareFile | undefined>;
  retries: number;
  backoff: { first: number; longest: number };
  flushBytes: number;
  /** Told how much of the file is there. */
  onProgress: (bytes: number) => void;
  /** Told what went wrong before a wait for the next try. */
  onRetry: ((error: AlinkError, waitMs: number) => void) | undefined;
  signal: AbortSignal;
}

/** So much more than ever before makes the failures before it forgotten: the connection is bad, and the download goes on. */
const FORGIVING_BYTES = 256 * 1024;
/** A file that is not the one offered is loaded anew once: a part may have been damaged on the disk. */
const FRESH_STARTS = 1;

/** One file of an offer onto the disk, whatever happens on the way. */
export class FileDownload {
  #file: FirmwareFile;
  readonly #options: FileDownloadOptions;
  #failures = 0;
  #freshStarts = 0;
  /** The furthest that it came. */
  #furthest = 0;

  constructor(file: FirmwareFile, options: FileDownloadOptions) {
    this.#file = file;
    this.#options = options;
  }

  /** @returns the path of the file, checked @throws AlinkError with `details.step` */
  async run(): Promise<string> {
    const { folder, index, signal, flushBytes } = this.#options;
    const path = folder.pathOf(this.#file);
    if (await this.#isThere(path)) return path;
    const partPath = folder.partPathOf(index);
    const part = await PartFile.open({
      path: partPath,
      method: this.#file.digest.method,
      flushed: folder.flushedOf(index),
      flushBytes,
      onFlushed: (bytes) => folder.setFlushed(index, bytes),
      signal,
    });
    this.#furthest = part.length;
    try {
      for (let done = false; !done; ) done = await this.#attempt(part);
    } catch (thrown) {
      // Given up, perhaps by a deploy: what is there shall not be loaded again.
      await part.settle().catch(() => undefined);
      await part.close();
      // Nothing of it is worth going on with.
      if (thrown instanceof AlinkError && thrown.key === 'firmwareMismatch')
        await rm(partPath, { force: true });
      throw thrown;
    }
    await part.close();
    await rename(partPath, path);
    return path;
  }

  /** A run that was killed between renaming and telling so. */
  async #isThere(path: string): Promise<boolean> {
    const { size, digest } = this.#file;
    try {
      const found = await digestOf(path, digest.method, this.#options.signal);
      if (found.size === size && found.value === digest.value) {
        this.#options.onProgress(size);
        return true;
      }
      await rm(path, { force: true });
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code !== 'ENOENT') throw thrown;
    }
    return false;
  }

  /** @returns whether the file is complete and right @throws AlinkError when no further try makes sense */
  async #attempt(part: PartFile): Promise<boolean> {
    const { signal } = this.#options;
    const ending = new AbortController();
    try {
      await this.#load(part, AbortSignal.any([signal, ending.signal]));
      return true;
    } catch (thrown) {
      signal.throwIfAborted();
      const problem = worthAnotherTry(thrown);
      await part.settle();
      this.#count(part.length);
      await this.#prepareNext(part, problem);
      return false;
    } finally {
      // A source that was opened and not read would stay open.
      ending.abort();
    }
  }

  async #load(part: PartFile, signal: AbortSignal): Promise<void> {
    const { sourceOf, onProgress } = this.#options;
    const { size, digest } = this.#file;
    onProgress(part.length);
    if (part.length < size) {
      const { offset, read } = await sourceOf(this.#file).open(this.#file, part.length, signal);
      if (offset !== part.length) await part.restart();
      await read((chunk) => {
        signal.throwIfAborted();
        if (part.length + chunk.length > size) {
          throw new SourceError('wrong', 'fileLonger', `the file has more than ${size} bytes`, {
            values: { size },
          });
        }
        const taking = part.append(chunk);
        onProgress(part.length);
        return taking;
      });
    }
    await part.settle();
    // Of the last bytes a part may have been taken after the last word.
    onProgress(part.length);
    // The size first: a cut file is no wrong one.
    if (part.length < size) {
      const values = { size: part.length, expected: size };
      throw new SourceError('passing', 'fileEnded', `the file ended at ${part.length} of ${size} bytes`, {
        values,
      });
    }
    if (part.digest() !== digest.value) {
      const { method } = digest;
      throw new SourceError(
        'wrong',
        'fileDigest',
        `the ${method} of the file is not the one that was offered`,
        { values: { method } },
      );
    }
  }

  #count(length: number): void {
    if (length < this.#furthest + Math.min(FORGIVING_BYTES, this.#file.size / 100)) this.#failures++;
    else this.#failures = 1;
    this.#furthest = Math.max(this.#furthest, length);
  }

  /** Does what the problem asks for before the next try. @throws AlinkError */
  async #prepareNext(part: PartFile, error: SourceError): Promise<void> {
    const { retries, renew, backoff, signal, onRetry } = this.#options;
    const { problem, message, details } = error;
    if (problem === 'gone' || (problem !== 'wrong' && this.#failures > retries)) throw failed(error);
    if (problem === 'wrong') {
      if (this.#freshStarts++ >= FRESH_STARTS) {
        throw failure('firmwareMismatch', -3, message, { details: { ...details, name: this.#file.name } });
      }
      await part.restart();
    }
    if (problem === 'range') await part.restart();
    if (problem === 'expired') this.#file = (await renew(error)) ?? this.#file;
    // The first time at once: most causes are over when they are noticed.
    if (this.#failures > 1) {
      const longest = Math.min(backoff.first * 2 ** (this.#failures - 2), backoff.longest);
      const wait = longest * (0.5 + Math.random() / 2);
      onRetry?.(failed(error), wait);
      await setTimeout(wait, undefined, { signal });
    }
  }
}

/** @throws AlinkError for what no further try would change */
function worthAnotherTry(given: unknown): SourceError {
  const thrown = asSourceError(given);
  if (thrown instanceof SourceError) return thrown;
  if (thrown instanceof AlinkError && thrown.retry === 'slow') {
    const { rule, values } = networkReason(thrown);
    return new SourceError('passing', rule, thrown.message, { values, cause: thrown });
  }
  throw storageError(thrown);
}

function failed(error: SourceError): AlinkError {
  return failure('downloadFailed', -2, error.message, {
    details: error.details,
    retry: 'slow',
    cause: error,
  });
}
