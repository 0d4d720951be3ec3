import type { Device } from './device';

/** Which sub-device stands behind which gateway: one gateway for each, many sub-devices for a gateway (B.4). */
export class Topology {
  readonly #gateways = new Map<Device, Device>();
  readonly #subDevices = new Map<Device, Set<Device>>();

  /** Told of each sub-device that leaves its gateway. */
  left: (subDevice: Device) => void = () => undefined;

  gatewayOf(subDevice: Device): Device | undefined {
    return this.#gateways.get(subDevice);
  }

  /** In the order in which they were added. */
  subDevicesOf(gateway: Device): ReadonlySet<Device> {
    return this.#subDevices.get(gateway) ?? NONE;
  }

  /** Puts a sub-device behind a gateway; it leaves the one that it was behind. */
  add(gateway: Device, subDevice: Device): void {
    this.remove(subDevice);
    this.#gateways.set(subDevice, gateway);
    const others = this.#subDevices.get(gateway);
    if (others) others.add(subDevice);
    else this.#subDevices.set(gateway, new Set([subDevice]));
  }

  /** @returns whether it was behind a gateway */
  remove(subDevice: Device): boolean {
    const gateway = this.#gateways.get(subDevice);
    if (gateway === undefined) return false;
    this.#gateways.delete(subDevice);
    const others = this.#subDevices.get(gateway);
    others?.delete(subDevice);
    if (others?.size === 0) this.#subDevices.delete(gateway);
    this.left(subDevice);
    return true;
  }

  /** A device is deleted: as a sub-device and as a gateway. @returns the sub-devices that lost their gateway */
  forget(device: Device): Device[] {
    this.remove(device);
    const orphans = [...this.subDevicesOf(device)];
    for (const orphan of orphans) this.remove(orphan);
    return orphans;
  }
}

const NONE: ReadonlySet<Device> = new Set();
