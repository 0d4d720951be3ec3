import type { FlowNode } from './runtime';

/** A thing model with one property of each kind that the tests need, and an event. */
export const GREENHOUSE_MODEL = {
  schema: 'https://iotx-tsl.oss-ap-southeast-1.aliyuncs.com/schema.json',
  profile: { productKey: 'a1Greenhouse' },
  properties: [
    {
      identifier: 'temperature',
      name: 'Temperature',
      accessMode: 'r',
      required: false,
      dataType: { type: 'double', specs: { min: '-40', max: '120', unit: '°C' } },
    },
    {
      identifier: 'heater',
      name: 'Heater',
      accessMode: 'rw',
      required: false,
      dataType: { type: 'bool', specs: { '0': 'off', '1': 'on' } },
    },
    {
      identifier: 'count',
      name: 'Count',
      accessMode: 'r',
      required: false,
      dataType: { type: 'int', specs: { min: '0', max: '1000' } },
    },
  ],
  events: [
    {
      identifier: 'overheat',
      name: 'Overheat',
      type: 'alert',
      required: false,
      outputData: [
        {
          identifier: 'temperature',
          name: 'Temperature',
          dataType: { type: 'double', specs: { min: '-40', max: '120' } },
        },
      ],
    },
  ],
  services: [],
};

export function emulatorPlatform(extra: object = {}): FlowNode {
  return { id: 'platform', type: 'alink-platform', name: '', kind: 'emulator', ...extra };
}

export function device(extra: object = {}): FlowNode {
  return {
    id: 'device',
    type: 'alink-device',
    name: '',
    platform: 'platform',
    productKey: 'a1Greenhouse',
    deviceName: 'house-01',
    deviceNameFrom: 'text',
    authentication: 'deviceSecret',
    transport: 'tcp',
    port: '',
    signMethod: 'hmacsha256',
    clientId: '',
    keepAlive: '300',
    cleanSession: false,
    requestTimeout: '10',
    thingModelMode: 'strict',
    thingModelSource: 'paste',
    thingModel: JSON.stringify(GREENHOUSE_MODEL),
    ...extra,
  };
}

export function propertyPost(extra: object = {}): FlowNode {
  return {
    id: 'post',
    z: 'tab',
    type: 'alink-property-post',
    device: 'device',
    identifier: '',
    value: 'payload',
    valueType: 'msg',
    time: '',
    timeType: 'none',
    timeout: '',
    wires: [['sink']],
    ...extra,
  };
}

export function eventOut(extra: object = {}): FlowNode {
  return { ...propertyPost(), id: 'event', type: 'alink-event-out', identifier: 'overheat', ...extra };
}

export function lifecycle(extra: object = {}): FlowNode {
  return {
    id: 'lifecycle',
    z: 'tab',
    type: 'alink-lifecycle',
    device: 'device',
    initial: true,
    wires: [['states']],
    ...extra,
  };
}

export function sink(id = 'sink'): FlowNode {
  return { id, z: 'tab', type: 'test-sink', wires: [] };
}

/** Catches the errors of every node of the tab and hands them to the sink `errors`. */
export function catchAll(): FlowNode[] {
  return [
    { id: 'catch', z: 'tab', type: 'catch', scope: null, uncaught: false, wires: [['errors']] },
    sink('errors'),
  ];
}

/** Hands every status of the named nodes to the sink `statuses`. */
export function statusOf(...nodes: string[]): FlowNode[] {
  return [{ id: 'status', z: 'tab', type: 'status', scope: nodes, wires: [['statuses']] }, sink('statuses')];
}
