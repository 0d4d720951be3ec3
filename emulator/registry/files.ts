import { randomBytes } from 'node:crypto';
import { Crc64 } from '../../protocol';

/** Limits of an upload (B.6 rows 86, 87; section D). */
export const FILE_LIMITS = {
  bytes: 16 * 1024 * 1024,
  blockBytesMin: 256,
  blockBytesMax: 128 * 1024,
  filesPerDevice: 1000,
  uploadMs: 24 * 3_600_000,
} as const;

// What an entry takes beside its content, so that empty files are not free.
const ENTRY_BYTES = 512;
// Uploads that ended are remembered, so that a late block is told apart from an unknown one.
const REMEMBERED_UPLOADS = 100;

/** Memory that all files of an emulator share. */
export class FileBudget {
  private used = 0;

  constructor(private readonly bytes: number) {}

  /** @returns false when there is no room */
  claim(bytes: number): boolean {
    if (this.used + bytes > this.bytes) return false;
    this.used += bytes;
    return true;
  }

  release(bytes: number): void {
    this.used -= bytes;
  }
}

export type ConflictStrategy = 'overwrite' | 'append' | 'reject';

export interface UploadSettings {
  fileName: string;
  /** −1 when the device does not know it yet. */
  fileSize: number;
  conflictStrategy: ConflictStrategy;
  /** CRC-64/XZ of the whole file, when it is to be checked. */
  crc64: string | undefined;
  initUid: string | undefined;
}

/** A file that arrived whole. */
export interface StoredFile {
  fileId: string;
  name: string;
  content: Buffer;
  /** Milliseconds since 1970. */
  time: number;
}

/** Why an upload or a block is refused: codes of C.5. */
export class UploadError extends Error {
  override readonly name = 'UploadError';
  constructor(
    readonly code: number,
    message: string,
    /** Where the device should go on (78119). */
    readonly offset?: number,
  ) {
    super(message);
  }
}

/** An upload that is under way. */
export class Upload {
  readonly uploadId = randomBytes(12).toString('hex');
  private readonly blocks: Buffer[] = [];
  private readonly crc = new Crc64();
  private received = 0;

  constructor(
    readonly settings: UploadSettings,
    readonly expiresAt: number,
  ) {}

  /** Bytes that arrived: where the next block starts. */
  get offset(): number {
    return this.received;
  }

  /** CRC-64/XZ of what arrived. */
  get digest(): string {
    return this.crc.digest();
  }

  add(block: Uint8Array): void {
    // A copy: the parser's buffers are parts of larger ones that would all stay in memory.
    this.blocks.push(Buffer.from(block));
    this.crc.update(block);
    this.received += block.length;
  }

  content(): Buffer {
    return Buffer.concat(this.blocks, this.received);
  }
}

/** Files of one device, those under way and those that arrived. */
export class DeviceFiles {
  private readonly files = new Map<string, StoredFile>();
  private readonly uploads = new Map<string, Upload>();
  private readonly ended = new Set<string>();

  constructor(private readonly budget: FileBudget) {}

  /** Latest first, as the platform lists them. */
  list(): StoredFile[] {
    return [...this.files.values()].reverse();
  }

  get(fileId: string): StoredFile | undefined {
    return this.files.get(fileId);
  }

  find(name: string): StoredFile | undefined {
    for (const file of this.files.values()) if (file.name === name) return file;
    return undefined;
  }

  remove(fileId: string): boolean {
    const file = this.files.get(fileId);
    if (file === undefined) return false;
    this.files.delete(fileId);
    this.budget.release(ENTRY_BYTES + file.content.length);
    return true;
  }

  /** Forgets everything and gives the memory back. */
  clear(): void {
    for (const fileId of [...this.files.keys()]) this.remove(fileId);
    for (const upload of [...this.uploads.values()]) this.end(upload);
  }

