import type { DownloadedFirmware, DownloadProgress, FirmwareOffer } from '../../sdk';
import type { AlinkInfo } from '../shared/types';

/** What `msg.alink` says of firmware. */
export interface FirmwareInfo extends AlinkInfo {
  /**
   * `offered`: handed on as it is; `downloading`: a message on the way; `downloaded`: files are there and checked;
   * `failed`: in errors.
   */
  status: string;
  module: string;
  version?: string;
  /** How the offer came. */
  source?: FirmwareOffer['source'];
  /** In errors: the failure step that the platform was told (G.3). */
  step?: number;
}

/** A message for the flow, whom it is about aside. */
export interface Handed {
  payload: object;
  alink: FirmwareInfo;
}

/** The offer as it is: with addresses, which are secrets for a day. */
export function offerPayload({ version, module, isDiff, files, extData, digestSign }: FirmwareOffer): object {
  return structuredClone({
    version,
    module,
    isDiff,
    size: sizeOf(files),
    files,
    extData: extData ?? {},
    ...(digestSign === undefined ? {} : { digestSign }),
  });
}

/** Files on the disk. */
export function downloadPayload({ offer, files }: DownloadedFirmware): object {
  const [first] = files;
  const { version, module, isDiff, extData } = offer;
  return {
    version,
    module,
    isDiff,
    ...(first !== undefined && files.length === 1 ? { path: first.path } : {}),
    paths: files.map(({ path }) => path),
    size: sizeOf(files),
    files: files.map(({ name, path, size }) => ({ name, path, size })),
    extData: structuredClone(extData ?? {}),
  };
}

/** How far a download has come. */
export function progressPayload(
  { version, module }: FirmwareOffer,
  { percent, doneBytes, totalBytes }: DownloadProgress,
): object {
  return { version, module, percent, doneBytes, totalBytes };
}

export function sizeOf(files: ReadonlyArray<{ size: number }>): number {
  return files.reduce((sum, { size }) => sum + size, 0);
}
