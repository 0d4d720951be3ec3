import { type Emulator, startEmulator } from '../../emulator';
import type { DeviceIdentity } from '../../protocol';
import { catchAll, device, lifecycle, sink, statusOf } from './flows';
import { GATEWAY_1, PLANT } from './plant';
import { type FlowMessage, type FlowNode, type Runtime, startRuntime } from './runtime';

/** A real Node-RED with a gateway on an emulator of its own. */
export class GatewayFlows {
  private constructor(
    readonly red: Runtime,
    readonly emulator: Emulator,
  ) {}

  static async start(limits: object = {}): Promise<GatewayFlows> {
    const emulator = await startEmulator({ doors: { mqtt: 0, http: 0 }, config: { ...PLANT, limits } });
    return new GatewayFlows(await startRuntime(), emulator);
  }

  /** Deploys the nodes behind the gateway, and waits until it is online. */
  async deploy(nodes: readonly FlowNode[], settings: object = {}): Promise<void> {
    const online = this.red.next('states', ({ payload }) => payload === 'online');
    await this.red.deploy([
      {
        id: 'platform',
        type: 'alink-platform',
        kind: 'custom',
        host: '127.0.0.1',
        mqttPort: String(this.emulator.ports.mqtt),
        httpUrl: this.emulator.httpUrl,
      },
      {
        ...device({ id: 'hub', ...GATEWAY_1, role: 'gateway', thingModelSource: 'none', ...settings }),
        credentials: { deviceSecret: `secret-of-${GATEWAY_1.deviceName}` },
      },
      ...nodes,
      lifecycle({ device: 'hub', notices: false, subDevices: false }),
      ...['sink', 'posted', 'states'].map((id) => sink(id)),
      ...catchAll(),
      ...statusOf(...nodes.map(({ id }) => id)),
    ]);
    await online;
  }

  /** What comes out at a sink of a message that is sent into a node. */
  async through(id: string, msg: object, at = 'sink'): Promise<FlowMessage> {
    const out = this.red.next(at);
    this.red.send(id, msg);
    return out;
  }

  /** Where the platform says that a sub-device stands, and whether it is online. */
  view(identity: DeviceIdentity): { gateway: string | undefined; status: string | undefined } {
    const view = this.emulator.devices.get(identity);
    return { gateway: view?.gateway?.deviceName, status: view?.status };
  }

  async stop(): Promise<void> {
    await this.red.stop();
    await this.emulator.close();
  }
}

/** Results without what people read: names, whether it went well, and the code. */
export function briefly(payload: unknown): unknown[] {
  return (payload as Array<Record<string, unknown>>).map(({ deviceName, ok, code }) =>
    code === undefined ? [deviceName, ok] : [deviceName, ok, code],
  );
}
