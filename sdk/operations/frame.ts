import { formatFileFrame, isJsonObject } from '../../protocol';
import { ALINK } from './alink';
import type { WireFormat } from './types';

const NOTHING = new Uint8Array();

/** A block of a file: `params` stand in its header, the data are the payload; answered in the envelope (B.7). */
export const FRAME: WireFormat = {
  ...ALINK,
  write: (id, { params, payload }) => {
    const read: unknown = JSON.parse(params);
    const header = { id, params: isJsonObject(read) ? read : {} };
    return formatFileFrame({ header, data: payload instanceof Uint8Array ? payload : NOTHING });
  },
};
