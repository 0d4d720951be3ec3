import type { EventEmitter } from 'node:events';
import type { DeviceIdentity } from '../../protocol';
import type { Device, Gateway, GatewayNotice, SessionState, SubDeviceState } from '../../sdk';

export const ONLINE: SessionState = { name: 'online', waiting: 0 };

/** A device that is whatever the test says, for a config node `test-gateway`; a gateway unless told. */
export class MadeUpGateway {
  readonly identity: DeviceIdentity;
  state: SessionState = ONLINE;
  /** What the gateway does when it is asked to; what is not here is not there. */
  does: Partial<Gateway> = {};
  readonly subDevices = new Map<string, SubDeviceState>();
  /** Handles given and not given back. */
  handles = 0;
  readonly #listeners = {
    state: new Set<(state: SessionState) => void>(),
    subDevice: new Set<(change: SubDeviceState) => void>(),
    notice: new Set<(notice: GatewayNotice) => void>(),
  };

  constructor(
    events: EventEmitter,
    readonly nodeId: string,
    readonly isGateway = true,
  ) {
    this.identity = { productKey: 'a1MadeUp', deviceName: nodeId };
    events.on(`test-gateway:${nodeId}`, (open: (device: Device) => void) => open(this.#handle()));
  }

  get listeners(): number {
    return Object.values(this.#listeners).reduce((sum, { size }) => sum + size, 0);
  }

  setState(state: SessionState): void {
    this.state = state;
    for (const listener of this.#listeners.state) listener(state);
  }

  setSubDevice(deviceName: string, state: SessionState): void {
    const change = { identity: { productKey: 'a1Sub', deviceName }, state };
    this.subDevices.set(deviceName, change);
    for (const listener of this.#listeners.subDevice) listener(change);
  }

  tell(notice: Omit<GatewayNotice, 'time'>): void {
    for (const listener of this.#listeners.notice) listener({ time: 1, ...notice });
  }

  #handle(): Device {
    this.handles++;
    const made: Pick<Device, 'identity' | 'onState' | 'connect' | 'release'> & { gateway?: object } = {
      identity: this.identity,
      onState: (listener) => {
        listener(this.state);
        return add(this.#listeners.state, listener);
      },
      connect: () => undefined,
      release: async () => {
        this.handles--;
      },
    };
    if (this.isGateway) {
      made.gateway = {
        ...this.does,
        onSubDevice: (listener: (change: SubDeviceState) => void) => {
          for (const change of this.subDevices.values()) listener(change);
          return add(this.#listeners.subDevice, listener);
        },
        onNotice: (listener: (notice: GatewayNotice) => void) => add(this.#listeners.notice, listener),
      };
    }
    return made as Device;
  }
}

function add<T>(set: Set<T>, member: T): () => void {
  set.add(member);
  return () => {
    set.delete(member);
  };
}
