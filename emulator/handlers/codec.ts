import { gunzipSync, gzipSync } from 'node:zlib';
import { isJsonObject, topicProblem } from '../../protocol';
import type { Codec, Device } from '../registry/device';
import { alink } from './types';

const MOST_TOPICS = 100;

/** B.8 row 103: the named topics are gzip from now on, until the device's next list. */
export const codecUpdate = alink(({ params }, { device }) => {
  if (!Array.isArray(params) || params.length > MOST_TOPICS) {
    return { code: 460, note: `params is not a list of at most ${MOST_TOPICS} topics` };
  }
  const codecs = new Map<string, Codec>();
  for (const entry of params) {
    const { topic, operation, format = 'gzip' } = isJsonObject(entry) ? entry : {};
    if (typeof topic !== 'string' || topicProblem(topic) !== undefined) {
      return { code: 460, note: 'a topic cannot be one' };
    }
    if (operation !== 'decompress' && operation !== 'compress') {
      return { code: 460, note: 'operation is decompress or compress' };
    }
    if (format !== 'gzip') return { code: 460, note: 'format is gzip' };
    codecs.set(topic, operation);
  }
  device.codecs = codecs;
  return { code: 200 };
});

/**
 * The payload that the device meant.
 * @param limit in bytes, for what comes out
 * @returns undefined when it is no gzip, or would be larger
 */
export function decode(
  { codecs }: Device,
  topic: string,
  payload: Uint8Array,
  limit: number,
): Uint8Array | undefined {
  if (codecs.size === 0 || codecs.get(topic) !== 'decompress') return payload;
  try {
    return gunzipSync(payload, { maxOutputLength: limit });
  } catch {
    // Whatever zlib says about it, nobody can read it.
    return undefined;
  }
}

/** The payload as the device wants it. */
export function encode({ codecs }: Device, topic: string, payload: string | Uint8Array): string | Uint8Array {
  return codecs.size === 0 || codecs.get(topic) !== 'compress' ? payload : gzipSync(payload);
}
