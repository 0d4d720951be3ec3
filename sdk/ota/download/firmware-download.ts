import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { DeviceIdentity } from '../../../protocol';
import { AlinkError } from '../../errors';
import type { Answer } from '../../operations';
import type { Submission } from '../../report/dispatcher';
import type { Timing } from '../../session/timing';
import type { LogLine } from '../../types';
import { failure, storageError } from '../failure';
import { folderName, thingFolder } from '../names';
import { sameContent } from '../offer';
import type {
  DownloadedFirmware,
  DownloadOptions,
  DownloadProgress,
  FirmwareFile,
  FirmwareOffer,
} from '../types';
import { BlockSource } from './block-source';
import { FileDownload } from './file-download';
import { inFolder } from './folder-lock';
import { HttpSource } from './http-source';
import { SourceError } from './source';
import { cleanModule, freeBytes, VersionFolder } from './version-folder';

/** What downloads need of the thing. */
export interface DownloadDoor {
  identity: DeviceIdentity;
  ca: string | undefined;
  timing: Pick<Timing, 'stallMs' | 'handshakeMs' | 'downloadBackoff' | 'blockMs' | 'blockGapMs'>;
  /** Asks the platform for an offer again. */
  ask: (module: string) => Promise<FirmwareOffer | undefined>;
  /** The version that runs, as far as it was told. */
  running: (module: string) => string | undefined;
  request: (submission: Submission) => Promise<Answer>;
  log: (line: LogLine) => void;
}

const MEGABYTE = 1024 * 1024;
const DEFAULTS = {
  keepFreeBytes: 16 * MEGABYTE,
  keepVersions: 1,
  retries: 8,
  blockBytes: 65_536,
  blocksInFlight: 4,
  flushBytes: 4 * MEGABYTE,
};
/** An address is signed for a day (G.2). */
const ADDRESS_MS = 24 * 3600_000;
const MOST_RENEWALS = 5;
const PROGRESS_MS = 250;

/** A download that can be started. */
type Checked = DownloadOptions & typeof DEFAULTS;

/** @throws AlinkError `badSettings` naming the field */
export function checkDownload(options: DownloadOptions): Checked {
  const checked = { ...DEFAULTS, ...options };
  if (typeof options.folder !== 'string' || options.folder === '') throw bad('folder', 'is missing');
  checkNumber('mostBytes', options.mostBytes, 1, Number.MAX_SAFE_INTEGER);
  checkNumber('keepFreeBytes', checked.keepFreeBytes, 0, Number.MAX_SAFE_INTEGER);
  checkNumber('keepVersions', checked.keepVersions, 0, 100);
  checkNumber('retries', checked.retries, 0, 1000);
  checkNumber('blockBytes', checked.blockBytes, 256, 131_072);
  checkNumber('blocksInFlight', checked.blocksInFlight, 1, 16);
  checkNumber('flushBytes', checked.flushBytes, 4096, 1024 * MEGABYTE);
  return checked;
}

/** All files of one offer onto the disk, one after the other. */
export class FirmwareDownload {
  #offer: FirmwareOffer;
  readonly #door: DownloadDoor;
  readonly #options: Checked;
  readonly #onProgress: (progress: DownloadProgress) => void;
  #signal: AbortSignal;
  readonly #http: HttpSource;
  readonly #blocks: BlockSource;
  readonly #done: number[];
  /** Addresses that brought nothing, one after the other. */
  #renewals = 0;
  #doneAtRenewal = 0;
  #told = { percent: -1, at: 0 };

