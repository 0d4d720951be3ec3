import type { DeviceIdentity } from '../../protocol';
import { device } from './flows';
import type { FlowNode } from './runtime';

export const GATEWAY: DeviceIdentity = { productKey: 'a1Gateway', deviceName: 'gate-01' };
/** Product of the sub-devices. */
export const METER = 'a1Meter';

// No id may be the name of a role or device: Node-RED takes every field that holds some node's id for a reference.

/** The gateway `gate`, on the platform `platform`. */
export function gateway(extra: object = {}): FlowNode {
  return device({ id: 'gate', role: 'gateway', ...GATEWAY, thingModelSource: 'none', ...extra });
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
    thingModelSource: 'none',
    ...extra,
  });
}

export function meterName(n: number | string): string {
  return `meter-${n}`;
}

export function meterIdentity(n: number | string): DeviceIdentity {
  return { productKey: METER, deviceName: meterName(n) };
}
