import type { DeviceIdentity, Json, JsonObject } from '../../protocol';
import { localTimeMs, utcTime } from '../openapi/times';
import type { Device, StoredEvent, StoredSample } from '../registry/device';

/** A message for applications: its topic and its body (B.9). */
export interface PlatformMessageInput {
  topic: string;
  body: JsonObject;
}

/** What came of a request that the platform sent to a device asynchronously (B.9). */
export interface DownlinkResult {
  /** Id of the request. */
  requestId: string;
  /** 200, a code of the device, or why it never got there: 9200 not activated, 9201 offline. */
  code: number;
  message: string;
  /** Topic on which the request was sent. */
  topic: string;
  data: Json;
}

/** A device came or went. @param times milliseconds since 1970 */
export function statusMessage(
  device: Device,
  status: 'online' | 'offline',
  { now, last }: { now: number; last: number },
): PlatformMessageInput {
  const { productKey, deviceName } = device.identity;
  return {
    topic: `/as/mqtt/status/${productKey}/${deviceName}`,
    body: {
      status,
      iotId: device.iotId,
      productKey,
      deviceName,
      time: localTimeMs(now),
      utcTime: utcTime(now),
      lastTime: localTimeMs(last),
      utcLastTime: utcTime(last),
      clientIp: device.clientIp,
    },
  };
}

/** A device was created, deleted, enabled or disabled. The secret stays empty: streams are printed. */
export function lifecycleMessage(
  device: Device,
  action: 'create' | 'delete' | 'enable' | 'disable',
  now: number,
): PlatformMessageInput {
  return {
    topic: `${names(device.identity)}/thing/lifecycle`,
    body: {
      action,
      iotId: device.iotId,
      ...device.identity,
      ...(action === 'create' ? { deviceSecret: '' } : {}),
      messageCreateTime: now,
    },
  };
}

/** What happened to sub-devices in the topology of their gateway. */
export type TopologyAction = 'create' | 'delete' | 'enable' | 'disable';

/** Sub-devices came behind a gateway, went, or were enabled or disabled there. */
export function topologyMessage(
  gateway: Device,
  action: TopologyAction,
  subDevices: readonly Device[],
  now: number,
): PlatformMessageInput {
  return {
    topic: `${names(gateway.identity)}/thing/topo/lifecycle`,
    body: {
      action,
      ...gatewayHead(gateway),
      devices: subDevices.map(({ iotId, identity }) => ({ iotId, ...identity })),
      messageCreateTime: now,
    },
  };
}

/** A gateway found devices; only those that the platform knows have an iotId. */
export function foundMessage(
  gateway: Device,
  devices: ReadonlyArray<DeviceIdentity & { iotId?: string }>,
): PlatformMessageInput {
  return {
    topic: `${names(gateway.identity)}/thing/list/found`,
    body: { ...gatewayHead(gateway), devices: devices.map((device) => ({ ...device })) },
  };
}

/** Values that a device reported and the platform stored. */
export function propertiesMessage(
  device: Device,
  items: ReadonlyMap<string, StoredSample>,
  now: number,
  late = false,
): PlatformMessageInput {
  return {
    topic: `${names(device.identity)}/thing/event/property${late ? '/history' : ''}/post`,
    body: {
      ...head(device, now),
      deviceType: 'CustomCategory',
      items: Object.fromEntries(items) as unknown as JsonObject,
    },
  };
}

/** An event that a device reported and the platform stored. */
export function eventMessage(
  device: Device,
  { identifier, name, type, value, time }: StoredEvent,
  now: number,
  late = false,
): PlatformMessageInput {
  return {
    topic: `${names(device.identity)}/thing/event/${identifier}${late ? '/history' : ''}/post`,
    body: { ...head(device, now), identifier, name, type, value, time },
  };
}

/** What a device answered to an asynchronous request, or why it could not. */
export function downlinkMessage(device: Device, result: DownlinkResult, now: number): PlatformMessageInput {
  const { requestId, code, message, topic, data } = result;
  return {
    topic: `${names(device.identity)}/thing/downlink/reply/message`,
    body: { ...head(device, now), requestId, code, message, topic, data },
  };
}

function head({ iotId, identity }: Device, now: number): JsonObject {
  return { iotId, ...identity, gmtCreate: now };
}

function gatewayHead({ iotId, identity }: Device): JsonObject {
  return { gwIotId: iotId, gwProductKey: identity.productKey, gwDeviceName: identity.deviceName };
}

function names({ productKey, deviceName }: DeviceIdentity): string {
  return `/${productKey}/${deviceName}`;
}
