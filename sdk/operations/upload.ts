import { randomBytes } from 'node:crypto';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { type AlinkReply, Crc64, isJsonObject, type JsonObject } from '../../protocol';
import { AlinkError } from '../errors';
import type { RequestOptions, UploadFile, UploadOptions, UploadResult } from '../types';
import { type CheckedUpload, checkUpload } from './upload-input';

/** How often a step is tried again while nothing gets further. */
const RETRIES = 3;
/** At once: a large file takes a small board long to check, and reports go on meanwhile. */
const CHECKED_BYTES = 256 * 1024;
const LONGEST_UPLOAD_ID = 256;

/** Codes of an upload that say where to go on (C.5). */
const MISPLACED = 78119;
const DAMAGED = 78121;
const UNKNOWN_UPLOAD = 78122;
const FINISHED = 78124;

/** What an upload needs of the connection. */
export interface UploadDoor {
  /** Sends one step and waits for its answer; while offline it waits for the connection. */
  submit: (step: {
    operation: string;
    params: string;
    payload?: Uint8Array;
    options: RequestOptions;
  }) => Promise<AlinkReply>;
  /** First wait when the platform asks to slow down, ms; doubled each time. */
  pauseMs: number;
}

/**
 * Uploads a file in blocks, one after the other (B.6 rows 86–88, B.7). A step whose answer was lost is sent again: the
 * platform's offset tells what arrived.
 * @throws AlinkError `invalidInput` naming the field, `aborted`, or that of the step that did not succeed
 */
export async function uploadFile(
  door: UploadDoor,
  file: UploadFile,
  options: UploadOptions,
): Promise<UploadResult> {
  const upload = new Upload(door, checkUpload(file, options), options);
  try {
    return await upload.run();
  } catch (thrown) {
    if (options.signal?.aborted) {
      upload.cancel();
      throw aborted(thrown);
    }
    throw thrown;
  }
}

class Upload {
  #uploadId = '';
  /** Where the next block starts. */
  #offset = 0;
  /** The furthest that the platform confirmed. */
  #confirmed = -1;
  /** Steps that failed since it last got further. */
  #failures = 0;
  #startedAgain = false;
  #lastBlockSent = false;

  constructor(
    private readonly door: UploadDoor,
    private readonly file: CheckedUpload,
    private readonly options: UploadOptions,
  ) {}

