import type { Operation } from '../../protocol';
import { ALINK } from './alink';
import { BLOCK } from './block';
import { FRAME } from './frame';
import { OPAQUE } from './opaque';
import { SHADOW } from './shadow';
import { TIME_EXCHANGE } from './time';
import type { WireFormat } from './types';

export type { Answer, WireFormat } from './types';

/** By name, so that a message that waits stays plain data. */
export const WIRE_FORMATS = {
  alink: ALINK,
  shadow: SHADOW,
  time: TIME_EXCHANGE,
  frame: FRAME,
  block: BLOCK,
  opaque: OPAQUE,
} as const satisfies Record<string, WireFormat>;

export type WireFormatName = keyof typeof WIRE_FORMATS;

// Each of these has a shape of its own.
const OWN_FORMATS: Readonly<Record<string, WireFormatName>> = {
  'shadow.update': 'shadow',
  'ext.ntp.request': 'time',
  'thing.file.download': 'block',
};

/**
 * How an operation that a device starts is written and answered.
 * @returns undefined for one that the SDK cannot send as a request
 */
export function wireFormat({
  name,
  direction,
  format,
  purpose,
  replyTopic,
}: Operation): WireFormatName | undefined {
  if (direction !== 'up' || replyTopic === undefined) return undefined;
  // Sessions of sub-devices have the common envelope without a method (B.5).
  if (purpose === 'session') return 'alink';
  return OWN_FORMATS[name] ?? (format === 'json' ? undefined : format);
}
