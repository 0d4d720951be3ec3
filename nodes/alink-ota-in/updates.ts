import { type DeviceIdentity, thingKey } from '../../protocol';
import { type AlinkError, DEFAULT_MODULE, type Device, type FirmwareOffer } from '../../sdk';
import type { FirmwareHome } from '../shared/firmware-things';
import { toAlinkError } from '../shared/flow-error';
import { isSameFirmware, type ThingFirmware } from '../shared/thing-firmware';
import type { DownloadTally } from './download-tally';
import {
  downloadPayload,
  type FirmwareInfo,
  type Handed,
  offerPayload,
  progressPayload,
  sizeOf,
} from './messages';
import { ProgressPace } from './progress-pace';
import type { OtaInSettings } from './settings';

export interface UpdatesDoor {
  /** Id of the node: several of one device are each given an offer. */
  node: string;
  settings: OtaInSettings;
  home: FirmwareHome;
  /** Aborted when the node closes. */
  signal: AbortSignal;
  tally: DownloadTally;
  /** Shows that a download waits for its next try. */
  onRetry: (error: AlinkError, waitMs: number) => void;
  /** A message besides the one that an offer ends in. */
  send: (device: Pick<Device, 'identity'>, handed: Handed) => void;
}

/** Not the fault of the firmware: it goes on, or another one took its place. */
const QUIET: ReadonlySet<AlinkError['key']> = new Set(['aborted', 'closed', 'firmwareReplaced']);
/** What a lost network does to a download. */
const BY_NETWORK: ReadonlySet<AlinkError['key']> = new Set(['downloadFailed', 'downloadExpired']);

/** What becomes of offers: each is taken up once, loaded, counted and handed on. */
export class Updates {
  /** Offers that are at work here, by thing and module. */
  readonly #busy = new Map<string, FirmwareOffer>();
  /** Offers that wait for the connection, by thing and module. */
  readonly #waiting = new Map<string, FirmwareOffer>();

  constructor(private readonly door: UpdatesDoor) {}

  /** Offers of a thing that were left when its connection was lost. */
  takeWaiting({ identity }: Pick<Device, 'identity'>): FirmwareOffer[] {
    const own = [...this.#waiting].filter(([key]) => key.startsWith(`${thingKey(identity)}|`));
    for (const [key] of own) this.#waiting.delete(key);
    return own.map(([, offer]) => offer);
  }

  /** An offer of the module is at work here. */
  isBusy({ identity }: Pick<Device, 'identity'>, module: string): boolean {
    return this.#busy.has(keyOf(identity, module));
  }

  /**
   * Takes up an offer.
   * @param asked a message asked for it; else what the flow was given already is not given again
   * @returns undefined when there is nothing to hand on: it runs already, is on its way, or the connection is lost
   * @throws AlinkError `details.step` is what the platform was told
   */
  async take(device: Device, offer: FirmwareOffer, asked: boolean): Promise<Handed | undefined> {
    const firmware = await this.door.home.firmwareOf(device);
    if (firmware.runningVersion(offer.module) === offer.version) return undefined;
    const key = keyOf(device.identity, offer.module);
    if (isSameFirmware(this.#busy.get(key), offer)) return undefined;
    if (!asked && firmware.isAtWork(offer, this.door.node)) return undefined;
    this.#busy.set(key, offer);
    this.#waiting.delete(key);
    try {
      return await this.#carryOut(device, firmware, offer, asked);
    } catch (thrown) {
      const error = toAlinkError(thrown);
      if (QUIET.has(error.key) || this.door.signal.aborted) return undefined;
      if (BY_NETWORK.has(error.key) && device.state.name !== 'online') {
        this.#waiting.set(key, offer);
        return undefined;
      }
      await this.#fail(device, firmware, offer, error);
      throw error;
    } finally {
      if (this.#busy.get(key) === offer) this.#busy.delete(key);
    }
  }

  async #carryOut(
    device: Device,
    firmware: ThingFirmware,
    offer: FirmwareOffer,
    asked: boolean,
  ): Promise<Handed> {
    const { work, attempts } = this.door.settings;
    const isAnother = () => asked || !firmware.isAtWork(offer);
    if (isAnother()) await firmware.state.loading(offer, attempts);
    const payload = work === 'offer' ? offerPayload(offer) : await this.#load(device, offer);
    await firmware.givenToFlow(offer, this.door.node, isAnother());
    return { payload, alink: infoOf(device, offer, work === 'offer' ? 'offered' : 'downloaded') };
  }

  async #load(device: Device, offer: FirmwareOffer): Promise<object> {
    const { home, settings, signal, tally, send, onRetry } = this.door;
    const { module } = offer;
    const pace = new ProgressPace();
    const tallied = tally.add(sizeOf(offer.files));
    const loading = device.ota.download(offer, {
      ...settings.download,
      allowHttp: home.isEmulator,
      signal,
      ...(settings.askBy === 'request' ? { renew: () => this.#renew(device, module) } : {}),
      onRetry,
      onProgress: (progress) => {
        tallied.tell(progress.doneBytes);
        // Before the check nothing is complete.
        const percent = Math.min(Math.max(progress.percent, 1), 99);
        if (!pace.isDue(percent, performance.now())) return;
        void this.#report(device, module, percent);
        if (!settings.progressMessages) return;
        const payload = progressPayload(offer, { ...progress, percent });
        send(device, { payload, alink: infoOf(device, offer, 'downloading') });
      },
    });
    const downloaded = await loading.then(
      (files) => {
        tallied.end(true);
        return files;
      },
      (error) => {
        tallied.end(false);
        throw error;
      },
    );
    // Said before the flow has it, which may report the version at once or restart everything.
    await this.#report(device, module, 100);
    return downloadPayload(downloaded);
  }

  async #renew(device: Device, module: string): Promise<FirmwareOffer | undefined> {
    const firmware = await this.door.home.firmwareOf(device);
    const version = module === DEFAULT_MODULE ? firmware.reportedVersion(module) : undefined;
    return version === undefined ? device.ota.ask(module) : device.ota.request(version);
  }

  async #fail(
    device: Device,
    firmware: ThingFirmware,
    { module }: FirmwareOffer,
    error: AlinkError,
  ): Promise<void> {
    const { step = -1 } = error.details;
    void this.#report(device, module, Number(step), error.message);
    // What was given up stays so, until another version comes.
    if (error.key !== 'firmwareGivenUp') await firmware.ended(module).catch(() => undefined); // the first error counts
  }

  // While the connection is lost there is nobody to tell, and the work goes on without.
  async #report(device: Device, module: string, step: number, description?: string): Promise<void> {
    const told = device.ota.reportProgress(step, description, module).catch(() => undefined);
    if (device.state.name === 'online') await told;
  }
}

function infoOf(
  { identity }: Pick<Device, 'identity'>,
  { module, version, source, receivedAt }: FirmwareOffer,
  status: string,
): FirmwareInfo {
  const { productKey, deviceName } = identity;
  return {
    status,
    method: 'ota.upgrade',
    productKey,
    deviceName,
    module,
    version,
    source,
    time: receivedAt,
  };
}

function keyOf(identity: DeviceIdentity, module: string): string {
  return `${thingKey(identity)}|${module}`;
}
