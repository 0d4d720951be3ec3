import {
  type DeviceIdentity,
  identityProblem,
  isJsonObject,
  type Json,
  type JsonObject,
} from '../../protocol';
import { EntryError, identityList, readProof } from '../handlers/device-list';
import { judgeAdditions } from '../handlers/topology';
import { isRefusal } from '../refusal';
import type { Device, DeviceStatus } from '../registry/device';
import { describeDevice } from './devices';
import { ActionError, type ActionParameters } from './parameters';
import { localTime, utcTime } from './times';

/** Sub-devices of one BatchAddThingTopo. */
const MOST_ADDED = 10;
/** Names of the API for what a gateway would be answered by number. */
const ADD_ERRORS: Readonly<Record<number, string>> = {
  401: 'iot.device.VerifyDeviceFailed',
  6100: 'iot.device.NotExistedDevice',
  6400: 'iot.device.TopoRelationCountExceeded',
};
const STATUSES: Readonly<Record<string, DeviceStatus>> = {
  0: 'UNACTIVE',
  1: 'ONLINE',
  3: 'OFFLINE',
  8: 'DISABLE',
};

/** A page of the sub-devices of a gateway. This action counts by `PageNo` and writes `deviceInfo` in lower case. */
function getThingTopo(parameters: ActionParameters): object {
  const { topology } = parameters.platform.registry;
  const subDevices = [...topology.subDevicesOf(parameters.device())];
  const { rows, ...paging } = parameters.page(subDevices, { current: 'PageNo', most: 50 });
  const deviceInfo = rows.map(({ iotId, identity: { productKey, deviceName } }) => ({
    IotId: iotId,
    ProductKey: productKey,
    DeviceName: deviceName,
  }));
  return { Data: { ...paging, List: { deviceInfo } } };
}

/** Asks a gateway to add sub-devices (B.4 row 54); what it answers is told to applications. */
async function notifyAddThingTopo(parameters: ActionParameters): Promise<object> {
  const gateway = gatewayOf(parameters);
  const list = parameters.json('DeviceListStr');
  if (!Array.isArray(list) || list.length === 0) throw malformed('DeviceListStr must be a list of devices.');
  const devices = list.map((entry) => namedDevice(parameters, entry));
  const params = identityList(devices);
  const call = { operation: 'thing.topo.add.notify', params } as const;
  return { Data: { MessageId: await parameters.platform.downlink.send(gateway, call) } };
}

/** Of a sub-device its place behind the gateway, of a gateway all its sub-devices. */
function removeThingTopo(parameters: ActionParameters): object {
  const { registry, topology } = parameters.platform;
  const device = parameters.device();
  const subDevices = [...registry.topology.subDevicesOf(device)];
  if (topology.remove(subDevices.length > 0 ? subDevices : [device]) === 0) {
    throw new ActionError(
      'iot.device.RemoveTopoRelationFailed',
      'The device has no topological relationship.',
    );
  }
  return { Data: true };
}

function getGatewayBySubDevice(parameters: ActionParameters): object {
  const gateway = parameters.platform.registry.topology.gatewayOf(parameters.device());
  if (gateway === undefined) {
    throw new ActionError('iot.device.QueryTopoRelationFailed', 'The device is not behind a gateway.');
  }
  const described = describeDevice(gateway);
  return { Data: { ...described, NodeType: String(described.NodeType) } };
}

/** All or nothing; a sub-device that is behind another gateway leaves it. */
function batchAddThingTopo(parameters: ActionParameters): object {
  const gateway = gatewayOf(parameters);
  const items: JsonObject[] = [];
  for (let i = 1; parameters.optional(`TopoAddItem.${i}.DeviceName`) !== undefined; i++) {
    if (i > MOST_ADDED) throw malformed(`TopoAddItem: at most ${MOST_ADDED}.`);
    items.push(topoAddItem(parameters, `TopoAddItem.${i}`));
  }
  if (items.length === 0)
    throw new ActionError('MissingTopoAddItem', 'TopoAddItem is mandatory for this action.');
  const additions = items.map((item) => {
    try {
      const { productKey, deviceName } = item as { productKey: string; deviceName: string };
      return { productKey, deviceName, ...readProof(item, 401) };
    } catch (thrown) {
      if (thrown instanceof EntryError) throw malformed(`TopoAddItem: ${thrown.message}.`);
      throw thrown;
    }
  });
  const subDevices = judgeAdditions(parameters.platform, gateway, additions);
  if (isRefusal(subDevices)) {
    throw new ActionError(ADD_ERRORS[subDevices.code] ?? 'iot.device.AddTopoRelationFailed', subDevices.note);
  }
  parameters.platform.topology.add(gateway, subDevices);
  return {};
}

