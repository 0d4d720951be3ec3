import type { Device } from '../registry/device';
import type { DeviceGroup } from '../registry/groups';
import { ActionError, type ActionParameters } from './parameters';
import { utcTime } from './times';

const MOST_DEVICES = 200;
const LONGEST_DESCRIPTION = 100;
const NAME = /^[\w\u4e00-\u9fff]{1,30}$/;

function createGroup(parameters: ActionParameters): object {
  const { registry, clock } = parameters.platform;
  const name = parameters.text('GroupName');
  const parentId = parameters.optional('SuperGroupId');
  if (!NAME.test(name)) throw refused('InvalidFormattedGroupName', 'GroupName breaks the rule.');
  if (parentId !== undefined && registry.groups.get(parentId) === undefined) throw notExisted();
  const group = registry.groups.create({
    name,
    parentId,
    description: descriptionOf(parameters),
    createdAt: clock(),
  });
  if (group === undefined) throw refused('ExistedGroup', 'The group exists, or there are too many.');
  return { Data: describe(group) };
}

function updateGroup(parameters: ActionParameters): object {
  groupOf(parameters).description = descriptionOf(parameters);
  return {};
}

function deleteGroup(parameters: ActionParameters): object {
  parameters.platform.registry.groups.delete(groupOf(parameters));
  return {};
}

function queryGroupInfo(parameters: ActionParameters): object {
  const group = groupOf(parameters);
  const devices = [...group.devices];
  return {
    Data: {
      ...describe(group),
      DeviceCount: devices.length,
      DeviceActive: devices.filter(({ activatedAt }) => activatedAt !== undefined).length,
      DeviceOnline: devices.filter(({ onlineSince }) => onlineSince !== undefined).length,
    },
  };
}

/** Without `SuperGroupId` those that are part of no other. */
function queryGroupList(parameters: ActionParameters): object {
  const parentId = parameters.optional('SuperGroupId');
  const name = parameters.optional('GroupName') ?? '';
  const found = parameters.platform.registry.groups
    .list()
    .filter((group) => group.parentId === parentId && group.name.includes(name));
  const { rows, ...paging } = parameters.page(found);
  return { ...paging, Data: { GroupInfo: rows.map(listed) } };
}

function addDevices(parameters: ActionParameters): object {
  const group = groupOf(parameters);
  const devices = devicesOf(parameters);
  const { groups } = parameters.platform.registry;
  const came = devices.map((device) => groups.add(group, device));
  const count = (result: (typeof came)[number]) => came.filter((one) => one === result).length;
  return {
    ValidDeviceCount: devices.length,
    SuccessAddedDeviceCount: count('added'),
    AlreadyRelatedGroupDeviceCount: count('known'),
    ExceedTenGroupDeviceCount: count('full'),
  };
}

function removeDevices(parameters: ActionParameters): object {
  const group = groupOf(parameters);
  const devices = devicesOf(parameters);
  const inIt = devices.filter((device) => group.devices.delete(device)).length;
  return {
    ValidDeviceCount: devices.length,
    SuccessDeviceCount: inIt,
    AlreadyRelatedGroupDeviceCount: inIt,
  };
}

function queryDevicesOfGroup(parameters: ActionParameters): object {
  const { rows, ...paging } = parameters.page([...groupOf(parameters).devices]);
  const devices = rows.map(({ identity, iotId, product }) => ({
    ProductKey: identity.productKey,
    DeviceName: identity.deviceName,
    IotId: iotId,
    ProductName: product.name,
  }));
  return { ...paging, Page: paging.CurrentPage, Data: { SimpleDeviceInfo: devices } };
}

function queryGroupsOfDevice(parameters: ActionParameters): object {
  const groups = parameters.platform.registry.groups.of(parameters.device());
  return { GroupInfos: { GroupInfo: groups.map(listed) } };
}

/** @throws ActionError when there is none of this id */
export function groupOf(parameters: ActionParameters): DeviceGroup {
  const group = parameters.platform.registry.groups.get(parameters.text('GroupId'));
  if (group === undefined) throw notExisted();
  return group;
}

/** Those of `Device.N` that there are. */
function devicesOf(parameters: ActionParameters): Device[] {
  const devices = new Set<Device>();
  for (let i = 1; i <= MOST_DEVICES; i++) {
    const productKey = parameters.optional(`Device.${i}.ProductKey`);
    const deviceName = parameters.optional(`Device.${i}.DeviceName`);
    if (productKey === undefined || deviceName === undefined) break;
    const device = parameters.platform.registry.find({ productKey, deviceName });
    if (device !== undefined) devices.add(device);
  }
  if (devices.size === 0) throw refused('NoneDevices', 'No device that there is was named.');
  return [...devices];
}

function describe({ groupId, name, description, createdAt }: DeviceGroup): object {
  return { GroupId: groupId, GroupName: name, GroupDesc: description, UtcCreate: utcTime(createdAt) };
}

function listed(group: DeviceGroup): object {
  return { ...describe(group), GroupType: 'LINK_PLATFORM' };
}

function descriptionOf(parameters: ActionParameters): string {
  return (parameters.optional('GroupDesc') ?? '').slice(0, LONGEST_DESCRIPTION);
}

function notExisted(): ActionError {
  return refused('NotExistedGroup', 'The group does not exist.');
}

function refused(code: string, message: string): ActionError {
  return new ActionError(`iot.group.${code}`, message);
}

export const DEVICE_GROUP_ACTIONS = {
  CreateDeviceGroup: createGroup,
  UpdateDeviceGroup: updateGroup,
  DeleteDeviceGroup: deleteGroup,
  QueryDeviceGroupInfo: queryGroupInfo,
  QueryDeviceGroupList: queryGroupList,
  BatchAddDeviceGroupRelations: addDevices,
  BatchDeleteDeviceGroupRelations: removeDevices,
  QueryDeviceListByDeviceGroup: queryDevicesOfGroup,
  QueryDeviceGroupByDevice: queryGroupsOfDevice,
};
