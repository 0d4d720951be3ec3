import { emulatorPlatform } from './flows';
import type { FlowNode, Runtime } from './runtime';

export function configPush(extra: object = {}): FlowNode {
  return {
    id: 'config',
    z: 'tab',
    type: 'alink-config-push',
    device: 'device',
    output: 'configuration',
    reply: 'now',
    timeLimit: '5',
    guarded: false,
    guardTime: '',
    ask: false,
    mostSize: '',
    hosts: '',
    passwords: false,
    flowAs: 'array',
    wires: [['sink']],
    ...extra,
  };
}

/** The embedded emulator `platform`, with products that it is started with. */
export function platformWith(products: readonly object[]): FlowNode {
  return emulatorPlatform({ emulatorConfig: JSON.stringify({ products }) });
}

/** The panel of the embedded emulator. */
export class Panel {
  private constructor(private readonly url: string) {}

  static async of(red: Runtime): Promise<Panel> {
    const response = await fetch(`${red.url}/alink-platform/platform/addresses`);
    const { http } = (await response.json()) as { http: string };
    return new Panel(http);
  }

  async get<T>(path: string): Promise<T> {
    const response = await fetch(`${this.url}/emulator/${path}`);
    return (await response.json()) as T;
  }

  async post(path: string, body: unknown = {}): Promise<unknown> {
    const response = await fetch(`${this.url}/emulator/${path}`, {
      method: 'POST',
      body: JSON.stringify(body),
    });
    const answer: unknown = await response.json();
    if (!response.ok) throw new Error(`${path}: ${response.status} ${JSON.stringify(answer)}`);
    return answer;
  }

  /** Stores a configuration. @returns its configId */
  async store(productKey: string, content: unknown): Promise<string> {
    const stored = await this.post(`products/${productKey}/configuration`, { content });
    return (stored as { configId: string }).configId;
  }

  /** Stores a configuration and pushes it. @returns its configId */
  async push(productKey: string, deviceName: string, content?: unknown): Promise<string> {
    const configId = content === undefined ? '' : await this.store(productKey, content);
    await this.post(`products/${productKey}/configuration/push`, { deviceName });
    return configId;
  }

  /** What the device answered to the last push. */
  async answer(productKey: string, deviceName: string): Promise<number | undefined> {
    const device = await this.get<{ configuration?: { code?: number } }>(
      `devices/${productKey}/${deviceName}`,
    );
    return device.configuration?.code;
  }
}
