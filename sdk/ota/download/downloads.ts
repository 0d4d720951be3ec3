import { resolve } from 'node:path';
import { AlinkError } from '../../errors';
import { sameContent } from '../offer';
import type { DownloadedFirmware, DownloadOptions, DownloadProgress, FirmwareOffer } from '../types';
import { checkDownload, type DownloadDoor, FirmwareDownload, replaced } from './firmware-download';
import { Turns } from './turns';

/** A download that goes on, and who waits for it. */
interface Running {
  offer: FirmwareOffer;
  ending: AbortController;
  listeners: Set<(progress: DownloadProgress) => void>;
  users: number;
  result: Promise<DownloadedFirmware>;
}

/**
 * Downloads of all things in this process at a time: each has buffers of its own, and a gateway's sub-devices are offered
 * firmware all at once.
 */
const MOST_AT_ONCE = 4;
const turns = new Turns(MOST_AT_ONCE);

/** Downloads of one thing: at most one of each module into a folder at a time. */
export class Downloads {
  readonly #running = new Map<string, Running>();
  #closed = false;

  constructor(private readonly door: DownloadDoor) {}

  /** @throws AlinkError as `Ota.download` */
  async run(offer: FirmwareOffer, options: DownloadOptions): Promise<DownloadedFirmware> {
    checkDownload(options);
    if (this.#closed) throw new AlinkError('closed', 'the device was closed');
    if (options.signal?.aborted) throw aborted();
    const before = this.#running.get(keyOf(offer, options));
    const joins = before !== undefined && !before.ending.signal.aborted && sameContent(before.offer, offer);
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
      // What it holds is needed.
      await before?.result.catch(() => undefined);
      const tell = (progress: DownloadProgress) => {
        for (const listener of [...listeners]) this.#call(() => listener(progress));
      };
      return turns.run(ending.signal, () =>
        new FirmwareDownload(this.door, offer, options, ending.signal, tell).run(),
      );
    };
    const key = keyOf(offer, options);
    const result = load().finally(() => {
      if (this.#running.get(key) === running) this.#running.delete(key);
    });
    // Whoever gave up does not look at it any more.
    result.catch(() => undefined);
    const running: Running = { offer, ending, listeners, users: 0, result };
    this.#running.set(key, running);
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

/** Nodes that load into folders of their own do not take each other's downloads away. */
function keyOf({ module }: FirmwareOffer, { folder }: Pick<DownloadOptions, 'folder'>): string {
  return JSON.stringify([module, resolve(folder)]);
}

function aborted(): AlinkError {
  return new AlinkError('aborted', 'the download was given up');
}
