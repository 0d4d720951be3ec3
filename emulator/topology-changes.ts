import { type TopologyAction, topologyMessage } from './forwarding/messages';
import type { Ground } from './ground';
import type { Device } from './registry/device';

/** Numbers of thing.topo.change (section J row 29). */
const STATUS: Readonly<Record<TopologyAction, number>> = { create: 0, delete: 1, enable: 2, disable: 8 };

/**
 * Every change of the topology, with those who are told: the gateway (B.4 row 55) and applications (B.9). The guide
 * lists adding, deleting, enabling and disabling a sub-device and makes no difference by who did it, so a gateway hears
 * also of what it asked for itself, after the answer.
 */
export class TopologyChanges {
  constructor(private readonly platform: Ground) {}

  /**
   * Puts sub-devices behind a gateway. One that is behind another leaves it, as the guide of the API's BatchAddThingTopo
   * says, and its session there ends.
   */
  add(gateway: Device, subDevices: readonly Device[]): void {
    const { topology } = this.platform.registry;
    const arriving = subDevices.filter((subDevice) => topology.gatewayOf(subDevice) !== gateway);
    this.remove(arriving);
    for (const subDevice of arriving) topology.add(gateway, subDevice);
    this.tell(gateway, 'create', arriving);
  }

  /** Takes sub-devices from their gateways, which ends their sessions (`Topology.left`); others are left alone. @returns how many had one */
  remove(subDevices: readonly Device[]): number {
    const { topology } = this.platform.registry;
    const leaving = new Map<Device, Device[]>();
    let count = 0;
    for (const subDevice of subDevices) {
      const gateway = topology.gatewayOf(subDevice);
      if (gateway === undefined) continue;
      topology.remove(subDevice);
      const others = leaving.get(gateway);
      if (others) others.push(subDevice);
      else leaving.set(gateway, [subDevice]);
      count++;
    }
    for (const [gateway, gone] of leaving) this.tell(gateway, 'delete', gone);
    return count;
  }

  /** A sub-device was enabled or disabled, and its place in the topology with it. */
  switched(subDevice: Device, action: 'enable' | 'disable'): void {
    const gateway = this.platform.registry.topology.gatewayOf(subDevice);
    if (gateway !== undefined) this.tell(gateway, action, [subDevice]);
  }

  /** A device is deleted, as a sub-device or as a gateway; whoever deletes it ends its own session. */
  forget(device: Device): void {
    const { topology } = this.platform.registry;
    const gateway = topology.gatewayOf(device);
    const orphans = topology.forget(device);
    if (gateway !== undefined) this.tell(gateway, 'delete', [device]);
    this.tellApplications(device, 'delete', orphans);
  }

  private tell(gateway: Device, action: TopologyAction, subDevices: readonly Device[]): void {
    if (subDevices.length === 0) return;
    this.tellApplications(gateway, action, subDevices);
    const subList = subDevices.map(({ identity }) => ({ ...identity }));
    // Later, so that the answer to a request of the gateway goes out first.
    queueMicrotask(() => {
      if (this.platform.registry.find(gateway.identity) !== gateway) return;
      this.platform.request(gateway, 'thing.topo.change', { status: STATUS[action], subList });
    });
  }

  private tellApplications(gateway: Device, action: TopologyAction, subDevices: readonly Device[]): void {
    if (subDevices.length === 0) return;
    this.platform.forwarding.publish(
      gateway,
      topologyMessage(gateway, action, subDevices, this.platform.clock()),
    );
  }
}
