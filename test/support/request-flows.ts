import type Iot from '@alicloud/iot20180120';
import * as models from '@alicloud/iot20180120';
import { type Emulator, startEmulator } from '../../emulator';
import type { DeviceIdentity } from '../../protocol';
import { cloudClient } from './cloud';
import type { FlowNode } from './runtime';

const int = { type: 'int', specs: { min: '0', max: '1000' } };
const service = (identifier: string, callType: string, outputs: string[]) => ({
  identifier,
  name: identifier,
  callType,
  inputData: [{ identifier: 'number', name: 'Number', required: true, dataType: int }],
  outputData: outputs.map((output) => ({ identifier: output, name: output, required: true, dataType: int })),
});

/** Services of each kind, and properties that may be set or not. */
export const WORKSHOP_MODEL = {
  profile: { productKey: 'a1Workshop' },
  properties: [
    { identifier: 'level', name: 'Level', accessMode: 'rw', dataType: int },
    {
      identifier: 'target',
      name: 'Target',
      accessMode: 'rw',
      dataType: { type: 'double', specs: { min: '0', max: '100' } },
    },
    { identifier: 'power', name: 'Power', accessMode: 'r', dataType: int },
  ],
  events: [],
  services: [
    service('double', 'sync', ['result']),
    service('slowly', 'async', ['result']),
    service('beep', 'async', []),
  ],
};

const SECRET = '0123456789abcdef0123456789abcdef';
/** The platform knows the thing model and checks before it asks. */
export const LATHE = { productKey: 'a1Workshop', deviceName: 'lathe-1' };
/** Only the device knows the thing model: whatever the cloud sends arrives. */
export const LOOSE = { productKey: 'a1Loose', deviceName: 'lathe-1' };

const DEVICES = [{ deviceName: 'lathe-1', deviceSecret: SECRET }];
const PRODUCTS = [
  { productKey: LATHE.productKey, thingModel: WORKSHOP_MODEL, devices: DEVICES },
  { productKey: LOOSE.productKey, devices: DEVICES },
];

export interface Answer {
  code: number;
  message: string;
  data: unknown;
}

/** An emulator with two products, called as the cloud calls it. */
export class CloudSide {
  readonly cloud: Iot;

  private constructor(readonly emulator: Emulator) {
    this.cloud = cloudClient(emulator);
  }

  static async start(products: readonly object[] = PRODUCTS, limits = {}): Promise<CloudSide> {
    return new CloudSide(await startEmulator({ config: { products, limits } }));
  }

  /** Config nodes for the device `device` of this platform. */
  nodes(identity: DeviceIdentity = LATHE, extra: object = {}): FlowNode[] {
    return [
      {
        id: 'platform',
        type: 'alink-platform',
        kind: 'custom',
        host: '127.0.0.1',
        mqttPort: String(this.emulator.ports.mqtt),
      },
      {
        id: 'device',
        type: 'alink-device',
        platform: 'platform',
        ...identity,
        deviceNameFrom: 'text',
        authentication: 'deviceSecret',
        transport: 'tcp',
        thingModelMode: 'strict',
        thingModelSource: 'paste',
        thingModel: JSON.stringify(WORKSHOP_MODEL),
        credentials: { deviceSecret: SECRET },
        ...extra,
      },
    ];
  }

  /** Resolves when the device has subscribed a topic that ends like this. */
  async subscribed(ending: string, identity: DeviceIdentity = LATHE): Promise<void> {
    if (this.emulator.devices.get(identity)?.subscriptions.some((topic) => topic.endsWith(ending))) return;
    const { latest } = this.emulator.exchanges;
    await this.emulator.exchanges.waitFor(
      ({ kind, topic, identity: who }) =>
        kind === 'subscribe' && who?.productKey === identity.productKey && (topic ?? '').includes(ending),
      { since: latest - 50 },
    );
  }

