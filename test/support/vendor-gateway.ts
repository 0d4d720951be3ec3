import { once } from 'node:events';
import {
  type Gateway,
  type Names,
  type Reply,
  type SubDevice,
  type Triple,
  gateway as vendorGateway,
} from 'alibabacloud-iot-device-sdk';
import type { Emulator } from '../../emulator';

export const GATEWAY: Names = { productKey: 'a1Plant', deviceName: 'gateway-1' };
export const OTHER_GATEWAY: Names = { productKey: 'a1Plant', deviceName: 'gateway-2' };
/** Its product does not let sub-devices register. */
export const METER: Names = { productKey: 'a1Meters', deviceName: 'meter-1' };
const LAMPS = 'a1Lamps';
const level = { type: 'int', specs: { min: '0', max: '1000' } };

const feature = (identifier: string, more: object) => ({ identifier, name: identifier, ...more });
const service = (identifier: string, callType: string) =>
  feature(identifier, {
    callType,
    inputData: [feature('number', { dataType: level })],
    outputData: [feature('result', { dataType: level })],
  });

/** Two gateways, six lamps that may stand behind them, a meter. */
export const PLANT = {
  products: [
    {
      productKey: GATEWAY.productKey,
      nodeType: 'gateway',
      devices: [GATEWAY, OTHER_GATEWAY].map(({ deviceName }) => ({
        deviceName,
        deviceSecret: `secret-of-${deviceName}`,
      })),
    },
    {
      productKey: LAMPS,
      productSecret: 'secret of the lamps',
      dynamicRegistration: true,
      thingModel: {
        profile: { productKey: LAMPS },
        properties: [feature('level', { accessMode: 'rw', dataType: level })],
        events: [feature('burnt', { type: 'alert', outputData: [feature('level', { dataType: level })] })],
        services: [service('slowly', 'async'), service('quickly', 'sync')],
      },
      devices: [1, 2, 3, 4, 5, 6].map((n) => ({
        deviceName: `lamp-${n}`,
        deviceSecret: `secret-of-lamp-${n}`,
      })),
    },
    { productKey: METER.productKey, devices: [{ deviceName: METER.deviceName }] },
  ],
};

export function lamp(n: number): Triple {
  return { ...lampNames(n), deviceSecret: `secret-of-lamp-${n}` };
}

export function lampNames(n: number): Names {
  return { productKey: LAMPS, deviceName: `lamp-${n}` };
}

/** Calls a function of the vendor's SDK. @returns the answer that its callback gets */
export function asked(start: (callback: (reply: Reply) => void) => void): Promise<Reply> {
  return new Promise((resolve) => start(resolve));
}

export interface Message {
  topic: string;
  text: string;
}

/** The vendor's gateway, connected, with everything that came to it. */
export class VendorGateway {
  private readonly messages: Message[] = [];
  private waiting: Array<() => void> = [];
  private ended: Promise<void> | undefined;
  /** What its MQTT library has subscribed it does not subscribe again, neither for a new login nor a new connection. */
  private readonly remembered = new Set<string>();

  private constructor(
    private readonly emulator: Emulator,
    readonly names: Names,
    readonly sdk: Gateway,
  ) {
    // An EventEmitter without a listener for `error` throws.
    sdk.on('error', () => undefined);
    sdk.on('message', (topic, payload) => {
      this.messages.push({ topic, text: payload.toString() });
      for (const look of this.waiting.splice(0)) look();
    });
  }

  static async connect(emulator: Emulator, names = GATEWAY): Promise<VendorGateway> {
    const since = emulator.exchanges.latest;
    const sdk = vendorGateway({
      ...names,
      deviceSecret: `secret-of-${names.deviceName}`,
      brokerUrl: emulator.addresses.mqtt ?? '',
    });
    const gateway = new VendorGateway(emulator, names, sdk);
    await once(sdk as unknown as NodeJS.EventEmitter, 'connect');
    await gateway.subscribed(names, since);
    return gateway;
  }

  /**
   * Waits until the SDK has subscribed what it subscribes for each device by itself, one by one; RRPC comes last, and
   * answers to what was sent before would not arrive.
   */
  async subscribed({ productKey, deviceName }: Names, since: number): Promise<void> {
    const topic = `/sys/${productKey}/${deviceName}/rrpc/request/+`;
    await this.emulator.exchanges.waitFor(
      (exchange) => exchange.kind === 'subscribe' && exchange.topic === topic,
      { since },
    );
  }

  async subscribe(...topics: string[]): Promise<void> {
    for (const topic of topics) {
      await new Promise<void>((resolve, reject) =>
        this.sdk.subscribe(topic, { qos: 1 }, (error) => (error ? reject(error) : resolve())),
      );
    }
  }

  /** The oldest message on a topic that nobody has taken. */
  async next(topic: string): Promise<Record<string, unknown> & { text: string }> {
    for (;;) {
      const at = this.messages.findIndex((message) => message.topic === topic);
      const [message] = at < 0 ? [] : this.messages.splice(at, 1);
      if (message !== undefined) return { ...JSON.parse(message.text), text: message.text };
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
  }

  /** Logs a sub-device in. @returns the answer, and the sub-device whether it was let in or not */
  async tryLogin(device: Triple): Promise<{ sub: SubDevice; reply: Reply; refused: Reply[] }> {
    const refused: Reply[] = [];
    const since = this.emulator.exchanges.latest;
    let sub: SubDevice | undefined;
    const reply = await asked((callback) => {
      sub = this.sdk.login(device, callback);
      sub.on('error', (error) => refused.push(error));
    });
    if (sub === undefined) throw new Error('it made no sub-device');
    if (reply.code === 200 && !this.remembered.has(device.deviceName)) {
      this.remembered.add(device.deviceName);
      await this.subscribed(device, since);
    }
    return { sub, reply, refused };
  }

  /** Adds a sub-device to the topology and logs it in. */
  async online(device: Triple): Promise<SubDevice> {
    await this.topology(device);
    const { sub, reply } = await this.tryLogin(device);
    if (reply.code !== 200) throw new Error(`its login was refused with ${reply.code}`);
    return sub;
  }

  async topology(...devices: Triple[]): Promise<void> {
    const { code } = await asked((callback) => this.sdk.addTopo(devices, callback));
    if (code !== 200) throw new Error(`the topology was refused with ${code}`);
  }

  end(): Promise<void> {
    this.ended ??= new Promise((resolve) => this.sdk.end(true, resolve));
    return this.ended;
  }
}
