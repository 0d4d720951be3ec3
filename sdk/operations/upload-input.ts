import { isJsonObject, operation } from '../../protocol';
import { AlinkError } from '../errors';
import type { UploadFile, UploadOptions } from '../types';

const FILE_NAME = /^[0-9A-Za-z][0-9A-Za-z_.]{0,99}$/;
const STRATEGIES: readonly unknown[] = ['overwrite', 'append', 'reject'];
const STANDARD_BLOCK_BYTES = 65_536;

/** An upload that can be started. */
export interface CheckedUpload extends Required<Omit<UploadFile, 'extraParams'>> {
  extraParams: UploadFile['extraParams'];
  blockBytes: number;
}

/**
 * Checks what the platform would refuse (B.6 rows 86, 87).
 * @throws AlinkError `invalidInput` with the name of the field in `details.field`
 */
export function checkUpload(
  file: UploadFile,
  { blockBytes = STANDARD_BLOCK_BYTES }: UploadOptions,
): CheckedUpload {
  const { name, content, conflictStrategy = 'overwrite', extraParams } = file;
  const { fileBytes = 0 } = operation('thing.file.upload.mqtt.init').limits ?? {};
  const { blockBytesMin = 0, blockBytesMax = 0 } = operation('thing.file.upload.mqtt.send').limits ?? {};
  if (typeof name !== 'string' || !FILE_NAME.test(name)) {
    throw invalid('name', 'a file name has 1–100 letters, digits, _ or ., a letter or digit first');
  }
  if (!(content instanceof Uint8Array)) throw invalid('content', 'the content is not a buffer');
  if (content.length > fileBytes) {
    throw invalid('content', `the file has ${content.length} bytes, at most ${fileBytes} are allowed`);
  }
  if (!STRATEGIES.includes(conflictStrategy)) {
    throw invalid('conflictStrategy', `it is one of ${STRATEGIES.join(', ')}`);
  }
  if (extraParams !== undefined && !isJsonObject(extraParams))
    throw invalid('extraParams', 'it is not an object');
  if (!Number.isInteger(blockBytes) || blockBytes < blockBytesMin || blockBytes > blockBytesMax) {
    throw invalid('blockBytes', `it is a whole number of ${blockBytesMin}–${blockBytesMax}`);
  }
  return { name, content, conflictStrategy, extraParams, blockBytes };
}

function invalid(field: string, reason: string): AlinkError {
  return new AlinkError('invalidInput', `${field}: ${reason}`, { details: { field, reason } });
}
