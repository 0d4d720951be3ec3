import { isJsonObject, type Json, type JsonObject } from '../protocol';
import type { Registry } from './registry/registry';

/** Groups with the names of their devices, as a snapshot keeps them. */
export function writeGroups({ groups }: Registry): JsonObject[] {
  return groups.list().map(({ devices, parentId, ...group }) => ({
    ...group,
    parentId: parentId ?? null,
    devices: [...devices].map(({ identity }) => ({ ...identity })),
  }));
}

/** Brings back what `writeGroups` gave; devices that are gone, and what cannot be a group, are left out. */
export function readGroups(registry: Registry, saved: Json | undefined): void {
  for (const entry of Array.isArray(saved) ? saved : []) {
    if (!isJsonObject(entry)) continue;
    const { groupId, name, description, parentId, createdAt, devices } = entry;
    if (typeof groupId !== 'string' || typeof name !== 'string' || typeof createdAt !== 'number') continue;
    const settings = {
      name,
      description: typeof description === 'string' ? description : '',
      parentId: typeof parentId === 'string' ? parentId : undefined,
      createdAt,
    };
    const group = registry.groups.create(settings, groupId);
    for (const named of group === undefined || !Array.isArray(devices) ? [] : devices) {
      const { productKey, deviceName } = isJsonObject(named) ? named : {};
      const device = registry.find({ productKey: String(productKey), deviceName: String(deviceName) });
      if (group !== undefined && device !== undefined) registry.groups.add(group, device);
    }
  }
}
