/** Fields of the dialog beside the device and the free parameters. */
export type ActionField = 'identifier' | 'topic' | 'qos' | 'timeout' | 'value';

/** What the list of actions is grouped by. */
export type ActionGroup =
  | 'property'
  | 'service'
  | 'message'
  | 'desired'
  | 'data'
  | 'device'
  | 'topology'
  | 'shadow'
  | 'tag'
  | 'firmware';

/** One action of the platform's API that has a form of its own. */
export interface CloudAction {
  name: string;
  group: ActionGroup;
  fields: readonly ActionField[];
  /**
   * Parameter that the value goes into, and how: as JSON text, as Base64 of its bytes, or as an address, which bytes become
   * the whole of (`data:`, taken by the emulator only).
   */
  value?: { parameter: string; as: 'json' | 'base64' | 'address' };
  /** Parameter of the identifier; a list is written as `Name.1`. Without one that is needed there is no call. */
  identifier?: { parameter: string; list?: true; needed?: true };
  topic?: { parameter: string; needed?: true };
  /** What it cannot do without; a device goes by ProductKey and DeviceName. `any`: whatever of the two is known. */
  of: 'device' | 'product' | 'any';
  /** List that the device is named in besides. */
  deviceList?: string;
  /** The device is a gateway, and its names are written `GwProductKey` and `GwDeviceName`. */
  gateway?: true;
  /** What the flow gets instead of the answer's `Data`. */
  result?: 'rrpc' | 'service' | 'shadow' | 'tags';
  /** Asks for a page of what happened between two times, which the platform wants to be told. */
  history?: true;
  /** Parameters that the platform wants to see, also when there is nothing to say. */
  standard?: Readonly<Record<string, string>>;
}

const ITEMS = { parameter: 'Items', as: 'json' } as const;
const PAGE = { CurrentPage: '1', PageSize: '50' } as const;
const CONTENT = { parameter: 'MessageContent', as: 'base64' } as const;

