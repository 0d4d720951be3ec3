import { AlinkError } from '../errors';
import type { ConfigurationListening, DocumentOptions } from './types';

const LARGEST_DOCUMENT = 16 * 1024 * 1024;
const LONGEST_TIME_LIMIT_MS = 3_600_000;
const LONGEST_GUARD_MS = 7 * 24 * 3_600_000;
const LONGEST_DOWNLOAD_MS = 3_600_000;

/** @throws AlinkError `badSettings` naming the field */
export function checkDocumentOptions({ mostBytes, downloadMs, hosts }: DocumentOptions): void {
  check('mostBytes', mostBytes, 1, LARGEST_DOCUMENT);
  check('downloadMs', downloadMs, 1, LONGEST_DOWNLOAD_MS);
  if (hosts?.length === 0) throw bad('hosts', 'is empty, so nothing could be loaded');
}

/** @throws AlinkError `badSettings` naming the field */
export function checkListening(listening: ConfigurationListening): void {
  checkDocumentOptions(listening);
  check('timeLimitMs', listening.timeLimitMs, 1, LONGEST_TIME_LIMIT_MS);
  check('guardMs', listening.guardMs, 1, LONGEST_GUARD_MS);
}

function check(field: string, value: number | undefined, min: number, max: number): void {
  if (value === undefined || (Number.isFinite(value) && value >= min && value <= max)) return;
  throw bad(field, `is not ${min}–${max}`);
}

function bad(field: string, reason: string): AlinkError {
  return new AlinkError('badSettings', `${field}: ${reason}`, { details: { field, reason } });
}
