import type { Node, NodeAPI, NodeMessage } from 'node-red';
import { type DeviceIdentity, thingKey } from '../../protocol';
import { type AlinkError, DEFAULT_MODULE, type Device, type FirmwareOffer, type Gateway } from '../../sdk';
import { type ChosenThing, chosenThing } from '../shared/chosen-thing';
import { badSettings } from '../shared/config';
import { type FirmwareHome, firmwareHome, moduleOf } from '../shared/firmware-things';
import { toAlinkError, toFlowError } from '../shared/flow-error';
import { type AlinkMessage, failed, linkThing, namesOf, type ThingLink } from '../shared/flow-node';
import { explainLog } from '../shared/runtime-messages';
import { DownloadTally } from './download-tally';
import type { FirmwareInfo, Handed } from './messages';
import { type OtaInDef, type OtaInSettings, readSettings } from './settings';
import { Updates } from './updates';
import { runningVersion } from './version';

type Send = (msg: NodeMessage) => void;

/** The end of a connection, which is told elsewhere. */
const OVER: ReadonlySet<AlinkError['key']> = new Set(['closed', 'aborted', 'disconnected']);

/** What the node needs besides its device; learned once. */
interface Desk {
  settings: OtaInSettings;
  home: FirmwareHome;
  updates: Updates;
  /** Downloads under way. */
  tally: DownloadTally;
}

/** One node: listens for offers, greets each session with version and question, answers to messages. */
export class OtaIn {
  readonly #link: ThingLink;
  #desk: Promise<Desk> | undefined;
  #own: Device | undefined;
  /** Sessions that were greeted, by thing; what is offered waits for the greeting. */
  readonly #greeted = new Map<string, Promise<void>>();

  constructor(
    private readonly RED: NodeAPI,
    private readonly node: Node,
    private readonly def: OtaInDef,
  ) {
    this.#link = linkThing(RED, node, def.device, (device) => this.#open(device));
  }

  start(): void {
    this.node.on('input', (msg: AlinkMessage, send, done) => void this.#input(msg, send, done));
  }

  #open(device: Device): () => void {
    const settings = readSettings(this.RED, this.node, this.def);
    this.#own = device;
    const { module } = settings;
    const stops = [
      device.ota.onOffer(
        module,
        (offer) => void this.#offered(device, offer),
        (error) => this.#problem(device, error),
        { ask: false },
      ),
      device.onState(({ name }) => this.#session(device, name === 'online')),
      ...(device.gateway && settings.subDevices ? this.#openSubDevices(device.gateway, module) : []),
    ];
    return () => {
      for (const stop of stops) stop();
    };
  }

  #openSubDevices(gateway: Gateway, module: string | undefined): Array<() => void> {
    return [
      gateway.onOffer(
        module,
        (identity, offer) => this.#withSubDevice(gateway, identity, (device) => this.#offered(device, offer)),
        (identity, error) => this.#problem({ identity }, error),
      ),
      gateway.onSubDevice(({ identity, state }) => {
        if (state.name !== 'online') this.#greeted.delete(thingKey(identity));
        else if (!this.#greeted.has(thingKey(identity))) {
          this.#withSubDevice(gateway, identity, (device) => this.#session(device, true));
        }
      }),
    ];
  }

  /** Holds the sub-device as long as the work lasts. */
  #withSubDevice(
    gateway: Gateway,
    identity: DeviceIdentity,
    work: (device: Device) => Promise<void> | undefined,
  ): void {
    const device = gateway.subDevice(identity);
    if (device === undefined) return;
    const release = () => device.release().catch(() => undefined); // its gateway is gone already
    Promise.resolve(work(device)).then(release, release);
  }

