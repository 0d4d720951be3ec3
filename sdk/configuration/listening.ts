import { AlinkError } from '../errors';
import { commonHosts } from '../https/address';
import { type ConfigurationListening, type DocumentOptions, USUAL_DOCUMENT_BYTES } from './types';

const LARGEST_DOCUMENT = 16 * 1024 * 1024;
const LONGEST_TIME_LIMIT_MS = 3_600_000;
const LONGEST_GUARD_MS = 7 * 24 * 3_600_000;
const LONGEST_DOWNLOAD_MS = 3_600_000;

/** @throws AlinkError `badSettings` naming the field */
export function checkDocumentOptions({ mostBytes, downloadMs, retryMs, hosts }: DocumentOptions): void {
  check('mostBytes', mostBytes, 1, LARGEST_DOCUMENT);
  check('downloadMs', downloadMs, 1, LONGEST_DOWNLOAD_MS);
  check('retryMs', retryMs, 0, LONGEST_DOWNLOAD_MS);
  if (hosts?.length === 0) throw bad('hosts', 'is empty, so nothing could be loaded');
}

/** @throws AlinkError `badSettings` naming the field */
export function checkListening(listening: ConfigurationListening): void {
  checkDocumentOptions(listening);
  check('timeLimitMs', listening.timeLimitMs, 1, LONGEST_TIME_LIMIT_MS);
  check('guardMs', listening.guardMs, 1, LONGEST_GUARD_MS);
}

/**
 * What counts where several listen to the same thing: the document is loaded once for all, so whatever limits it does
 * so for all, in whichever order they came. Time limits are each listener's own.
 */
export function strictest(listenings: readonly ConfigurationListening[]): ConfigurationListening {
  const guardMs = least(listenings.map((one) => one.guardMs));
  return {
    ...strictestDocument(listenings),
    ask: listenings.some(({ ask }) => ask === true),
    ...(guardMs === undefined ? {} : { guardMs }),
  };
}

/** As `strictest`, of what concerns the document alone. */
export function strictestDocument(listenings: readonly DocumentOptions[]): DocumentOptions {
  if (listenings.length === 0) return {};
  const hosts = listenings.flatMap((one) => (one.hosts ? [one.hosts] : []));
  const downloadMs = least(listenings.map((one) => one.downloadMs));
  const retryMs = least(listenings.map((one) => one.retryMs));
  return {
    mostBytes: Math.min(...listenings.map(({ mostBytes = USUAL_DOCUMENT_BYTES }) => mostBytes)),
    ...(downloadMs === undefined ? {} : { downloadMs }),
    ...(retryMs === undefined ? {} : { retryMs }),
    ...(hosts.length === 0 ? {} : { hosts: hosts.reduce(commonHosts) }),
  };
}

function least(values: ReadonlyArray<number | undefined>): number | undefined {
  const given = values.filter((value) => value !== undefined);
  return given.length === 0 ? undefined : Math.min(...given);
}

function check(field: string, value: number | undefined, min: number, max: number): void {
  if (value === undefined || (Number.isFinite(value) && value >= min && value <= max)) return;
  throw bad(field, `is not ${min}–${max}`);
}

function bad(field: string, reason: string): AlinkError {
  return new AlinkError('badSettings', `${field}: ${reason}`, { details: { field, reason } });
}