  /** Calls a synchronous service. @returns its output @throws the platform's error */
  async call(
    identifier: string,
    args: object,
    { timeout, identity = LATHE }: { timeout?: number; identity?: DeviceIdentity } = {},
  ): Promise<unknown> {
    const { body } = await this.cloud.invokeThingService(
      new models.InvokeThingServiceRequest({
        ...identity,
        identifier,
        args: JSON.stringify(args),
        ...(timeout === undefined ? {} : { timeout }),
      }),
    );
    if (body?.success !== true) throw new PlatformRefusal(body?.code ?? '', body?.errorMessage ?? '');
    return JSON.parse(body.data?.result || '{}');
  }

  /** Calls an asynchronous service. @returns the answer that applications are told */
  async invoke(identifier: string, args: object, identity: DeviceIdentity = LATHE): Promise<Answer> {
    const { body } = await this.cloud.invokeThingService(
      new models.InvokeThingServiceRequest({ ...identity, identifier, args: JSON.stringify(args) }),
    );
    if (body?.success !== true) throw new PlatformRefusal(body?.code ?? '', body?.errorMessage ?? '');
    return this.result(body.data?.messageId ?? '');
  }

  /** Sets properties. @returns the answer that applications are told */
  async set(items: object, identity: DeviceIdentity = LATHE): Promise<Answer> {
    const { body } = await this.cloud.setDeviceProperty(
      new models.SetDevicePropertyRequest({ ...identity, items: JSON.stringify(items) }),
    );
    if (body?.success !== true) throw new PlatformRefusal(body?.code ?? '', body?.errorMessage ?? '');
    return this.result(body.data?.messageId ?? '');
  }

  /** Asks for properties as consoles do; no action of the OpenAPI does. */
  async get(identifiers: unknown, id: string, identity: DeviceIdentity = LATHE): Promise<Answer> {
    const topic = `/sys/${identity.productKey}/${identity.deviceName}/thing/service/property/get`;
    const method = 'thing.service.property.get';
    const { latest } = this.emulator.exchanges;
    const body = JSON.stringify({ id, method, params: identifiers, version: '1.0.0' });
    this.emulator.publishToDevice(identity, topic, body, 1);
    const answer = await this.emulator.exchanges.waitFor(
      (exchange) => exchange.kind === 'up' && exchange.topic === `${topic}_reply`,
      { since: latest },
    );
    return answer.json as Answer;
  }

  async result(messageId: string): Promise<Answer> {
    const message = await this.emulator.messages.waitFor(
      ({ topic, json }) =>
        topic.endsWith('/thing/downlink/reply/message') &&
        (json as { requestId?: string }).requestId === messageId,
      { timeoutMs: 8000 },
    );
    const { code, message: text, data } = message.json as Answer;
    return { code, message: text, data };
  }
}

/** The platform refused a call, or the device did. */
export class PlatformRefusal extends Error {
  override readonly name = 'PlatformRefusal';
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(`${code}: ${message}`);
  }
}

export function propertySet(extra: object = {}): FlowNode {
  return {
    id: 'set',
    z: 'tab',
    type: 'alink-property-set',
    device: 'device',
    reply: 'now',
    timeLimit: '5',
    get: 'reported',
    unknown: 'refuse',
    output: 'object',
    desired: false,
    wires: [['sink']],
    ...extra,
  };
}

export function serviceIn(extra: object = {}): FlowNode {
  return {
    id: 'service',
    z: 'tab',
    type: 'alink-service-in',
    device: 'device',
    identifier: '',
    reply: 'flow',
    timeLimit: '5',
    wires: [['work']],
    ...extra,
  };
}

export function serviceReply(extra: object = {}): FlowNode {
  return {
    id: 'reply',
    z: 'tab',
    type: 'alink-service-reply',
    code: '200',
    codeType: 'num',
    message: '',
    messageType: 'str',
    value: 'payload',
    valueType: 'msg',
    wires: [],
    ...extra,
  };
}

/** A function node `work` in front of the reply node, unless told otherwise. */
export function work(func: string, extra: object = {}): FlowNode {
  return {
    id: 'work',
    z: 'tab',
    type: 'function',
    func,
    outputs: 1,
    libs: [],
    initialize: '',
    finalize: '',
    wires: [['reply']],
    ...extra,
  };
}

/** Doubles the parameter `number`. */
export const DOUBLE = 'msg.payload = { result: msg.payload.number * 2 }; return msg;';
