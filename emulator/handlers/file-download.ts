import { EnvelopeError, formatFileFrame, isJsonObject, type Json, parseRequest } from '../../protocol';
import { readId } from './files';
import { asText, type Handler } from './types';

const BLOCK_BYTES_MIN = 256;
const BLOCK_BYTES_MAX = 128 * 1024;
/** A request has less than 300 bytes; what looks for a comma in it takes the square of its length. */
const LONGEST_REQUEST_BYTES = 4096;
const TRAILING_COMMA = /("(?:[^"\\]|\\.)*")|,(?=\s*[}\]])/g;

/** B.6 row 85: a block of a firmware file, as a frame (B.7). */
export const fileDownload: Handler = ({ device, payload, platform, topic }) => {
  if (payload.length > LONGEST_REQUEST_BYTES) {
    return { code: 460, note: `${payload.length} bytes are no request`, reply: refused('', 460) };
  }
  let read: { id: string | number; params: Json };
  try {
    // Section J row 36: one SDK writes a comma too many.
    read = parseRequest(asText(payload).replace(TRAILING_COMMA, (_, text: string | undefined) => text ?? ''));
  } catch (thrown) {
    if (!(thrown instanceof EnvelopeError)) throw thrown;
    return { code: 460, note: thrown.message, reply: refused('', 460) };
  }
  const id = readId(read.id);
  const block = readBlock(read.params);
  if (typeof block === 'string') return { code: 460, note: block, reply: refused(id, 460) };
  const { streamId, fileId, fileToken, size, offset } = block;
  const file = platform.ota.streamFile(device, streamId, fileId);
  if (file === undefined) {
    return { code: 404, note: 'no such stream for this device', reply: refused(id, 404) };
  }
  const { content, purpose } = file;
  if (offset >= content.size) {
    return { code: 460, note: `offset ${offset} of ${content.size} bytes`, reply: refused(id, 460) };
  }
  let data = content.read(offset, size);
  const { faults } = platform;
  const { identity } = device;
  const corrupt = faults.strikeFile('corrupt', identity, topic, purpose, (fault) => {
    return fault.offset >= offset && fault.offset < offset + data.length;
  });
  if (corrupt !== undefined) {
    data = Uint8Array.from(data);
    data[corrupt.offset - offset] = (data[corrupt.offset - offset] ?? 0) ^ 0xff;
  }
  const header = {
    id,
    code: 200,
    msg: 'success',
    data: { fileToken, fileLength: content.size, bSize: data.length, bOffset: offset },
  };
  const frame = formatFileFrame({ header, data });
  const last = frame.length - 1;
  const wrongCrc = faults.strikeFile('wrongCrc', identity, topic, purpose) !== undefined;
  if (wrongCrc) frame[last] = (frame[last] ?? 0) ^ 0xff;
  const note = corrupt === undefined ? (wrongCrc ? 'fault: wrongCrc' : undefined) : 'fault: corrupt';
  return { code: 200, reply: frame, note: note ?? `${offset}–${offset + data.length}` };
};

/** A frame that says why there is no block. */
export function refused(id: string | number, code: number): Uint8Array {
  return formatFileFrame({ header: { id, code, msg: 'failed', data: {} }, data: new Uint8Array(0) });
}

function readBlock(
  params: Json,
): { streamId: number; fileId: number; fileToken: string; size: number; offset: number } | string {
  const { fileToken = 'default', fileInfo, fileBlock } = isJsonObject(params) ? params : {};
  const { streamId, fileId } = isJsonObject(fileInfo) ? fileInfo : {};
  const { size, offset } = isJsonObject(fileBlock) ? fileBlock : {};
  if (typeof fileToken !== 'string' || fileToken.length > 64) return 'fileToken is not a short text';
  if (typeof streamId !== 'number' || typeof fileId !== 'number') return 'fileInfo names no file';
  if (!isCount(size) || size < BLOCK_BYTES_MIN || size > BLOCK_BYTES_MAX) {
    return `size is not ${BLOCK_BYTES_MIN} to ${BLOCK_BYTES_MAX} bytes`;
  }
  if (!isCount(offset)) return 'offset is not a number';
  return { streamId, fileId, fileToken, size, offset };
}

function isCount(value: Json | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