  async run(): Promise<UploadResult> {
    const { name, content } = this.file;
    const checksum = await this.#checksum();
    await this.#init(checksum);
    for (;;) {
      const reply = await this.#sendBlock(checksum);
      if (reply) return { uploadId: this.#uploadId, fileName: name, bytes: content.length, reply };
    }
  }

  /** Tells the platform that nothing more comes; whether it hears it does not matter, an upload expires by itself. */
  cancel(): void {
    if (this.#uploadId === '') return;
    const params = JSON.stringify({ uploadId: this.#uploadId });
    this.door
      .submit({ operation: 'thing.file.upload.mqtt.cancel', params, options: {} })
      .catch(() => undefined);
  }

  async #checksum(): Promise<string> {
    const { content } = this.file;
    const crc = new Crc64();
    for (let start = 0; start < content.length; start += CHECKED_BYTES) {
      crc.update(content.subarray(start, start + CHECKED_BYTES));
      await setImmediate();
      this.#checkAborted();
    }
    return crc.digest();
  }

  async #init(ficValue: string): Promise<void> {
    const { name, content, conflictStrategy, extraParams } = this.file;
    const params: JsonObject = {
      fileName: name,
      fileSize: content.length,
      conflictStrategy,
      ficMode: 'crc64',
      ficValue,
      // The same start twice finds the same upload, should the answer to the first be lost.
      initUid: randomBytes(12).toString('hex'),
      ...(extraParams === undefined ? {} : { extraParams }),
    };
    this.#lastBlockSent = false;
    for (;;) {
      try {
        const { data } = await this.#submit('init', params);
        const { uploadId, offset = 0 } = isJsonObject(data) ? data : {};
        const isId = typeof uploadId === 'string' && uploadId !== '' && uploadId.length <= LONGEST_UPLOAD_ID;
        if (!isId || !this.#isOffset(offset)) throw malformed('init', 'it has no uploadId or a wrong offset');
        this.#uploadId = uploadId;
        this.#moveTo(offset);
        return;
      } catch (thrown) {
        await this.#again(thrown);
      }
    }
  }

  /** @returns the answer that ended the upload, undefined when more is to be sent */
  async #sendBlock(checksum: string): Promise<AlinkReply | undefined> {
    const { content, blockBytes } = this.file;
    const offset = this.#offset;
    const data = content.subarray(offset, offset + blockBytes);
    const end = offset + data.length;
    const isComplete = end === content.length;
    const wasSent = this.#lastBlockSent;
    if (isComplete) this.#lastBlockSent = true;
    const params = { uploadId: this.#uploadId, offset, bSize: data.length, isComplete };
    try {
      const reply = await this.#submit('send', params, data);
      if (isComplete && isJsonObject(reply.data) && reply.data.complete === false) {
        throw malformed('send', 'the file is not complete after its last block');
      }
      this.#moveTo(end);
      return isComplete ? reply : undefined;
    } catch (thrown) {
      if (!(thrown instanceof AlinkError)) throw thrown;
      const { code } = thrown;
      if (code === FINISHED && isComplete && wasSent) return this.#wasFinished(thrown);
      if (code === UNKNOWN_UPLOAD && !this.#startedAgain) {
        this.#startedAgain = true;
        this.#confirmed = -1;
        await this.#init(checksum);
        return undefined;
      }
      await this.#again(thrown);
      if (code === MISPLACED) this.#resume(thrown.platformData);
      return undefined;
    }
  }

  // The answer to the last block was lost, and this is what the platform says when the block comes again.
  #wasFinished({ platformData, platformMessage }: AlinkError): AlinkReply {
    this.#moveTo(this.file.content.length);
    return {
      id: '',
      code: FINISHED,
      data: platformData ?? {},
      ...(platformMessage === undefined ? {} : { message: platformMessage }),
    };
  }

  #resume(data: AlinkError['platformData']): void {
    const offset = isJsonObject(data) ? data.offset : undefined;
    if (!this.#isOffset(offset)) return;
    if (offset > this.#confirmed) this.#moveTo(offset);
    else this.#offset = offset;
  }

  #moveTo(offset: number): void {
    this.#offset = offset;
    if (offset <= this.#confirmed) return;
    this.#confirmed = offset;
    this.#failures = 0;
    this.options.onProgress?.(offset, this.file.content.length);
  }

  /** Returns when a failed step is worth another try. @throws what it failed with when it is not */
  async #again(thrown: unknown): Promise<void> {
    const isPassing = thrown instanceof AlinkError && thrown.retry === 'slow';
    if (!isPassing || this.#failures >= RETRIES) throw thrown;
    const { key, code } = thrown;
    const mayGoOn = code === MISPLACED || code === DAMAGED;
    if ((key === 'platformRefused' && !mayGoOn) || key === 'waitingFull') {
      await setTimeout(this.door.pauseMs * 2 ** this.#failures, undefined, this.#signal());
    }
    this.#failures++;
  }

  #submit(step: 'init' | 'send', params: JsonObject, payload?: Uint8Array): Promise<AlinkReply> {
    const { timeoutMs } = this.options;
    return this.door.submit({
      operation: `thing.file.upload.mqtt.${step}`,
      params: JSON.stringify(params),
      ...(payload === undefined ? {} : { payload }),
      options: { ...(timeoutMs === undefined ? {} : { timeoutMs }), ...this.#signal() },
    });
  }

  #isOffset(value: unknown): value is number {
    return (
      typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= this.file.content.length
    );
  }

  #signal(): { signal?: AbortSignal } {
    const { signal } = this.options;
    return signal === undefined ? {} : { signal };
  }

  #checkAborted(): void {
    if (this.options.signal?.aborted) throw aborted(undefined);
  }
}

function aborted(cause: unknown): AlinkError {
  if (cause instanceof AlinkError && cause.key === 'aborted') return cause;
  return new AlinkError('aborted', 'the upload was given up', { cause });
}

function malformed(step: 'init' | 'send', reason: string): AlinkError {
  const details = { operation: `thing.file.upload.mqtt.${step}`, reason };
  return new AlinkError('malformedReply', `the answer of the platform cannot be used: ${reason}`, {
    retry: 'slow',
    details,
  });
}
