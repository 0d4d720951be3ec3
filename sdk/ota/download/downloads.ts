import { AlinkError } from '../../errors';
import { sameContent } from '../offer';
import type { DownloadedFirmware, DownloadOptions, DownloadProgress, FirmwareOffer } from '../types';
import { checkDownload, type DownloadDoor, FirmwareDownload, replaced } from './firmware-download';

/** A download that goes on, and who waits for it. */
interface Running {
  offer: FirmwareOffer;
  folder: string;
  ending: AbortController;
  listeners: Set<(progress: DownloadProgress) => void>;
  users: number;
  result: Promise<DownloadedFirmware>;
}

/** Downloads of one thing: at most one of each module at a time. */
export class Downloads {
  readonly #running = new Map<string, Running>();
  #closed = false;

  constructor(private readonly door: DownloadDoor) {}

  /** @throws AlinkError as `Ota.download` */
  async run(offer: FirmwareOffer, options: DownloadOptions): Promise<DownloadedFirmware> {
    checkDownload(options);
    if (this.#closed) throw new AlinkError('closed', 'the device was closed');
    if (options.signal?.aborted) throw aborted();
    const before = this.#running.get(offer.module);
    const joins =
      before !== undefined &&
      !before.ending.signal.aborted &&
      before.folder === options.folder &&
      sameContent(before.offer, offer);
    if (before && !joins) before.ending.abort(replaced(before.offer.version, offer.version));
    return this.#wait(joins ? before : this.#start(offer, options, before), options);
  }

  close(): void {
    this.#closed = true;
    for (const { ending } of this.#running.values()) {
      ending.abort(new AlinkError('closed', 'the device was closed'));
    }
  }

  #start(offer: FirmwareOffer, options: DownloadOptions, before: Running | undefined): Running {
    const ending = new AbortController();
    const listeners = new Set<(progress: DownloadProgress) => void>();
    const load = async () => {
      // Two must not write into the same folder.
      await before?.result.catch(() => undefined);
      ending.signal.throwIfAborted();
      const tell = (progress: DownloadProgress) => {
        for (const listener of [...listeners]) this.#call(() => listener(progress));
      };
      return new FirmwareDownload(this.door, offer, options, ending.signal, tell).run();
    };
    const { folder } = options;
    const result = load().finally(() => {
      if (this.#running.get(offer.module) === running) this.#running.delete(offer.module);
    });
    // Whoever gave up does not look at it any more.
    result.catch(() => undefined);
    const running: Running = { offer, folder, ending, listeners, users: 0, result };
    this.#running.set(offer.module, running);
    return running;
  }

  async #wait(
    running: Running,
    { signal, onProgress }: Pick<DownloadOptions, 'signal' | 'onProgress'>,
  ): Promise<DownloadedFirmware> {
    const listener = onProgress && ((progress: DownloadProgress) => onProgress(progress));
    if (listener) running.listeners.add(listener);
    running.users++;
    let leave: () => void = () => undefined;
    try {
      if (signal === undefined) return await running.result;
      const given = new Promise<never>((_, reject) => {
        const abort = () => reject(aborted());
        signal.addEventListener('abort', abort, { once: true });
        leave = () => signal.removeEventListener('abort', abort);
      });
      return await Promise.race([running.result, given]);
    } finally {
      leave();
      if (listener) running.listeners.delete(listener);
      // Nobody waits for it any more; what is there stays for the next time.
      if (--running.users === 0) running.ending.abort(aborted());
    }
  }

  // A listener is somebody else's code; its fault must not end the download.
  #call(listener: () => void): void {
    try {
      listener();
    } catch (thrown) {
      const reason = thrown instanceof Error ? thrown.message : String(thrown);
      this.door.log({ level: 'warn', event: 'listenerFailed', details: { reason } });
    }
  }
}

function aborted(): AlinkError {
  return new AlinkError('aborted', 'the download was given up');
}
