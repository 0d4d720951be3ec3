import {
  EnvelopeError,
  FileFrameError,
  isJsonObject,
  type JsonObject,
  parseFileFrame,
  parseJson,
  parseReply,
} from '../../protocol';
import { ALINK } from './alink';
import type { WireFormat } from './types';

const BRACE = 0x7b;

/** A block of a file from the platform: asked for in the common envelope, answered with a frame (B.6 row 85, B.7). */
export const BLOCK: WireFormat = {
  ...ALINK,
  read: (payload) => {
    const { header, data, crcFits } = readFrame(payload);
    // The header has `msg` where other answers have `message`.
    const reply = parseReply(JSON.stringify({ message: header.msg, ...header }));
    if (reply.code === 200 && !crcFits) throw new EnvelopeError('badCode', 'the CRC of the block is wrong');
    return { ...reply, payload: data };
  },
  // A damaged block still has the id in its header, so that its request need not wait for its time limit.
  keyOfUnreadable: (payload) => {
    try {
      const { id } = readFrame(payload).header;
      return typeof id === 'string' || typeof id === 'number' ? String(id) : undefined;
    } catch (thrown) {
      if (thrown instanceof EnvelopeError) return undefined;
      throw thrown;
    }
  },
};

function readFrame(payload: Uint8Array): { header: JsonObject; data: Uint8Array; crcFits: boolean } {
  try {
    return parseFileFrame(payload);
  } catch (thrown) {
    if (!(thrown instanceof FileFrameError)) throw thrown;
    // A refusal may come without a frame.
    const header = payload[0] === BRACE ? parseJson(payload) : undefined;
    if (isJsonObject(header)) return { header, data: new Uint8Array(), crcFits: false };
    throw new EnvelopeError('notJson', thrown.message);
  }
}