  constructor(
    door: DownloadDoor,
    offer: FirmwareOffer,
    options: DownloadOptions,
    signal: AbortSignal,
    onProgress: (progress: DownloadProgress) => void,
  ) {
    this.#door = door;
    this.#offer = offer;
    this.#options = checkDownload(options);
    this.#signal = signal;
    this.#onProgress = onProgress;
    this.#done = offer.files.map(() => 0);
    const { timing, ca } = door;
    const { hosts, allowHttp = false, blockBytes, blocksInFlight } = this.#options;
    this.#http = new HttpSource({
      ca,
      stallMs: timing.stallMs,
      handshakeMs: timing.handshakeMs,
      allowHttp,
      ...(hosts === undefined ? {} : { hosts }),
    });
    this.#blocks = new BlockSource({
      request: door.request,
      blockBytes,
      inFlight: blocksInFlight,
      blockMs: timing.blockMs,
      gapMs: timing.blockGapMs,
    });
  }

  /** @throws AlinkError with `details.step`; what the signal was aborted with */
  async run(): Promise<DownloadedFirmware> {
    try {
      return await this.#run();
    } catch (thrown) {
      this.#signal.throwIfAborted();
      throw thrown instanceof AlinkError ? thrown : storageError(thrown);
    }
  }

  async #run(): Promise<DownloadedFirmware> {
    this.#checkOffer();
    const { folder } = this.#options;
    const moduleFolder = resolve(folder, thingFolder(this.#door.identity), folderName(this.#offer.module));
    await mkdir(moduleFolder, { recursive: true, mode: 0o700 });
    return inFolder(moduleFolder, this.#signal, (signal) => {
      this.#signal = signal;
      return this.#loadInto(moduleFolder);
    });
  }

  async #loadInto(moduleFolder: string): Promise<DownloadedFirmware> {
    const { version, files, module } = this.#offer;
    await cleanModule(moduleFolder, {
      current: version,
      running: this.#door.running(module),
      keep: this.#options.keepVersions,
    });
    const folder = await VersionFolder.open(moduleFolder, this.#offer);
    await this.#checkRoom(folder);
    if (Date.now() - this.#offer.receivedAt > ADDRESS_MS) await this.#tryRenew();
    const paths: string[] = [];
    for (const index of files.keys()) paths.push(await this.#load(folder, index));
    await folder.finish(Date.now());
    return {
      offer: this.#offer,
      files: files.map(({ name, size }, i) => ({ path: paths[i] ?? '', name, size })),
    };
  }

  #checkOffer(): void {
    const { mostBytes = Number.POSITIVE_INFINITY } = this.#options;
    const total = this.#totalBytes;
    if (total > mostBytes) {
      throw failure(
        'firmwareTooLarge',
        -2,
        `the firmware has ${total} bytes, at most ${mostBytes} are allowed`,
        {
          details: { value: total, limit: mostBytes },
        },
      );
    }
    for (const file of this.#offer.files) if (file.stream === undefined) this.#http.check(file);
  }

  async #checkRoom(folder: VersionFolder): Promise<void> {
    const { files } = this.#offer;
    const there = await Promise.all(files.map((file, i) => folder.bytesOf(file, i)));
    const wanted = this.#totalBytes - there.reduce((sum, bytes) => sum + bytes, 0);
    const free = await freeBytes(folder.path);
    if (free === undefined || wanted + this.#options.keepFreeBytes <= free) return;
    const reason = `${wanted} bytes are needed and ${this.#options.keepFreeBytes} shall stay free, ${free} are free`;
    throw failure('diskFull', -2, reason, {
      details: { rule: 'diskRoom', value: wanted, keep: this.#options.keepFreeBytes, free },
    });
  }

  #load(folder: VersionFolder, index: number): Promise<string> {
    const { retries, flushBytes, onRetry } = this.#options;
    return new FileDownload(this.#fileAt(index), {
      folder,
      index,
      sourceOf: ({ stream }) => (stream === undefined ? this.#http : this.#blocks),
      renew: async (problem) => {
        return (await this.#renew(problem)) ? this.#fileAt(index) : undefined;
      },
      retries,
      backoff: this.#door.timing.downloadBackoff,
      flushBytes,
      onProgress: (bytes) => this.#tell(index, bytes),
      onRetry,
      signal: this.#signal,
    }).run();
  }

  #fileAt(index: number): FirmwareFile {
    const file = this.#offer.files[index];
    if (file === undefined) throw new Error('an offer keeps its files');
    return file;
  }

  /** An old address may still be good; if not, the server will say so. */
  async #tryRenew(): Promise<void> {
    try {
      await this.#renew(new SourceError('expired', 'fileOld', 'it is older than a day'));
    } catch (thrown) {
      if (!(thrown instanceof AlinkError) || thrown.key === 'firmwareReplaced') throw thrown;
    }
  }

  /** @returns whether the platform could be asked @throws AlinkError when it has no such offer */
  async #renew({ message: reason, details }: SourceError): Promise<boolean> {
    const expired = (cause?: unknown) =>
      failure('downloadExpired', -2, reason, { details, retry: 'slow', cause });
    if (this.#doneBytes > this.#doneAtRenewal) this.#renewals = 0;
    this.#doneAtRenewal = this.#doneBytes;
    if (this.#renewals >= MOST_RENEWALS) throw expired();
    const { module, version } = this.#offer;
    const ask = this.#options.renew ?? (() => this.#door.ask(module));
    let offer: FirmwareOffer | undefined;
    try {
      offer = await ask();
    } catch (thrown) {
      if (thrown instanceof AlinkError && thrown.retry === 'slow') return false;
      throw expired(thrown);
    }
    this.#renewals++;
    this.#signal.throwIfAborted();
    if (offer === undefined) throw expired();
    if (!sameContent(offer, this.#offer)) throw replaced(version, offer.version);
    this.#offer = offer;
    this.#checkOffer();
    this.#door.log({
      level: 'info',
      event: 'firmwareAddressRenewed',
      details: { ...details, module, version, reason },
    });
    return true;
  }

  #tell(index: number, bytes: number): void {
    this.#done[index] = bytes;
    const totalBytes = this.#totalBytes;
    const doneBytes = this.#doneBytes;
    const percent = Math.floor((doneBytes / totalBytes) * 100);
    const now = performance.now();
    if (percent === this.#told.percent && now < this.#told.at + PROGRESS_MS) return;
    this.#told = { percent, at: now };
    this.#onProgress({ doneBytes, totalBytes, percent });
  }

  get #doneBytes(): number {
    return this.#done.reduce((sum, part) => sum + part, 0);
  }

  get #totalBytes(): number {
    return this.#offer.files.reduce((sum, { size }) => sum + size, 0);
  }
}

/** Not a failure to report: the other version is told about. */
export function replaced(version: string, other: string): AlinkError {
  return new AlinkError('firmwareReplaced', `version ${other} was offered in place of ${version}`, {
    details: { version, other },
  });
}

function checkNumber(field: string, value: number | undefined, min: number, max: number): void {
  if (value === undefined || (Number.isInteger(value) && value >= min && value <= max)) return;
  throw bad(field, `${min}–${max}`);
}

function bad(field: string, reason: string): AlinkError {
  return new AlinkError('badSettings', `${field}: ${reason}`, { details: { field, reason } });
}
