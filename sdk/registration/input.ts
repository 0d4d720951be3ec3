import { randomBytes } from 'node:crypto';
import type { DeviceIdentity } from '../../protocol';
import type { Timing } from '../session/timing';

/** What every way of registration needs. */
export interface RegistrationInput {
  identity: DeviceIdentity;
  productSecret: string;
  /** PEM of further trusted roots. */
  ca?: string | undefined;
  signal: AbortSignal;
  timing: Timing;
  /** A CONNECT was sent. */
  onSent: () => void;
}

/** A nonce, signed with the registration (A.6, A.7). */
export function newRandom(): string {
  return randomBytes(12).toString('hex');
}
