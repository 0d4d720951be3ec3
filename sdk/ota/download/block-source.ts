import { setTimeout } from 'node:timers/promises';
import { isJsonObject } from '../../../protocol';
import { AlinkError } from '../../errors';
import type { Answer } from '../../operations';
import type { Submission } from '../../report/dispatcher';
import type { FirmwareFile } from '../types';
import { type OpenSource, type Source, SourceError } from './source';

export interface BlockOptions {
  request: (submission: Submission) => Promise<Answer>;
  blockBytes: number;
  inFlight: number;
  blockMs: number;
  gapMs: number;
}

/** Of each block (B.7). */
const RETRIES = 3;
const OPERATION = 'thing.file.download';

/** Files in blocks over MQTT (B.6 row 85, B.7): several asked for at a time, given in order. */
export class BlockSource implements Source {
  #nextAt = 0;

  constructor(private readonly options: BlockOptions) {}

  async open(file: FirmwareFile, offset: number, signal: AbortSignal): Promise<OpenSource> {
    return {
      offset,
      read: async (take) => {
        for await (const block of this.#blocks(file, offset, signal)) await take(block);
      },
    };
  }

  async *#blocks(file: FirmwareFile, from: number, outer: AbortSignal): AsyncGenerator<Uint8Array> {
    const { blockBytes, inFlight } = this.options;
    const ending = new AbortController();
    const signal = AbortSignal.any([outer, ending.signal]);
    const window: Array<Promise<Uint8Array>> = [];
    let next = from;
    try {
      while (next < file.size || window.length > 0) {
        while (window.length < inFlight && next < file.size) {
          const block = this.#block(file, next, Math.min(blockBytes, file.size - next), signal);
          // Told when it is its turn.
          block.catch(() => undefined);
          window.push(block);
          next += blockBytes;
        }
        const first = window.shift();
        if (first) yield await first;
      }
    } finally {
      ending.abort();
    }
  }

  async #block(file: FirmwareFile, offset: number, size: number, signal: AbortSignal): Promise<Uint8Array> {
    for (let failures = 0; ; failures++) {
      try {
        await this.#turn(signal);
        return await this.#ask(file, offset, size, signal);
      } catch (thrown) {
        if (signal.aborted) throw thrown;
        const problem = asSourceError(thrown);
        if (problem.problem !== 'passing' || failures >= RETRIES) throw problem;
      }
    }
  }

  // The platform drops what comes too fast (section D), and then a block costs its whole time limit.
  async #turn(signal: AbortSignal): Promise<void> {
    const now = performance.now();
    const at = Math.max(now, this.#nextAt);
    this.#nextAt = at + this.options.gapMs;
    if (at > now) await setTimeout(at - now, undefined, { signal });
  }

  async #ask(file: FirmwareFile, offset: number, size: number, signal: AbortSignal): Promise<Uint8Array> {
    const { streamId = 0, fileId = 0 } = file.stream ?? {};
    const params = {
      fileToken: 'default',
      fileInfo: { streamId, fileId },
      fileBlock: { size, offset },
    };
    const { data, payload } = await this.options.request({
      operation: OPERATION,
      params: JSON.stringify(params),
      options: { timeoutMs: this.options.blockMs, signal },
    });
    if (!isJsonObject(data) || payload === undefined)
      throw new SourceError('passing', 'fileBlock', 'a block has no header');
    const { fileLength, bOffset, bSize } = data;
    if (fileLength !== undefined && Number(fileLength) !== file.size) {
      const values = { size: Number(fileLength), expected: file.size };
      const reason = `the platform has ${values.size} bytes instead of ${values.expected}`;
      throw new SourceError('wrong', 'documentSize', reason, { values });
    }
    const fits = Number(bOffset ?? offset) === offset && Number(bSize ?? size) === size;
    if (!fits || payload.length !== size)
      throw new SourceError('passing', 'fileBlock', 'a block is not the one asked for');
    return payload;
  }
}

function asSourceError(thrown: unknown): SourceError {
  if (thrown instanceof SourceError) return thrown;
  if (!(thrown instanceof AlinkError)) throw thrown;
  const isFinal = thrown.key === 'platformRefused' && thrown.retry === 'no';
  const rule = isFinal ? 'fileStream' : 'fileBlock';
  return new SourceError(isFinal ? 'expired' : 'passing', rule, thrown.message, { cause: thrown });
}
