import type { DeviceIdentity, Json } from '../../protocol';
import type { Delivery } from '../broker/delivery';
import { UnknownDeviceError } from '../options';
import type { Platform } from '../platform';
import type { Device } from '../registry/device';
import type { Product } from '../registry/product';
import { pushModelConfiguration } from './model';
import type { ConfigurationPush } from './types';

/** Remote configuration of products, in process. */
export interface ConfigurationPanel {
  /**
   * Stores a content, which switches it on, or switches it.
   * @param content JSON text, or what becomes JSON; 64 KB
   * @throws RangeError when there is no such product, or the content is no JSON or too large
   */
  set(productKey: string, settings: { enabled?: boolean; content?: Json }): void;
  /** What is stored. @throws RangeError when there is no such product */
  get(productKey: string): { enabled: boolean; configId?: string; content?: string };
  /**
   * Pushes it to one device, or to all of a product that are there (B.3 row 34). The code of an answer is there once the
   * device gave it; `devices.get` tells it too.
   * @returns empty when none is stored or it is switched off
   * @throws RangeError when there is no such product
   * @throws UnknownDeviceError
   */
  push(target: string | DeviceIdentity): Promise<ConfigurationPush[]>;
}

/** Model configuration of gateways (section H), in process. */
export interface ModelConfigurationPanel {
  /**
   * Serves the document and tells the gateway (B.4 row 60). Passwords of OPC UA servers in it are plain text, and are
   * encrypted with the gateway's secret on the way (H.3).
   * @throws UnknownDeviceError
   * @throws RangeError when it is too large
   * @throws OpcUaPasswordError when the secret has not 16, 24 or 32 bytes
   */
  push(gateway: DeviceIdentity, document: Json): Delivery;
}

export function createConfigurationPanel(platform: Platform): ConfigurationPanel {
  return {
    set: (productKey, settings) => platform.configurations.set(productOf(platform, productKey), settings),
    get: (productKey) => {
      const { enabled, stored } = productOf(platform, productKey).configuration;
      return stored === undefined
        ? { enabled }
        : { enabled, configId: stored.configId, content: stored.text };
    },
    push: async (target) => {
      const devices =
        typeof target === 'string'
          ? [...productOf(platform, target).devices.values()].filter(({ onlineSince }) => onlineSince)
          : [deviceOf(platform, target)];
      const pushes = await Promise.all(devices.map((device) => platform.configurations.push(device)));
      return pushes.filter((push) => push !== undefined);
    },
  };
}

export function createModelConfigurationPanel(platform: Platform): ModelConfigurationPanel {
  return {
    push: (gateway, document) => pushModelConfiguration(platform, deviceOf(platform, gateway), document),
  };
}

function productOf(platform: Platform, productKey: string): Product {
  const product = platform.registry.products.get(productKey);
  if (product === undefined) throw new RangeError(`there is no product ${productKey}`);
  return product;
}

function deviceOf(platform: Platform, identity: DeviceIdentity): Device {
  const device = platform.registry.find(identity);
  if (device === undefined) throw new UnknownDeviceError(identity);
  return device;
}
