import { AlinkError, type AlinkErrorOptions, type ErrorKey } from '../errors';
import type { FailureStep } from './types';

/** An error of an upgrade. @param step what the platform is to be told (G.3) */
export function failure(
  key: ErrorKey,
  step: FailureStep,
  reason: string,
  { details, ...options }: AlinkErrorOptions = {},
): AlinkError {
  return new AlinkError(key, reason, { ...options, details: { reason, ...details, step } });
}

/** The failure step that an error asks to report; −1 when it names none. */
export function failureStep(error: AlinkError): FailureStep {
  const { step } = error.details;
  return step === -2 || step === -3 || step === -4 ? step : -1;
}

/** Whatever was thrown by the disk. */
export function storageError(cause: unknown): AlinkError {
  if (cause instanceof AlinkError) return cause;
  const code = cause instanceof Error ? (cause as NodeJS.ErrnoException).code : undefined;
  const reason = code ?? (cause instanceof Error ? cause.message : String(cause));
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return failure('diskFull', -2, 'the disk is full', { cause, details: { rule: 'diskFull' } });
  const path = cause instanceof Error ? (cause as NodeJS.ErrnoException).path : undefined;
  return failure('firmwareStorage', -2, `the file cannot be written or read: ${reason}`, {
    cause,
    // The path is for the person at the device, not for the platform, which is told the sentence.
    details:
      code === undefined || path === undefined
        ? { reason }
        : { rule: 'storageAt', code, path, reason: `${code} at ${path}` },
  });
}
