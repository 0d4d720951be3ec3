import type { JsonObject } from '../../protocol';
import type { AlinkError } from '../errors';
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
  /** At least one; names differ also where upper and lower case are the same. */
  files: readonly FirmwareFile[];
  /** Information of one's own; `_package_udi` is read from the JSON text that it comes as. */
  extData?: JsonObject;
  /** Signature of the digest by the platform's security service, base64; not checked here. */
  digestSign?: string;
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
  /** All files lie under it, in a folder of their own for each thing and module; created when missing. */
  folder: string;
  /** Larger offers are refused; no limit when absent. */
  mostBytes?: number;
  /** Host names that files may come from, exact or `*.example.com`; any when absent. */
  hosts?: readonly string[];
  /** Plain http is allowed only for an emulator. */
  allowHttp?: boolean;
  /** Bytes that must stay free on the disk; 16 MB by default. */
  keepFreeBytes?: number;
  /** So many finished versions of the module stay besides this one; 1 by default, for the way back. */
  keepVersions?: number;
  /** So many tries in a row may bring nothing; 8 by default. */
  retries?: number;
  /** Of a block over MQTT, 256–131,072; 65,536 by default. */
  blockBytes?: number;
  /** Blocks over MQTT asked for at the same time, 1–16; 4 by default. */
  blocksInFlight?: number;
  /**
   * What is loaded is flushed every so many bytes; 4 MB by default. Only what was not is loaded again after a kill or a
   * power cut: at most eight times as much where the disk is slower than the network.
   */
  flushBytes?: number;
  /** Asks for the offer again when its address has expired or is refused; by default `thing/ota/firmware/get`. */
  renew?: () => Promise<FirmwareOffer | undefined>;
  /** At most four times a second, and at each percent. */
  onProgress?: (progress: DownloadProgress) => void;
  /** A try brought nothing, and the next one begins in so many ms; what went wrong is in `error.details`. */
  onRetry?: (error: AlinkError, waitMs: number) => void;
  signal?: AbortSignal;
}

/** Files that were checked: size first, then digest. */
export interface DownloadedFirmware {
  offer: FirmwareOffer;
  files: ReadonlyArray<{ path: string; name: string; size: number }>;
}

export interface VersionReportOptions extends Pick<RequestOptions, 'timeoutMs' | 'signal'> {
  /** Tell it again after each reconnect (J.2), except between progress 100 and the next version or failure. */
  eachSession?: boolean;
}

/** What a device does with firmware (section G). */
export interface Ota {
  /**
   * Offers that are pushed; each new session asks for one too (`thing/ota/firmware/get`) for the modules listened to.
   * An offer of the version that was last reported as running is left out.
   * @param module undefined: every module; asked for is the default one
   * @param onProblem told of an offer that cannot be used (`firmwareOffer`, the platform was told the failure step)
   * and when the platform refuses the subscription (`subscriptionRefused`)
   * @param options `ask: false`: nothing is asked for by itself, for those who report their version first
   */
  onOffer(
    module: string | undefined,
    listener: (offer: FirmwareOffer) => void,
    onProblem?: (error: AlinkError) => void,
    options?: { ask?: boolean },
  ): () => void;
  /** @returns undefined when there is none @throws AlinkError `firmwareOffer` for one that cannot be used */
  ask(module?: string, options?: RequestOptions): Promise<FirmwareOffer | undefined>;
  /**
   * The old way (B.6 row 83), for the default module. An answer on the topic of pushes reaches those who listen to
   * offers too.
   * @param version the running one
   * @throws AlinkError
   */
  request(version: string, options?: RequestOptions): Promise<FirmwareOffer | undefined>;
  /**
   * Tells the running version; nothing is answered (row 80). Resolves when the platform has the message. Called before
   * `connect` it is the first message. One that failed is made up for by the next session.
   * @throws AlinkError
   */
  reportVersion(version: string, module?: string, options?: VersionReportOptions): Promise<void>;
  /**
   * Percent 1–100 or a failure (row 82). More than one a second of the same module is thinned out; the last always
   * goes. Resolves when it, or a later one in its place, was taken by the platform.
   * @throws AlinkError
   */
  reportProgress(step: number, description?: string, module?: string): Promise<void>;
  /**
   * Streams all files to disk, resuming what an earlier run left, and checks them. Does not report progress by itself.
   * The same offer again joins the download that runs; another version of the module replaces it.
   * @throws AlinkError with `details.step`, the failure step to report; without one when it was given up or replaced
   */
  download(offer: FirmwareOffer, options: DownloadOptions): Promise<DownloadedFirmware>;
}
