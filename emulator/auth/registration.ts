import type { DeviceIdentity } from '../../protocol';
import type { Device } from '../registry/device';
import type { Registry } from '../registry/registry';

/** The device with its secret, or the code why it gets none (C.2). */
export type Grant = { device: Device } | { code: 5005 | 6100 | 6288 | 6289 | 6600 | 6280 };

export interface GrantRules {
  /** A device that does not exist is created (no pre-registration, A.7). */
  create?: boolean;
  /** A device that was activated is told its secret all the same. */
  again?: boolean;
}

/**
 * "One model, one secret" (A.6, A.7) and registration of sub-devices (B.4): decides whether a device is told its
 * secret. Checks in the order product, switch, signature, device, activation. The switch closes registration only; a
 * device that was activated connects as before.
 * @param isSigned whether the request carries the signature that this productSecret gives; undefined where nothing is
 * signed
 */
export function grantSecret(
  registry: Registry,
  identity: DeviceIdentity,
  isSigned: ((productSecret: string) => boolean) | undefined,
  { create = false, again = false }: GrantRules,
): Grant {
  const product = registry.registrable(identity.productKey);
  if (product === undefined) return { code: 5005 };
  if (!product.dynamicRegistration) return { code: 6288 };
  // A product that came into being by itself has no secret, so there is nothing to check against.
  const { productSecret } = product;
  const proved = productSecret === undefined ? registry.autoProvision : isSigned?.(productSecret);
  if (isSigned !== undefined && proved !== true) return { code: 6600 };
  let device = product.devices.get(identity.deviceName);
  if (device === undefined) {
    if (!create && !registry.autoProvision) return { code: 6100 };
    device = registry.register(product, identity.deviceName);
    if (device === undefined) return { code: 6280 };
  }
  if (device.activatedAt !== undefined && !again) return { code: 6289 };
  if (device.deviceSecret === undefined) return { device: registry.provision(identity) };
  return { device };
}
