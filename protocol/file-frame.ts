import { crc16 } from './crc';
import { EnvelopeError, isJsonObject, type JsonObject, parseJson } from './envelope';

/** A block of a file with its header (B.7). */
export interface FileFrame {
  /** Upload: `{"id","params":{…}}`; download: `{"id","code","msg","data":{…}}`. */
  header: JsonObject;
  data: Uint8Array;
}

/** Largest header: its length is written in two bytes. */
export const LARGEST_FRAME_HEADER_BYTES = 0xffff;
const LENGTH_BYTES = 2;
const CRC_BYTES = 2;
const ENCODER = new TextEncoder();

/** Bytes that are not a frame, or a header that is too large for one. */
export class FileFrameError extends Error {
  override readonly name = 'FileFrameError';
  constructor(
    readonly problem: 'tooShort' | 'badHeader' | 'headerTooLarge',
    message: string,
  ) {
    super(message);
  }
}

/**
 * Writes a block: length of the header (2 bytes, big-endian), header, data, CRC-16/ARC of the data (2 bytes,
 * little-endian) (B.7).
 * @throws FileFrameError when the header has more than 65,535 bytes
 */
export function formatFileFrame({ header, data }: FileFrame): Uint8Array {
  const head = ENCODER.encode(JSON.stringify(header));
  if (head.length > LARGEST_FRAME_HEADER_BYTES) {
    throw new FileFrameError('headerTooLarge', `the header of the block has ${head.length} bytes`);
  }
  const frame = new Uint8Array(LENGTH_BYTES + head.length + data.length + CRC_BYTES);
  const view = new DataView(frame.buffer);
  view.setUint16(0, head.length);
  frame.set(head, LENGTH_BYTES);
  frame.set(data, LENGTH_BYTES + head.length);
  view.setUint16(frame.length - CRC_BYTES, crc16(data), true);
  return frame;
}

/**
 * Reads a block. A wrong CRC is told and not thrown, because whoever answers needs the header.
 * @returns `data` as a part of `frame`, not a copy
 * @throws FileFrameError when it is no frame or its header no JSON object
 */
export function parseFileFrame(frame: Uint8Array): FileFrame & { crcFits: boolean } {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  if (frame.length < LENGTH_BYTES + CRC_BYTES) {
    throw new FileFrameError('tooShort', `a block of ${frame.length} bytes is no frame`);
  }
  const start = LENGTH_BYTES + view.getUint16(0);
  const end = frame.length - CRC_BYTES;
  if (start > end) throw new FileFrameError('tooShort', 'the block ends within its header');
  const data = frame.subarray(start, end);
  const header = readHeader(frame.subarray(LENGTH_BYTES, start));
  return { header, data, crcFits: view.getUint16(end, true) === crc16(data) };
}

function readHeader(bytes: Uint8Array): JsonObject {
  try {
    const header = parseJson(bytes);
    if (isJsonObject(header)) return header;
  } catch (thrown) {
    if (!(thrown instanceof EnvelopeError)) throw thrown;
  }
  throw new FileFrameError('badHeader', 'the header of the block is not a JSON object');
}
