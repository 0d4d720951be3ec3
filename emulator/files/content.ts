import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { isJsonObject, type Json, type JsonObject } from '../../protocol';

/** Digests that the platform checks files with (G.2). */
export type DigestMethod = 'MD5' | 'SHA256';

/** The bytes of a file that is served, wherever they are. */
export interface Content {
  readonly size: number;
  /** What it takes of the emulator's memory. */
  readonly memoryBytes: number;
  /** @returns `length` bytes from `offset` on, fewer at the end */
  read(offset: number, length: number): Uint8Array;
  /** What a snapshot keeps of it; undefined when it is too large for one. */
  save(): JsonObject | undefined;
}

const LARGEST_SAVED_BYTES = 1024 * 1024;
const PATTERN_BYTES = 64 * 1024;
const NUMBER_BYTES = 4;
const DIGEST_BLOCK_BYTES = 1024 * 1024;

/** A file that is held in memory. */
export function bytesContent(bytes: Uint8Array): Content {
  return {
    size: bytes.length,
    memoryBytes: bytes.length,
    read: (offset, length) => bytes.subarray(offset, offset + length),
    save: () =>
      bytes.length <= LARGEST_SAVED_BYTES ? { base64: Buffer.from(bytes).toString('base64') } : undefined,
  };
}

/**
 * A file of any size that takes no memory: noise, the same for the same seed, in which no two blocks are alike, so that a
 * piece in the wrong place is found by the digest.
 */
export function generatedContent(size: number, seed = 1): Content {
  const pattern = noise(seed);
  return {
    size,
    memoryBytes: pattern.length,
    read: (offset, length) => {
      const end = Math.min(offset + length, size);
      const bytes = Buffer.allocUnsafe(Math.max(0, end - offset));
      let at = offset;
      while (at < end) {
        const block = Math.floor(at / PATTERN_BYTES);
        const start = block * PATTERN_BYTES;
        const stop = Math.min(end, start + PATTERN_BYTES);
        bytes.set(pattern.subarray(at - start, stop - start), at - offset);
        for (let i = at - start; i < NUMBER_BYTES && start + i < stop; i++) {
          bytes[start + i - offset] = (block >>> (8 * i)) & 0xff;
        }
        at = stop;
      }
      return bytes;
    },
    save: () => ({ size, seed }),
  };
}

/** A file on disk, read when somebody wants it. @throws the system's error when there is none */
export function diskContent(path: string): Content {
  const { size } = statSync(path);
  return {
    size,
    memoryBytes: 0,
    read: (offset, length) => {
      const file = openSync(path, 'r');
      try {
        const bytes = Buffer.allocUnsafe(Math.max(0, Math.min(length, size - offset)));
        return bytes.subarray(0, readSync(file, bytes, 0, bytes.length, offset));
      } finally {
        closeSync(file);
      }
    },
    save: () => ({ path }),
  };
}

/** Brings back what `save` gave. @returns undefined when it is gone */
export function restoreContent(saved: Json | undefined): Content | undefined {
  if (!isJsonObject(saved)) return undefined;
  const { base64, size, seed, path } = saved;
  if (typeof base64 === 'string') return bytesContent(Buffer.from(base64, 'base64'));
  if (typeof size === 'number' && typeof seed === 'number') return generatedContent(size, seed);
  if (typeof path !== 'string') return undefined;
  try {
    return diskContent(path);
  } catch {
    return undefined;
  }
}

/** Hexadecimal digest. Others get their turn in between: a large file takes seconds. */
export async function digestOf(content: Content, method: DigestMethod): Promise<string> {
  const hash = createHash(method === 'MD5' ? 'md5' : 'sha256');
  for (let offset = 0; offset < content.size; offset += DIGEST_BLOCK_BYTES) {
    hash.update(content.read(offset, DIGEST_BLOCK_BYTES));
    if (offset > 0) await new Promise((resolve) => setImmediate(resolve));
  }
  return hash.digest('hex');
}

/** Digest of what is small enough to be done at once. */
export function digestNow(bytes: Uint8Array, method: DigestMethod): string {
  return createHash(method === 'MD5' ? 'md5' : 'sha256')
    .update(bytes)
    .digest('hex');
}

// A chain of digests: no state outside, the same on every machine.
function noise(seed: number): Buffer {
  const blocks: Buffer[] = [];
  let block = createHash('sha512').update(`firmware ${seed}`).digest();
  for (let bytes = 0; bytes < PATTERN_BYTES; bytes += block.length) {
    blocks.push(block);
    block = createHash('sha512').update(block).digest();
  }
  return Buffer.concat(blocks, PATTERN_BYTES);
}
