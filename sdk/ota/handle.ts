import type { AlinkError } from '../errors';
import type { DownloadOptions, Ota } from './types';

/** What a handle of the device gives: who holds it, and its end. */
export interface OtaHolder {
  /** @throws AlinkError `closed` */
  ota: () => Ota;
  track: (undo: () => void) => () => void;
  givenBack: () => AlinkError;
}

/** Firmware over the air of one handle: what it began ends with it, and other handles go on. */
export class OtaHandle implements Ota {
  constructor(private readonly holder: OtaHolder) {}

  onOffer(...given: Parameters<Ota['onOffer']>): () => void {
    return this.holder.track(this.holder.ota().onOffer(...given));
  }

  async ask(...given: Parameters<Ota['ask']>): ReturnType<Ota['ask']> {
    return this.holder.ota().ask(...given);
  }

  async request(...given: Parameters<Ota['request']>): ReturnType<Ota['request']> {
    return this.holder.ota().request(...given);
  }

  async reportVersion(...given: Parameters<Ota['reportVersion']>): Promise<void> {
    return this.holder.ota().reportVersion(...given);
  }

  async reportProgress(...given: Parameters<Ota['reportProgress']>): Promise<void> {
    return this.holder.ota().reportProgress(...given);
  }

  async download(
    offer: Parameters<Ota['download']>[0],
    options: DownloadOptions,
  ): ReturnType<Ota['download']> {
    const ota = this.holder.ota();
    const ending = new AbortController();
    const stop = this.holder.track(() => ending.abort(this.holder.givenBack()));
    const { signal = ending.signal } = options;
    try {
      return await ota.download(offer, { ...options, signal: AbortSignal.any([signal, ending.signal]) });
    } finally {
      stop();
    }
  }
}