function topoAddItem(parameters: ActionParameters, path: string): JsonObject {
  const optional = (name: string, as: string) => {
    const value = parameters.optional(`${path}.${name}`);
    return value === undefined ? {} : { [as]: value };
  };
  return {
    productKey: parameters.text(`${path}.ProductKey`),
    deviceName: parameters.text(`${path}.DeviceName`),
    sign: parameters.text(`${path}.Sign`),
    ...optional('SignMethod', 'signMethod'),
    ...optional('ClientId', 'clientId'),
    ...optional('Timestamp', 'timestamp'),
  };
}

function queryDeviceByStatus(parameters: ActionParameters): object {
  const status = STATUSES[parameters.text('Status')];
  if (status === undefined) throw malformed('Status must be 0, 1, 3 or 8.');
  const all =
    parameters.optional('ProductKey') === undefined
      ? parameters.platform.registry.devices()
      : parameters.product().devices.values();
  const { rows, CurrentPage, ...paging } = parameters.page(
    [...all].filter((device) => device.status === status),
    { most: 50 },
  );
  return { ...paging, Page: CurrentPage, Data: { SimpleDeviceInfo: rows.map(simpleInfo) } };
}

function simpleInfo({ identity, iotId, deviceSecret = '', status, createdAt }: Device): object {
  return {
    ProductKey: identity.productKey,
    DeviceName: identity.deviceName,
    DeviceSecret: deviceSecret,
    IotId: iotId,
    Nickname: '',
    Status: status,
    GmtCreate: localTime(createdAt),
    GmtModified: localTime(createdAt),
    UtcCreate: utcTime(createdAt),
    UtcModified: utcTime(createdAt),
  };
}

/** By `GwIotId`, or by `GwProductKey` and `GwDeviceName`. */
function gatewayOf(parameters: ActionParameters): Device {
  const gateway = parameters.device('Gw');
  if (gateway.product.mayBeGateway) return gateway;
  throw new ActionError('iot.prod.InvalidNodeType', 'The product of the device is no gateway.');
}

/**
 * `{"productKey","deviceName"}` or `{"IotId"}`; the guide's own example mixes the cases. Where devices come into being
 * by themselves one that was only found may be named.
 */
function namedDevice(
  { platform: { registry } }: ActionParameters,
  entry: Json,
): { identity: DeviceIdentity } {
  const names = isJsonObject(entry) ? entry : {};
  const iotId = names.IotId ?? names.iotId;
  const device = typeof iotId === 'string' ? registry.findByIotId(iotId) : undefined;
  if (device !== undefined) return device;
  const productKey = names.productKey ?? names.ProductKey;
  const deviceName = names.deviceName ?? names.DeviceName;
  if (typeof productKey === 'string' && typeof deviceName === 'string') {
    const identity = { productKey, deviceName };
    const isName = identityProblem(productKey) === undefined && identityProblem(deviceName) === undefined;
    if (registry.find(identity) !== undefined || (registry.autoProvision && isName)) return { identity };
  }
  throw new ActionError('iot.device.NotExistedDevice', 'A device of DeviceListStr does not exist.');
}

function malformed(message: string): ActionError {
  return new ActionError('iot.common.InvalidFormattedParameter', message);
}

export const TOPOLOGY_ACTIONS = {
  GetThingTopo: getThingTopo,
  NotifyAddThingTopo: notifyAddThingTopo,
  RemoveThingTopo: removeThingTopo,
  GetGatewayBySubDevice: getGatewayBySubDevice,
  BatchAddThingTopo: batchAddThingTopo,
  QueryDeviceByStatus: queryDeviceByStatus,
};