  /** @returns the greeting of a session that has just begun */
  #session(device: Device, isOnline: boolean): Promise<void> | undefined {
    const key = thingKey(device.identity);
    if (!isOnline) {
      this.#greeted.delete(key);
      return undefined;
    }
    if (this.#greeted.has(key)) return undefined;
    const told = this.#tellVersion(device);
    this.#greeted.set(key, told);
    return told.then(() => this.#askAtStart(device));
  }

  /** The version comes first: by it the platform knows what became of an update. */
  async #tellVersion(device: Device): Promise<void> {
    try {
      const { settings, home } = await this.#ready();
      const isOwn = this.#isOwn(device);
      if (!isOwn && settings.versionType !== 'remembered') return;
      const firmware = await home.firmwareOf(device);
      const module = settings.module ?? DEFAULT_MODULE;
      const source = isOwn ? settings : { ...settings, version: '' };
      const version = await runningVersion(this.RED, this.node, source, firmware, module);
      if (version === undefined || this.#link.signal.aborted) return;
      // In the middle of an update the old version would say that it failed.
      if (firmware.isUnderWay(module) && firmware.reportedVersion(module) === version) return;
      await device.ota.reportVersion(version, module, { signal: this.#link.signal });
      const line = await firmware.reported(version, module);
      if (line) this.node.warn(explainLog(this.RED, line));
    } catch (thrown) {
      this.#problem(device, toAlinkError(thrown));
    }
  }

  /** Asks for what is offered, and in any case for what was being loaded when a process, or a deploy, ended. */
  async #askAtStart(device: Device): Promise<void> {
    try {
      const { settings, home, updates } = await this.#ready();
      const left = updates.takeWaiting(device);
      const { state } = await home.firmwareOf(device);
      const loading = state
        .loadingModules()
        .filter((module) => settings.module === undefined || settings.module === module);
      const modules = new Set([
        ...(settings.askOnStart ? [settings.module ?? DEFAULT_MODULE] : []),
        ...loading.filter((module) => !updates.isBusy(device, module)),
        ...left.map(({ module }) => module),
      ]);
      await Promise.all(
        [...modules].map((module) =>
          this.#takeUp(
            device,
            module,
            left.find((offer) => offer.module === module),
          ),
        ),
      );
    } catch (thrown) {
      this.#problem(device, toAlinkError(thrown));
    }
  }

  /** @param left what is known of the offer, should the platform not tell it again */
  async #takeUp(device: Device, module: string, left: FirmwareOffer | undefined): Promise<void> {
    try {
      const asked = this.#ask(device, module);
      const offer = (await (left === undefined ? asked : asked.catch(() => left))) ?? left;
      if (offer !== undefined) await this.#offered(device, offer);
      else await this.#nothingToLoad(device, module);
    } catch (thrown) {
      const error = toAlinkError(thrown);
      // Of an offer that cannot be used the listener has told.
      if (error.key !== 'firmwareOffer') this.#problem(device, error);
    }
  }

