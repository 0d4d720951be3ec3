import type { Emulator } from '../../emulator';
import type { DeviceIdentity } from '../../protocol';
import { PRODUCT } from './emulator';
import { device, GREENHOUSE_MODEL } from './flows';
import { WORKSHOP_MODEL } from './request-flows';
import type { FlowNode } from './runtime';
import { LAMP_SCRIPT } from './scripts';

export const GATEWAY: DeviceIdentity = { productKey: 'a1Gate', deviceName: 'gate-01' };
/** Product of the sub-devices. */
export const METER = 'a1Meter';
/** A passthrough product of sub-devices. */
export const RAW_METER = 'a1RawMeter';
/** Services, properties and an event. */
export const METER_MODEL = {
  ...WORKSHOP_MODEL,
  profile: { productKey: METER },
  events: GREENHOUSE_MODEL.events,
};

const SECRET = '0123456789abcdef0123456789abcdef';

/** What an emulator is configured with for a gateway and `count` meters. */
export function plantProducts(count: number): object[] {
  const devices = Array.from({ length: count }, (_, n) => ({
    deviceName: meterName(n),
    deviceSecret: SECRET,
  }));
  return [
    {
      productKey: GATEWAY.productKey,
      nodeType: 'gateway',
      devices: [{ deviceName: GATEWAY.deviceName, deviceSecret: SECRET }],
    },
    {
      productKey: METER,
      productSecret: 'secret-of-meters',
      dynamicRegistration: true,
      thingModel: METER_MODEL,
      topics: [{ topic: '/user/#', operation: 'all' }],
      devices: [...devices, { deviceName: 'meter-new' }],
    },
    { ...PRODUCT, productKey: RAW_METER, dataFormat: 'custom', script: LAMP_SCRIPT, devices },
  ];
}

/** The platform `platform`: an emulator that runs beside Node-RED and knows its devices. */
export function platformOf(emulator: Emulator): FlowNode {
  return {
    id: 'platform',
    type: 'alink-platform',
    kind: 'custom',
    host: '127.0.0.1',
    mqttPort: String(emulator.ports.mqtt),
    httpUrl: emulator.httpUrl,
  };
}

// No id may be the name of a role or device: Node-RED takes every field that holds some node's id for a reference.

/** The gateway `gate`, on the platform `platform`. */
export function gateway(extra: object = {}): FlowNode {
  return device({
    id: 'gate',
    role: 'gateway',
    ...GATEWAY,
    thingModelSource: 'none',
    credentials: { deviceSecret: SECRET },
    ...extra,
  });
}

/** The node `m-<n>` of the sub-device `meter-<n>`. */
export function meter(n: number | string, extra: object = {}): FlowNode {
  return device({
    id: `m-${n}`,
    role: 'subDevice',
    platform: '',
    gateway: 'gate',
    productKey: METER,
    deviceName: meterName(n),
    thingModel: JSON.stringify(METER_MODEL),
    credentials: { deviceSecret: SECRET },
    ...extra,
  });
}

export function meters(count: number, extra: object = {}): FlowNode[] {
  return Array.from({ length: count }, (_, n) => meter(n, extra));
}

export function meterName(n: number | string): string {
  return `meter-${n}`;
}

export function meterIdentity(n: number | string): DeviceIdentity {
  return { productKey: METER, deviceName: meterName(n) };
}
