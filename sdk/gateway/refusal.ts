import { AlinkError } from '../errors';
import type { PackLimits } from './packs';

/** What the refusal of a pack says about the reports in it. */
export type Refusal =
  /** It would have met any pack at this moment, or nobody knows whether it arrived. */
  | { of: 'all' }
  /** Something in it is bad: a value, or one of the devices. */
  | { of: 'part' }
  /** A device itself is bad, whatever it reports. */
  | { of: 'device' }
  /** There is too much of something. */
  | { of: 'size'; limit: keyof PackLimits };

// No session, deleted, disabled, unknown, not in the topology, another way of authentication (C.2, C.3).
const OF_DEVICE = new Set([520, 521, 522, 6100, 6200, 6204, 6401]);
const OF_SIZE = new Map<number, keyof PackLimits>([
  [6106, 'properties'],
  [6356, 'events'],
  [6357, 'subDevices'],
]);
/** The account is in arrears. */
const ARREARS = 403;

/** Reads why a pack failed: only what the platform refused for something in it is worth sending again in pieces. */
export function refusalOf(error: unknown): Refusal {
  if (!(error instanceof AlinkError)) return { of: 'all' };
  const { code } = error;
  if (error.key !== 'platformRefused' || code === undefined) return { of: 'all' };
  const limit = OF_SIZE.get(code);
  if (limit !== undefined) return { of: 'size', limit };
  if (OF_DEVICE.has(code)) return { of: 'device' };
  return { of: error.retry === 'slow' || code === ARREARS ? 'all' : 'part' };
}