  /** The platform has withdrawn what was being loaded; the version that waited for its end may be told. */
  async #nothingToLoad(device: Device, module: string): Promise<void> {
    const { settings, home, updates } = await this.#ready();
    const firmware = await home.firmwareOf(device);
    if (updates.isBusy(device, module) || !firmware.state.loadingModules().includes(module)) return;
    await firmware.ended(module);
    if (module === (settings.module ?? DEFAULT_MODULE)) await this.#tellVersion(device);
  }

  async #ask(device: Device, module: string): Promise<FirmwareOffer | undefined> {
    const { settings, home } = await this.#ready();
    const { signal } = this.#link;
    // The old topic knows no modules.
    if (settings.askBy === 'get' || module !== DEFAULT_MODULE) return device.ota.ask(module, { signal });
    const version = (await home.firmwareOf(device)).reportedVersion(module);
    if (version === undefined) {
      throw badSettings('version', 'the old topic wants to know the running version', 'versionNeeded');
    }
    return device.ota.request(version, { signal });
  }

  async #offered(device: Device, offer: FirmwareOffer): Promise<void> {
    try {
      const { updates, tally } = await this.#ready();
      await this.#greeted.get(thingKey(device.identity));
      const handed = await updates.take(device, offer, false);
      if (handed === undefined || this.#link.signal.aborted) return;
      if (tally.isOver) this.#link.status.success();
      this.#send(device, handed);
    } catch (thrown) {
      this.#problem(device, toAlinkError(thrown), offer);
    }
  }

  async #input(msg: AlinkMessage, send: Send, done: (error?: Error) => void): Promise<void> {
    let chosen: ChosenThing | undefined;
    let info: Partial<FirmwareInfo> = {};
    try {
      const own = await this.#link.device();
      chosen = await chosenThing(msg.device, own, () => this.#link.subDevicesOpened());
      const { device } = chosen;
      info = namesOf(device);
      const { settings, home, updates, tally } = await this.#ready();
      const module = settings.module ?? moduleOf(msg) ?? DEFAULT_MODULE;
      info.module = module;
      if (Reflect.get(msg, 'reset') === true) await (await home.firmwareOf(device)).ended(module);
      const offer = await this.#ask(device, module);
      const handed = offer && (await updates.take(device, offer, true));
      if (tally.isOver && offer === undefined) this.#link.status.nothingOffered();
      else if (tally.isOver) this.#link.status.success();
      if (handed) send(Object.assign(msg, this.#addressed(device, handed)));
      done();
    } catch (thrown) {
      const error = toAlinkError(thrown);
      const flowError = toFlowError(this.RED, error);
      msg.alink = { ...info, ...this.#failure(error, flowError.message) };
      if (!this.#link.signal.aborted) this.#link.status.error(error);
      done(flowError);
    } finally {
      chosen?.release();
    }
  }

  /** What went wrong without a message that asked for it. */
  #problem(device: Pick<Device, 'identity'>, error: AlinkError, offer?: FirmwareOffer): void {
    // When the connection is back, the next session is greeted.
    if (this.#link.signal.aborted || OVER.has(error.key)) return;
    this.#link.status.error(error);
    const flowError = toFlowError(this.RED, error);
    const module = offer?.module ?? error.details.module;
    const alink = {
      ...namesOf(device),
      ...(module === undefined ? {} : { module: String(module) }),
      ...(offer === undefined ? {} : { version: offer.version }),
      ...this.#failure(error, flowError.message),
    };
    this.node.error(flowError, { ...this.#addressee(device), alink } as NodeMessage);
  }

  #failure(error: AlinkError, message: string): Partial<FirmwareInfo> {
    const { step } = error.details;
    return { ...failed(this.RED, error, message), ...(step === undefined ? {} : { step: Number(step) }) };
  }

  #send(device: Pick<Device, 'identity'>, handed: Handed): void {
    this.node.send(this.#addressed(device, handed));
  }

  #addressed(device: Pick<Device, 'identity'>, handed: Handed): NodeMessage {
    return { ...handed, ...this.#addressee(device) } as NodeMessage;
  }

  /** What the flow makes of a sub-device's firmware is reported for that sub-device by itself. */
  #addressee(device: Pick<Device, 'identity'>): { device?: DeviceIdentity } {
    return this.#isOwn(device) ? {} : { device: namesOf(device) };
  }

  #isOwn({ identity }: Pick<Device, 'identity'>): boolean {
    return this.#own === undefined || thingKey(identity) === thingKey(this.#own.identity);
  }

  #ready(): Promise<Desk> {
    this.#desk ??= this.#learn();
    return this.#desk;
  }

  async #learn(): Promise<Desk> {
    const settings = readSettings(this.RED, this.node, this.def);
    const home = await firmwareHome(this.RED, this.def.device);
    const { signal, status } = this.#link;
    const tally = new DownloadTally((shown) => status.downloads(shown));
    const updates = new Updates({
      node: this.node.id,
      settings,
      home,
      signal,
      tally,
      onRetry: (error, waitMs) => status.loadingAgain(error, waitMs),
      send: (device, handed) => this.#send(device, handed),
    });
    return { settings, home, updates, tally };
  }
}
