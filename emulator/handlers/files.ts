import { FileFrameError, isJsonObject, type Json, type JsonObject, parseFileFrame } from '../../protocol';
import {
  type ConflictStrategy,
  type StoredFile,
  type Upload,
  UploadError,
  type UploadSettings,
} from '../registry/files';
import { type Answer, alink, type Handler, writeReply } from './types';

const FILE_NAME = /^[0-9A-Za-z][\w.]{0,99}$/;
const LONGEST_ID = 64;

/** B.6 row 86. */
export const uploadInit = alink(({ params }, { device, now }) => {
  const settings = readSettings(params);
  if (typeof settings === 'string') return { code: 460, note: settings };
  return answer(() => {
    const upload = device.files.start(settings, now);
    const { fileName, fileSize, conflictStrategy, crc64 } = upload.settings;
    return {
      fileName,
      uploadId: upload.uploadId,
      offset: upload.offset,
      fileSize,
      conflictStrategy,
      ...(crc64 === undefined ? {} : { ficMode: 'crc64', ficValue: crc64 }),
    };
  });
});

/** B.6 row 87: the request is a binary frame (B.7), the answer an envelope. */
export const uploadSend: Handler = ({ device, payload, method, now }) => {
  let frame: ReturnType<typeof parseFileFrame>;
  try {
    frame = parseFileFrame(payload);
  } catch (thrown) {
    if (!(thrown instanceof FileFrameError)) throw thrown;
    return { reply: writeReply('', { code: 460 }, method), code: 460, note: thrown.message };
  }
  const { header, data, crcFits } = frame;
  const id = readId(header.id);
  const block = readBlock(header.params ?? null, data.length);
  const result: Answer =
    typeof block === 'string'
      ? { code: 460, note: block }
      : answer(() => {
          const added = device.files.add(block.uploadId, { ...block, data, crcFits }, now);
          return describeBlock(block, added);
        }, block.uploadId);
  return { reply: writeReply(id, result, method), code: result.code, note: result.note };
};

/** B.6 row 88. */
export const uploadCancel = alink(({ params }, { device, now }) => {
  const uploadId = isJsonObject(params) ? params.uploadId : undefined;
  if (typeof uploadId !== 'string') return { code: 460, note: 'uploadId is missing' };
  return answer(() => {
    device.files.cancel(uploadId, now);
    return { uploadId };
  }, uploadId);
});

function answer(work: () => JsonObject, uploadId?: string): Answer {
  try {
    return { code: 200, data: work() };
  } catch (thrown) {
    if (!(thrown instanceof UploadError)) throw thrown;
    const { code, message, offset } = thrown;
    const data = offset === undefined || uploadId === undefined ? {} : { uploadId, offset };
    return { code, data, note: message };
  }
}

interface Block {
  uploadId: string;
  offset: number;
  bSize: number;
  isLast: boolean;
}

function describeBlock(
  { uploadId, offset, bSize }: Block,
  { upload, file }: { upload: Upload; file: StoredFile | undefined },
): JsonObject {
  const { crc64 } = upload.settings;
  return {
    uploadId,
    offset,
    bSize,
    complete: file !== undefined,
    ...(file === undefined || crc64 === undefined
      ? {}
      : { ficMode: 'crc64', ficValueClient: crc64, ficValueServer: upload.digest }),
  };
}

function readBlock(params: Json, length: number): Block | string {
  const { uploadId, offset, bSize, isComplete = false } = isJsonObject(params) ? params : {};
  if (typeof uploadId !== 'string' || uploadId.length > LONGEST_ID) return 'uploadId is missing';
  if (typeof offset !== 'number' || !Number.isSafeInteger(offset) || offset < 0)
    return 'offset is not a number';
  if (bSize !== length)
    return `bSize is ${JSON.stringify(bSize)?.slice(0, 20)}, the block has ${length} bytes`;
  if (typeof isComplete !== 'boolean') return 'isComplete is not true or false';
  return { uploadId, offset, bSize, isLast: isComplete };
}

function readSettings(params: Json): UploadSettings | string {
  if (!isJsonObject(params)) return 'params is not an object';
  const { fileName, fileSize, conflictStrategy = 'overwrite', ficMode, ficValue, initUid } = params;
  if (typeof fileName !== 'string' || !FILE_NAME.test(fileName)) return 'fileName breaks the rule';
  if (typeof fileSize !== 'number' || !Number.isSafeInteger(fileSize) || fileSize < -1) {
    return 'fileSize is neither a number of bytes nor -1';
  }
  if (!isStrategy(conflictStrategy)) return 'conflictStrategy is overwrite, append or reject';
  if (initUid !== undefined && (typeof initUid !== 'string' || initUid.length > LONGEST_ID)) {
    return 'initUid is not a short text';
  }
  const checked = ficMode !== undefined || ficValue !== undefined;
  if (checked && (ficMode !== 'crc64' || typeof ficValue !== 'string' || !/^[0-9a-f]{16}$/i.test(ficValue))) {
    return 'ficMode is crc64 and ficValue has 16 hex digits';
  }
  if (checked && fileSize === -1) return 'a file of unknown size has no ficValue';
  return {
    fileName,
    fileSize,
    conflictStrategy,
    crc64: typeof ficValue === 'string' ? ficValue.toLowerCase() : undefined,
    initUid,
  };
}

function isStrategy(value: Json): value is ConflictStrategy {
  return value === 'overwrite' || value === 'append' || value === 'reject';
}

/** Id of a block's header; empty when it has none that can be echoed. */
export function readId(id: Json | undefined): string | number {
  if (typeof id === 'number') return id;
  return typeof id === 'string' && id.length <= LONGEST_ID ? id : '';
}
