import type { NodeAPI } from 'node-red';
import { type DeviceIdentity, type ThingModel, thingKey } from '../../protocol';
import { type Device, type LogLine, openDevice, openSubDevice } from '../../sdk';
import { badSettings } from '../shared/config';
import { toFlowError } from '../shared/flow-error';
import { whenFlowsStarted } from '../shared/flows-started';
import { explainLog } from '../shared/runtime-messages';
import type { DeviceNode, GatewaySettings, PlatformNode } from '../shared/types';
import {
  type DeviceDef,
  type DeviceStorage,
  deviceIdentity,
  deviceOptions,
  ROLES,
  type Role,
} from './device-options';
import type { Member, Plants } from './plant';
import { gatewayOf, subDeviceOptions } from './sub-device-options';

/** Longer than a full deploy takes, so that the next generation of nodes takes the connection over. */
const LINGER_MS = 3000;

/** What all device nodes of a runtime share. */
export interface Surroundings {
  RED: NodeAPI;
  plants: Plants;
  storage: DeviceStorage;
}

/** What a device node is behind its face: a device, a gateway or a sub-device, opened as often as it is asked for. */
export class Thing implements Member {
  readonly identity: DeviceIdentity | undefined;
  readonly role: Role;
  /** Of a sub-device: id of the node that is its gateway, as far as one was chosen. */
  readonly gatewayId: string | undefined;
  readonly #around: Surroundings;
  readonly #node: DeviceNode;
  readonly #def: DeviceDef;
  readonly #problem: unknown;
  #closed = false;
  #settings: Promise<GatewaySettings> | undefined;
  #thingModel: (() => ThingModel | undefined) | undefined;
  /** The handle by which a sub-device stays online without being named by a flow node. */
  #held: Promise<Device> | undefined;
  #leave: () => void = () => undefined;

  constructor(around: Surroundings, node: DeviceNode, def: DeviceDef) {
    this.#around = around;
    this.#node = node;
    // The runtime's object lost properties on its way, which makes it five times as large as a copy of what is left.
    this.#def = { ...def };
    this.role = ROLES.find((role) => role === def.role) ?? 'device';
    this.gatewayId = this.role === 'subDevice' ? def.gateway || undefined : undefined;
    try {
      this.identity = deviceIdentity(around.RED, node, def);
    } catch (thrown) {
      this.#problem = thrown;
    }
  }

  /** Takes its place behind its gateway, once all nodes of the deploy exist. */
  start(): void {
    if (this.role !== 'subDevice') return;
    const { RED, plants } = this.#around;
    this.#leave = whenFlowsStarted(RED, () => {
      this.#leave = () => undefined;
      try {
        gatewayOf(RED, this.#node, this.#def);
      } catch (thrown) {
        // Without a gateway no flow node would bring it up, so nobody else would say so.
        this.#report(thrown);
        return;
      }
      this.#leave = plants.join(this.gatewayId ?? '', this);
    });
  }

  use(): () => void {
    return this.role === 'gateway' ? this.#around.plants.use(this.#node.id) : () => undefined;
  }

  subDevicesOpened(): Promise<void> {
    return this.#around.plants.opened(this.#node.id);
  }

  async open(): Promise<Device> {
    const device = this.role === 'subDevice' ? await this.#openSubDevice() : await this.#openDevice();
    this.#thingModel = () => device.thingModel;
    return device;
  }

  settings(): Promise<GatewaySettings> {
    // Read once: a plant's sub-devices all ask for them, and a thing model may be large.
    this.#settings ??= this.#readSettings().catch((thrown: unknown) => {
      this.#settings = undefined;
      throw thrown;
    });
    return this.#settings;
  }

  thingModel(): ThingModel | undefined {
    return this.#thingModel?.();
  }

  hold(): void {
    if (this.#held !== undefined || this.#closed) return;
    const held = this.open();
    this.#held = held;
    held
      .then((device) => {
        if (this.#held === held) device.connect();
      })
      .catch((thrown: unknown) => {
        if (this.#held === held) this.#report(thrown);
      });
  }

  async opened(): Promise<void> {
    await this.#held?.catch(() => undefined); // reported where it is held
  }

  letGo(): void {
    this.#release().catch(() => undefined); // it never opened: that was reported
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#thingModel = undefined;
    const released = this.#release();
    this.#leave();
    await released.catch(() => undefined); // it never opened: that was reported
  }

  async #release(): Promise<void> {
    const held = this.#held;
    this.#held = undefined;
    await (await held)?.release();
  }

  async #openDevice(): Promise<Device> {
    const { options } = await this.settings();
    this.#assertOpen();
    return openDevice(options);
  }

  async #openSubDevice(): Promise<Device> {
    const identity = this.#known();
    const { RED, storage } = this.#around;
    const gateway = await gatewayOf(RED, this.#node, this.#def).settings();
    const options = subDeviceOptions(RED, this.#node, this.#def, identity, gateway, storage);
    this.#assertOpen();
    return openSubDevice({ ...options, ...this.#life() });
  }

  async #readSettings(): Promise<GatewaySettings> {
    const identity = this.#known();
    const { RED, storage } = this.#around;
    const platform = RED.nodes.getNode(this.#def.platform) as PlatformNode | null | undefined;
    if (typeof platform?.access !== 'function')
      throw badSettings('platform', 'no platform is chosen', 'noPlatform');
    const access = await platform.access();
    const options = deviceOptions(RED, this.#node, this.#def, identity, access, storage);
    // A gateway may be opened by its sub-devices alone, and lives and logs as if it had been opened here.
    return { access, options: { ...options, ...this.#life() } };
  }

  #known(): DeviceIdentity {
    if (this.identity === undefined) throw this.#problem;
    return this.identity;
  }

  #assertOpen(): void {
    if (this.#closed) throw badSettings('device', 'was closed');
  }

  #life(): { lingerMs: number; log: (line: LogLine) => void } {
    return { lingerMs: LINGER_MS, log: (line) => this.#log(line) };
  }

  /** For what no flow node says. */
  #report(thrown: unknown): void {
    if (this.#closed) return;
    const { message } = toFlowError(this.#around.RED, thrown);
    this.#node.error(this.identity === undefined ? message : `${thingKey(this.identity)}: ${message}`);
  }

  #log(line: LogLine): void {
    const { productKey = '?', deviceName = '?' } = this.identity ?? {};
    // A node without a name is known by its id only, which says nothing to people.
    const text = `${productKey}/${deviceName}: ${explainLog(this.#around.RED, line)}`;
    if (line.level === 'warn') this.#node.warn(text);
    else if (line.level === 'info') this.#node.log(text);
    else this.#node.debug(text);
  }
}
