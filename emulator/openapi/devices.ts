import { randomBytes } from 'node:crypto';
import { newDeviceNameProblem } from '../../protocol';
import { DEFAULT_MODULE } from '../ota/firmware';
import type { Device } from '../registry/device';
import { ActionError, type ActionParameters } from './parameters';
import { localTime, utcTime } from './times';

export function getDeviceStatus(parameters: ActionParameters): object {
  const device = parameters.device();
  const { lastOnlineAt } = device;
  return {
    Data: { Status: device.status, ...(lastOnlineAt === undefined ? {} : { Timestamp: lastOnlineAt }) },
  };
}

export function batchGetDeviceState(parameters: ActionParameters): object {
  const { registry } = parameters.platform;
  const names = parameters.list('DeviceName');
  const devices =
    names.length > 0
      ? names.map((name) => parameters.product().devices.get(name))
      : parameters.list('IotId').map((iotId) => registry.findByIotId(iotId));
  return {
    DeviceStatusList: {
      DeviceStatus: devices
        .filter((device) => device !== undefined)
        .map((device) => ({
          DeviceName: device.identity.deviceName,
          DeviceId: device.iotId,
          IotId: device.iotId,
          Status: device.status,
          LastOnlineTime: localTime(device.lastOnlineAt),
          AsAddress: device.clientIp,
        })),
    },
  };
}

export function queryDeviceDetail(parameters: ActionParameters): object {
  return { Data: describeDevice(parameters.device()) };
}

/** All that the API tells of a device. */
export function describeDevice(device: Device) {
  const { identity, product } = device;
  return {
    ProductKey: identity.productKey,
    DeviceName: identity.deviceName,
    DeviceSecret: device.deviceSecret ?? '',
    IotId: device.iotId,
    ProductName: product.name,
    NodeType: product.nodeType === 'gateway' ? 1 : 0,
    Status: device.status,
    IpAddress: device.clientIp,
    Owner: true,
    Nickname: '',
    Region: 'cn-shanghai',
    FirmwareVersion: device.moduleVersions.get(DEFAULT_MODULE)?.version ?? '',
    UtcCreate: utcTime(device.createdAt),
    GmtCreate: localTime(device.createdAt),
    UtcActive: utcTime(device.activatedAt),
    GmtActive: localTime(device.activatedAt),
    UtcOnline: utcTime(device.lastOnlineAt),
    GmtOnline: localTime(device.lastOnlineAt),
  };
}

export function registerDevice(parameters: ActionParameters): object {
  const product = parameters.product();
  const { registry } = parameters.platform;
  const wanted = parameters.optional('DeviceName');
  const deviceName = wanted ?? randomBytes(10).toString('hex');
  if (newDeviceNameProblem(deviceName) !== undefined) {
    throw new ActionError('iot.device.InvalidFormattedDeviceName', 'The device name breaks the naming rule.');
  }
  if (product.devices.has(deviceName)) {
    throw new ActionError('iot.device.AlreadyExistedDeviceName', 'The device name exists already.');
  }
  return { Data: describeNew(registry.addDevice(product, deviceName), parameters.optional('Nickname')) };
}

export function deleteDevice(parameters: ActionParameters): object {
  parameters.platform.deleteDevice(parameters.device());
  return {};
}

export function disableThing(parameters: ActionParameters): object {
  parameters.platform.setEnabled(parameters.device(), false);
  return {};
}

export function enableThing(parameters: ActionParameters): object {
  parameters.platform.setEnabled(parameters.device(), true);
  return {};
}

/** The device counts as never activated, so that it can register again (A.1). */
export function resetThing(parameters: ActionParameters): object {
  parameters.device().activatedAt = undefined;
  return {};
}

function describeNew(device: Device, nickname = ''): object {
  const { productKey, deviceName } = device.identity;
  return {
    ProductKey: productKey,
    DeviceName: deviceName,
    DeviceSecret: device.deviceSecret,
    IotId: device.iotId,
    Nickname: nickname,
  };
}