/** The actions with a form; any other goes by its name with free parameters. */
export const CLOUD_ACTIONS: readonly CloudAction[] = [
  { name: 'SetDeviceProperty', group: 'property', fields: ['value'], value: ITEMS, of: 'device' },
  {
    name: 'InvokeThingService',
    group: 'service',
    fields: ['identifier', 'value'],
    identifier: { parameter: 'Identifier', needed: true },
    value: { parameter: 'Args', as: 'json' },
    of: 'device',
    result: 'service',
  },
  {
    name: 'Pub',
    group: 'message',
    fields: ['topic', 'qos', 'value'],
    topic: { parameter: 'TopicFullName', needed: true },
    value: CONTENT,
    of: 'product',
  },
  {
    name: 'PubBroadcast',
    group: 'message',
    fields: ['topic', 'value'],
    topic: { parameter: 'TopicFullName' },
    value: CONTENT,
    of: 'product',
  },
  {
    name: 'RRpc',
    group: 'message',
    fields: ['topic', 'timeout', 'value'],
    topic: { parameter: 'Topic' },
    value: { parameter: 'RequestBase64Byte', as: 'base64' },
    of: 'device',
    result: 'rrpc',
  },
  {
    name: 'SetDeviceDesiredProperty',
    group: 'desired',
    fields: ['value'],
    value: ITEMS,
    of: 'device',
    // Whatever version they have.
    standard: { Versions: '{}' },
  },
  {
    name: 'QueryDeviceDesiredProperty',
    group: 'desired',
    fields: ['identifier'],
    identifier: { parameter: 'Identifier', list: true },
    of: 'device',
  },
  { name: 'QueryDevicePropertyStatus', group: 'data', fields: [], of: 'device' },
  {
    name: 'QueryDevicePropertyData',
    group: 'data',
    fields: ['identifier'],
    identifier: { parameter: 'Identifier', needed: true },
    of: 'device',
    history: true,
  },
  {
    name: 'QueryDeviceEventData',
    group: 'data',
    fields: ['identifier'],
    identifier: { parameter: 'Identifier' },
    of: 'device',
    history: true,
  },
  {
    name: 'QueryDeviceServiceData',
    group: 'data',
    fields: ['identifier'],
    identifier: { parameter: 'Identifier' },
    of: 'device',
    history: true,
  },
  { name: 'GetDeviceStatus', group: 'device', fields: [], of: 'device' },
  { name: 'QueryDeviceDetail', group: 'device', fields: [], of: 'device' },
  { name: 'RegisterDevice', group: 'device', fields: [], of: 'any' },
  { name: 'DisableThing', group: 'device', fields: [], of: 'device' },
  { name: 'EnableThing', group: 'device', fields: [], of: 'device' },
  { name: 'DeleteDevice', group: 'device', fields: [], of: 'device' },
  {
    name: 'QueryDeviceByStatus',
    group: 'device',
    fields: [],
    of: 'product',
    // Those that are online, unless Status says otherwise.
    standard: { Status: '1', CurrentPage: '1', PageSize: '50' },
  },
  {
    name: 'GetThingTopo',
    group: 'topology',
    fields: [],
    of: 'device',
    standard: { PageNo: '1', PageSize: '50' },
  },
  {
    name: 'NotifyAddThingTopo',
    group: 'topology',
    fields: ['value'],
    value: { parameter: 'DeviceListStr', as: 'json' },
    of: 'device',
    gateway: true,
  },
  { name: 'RemoveThingTopo', group: 'topology', fields: [], of: 'device' },
  { name: 'GetGatewayBySubDevice', group: 'topology', fields: [], of: 'device' },
  { name: 'GetDeviceShadow', group: 'shadow', fields: [], of: 'device', result: 'shadow' },
  {
    name: 'UpdateDeviceShadow',
    group: 'shadow',
    fields: ['value'],
    value: { parameter: 'ShadowMessage', as: 'json' },
    of: 'device',
  },
  {
    name: 'SaveDeviceProp',
    group: 'tag',
    fields: ['value'],
    value: { parameter: 'Props', as: 'json' },
    of: 'device',
  },
  { name: 'QueryDeviceProp', group: 'tag', fields: [], of: 'device', result: 'tags' },
  {
    name: 'CreateOTAFirmware',
    group: 'firmware',
    fields: ['identifier', 'value'],
    identifier: { parameter: 'DestVersion', needed: true },
    value: { parameter: 'FirmwareUrl', as: 'address' },
    of: 'product',
    standard: { FirmwareName: 'firmware', Type: '0', SignMethod: 'SHA256' },
  },
  { name: 'ListOTAFirmware', group: 'firmware', fields: [], of: 'product', standard: PAGE },
  {
    name: 'QueryOTAFirmware',
    group: 'firmware',
    fields: ['identifier'],
    identifier: { parameter: 'FirmwareId', needed: true },
    of: 'any',
  },
  {
    name: 'CreateOTAVerifyJob',
    group: 'firmware',
    fields: ['identifier'],
    identifier: { parameter: 'FirmwareId', needed: true },
    of: 'device',
    deviceList: 'TargetDeviceName',
  },
  {
    name: 'CreateOTAStaticUpgradeJob',
    group: 'firmware',
    fields: ['identifier'],
    identifier: { parameter: 'FirmwareId', needed: true },
    of: 'device',
    deviceList: 'TargetDeviceName',
    standard: { TargetSelection: 'SPECIFIC' },
  },
  {
    name: 'ListOTATaskByJob',
    group: 'firmware',
    fields: ['identifier'],
    identifier: { parameter: 'JobId', needed: true },
    of: 'any',
    standard: PAGE,
  },
  {
    name: 'CancelOTATaskByJob',
    group: 'firmware',
    fields: ['identifier'],
    identifier: { parameter: 'JobId', needed: true },
    of: 'any',
    // Whatever has not ended, as the name says; the platform wants to be told which.
    standard: {
      CancelScheduledTask: 'true',
      CancelUnconfirmedTask: 'true',
      CancelQueuedTask: 'true',
      CancelNotifiedTask: 'true',
      CancelInProgressTask: 'true',
    },
  },
  {
    name: 'ListOTAUnfinishedTaskByDevice',
    group: 'firmware',
    fields: [],
    of: 'device',
  },
  {
    name: 'ListOTAModuleVersionsByDevice',
    group: 'firmware',
    fields: [],
    of: 'device',
    standard: PAGE,
  },
];

/** The form of an action; one without gets the device and free parameters. */
export function cloudAction(name: string): CloudAction {
  const known = CLOUD_ACTIONS.find((action) => action.name === name);
  return known ?? { name, group: 'device', fields: [], of: 'any' };
}
