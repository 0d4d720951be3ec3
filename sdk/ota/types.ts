import type { JsonObject } from '../../protocol';
import type { RequestOptions } from '../types';

/** The module that stands for the whole device where none is named (G.2). */
export const DEFAULT_MODULE = 'default';

/** How a file is checked; `value` in lower-case hexadecimal. */
export interface FirmwareDigest {
  method: 'md5' | 'sha256';
  value: string;
}

/** One file of an offer, from an address or in blocks over MQTT (B.6 row 85). */
export interface FirmwareFile {
  /** Safe as the name of a file; from the offer, or made from version and module. */
  name: string;
  /** Bytes. */
  size: number;
  digest: FirmwareDigest;
  /** Signed for a day; never to be logged. */
  url?: string;
  /** Given instead of `url` when the file comes over MQTT. */
  stream?: { streamId: number; fileId: number };
}

/** Firmware that the platform offers (G.2). */
export interface FirmwareOffer {
  version: string;
  module: string;
  /** The files are a difference to the running version, not a whole image. */
  isDiff: boolean;
  files: readonly FirmwareFile[];
  extData?: JsonObject;
  /** How it came: pushed, by `thing/ota/firmware/get`, or by the old request topic. */
  source: 'push' | 'get' | 'request';
  /** ms since 1970. */
  receivedAt: number;
}

/** Failures as the platform knows them (G.3): of the upgrade, of the download, of a check, of flashing. */
export type FailureStep = -1 | -2 | -3 | -4;

export interface DownloadProgress {
  /** Of all files together. */
  doneBytes: number;
  totalBytes: number;
  /** Whole percent. */
  percent: number;
}

export interface DownloadOptions {
  /** All files lie under it, in a folder of their own for each module; created when missing. */
  folder: string;
  /** Larger offers are refused; no limit when absent. */
  mostBytes?: number;
  /** Host names that files may come from, exact or `*.example.com`; any when absent. */
  hosts?: readonly string[];
  /** Plain http is allowed only for an emulator. */
  allowHttp?: boolean;
  /** Bytes that must stay free on the disk; 16 MB by default. */
  keepFreeBytes?: number;
  /** Asks for the offer again when its address has expired or is refused. */
  renew?: () => Promise<FirmwareOffer | undefined>;
  onProgress?: (progress: DownloadProgress) => void;
  signal?: AbortSignal;
}

/** Files that were checked: size first, then digest. */
export interface DownloadedFirmware {
  offer: FirmwareOffer;
  files: ReadonlyArray<{ path: string; name: string; size: number }>;
}

/** What a device does with firmware (section G). */
export interface Ota {
  /** Offers that are pushed; each new session asks for one too (`thing/ota/firmware/get`) for the modules listened to. */
  onOffer(module: string | undefined, listener: (offer: FirmwareOffer) => void): () => void;
  /** @returns undefined when there is none @throws AlinkError */
  ask(module?: string, options?: RequestOptions): Promise<FirmwareOffer | undefined>;
  /** The old way (B.6 row 83), for the default module. @param version the running one @throws AlinkError */
  request(version: string, options?: RequestOptions): Promise<FirmwareOffer | undefined>;
  /**
   * Tells the running version; nothing is answered (row 80). Reported versions are told again after a restart of the
   * session only when asked.
   * @throws AlinkError
   */
  reportVersion(version: string, module?: string): Promise<void>;
  /**
   * Percent 1–100 or a failure (row 82). More than one a second of the same module is thinned out; the last always
   * goes.
   * @throws AlinkError
   */
  reportProgress(step: number | FailureStep, description?: string, module?: string): Promise<void>;
  /**
   * Streams all files to disk, resuming what an earlier run left, and checks them. Does not report progress by itself.
   * @throws AlinkError with `details.step`, the failure step to report
   */
  download(offer: FirmwareOffer, options: DownloadOptions): Promise<DownloadedFirmware>;
}
