import { FileFrameError, parseFileFrame, parseRequest } from '../../protocol';
import { refused as noBlock } from './file-download';
import { readId } from './files';
import { failed } from './shadow';
import { asText, type Call, writeReply } from './types';

/**
 * The answer to a request that is not carried out, in the form that its operation has.
 * @returns undefined for an operation whose answers have no code
 */
export function refusal(
  { operation, payload, method, now }: Pick<Call, 'operation' | 'payload' | 'method' | 'now'>,
  code: number,
): string | Uint8Array | undefined {
  switch (operation) {
    case 'ext.ntp.request':
      return undefined;
    case 'shadow.update':
      return failed(code, 'refused', now).reply;
    case 'ota.inform':
    case 'ota.progress':
      return undefined;
    case 'ota.request':
      return JSON.stringify({ code, id: requestId(payload), message: 'refused' });
    case 'thing.file.download':
      return noBlock(requestId(payload), code);
    case 'thing.file.upload.mqtt.send':
      return writeReply(frameId(payload), { code }, method);
    default:
      return writeReply(requestId(payload), { code }, method);
  }
}

/** The id of a message in the common envelope; empty when it has none. */
export function requestId(payload: Uint8Array): string | number {
  try {
    return parseRequest(asText(payload)).id;
  } catch {
    return ''; // Whatever it was, it is not carried out.
  }
}

function frameId(payload: Uint8Array): string | number {
  try {
    return readId(parseFileFrame(payload).header.id);
  } catch (thrown) {
    if (!(thrown instanceof FileFrameError)) throw thrown;
    return '';
  }
}
