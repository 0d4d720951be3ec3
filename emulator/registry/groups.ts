import { randomBytes } from 'node:crypto';
import type { Device } from './device';

const MOST_GROUPS = 1000;
const MOST_DEVICES = 20_000;
/** As on the platform. */
const MOST_GROUPS_OF_DEVICE = 10;

/** Devices of any products that an application put together. */
export interface DeviceGroup {
  readonly groupId: string;
  readonly name: string;
  /** The group that it is a part of. */
  readonly parentId: string | undefined;
  description: string;
  readonly createdAt: number;
  readonly devices: Set<Device>;
}

/** Groups of devices. */
export class DeviceGroups {
  private readonly groups = new Map<string, DeviceGroup>();

  list(): DeviceGroup[] {
    return [...this.groups.values()];
  }

  get(groupId: string): DeviceGroup | undefined {
    return this.groups.get(groupId);
  }

  /** @returns undefined when there are too many, or one of this name */
  create(
    settings: Pick<DeviceGroup, 'name' | 'parentId' | 'description' | 'createdAt'>,
    groupId = randomBytes(8).toString('hex'),
  ): DeviceGroup | undefined {
    if (this.groups.size >= MOST_GROUPS) return undefined;
    if (this.list().some(({ name }) => name === settings.name)) return undefined;
    const group = { ...settings, groupId, devices: new Set<Device>() };
    this.groups.set(groupId, group);
    return group;
  }

  /** Its devices stay; groups that were part of it go with it. */
  delete(group: DeviceGroup): void {
    this.groups.delete(group.groupId);
    for (const part of this.list()) if (part.parentId === group.groupId) this.delete(part);
  }

  /** @returns `full` when the device is in too many groups, or too many are in this one */
  add(group: DeviceGroup, device: Device): 'added' | 'known' | 'full' {
    if (group.devices.has(device)) return 'known';
    const full = group.devices.size >= MOST_DEVICES || this.of(device).length >= MOST_GROUPS_OF_DEVICE;
    if (full) return 'full';
    group.devices.add(device);
    return 'added';
  }

  /** Groups that a device is in. */
  of(device: Device): DeviceGroup[] {
    return this.list().filter(({ devices }) => devices.has(device));
  }

  /** The device is no more. */
  forget(device: Device): void {
    for (const { devices } of this.groups.values()) devices.delete(device);
  }
}
