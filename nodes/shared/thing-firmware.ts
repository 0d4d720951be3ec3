import { join } from 'node:path';
import type { DeviceIdentity } from '../../protocol';
import { type FirmwareOffer, type FirmwareState, type LogLine, openFirmwareState } from '../../sdk';

/** Firmware of one thing as its nodes share it: what outlives restarts, and what their flows are at work on. */
export class ThingFirmware {
  /** Offers that nodes gave to the flow since this process started, by module. */
  readonly #atWork = new Map<string, { offer: FirmwareOffer; by: Set<string> }>();
  /** Versions that were reported since this process started, by module. */
  readonly #running = new Map<string, string>();

  constructor(
    readonly state: FirmwareState,
    private readonly identity: DeviceIdentity,
  ) {}

  /** The version that was last reported, also by an earlier process. */
  reportedVersion(module: string): string | undefined {
    return this.state.of(module)?.reported;
  }

  /** The version that this process has reported. */
  runningVersion(module: string): string | undefined {
    return this.#running.get(module);
  }

  /** An update is being loaded, or the flow is at work on it. */
  isUnderWay(module: string): boolean {
    const update = this.state.of(module)?.update;
    return update !== undefined && (update.phase === 'loading' || this.#atWork.has(module));
  }

  /**
   * The flow was given this offer since this process started, and has not said what became of it.
   * @param node by this one; by any when absent
   */
  isAtWork(offer: FirmwareOffer, node?: string): boolean {
    const given = this.#atWork.get(offer.module);
    return isSameFirmware(given?.offer, offer) && (node === undefined || given?.by.has(node) === true);
  }

  /**
   * The flow gets it now: to be said before, so that a flow which ends the process counts.
   * @param node who gives it
   * @param isAnother it is another attempt, not the same one by a second node
   * @throws AlinkError `firmwareStorage`
   */
  async givenToFlow(offer: FirmwareOffer, node: string, isAnother: boolean): Promise<void> {
    const by = this.isAtWork(offer) ? this.#atWork.get(offer.module)?.by : undefined;
    this.#atWork.set(offer.module, { offer, by: new Set(by).add(node) });
    if (isAnother) await this.state.applying(offer);
  }

  /**
   * The platform was told this version.
   * @returns what users should know: an update was applied, and another version runs all the same
   * @throws AlinkError `firmwareStorage`
   */
  async reported(version: string, module: string): Promise<LogLine | undefined> {
    this.#running.set(module, version);
    if (this.state.of(module)?.update?.version === version) this.#atWork.delete(module);
    const { expected } = await this.state.reported(version, module);
    if (expected === undefined) return undefined;
    const { productKey, deviceName } = this.identity;
    const details = { productKey, deviceName, module, version, expected };
    return { level: 'warn', event: 'firmwareNotInEffect', details };
  }

  /** The update is over, or shall be forgotten: the next offer is a new one. @throws AlinkError `firmwareStorage` */
  ended(module: string): Promise<void> {
    this.#atWork.delete(module);
    return this.state.ended(module);
  }
}

const opened = new WeakMap<FirmwareState, ThingFirmware>();

/** @param platform tells platforms apart, because the same names may exist on several */
export async function thingFirmware(
  userDir: string,
  platform: string,
  identity: DeviceIdentity,
): Promise<ThingFirmware> {
  const state = await openFirmwareState(join(userDir, 'alink', 'firmware-state'), identity, platform);
  const firmware = opened.get(state) ?? new ThingFirmware(state, identity);
  opened.set(state, firmware);
  return firmware;
}

/** The same files of the same version, whenever and however they were offered. */
export function isSameFirmware(one: FirmwareOffer | undefined, { version, files }: FirmwareOffer): boolean {
  if (one === undefined || one.version !== version || one.files.length !== files.length) return false;
  return one.files.every(({ digest }, i) => digest.value === files[i]?.digest.value);
}
