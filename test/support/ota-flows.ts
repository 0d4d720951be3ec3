import { randomBytes } from 'node:crypto';
import {
  type Emulator,
  type EmulatorLimits,
  type Exchange,
  startEmulator,
  type UpgradeView,
} from '../../emulator';
import type { DeviceIdentity } from '../../protocol';
import { catchAll, device, sink, statusOf } from './flows';
import { otaIn, otaProgress } from './ota-nodes';
import { PLANT } from './plant';
import { type FlowMessage, type FlowNode, type Runtime, startRuntime } from './runtime';

const UNITS = 40;
const SECRET = '0123456789abcdef0123456789abcdef';

/** The platform node for an emulator in this process: one of one's own, so only https will do. */
export function otaPlatform(emulator: Emulator): FlowNode {
  return {
    id: 'platform',
    type: 'alink-platform',
    kind: 'custom',
    host: '127.0.0.1',
    mqttPort: String(emulator.ports.mqtt),
    ca: emulator.ca ?? '',
  };
}

/** Each of a product of its own, so that all may be offered the same version. */
export function unit(n: number): DeviceIdentity {
  return { productKey: `a1Unit${n}`, deviceName: `unit-${n}` };
}

export function unitNode(identity: DeviceIdentity): FlowNode {
  return device({
    ...identity,
    thingModelSource: 'none',
    credentials: { deviceSecret: SECRET },
  });
}

/** With products whose devices get firmware; files come over https. */
export function startOtaEmulator(limits: Partial<EmulatorLimits> = {}): Promise<Emulator> {
  const products = Array.from({ length: UNITS }, (_, n) => ({
    productKey: unit(n).productKey,
    devices: [{ deviceName: unit(n).deviceName, deviceSecret: SECRET }],
  }));
  return startEmulator({
    doors: { mqtt: 0, https: 0 },
    config: { ...PLANT, products: [...PLANT.products, ...products] },
    limits,
  });
}

/** A real Node-RED with the OTA nodes of a device, on an emulator of its own. */
export class OtaFlows {
  #next = 0;
  identity = unit(0);
  readonly image = randomBytes(200_000);

  private constructor(
    readonly red: Runtime,
    readonly emulator: Emulator,
  ) {}

  static async start(): Promise<OtaFlows> {
    return new OtaFlows(await startRuntime(), await startOtaEmulator());
  }

  /** Another device, of which nobody remembers anything. */
  fresh(): DeviceIdentity {
    this.identity = unit(this.#next++);
    return this.identity;
  }

  /** Deploys `ota` and `report`, and waits until the device is online and has greeted the platform. */
  async deploy(ota: object = {}, report: object = {}, more: readonly FlowNode[] = []): Promise<void> {
    const { askOnStart = true, askBy = 'get' } = ota as { askOnStart?: boolean; askBy?: string };
    const asked = askBy === 'get' ? 'thing.ota.firmware.get' : 'ota.request';
    const greeted = askOnStart ? this.next(asked) : this.next('ota.inform');
    await Promise.all([greeted, this.install(ota, report, more)]);
  }

  /** Deploys without waiting for anything. */
  async install(ota: object = {}, report: object = {}, more: readonly FlowNode[] = []): Promise<void> {
    await this.red.deploy([
      otaPlatform(this.emulator),
      unitNode(this.identity),
      otaIn(ota),
      otaProgress(report),
      ...more,
      ...['sink', 'reported'].map((id) => sink(id)),
      ...catchAll(),
      ...statusOf('ota', 'report'),
    ]);
  }

  /** Offers an image to the device. */
  async offer(version: string, firmware: object = {}, upgrade: object = {}): Promise<string> {
    const { productKey } = this.identity;
    const { firmwareId } = await this.emulator.firmware.add({
      productKey,
      version,
      files: { content: this.image },
      ...firmware,
    });
    return this.emulator.firmware.upgrade(firmwareId, { devices: [this.identity], ...upgrade }).jobId;
  }

  task(jobId: string): UpgradeView | undefined {
    return this.emulator.firmware.tasks(jobId)[0];
  }

  /** Resolves when the platform says how the upgrade ended. */
  async ended(jobId: string): Promise<{ status: string; desc: string }> {
    const told = await this.emulator.messages.waitFor(
      ({ topic, json }) => topic.endsWith('/ota/upgrade') && (json as { jobId: string }).jobId === jobId,
      { timeoutMs: 15_000 },
    );
    return told.json as { status: string; desc: string };
  }

  /** The parameters of what the device sent of an operation. */
  sent(operation: string): unknown[] {
    return this.exchanges(operation).map(({ json }) => (json as { params: unknown }).params);
  }

  exchanges(...operations: string[]): Exchange[] {
    return this.emulator.exchanges.list(
      ({ kind, identity, operation }) =>
        kind === 'up' &&
        identity?.deviceName === this.identity.deviceName &&
        operations.includes(String(operation)),
    );
  }

  /** What the flow says to the platform. @returns the message behind the report */
  async say(payload: unknown, more: object = {}): Promise<FlowMessage> {
    const out = this.red.next('reported');
    this.red.send('report', { payload, ...more });
    return out;
  }

  /** The parameters of the next message of the device. */
  async next(operation: string): Promise<unknown> {
    const { deviceName } = this.identity;
    const { json } = await this.emulator.exchanges.waitFor(
      (one) => one.kind === 'up' && one.operation === operation && one.identity?.deviceName === deviceName,
      { since: this.emulator.exchanges.latest },
    );
    return (json as { params: unknown }).params;
  }

  async stop(): Promise<void> {
    await this.red.stop();
    await this.emulator.close();
  }
}
