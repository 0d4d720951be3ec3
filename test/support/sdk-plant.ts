import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Emulator, type EmulatorLimits, startEmulator } from '../../emulator';
import type { DeviceIdentity, OperationName } from '../../protocol';
import {
  closeAllDevices,
  type Device,
  type DeviceOptions,
  fileSecretStore,
  type Gateway,
  type GatewayOptions,
  openDevice,
  openSubDevice,
  type SubDeviceOptions,
  type Timing,
} from '../../sdk';
import { PRODUCT } from './emulator';
import { state } from './sdk-device';

const GATEWAYS = 'a1Gateways';
const METERS = 'a1Meters';
export const METER_PRODUCT_SECRET = 'secret of the meters';
export const gate = (i: number): DeviceIdentity => ({ productKey: GATEWAYS, deviceName: `gate-${i}` });
export const meter = (i: number): DeviceIdentity => ({ productKey: METERS, deviceName: `meter-${i}` });
export const secretOf = ({ deviceName }: DeviceIdentity): string => `secret-of-${deviceName}`;

/** Short waits, so that tests do not. */
export const QUICK: Partial<Timing> = {
  backoff: { first: 10, longest: 20 },
  refusalBackoff: { first: 3_600_000, longest: 3_600_000 },
  connectsPerMinute: 1000,
};

export interface SdkPlantOptions {
  meters?: number;
  limits?: Partial<EmulatorLimits>;
  gateway?: GatewayOptions;
  requestTimeoutMs?: number;
}

/** The SDK's gateway on an emulator: two gateways, and as many meters as wanted, in nobody's topology. */
export class SdkPlant {
  readonly folder = mkdtempSync(join(tmpdir(), 'alink-plant-'));
  readonly secretStore = fileSecretStore(this.folder);
  readonly #gateway: GatewayOptions;
  readonly #requestTimeoutMs: number;

  private constructor(
    readonly emulator: Emulator,
    { gateway = {}, requestTimeoutMs = 5000 }: SdkPlantOptions,
  ) {
    this.#gateway = gateway;
    this.#requestTimeoutMs = requestTimeoutMs;
  }

  static async start(options: SdkPlantOptions = {}): Promise<SdkPlant> {
    const devices = Array.from({ length: options.meters ?? 5 }, (_, i) => meter(i)).map((identity) => ({
      deviceName: identity.deviceName,
      deviceSecret: secretOf(identity),
    }));
    const gates = [1, 2].map((i) => ({ deviceName: `gate-${i}`, deviceSecret: secretOf(gate(i)) }));
    const emulator = await startEmulator({
      config: {
        products: [
          { productKey: GATEWAYS, nodeType: 'gateway', devices: gates },
          {
            productKey: METERS,
            productSecret: METER_PRODUCT_SECRET,
            dynamicRegistration: true,
            thingModel: { ...PRODUCT.thingModel, profile: { productKey: METERS } },
            devices,
          },
        ],
      },
      limits: { loginsPerMinute: 0, loginsPerSecond: 0, ...options.limits },
    });
    return new SdkPlant(emulator, options);
  }

  /** Settings of a gateway. */
  gateOptions(i = 1): DeviceOptions {
    return {
      identity: gate(i),
      platform: { kind: 'custom', host: '127.0.0.1' },
      transport: 'tcp',
      port: this.emulator.ports.mqtt ?? 0,
      authentication: { kind: 'deviceSecret', deviceSecret: secretOf(gate(i)) },
      gateway: this.#gateway,
      secretStore: this.secretStore,
      requestTimeoutMs: this.#requestTimeoutMs,
      timing: QUICK,
    };
  }

  meterOptions(i: number, more: Partial<SubDeviceOptions> = {}): SubDeviceOptions {
    return {
      gateway: this.gateOptions(),
      identity: meter(i),
      authentication: { kind: 'deviceSecret', deviceSecret: secretOf(meter(i)) },
      timing: QUICK,
      ...more,
    };
  }

  /** The gateway, online. */
  async gateway(i = 1): Promise<Device & { gateway: Gateway }> {
    const device = openDevice(this.gateOptions(i));
    device.connect();
    await state(device, 'online');
    assert.ok(device.gateway);
    return device as Device & { gateway: Gateway };
  }

  /** A sub-device that was told to come online. */
  open(i: number, more: Partial<SubDeviceOptions> = {}): Device {
    const device = openSubDevice(this.meterOptions(i, more));
    device.connect();
    return device;
  }

  /** Sub-devices, all of them online. */
  async online(count: number): Promise<Device[]> {
    const devices = Array.from({ length: count }, (_, i) => this.open(i));
    await Promise.all(devices.map((device) => state(device, 'online')));
    return devices;
  }

  /** How often an operation came up, and with which codes it was answered. */
  codes(operation: OperationName): Array<number | undefined> {
    return this.emulator.exchanges
      .list()
      .filter((exchange) => exchange.kind === 'up' && exchange.operation === operation)
      .map(({ code }) => code);
  }

  async stop(): Promise<void> {
    await closeAllDevices();
    await this.emulator.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Waits until a device has left a state and is in it again. */
export function again(device: Device, name: 'online'): Promise<void> {
  return new Promise((resolve) => {
    let left = false;
    device.onState((now) => {
      if (now.name !== name) left = true;
      else if (left) resolve();
    });
  });
}
