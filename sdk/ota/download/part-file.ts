import { createHash, type Hash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { giveBack } from '../../give-back';
import type { FirmwareFile } from '../types';

/** Bytes are gathered to this many before they are written: a call for each packet would cost more than the disk. */
const GATHERED_BYTES = 256 * 1024;
const READ_BYTES = 256 * 1024;
/** Flushes that a disk slower than the network may be behind; each takes what has come meanwhile. */
const MOST_BEHIND = 8;

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
  /** What was taken and not yet given to the disk; the other buffer may be on its way there. */
  #gathering: Buffer;
  #spare: Buffer;
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
    const bytes = Math.min(GATHERED_BYTES, options.flushBytes);
    this.#gathering = Buffer.allocUnsafeSlow(bytes);
    this.#spare = Buffer.allocUnsafeSlow(bytes);
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

  /**
   * Takes a copy. Chunks that lived until they are written would be old when they die, and pile up in memory.
   * @returns undefined when more may come at once, else what resolves then
   * @throws what the disk throws, also for what was taken before
   */
  append(chunk: Uint8Array): Promise<void> | undefined {
    const room = this.#gathering.length - this.#gatheredBytes;
    const piece = chunk.length > room ? chunk.subarray(0, room) : chunk;
    this.#gathering.set(piece, this.#gatheredBytes);
    this.#gatheredBytes += piece.length;
    this.#length += piece.length;
    if (piece.length < room) return undefined;
    return this.#pass().then(() => this.append(chunk.subarray(piece.length)));
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

  /** Of all that was settled; more may follow. */
  digest(): string {
    return this.#hash.copy().digest('hex');
  }

  /** Nothing may be done with it afterwards. */
  async close(): Promise<void> {
    await this.#writing;
    await this.#flushing;
    giveBack(this.#gathering);
    giveBack(this.#spare);
    await this.#handle.close();
  }

  async #pass(): Promise<void> {
    await this.#writing;
    this.#write();
    if (this.#failure !== undefined) throw this.#failure;
    const { flushBytes } = this.#options;
    if (this.#written - this.#flushed >= flushBytes) this.#flush();
    // A disk that is slower than the network must not fall behind without bounds.
    if (this.#length + this.#gathering.length - this.#flushed > MOST_BEHIND * flushBytes)
      await this.#flushing;
  }

  /** Gives what was gathered to the disk; nothing else may be on its way there. */
  #write(): void {
    if (this.#gatheredBytes === 0 || this.#failure !== undefined) return;
    const bytes = this.#gathering.subarray(0, this.#gatheredBytes);
    [this.#gathering, this.#spare] = [this.#spare, this.#gathering];
    this.#gatheredBytes = 0;
    this.#writing = writeAll(this.#handle, bytes, this.#written).then(
      () => {
        this.#written += bytes.length;
      },
      (thrown) => {
        this.#failure ??= thrown;
      },
    );
    this.#hash.update(bytes);
  }

  #flush(): void {
    if (this.#flushing) return;
    const upTo = this.#written;
    this.#flushing = this.#handle
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
    if (this.#options.flushed !== kept) await this.#options.onFlushed(kept);
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
  const buffer = Buffer.allocUnsafeSlow(Math.min(READ_BYTES, Math.max(size, 1)));
  try {
    for (let at = 0; at < size; ) {
      signal.throwIfAborted();
      const { bytesRead } = await handle.read(buffer, 0, Math.min(buffer.length, size - at), at);
      if (bytesRead === 0) throw new Error('the file ended while it was read');
      hash.update(buffer.subarray(0, bytesRead));
      at += bytesRead;
    }
  } finally {
    giveBack(buffer);
  }
}

async function writeAll(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  // A disk that is about to be full takes a part.
  for (let done = 0; done < bytes.length; ) {
    done += (await handle.write(bytes, done, bytes.length - done, position + done)).bytesWritten;
  }
}
