import { createHash, type Hash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import type { FirmwareFile } from '../types';

/** Bytes are gathered to this many before they are written: a call for each packet would cost more than the disk. */
const GATHERED_BYTES = 256 * 1024;
const READ_BYTES = 1024 * 1024;

export interface PartOptions {
  path: string;
  method: FirmwareFile['digest']['method'];
  /** So much was flushed by an earlier run, as far as is known. */
  flushed: number;
  flushBytes: number;
  /** Keeps in mind how much is flushed. */
  onFlushed: (bytes: number) => Promise<void>;
  signal: AbortSignal;
}

/**
 * A file that grows: what is written is digested on the way and flushed every few megabytes, so that whatever ends the
 * process no more than that is loaded again. What an earlier run left is read once, which gives its digest back.
 */
export class PartFile {
  readonly #options: PartOptions;
  readonly #handle: FileHandle;
  #hash: Hash;
  #length = 0;
  /** Taken, not yet given to the disk. */
  #gathered: Uint8Array[] = [];
  #gatheredBytes = 0;
  #writing: Promise<void> = Promise.resolve();
  #written = 0;
  #flushing: Promise<void> | undefined;
  #flushed = 0;
  #failure: unknown;

  private constructor(handle: FileHandle, options: PartOptions) {
    this.#handle = handle;
    this.#options = options;
    this.#hash = createHash(options.method);
  }

  static async open(options: PartOptions): Promise<PartFile> {
    const handle = await open(options.path, options.flushed > 0 ? 'r+' : 'w+', 0o600).catch((thrown) => {
      if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return open(options.path, 'w+', 0o600);
      throw thrown;
    });
    try {
      const part = new PartFile(handle, options);
      await part.#readBack();
      return part;
    } catch (thrown) {
      await handle.close();
      throw thrown;
    }
  }

  /** Bytes that were taken so far. */
  get length(): number {
    return this.#length;
  }

  /** Resolves when more may come. @throws what the disk throws, also for what was taken before */
  async append(chunk: Uint8Array): Promise<void> {
    this.#hash.update(chunk);
    this.#gathered.push(chunk);
    this.#gatheredBytes += chunk.length;
    this.#length += chunk.length;
    if (this.#gatheredBytes < GATHERED_BYTES) return;
    await this.#writing;
    this.#write();
    if (this.#failure !== undefined) throw this.#failure;
    const unflushed = this.#written - this.#flushed;
    if (unflushed >= this.#options.flushBytes) this.#flush();
    // A disk that is slower than the network must not fall behind without end.
    if (unflushed >= 2 * this.#options.flushBytes) await this.#flushing;
  }

  /** Writes and flushes all that was taken. */
  async settle(): Promise<void> {
    await this.#writing;
    this.#write();
    await this.#writing;
    await this.#flushing;
    if (this.#failure === undefined && this.#flushed < this.#written) {
      this.#flush();
      await this.#flushing;
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Begins anew with nothing. */
  async restart(): Promise<void> {
    await this.settle();
    await this.#options.onFlushed(0);
    await this.#handle.truncate(0);
    this.#length = 0;
    this.#written = 0;
    this.#flushed = 0;
    this.#hash = createHash(this.#options.method);
  }

  /** Of all that was taken; more may follow. */
  digest(): string {
    return this.#hash.copy().digest('hex');
  }

  async close(): Promise<void> {
    await this.#writing;
    await this.#flushing;
    await this.#handle.close();
  }

  #write(): void {
    const { length } = this.#gathered;
    if (length === 0 || this.#failure !== undefined) return;
    const chunks = this.#gathered;
    const bytes = this.#gatheredBytes;
    this.#gathered = [];
    this.#gatheredBytes = 0;
    this.#writing = writeAll(this.#handle, chunks, this.#written).then(
      () => {
        this.#written += bytes;
      },
      (thrown) => {
        this.#failure ??= thrown;
      },
    );
  }

  #flush(): void {
    const upTo = this.#written;
    this.#flushing ??= this.#handle
      .datasync()
      .then(() => this.#options.onFlushed(upTo))
      .then(
        () => {
          this.#flushed = upTo;
        },
        (thrown) => {
          this.#failure ??= thrown;
        },
      )
      .finally(() => {
        this.#flushing = undefined;
      });
  }

  // What lies behind the flushed part may be anything after a power cut.
  async #readBack(): Promise<void> {
    const { size } = await this.#handle.stat();
    const kept = this.#options.flushed <= size ? this.#options.flushed : 0;
    if (size !== kept) await this.#handle.truncate(kept);
    await digestInto(this.#hash, this.#handle, kept, this.#options.signal);
    this.#length = kept;
    this.#written = kept;
    this.#flushed = kept;
  }
}

/** The digest of a file that is there. */
export async function digestOf(
  path: string,
  method: FirmwareFile['digest']['method'],
  signal: AbortSignal,
): Promise<{ size: number; value: string }> {
  const handle = await open(path, 'r');
  try {
    const { size } = await handle.stat();
    const hash = createHash(method);
    await digestInto(hash, handle, size, signal);
    return { size, value: hash.digest('hex') };
  } finally {
    await handle.close();
  }
}

async function digestInto(hash: Hash, handle: FileHandle, size: number, signal: AbortSignal): Promise<void> {
  const buffer = Buffer.allocUnsafe(Math.min(READ_BYTES, Math.max(size, 1)));
  for (let at = 0; at < size; ) {
    signal.throwIfAborted();
    const { bytesRead } = await handle.read(buffer, 0, Math.min(buffer.length, size - at), at);
    if (bytesRead === 0) throw new Error('the file ended while it was read');
    hash.update(buffer.subarray(0, bytesRead));
    at += bytesRead;
  }
}

async function writeAll(handle: FileHandle, chunks: readonly Uint8Array[], position: number): Promise<void> {
  const bytes = chunks.reduce((sum, { length }) => sum + length, 0);
  const { bytesWritten } = await handle.writev(chunks, position);
  if (bytesWritten === bytes) return;
  // Rare: a disk that is about to be full takes a part.
  const rest = Buffer.concat(chunks).subarray(bytesWritten);
  for (let done = 0; done < rest.length; ) {
    done += (await handle.write(rest, done, rest.length - done, position + bytesWritten + done)).bytesWritten;
  }
}