  /**
   * Starts an upload, or finds the one to go on with: the same start twice (a lost answer), or `append` to one that
   * did not arrive whole.
   * @throws UploadError
   */
  start(settings: UploadSettings, now: number): Upload {
    this.expire(now);
    const { fileName, fileSize, conflictStrategy, initUid } = settings;
    if (fileSize > FILE_LIMITS.bytes) throw new UploadError(78117, `a file of ${fileSize} bytes`);
    const unfinished = [...this.uploads.values()].find((upload) => upload.settings.fileName === fileName);
    const same = initUid !== undefined && unfinished?.settings.initUid === initUid;
    if (unfinished !== undefined && (same || conflictStrategy === 'append')) return unfinished;
    const finished = this.find(fileName);
    if (conflictStrategy === 'reject' && unfinished !== undefined) {
      throw new UploadError(78126, `${fileName} is being uploaded`);
    }
    if (conflictStrategy !== 'overwrite' && finished !== undefined) {
      throw new UploadError(78123, `${fileName} exists`);
    }
    if (unfinished !== undefined) this.end(unfinished);
    if (finished !== undefined) this.remove(finished.fileId);
    if (this.files.size + this.uploads.size >= FILE_LIMITS.filesPerDevice) {
      throw new UploadError(78127, `more than ${FILE_LIMITS.filesPerDevice} files`);
    }
    this.claim(ENTRY_BYTES);
    const upload = new Upload(settings, now + FILE_LIMITS.uploadMs);
    this.uploads.set(upload.uploadId, upload);
    return upload;
  }

  /**
   * Takes a block.
   * @returns the upload, and the file when this block completed it
   * @throws UploadError
   */
  add(
    uploadId: string,
    block: { offset: number; data: Uint8Array; isLast: boolean; crcFits: boolean },
    now: number,
  ): { upload: Upload; file: StoredFile | undefined } {
    const upload = this.open(uploadId, now);
    const { data, offset } = block;
    const { fileSize, crc64 } = upload.settings;
    if (data.length > FILE_LIMITS.blockBytesMax)
      throw new UploadError(78118, `a block of ${data.length} bytes`);
    if (!block.crcFits) throw new UploadError(78121, 'the CRC of the block does not fit');
    if (offset !== upload.offset) {
      throw new UploadError(78119, `offset ${offset}, not ${upload.offset}`, upload.offset);
    }
    const size = offset + data.length;
    if (size > FILE_LIMITS.bytes) throw new UploadError(78117, `the file grew to ${size} bytes`);
    const isLast = block.isLast || size === fileSize;
    if (!isLast && data.length < FILE_LIMITS.blockBytesMin) {
      throw new UploadError(78120, `a block of ${data.length} bytes that is not the last`);
    }
    this.claim(data.length);
    upload.add(data);
    if (!isLast) return { upload, file: undefined };
    const wrongSize = fileSize >= 0 && size !== fileSize;
    if (wrongSize || (crc64 !== undefined && crc64 !== upload.digest)) {
      this.end(upload);
      const what = wrongSize ? `${size} of ${fileSize} bytes` : `CRC-64 ${upload.digest}, not ${crc64}`;
      throw new UploadError(78125, `the file is not whole: ${what}`);
    }
    return { upload, file: this.finish(upload, now) };
  }

  /** Gives an upload up. @throws UploadError */
  cancel(uploadId: string, now: number): void {
    this.end(this.open(uploadId, now));
  }

  private open(uploadId: string, now: number): Upload {
    this.expire(now);
    const upload = this.uploads.get(uploadId);
    if (upload !== undefined) return upload;
    throw this.ended.has(uploadId)
      ? new UploadError(78124, 'the upload is finished')
      : new UploadError(78122, 'the upload is unknown or has expired');
  }

  private finish(upload: Upload, now: number): StoredFile {
    const file = {
      fileId: randomBytes(16).toString('base64url'),
      name: upload.settings.fileName,
      content: upload.content(),
      time: now,
    };
    // The memory of the upload becomes that of the file.
    this.uploads.delete(upload.uploadId);
    this.files.set(file.fileId, file);
    this.ended.add(upload.uploadId);
    const [oldest] = this.ended;
    if (this.ended.size > REMEMBERED_UPLOADS && oldest !== undefined) this.ended.delete(oldest);
    return file;
  }

  private end(upload: Upload): void {
    this.uploads.delete(upload.uploadId);
    this.budget.release(ENTRY_BYTES + upload.offset);
  }

  private expire(now: number): void {
    for (const upload of [...this.uploads.values()]) if (upload.expiresAt <= now) this.end(upload);
  }

  private claim(bytes: number): void {
    if (!this.budget.claim(bytes)) throw new UploadError(78127, 'the emulator keeps no more files');
  }
}
