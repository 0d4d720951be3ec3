import { randomBytes } from 'node:crypto';
import {
  type DeviceIdentity,
  identityProblem,
  type Json,
  newDeviceNameProblem,
  parseThingModel,
  thingKey,
} from '../../protocol';
import { Recent } from '../../protocol/recent';
import type { EmulatorLimits } from '../options';
import { Device } from './device';
import { FileBudget } from './files';
import { DeviceGroups } from './groups';
import { JobStore } from './jobs';
import { OPEN_TOPIC_CLASSES, Product, type ProductSettings } from './product';
import { Topology } from './topology';

const REMEMBERED_DELETIONS = 10_000;

/** Products and devices. */
export class Registry {
  readonly products = new Map<string, Product>();
  readonly jobs = new JobStore();
  readonly topology = new Topology();
  readonly groups = new DeviceGroups();
  private readonly fileBudget: FileBudget;
  /** Told of each new device. */
  created: (device: Device) => void = () => undefined;
  private provisioned = 0;
  /** Names of devices that were deleted. */
  private readonly deleted = new Recent<true>(REMEMBERED_DELETIONS);

  constructor(
    private readonly limits: EmulatorLimits,
    private readonly clock: () => number,
    readonly autoProvision: boolean,
  ) {
    this.fileBudget = new FileBudget(limits.fileBytes);
  }

  addProduct(settings: ProductSettings): Product {
    const product = new Product(settings);
    this.products.set(product.productKey, product);
    return product;
  }

  find({ productKey, deviceName }: DeviceIdentity): Device | undefined {
    return this.products.get(productKey)?.devices.get(deviceName);
  }

  findByIotId(iotId: string): Device | undefined {
    for (const device of this.devices()) if (device.iotId === iotId) return device;
    return undefined;
  }

  *devices(): Generator<Device> {
    for (const product of this.products.values()) yield* product.devices.values();
  }

  /** @param deviceSecret a new one is made when absent */
  addDevice(product: Product, deviceName: string, deviceSecret?: string): Device {
    return this.put(product, deviceName, deviceSecret ?? newSecret());
  }

  /** Whether there was a device of these names, and is none now. */
  wasDeleted(identity: DeviceIdentity): boolean {
    return this.deleted.get(thingKey(identity)) === true && this.find(identity) === undefined;
  }

  removeDevice(device: Device): void {
    device.product.devices.delete(device.identity.deviceName);
    this.deleted.set(device.key, true);
    this.topology.forget(device);
    this.groups.forget(device);
    device.files.clear();
    const now = this.clock();
    for (const task of device.tasks.values()) if (task.isOpen(now)) task.change('REMOVED', now);
  }

  /**
   * Creates product and device when they are missing, and tells the device's secret.
   * @param thingModelDocument becomes the product's thing model
   * @throws RangeError for a name that no device can have
   * @throws ThingModelError
   */
  provision(identity: DeviceIdentity, thingModelDocument?: Json): Device {
    const problem = identityProblem(identity.productKey) ?? identityProblem(identity.deviceName);
    if (problem !== undefined) {
      throw new RangeError(`${identity.productKey}/${identity.deviceName} cannot name a device: ${problem}`);
    }
    const known = this.products.get(identity.productKey);
    // Each of a product's devices comes with its document.
    const thingModel =
      thingModelDocument === undefined || thingModelDocument === known?.thingModel?.document
        ? undefined
        : parseThingModel(thingModelDocument);
    const product =
      known ??
      this.addProduct({
        productKey: identity.productKey,
        topics: OPEN_TOPIC_CLASSES,
        // Where devices come into being by themselves it makes no difference which of them was the first.
        dynamicRegistration: this.autoProvision,
      });
    if (thingModel !== undefined) product.thingModel = thingModel;
    const device = product.devices.get(identity.deviceName) ?? this.addDevice(product, identity.deviceName);
    device.deviceSecret ??= newSecret();
    return device;
  }

  /**
   * The device that connects. With automatic provisioning an unknown one is created without a secret: nobody can
   * tell the secret from a signature, so until it is provisioned every signature of it is accepted. A device
   * that has a secret is never treated so.
   */
  connectable(identity: DeviceIdentity): Device | undefined {
    const known = this.find(identity);
    if (known !== undefined || !this.autoProvision || !this.mayProvision(identity)) return known;
    const product =
      this.products.get(identity.productKey) ??
      this.addProduct({
        productKey: identity.productKey,
        topics: OPEN_TOPIC_CLASSES,
        dynamicRegistration: true,
      });
    this.provisioned++;
    return this.put(product, identity.deviceName, undefined);
  }

  /** The product that registers a device; with automatic provisioning an unknown one is created. */
  registrable(productKey: string): Product | undefined {
    const known = this.products.get(productKey);
    if (known !== undefined || !this.autoProvision) return known;
    if (identityProblem(productKey) !== undefined || this.provisioned >= this.limits.provisionedDevices) {
      return undefined;
    }
    this.provisioned++;
    return this.addProduct({ productKey, topics: OPEN_TOPIC_CLASSES, dynamicRegistration: true });
  }

  /** Creates a device because it asked for it. @returns undefined when its name breaks the rule (section D) */
  register(product: Product, deviceName: string): Device | undefined {
    if (newDeviceNameProblem(deviceName) !== undefined) return undefined;
    if (this.provisioned >= this.limits.provisionedDevices) return undefined;
    this.provisioned++;
    return this.addDevice(product, deviceName);
  }

  private mayProvision(identity: DeviceIdentity): boolean {
    if (this.provisioned >= this.limits.provisionedDevices) return false;
    return (
      identityProblem(identity.productKey) === undefined && identityProblem(identity.deviceName) === undefined
    );
  }

  private put(product: Product, deviceName: string, deviceSecret: string | undefined): Device {
    const identity = { productKey: product.productKey, deviceName };
    const device = new Device(product, identity, deviceSecret, this.clock(), this.limits, this.fileBudget);
    product.devices.set(deviceName, device);
    this.created(device);
    return device;
  }
}

/** 32 characters, as every example shows (A.1). */
export function newSecret(): string {
  return randomBytes(16).toString('hex');
}
