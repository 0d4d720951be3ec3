import type { EmulatorConfig } from './config';
import { ConfigError } from './config-reader';
import { addNewFirmware } from './ota/api';
import type { Platform } from './platform';
import type { Device } from './registry/device';

/**
 * Makes what a configuration names.
 * @returns the devices whose secret it leaves open
 * @throws ConfigError
 */
export function fill(platform: Platform, config: EmulatorConfig): Set<Device> {
  for (const route of config.routes) {
    if (!platform.forwarding.routes.add(route)) {
      throw new ConfigError('routes', `more than ${platform.limits.topicRoutes}`);
    }
  }
  const unnamed = new Set<Device>();
  for (const { devices, firmware: _, configuration: __, ...settings } of config.products) {
    const product = platform.registry.addProduct(settings);
    if (settings.script !== undefined) platform.setScript(product, settings.script);
    for (const { deviceName, deviceSecret, tags = {} } of devices) {
      const device = platform.registry.addDevice(product, deviceName, deviceSecret);
      for (const [key, value] of Object.entries(tags)) device.tags.set(key, value);
      if (deviceSecret === undefined) unnamed.add(device);
    }
  }
  const { registry } = platform;
  for (const { productKey, devices } of config.products) {
    for (const { deviceName, gateway: names } of devices) {
      const subDevice = registry.find({ productKey, deviceName });
      const gateway = names && registry.find(names);
      if (subDevice !== undefined && gateway !== undefined) registry.topology.add(gateway, subDevice);
    }
  }
  return unnamed;
}

/** Adds its firmware and remote configurations. @throws ConfigError */
export async function fillFirmware(platform: Platform, { products }: EmulatorConfig): Promise<void> {
  for (const [i, { productKey, firmware, configuration }] of products.entries()) {
    const product = platform.registry.products.get(productKey);
    if (product !== undefined && configuration !== undefined) {
      try {
        platform.configurations.set(product, configuration);
      } catch (thrown) {
        throw new ConfigError(`products[${i}].configuration.content`, reasonOf(thrown));
      }
    }
    for (const [j, one] of firmware.entries()) {
      try {
        await addNewFirmware(platform, one);
      } catch (thrown) {
        throw new ConfigError(`products[${i}].firmware[${j}]`, reasonOf(thrown));
      }
    }
  }
}

function reasonOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
