import type { ValueKind } from '../poll';
import { isFields } from './opcua-values';
import type { DeviceNames, Message, Store } from './runtime';

export interface PlannedParameter {
  identifier: string;
  index: number;
  kind?: ValueKind;
  /** Taken where the server's field is empty: `OpcUa-Client` leaves out 0 and false. */
  empty?: number;
}

export interface Named {
  identifier: string;
  displayName: string;
}

export interface OpcUaModel {
  properties: ReadonlyArray<Named & { kind?: ValueKind }>;
  services: ReadonlyArray<
    Named & { inputData: readonly PlannedParameter[]; outputData: readonly PlannedParameter[] }
  >;
  events: ReadonlyArray<Named & { outputData: readonly PlannedParameter[] }>;
}

export interface OpcUaPlan {
  /** Another one for another plan: what was found for an older plan may not be all. */
  version: string;
  /** productKey, deviceName, path of display names. */
  devices: ReadonlyArray<readonly [string, string, string]>;
  /** By productKey. */
  models: Readonly<Record<string, OpcUaModel>>;
}

/** To `OpcUa-Client`, `alink-property-post`, `alink-event-out` and `alink-service-reply`. */
export type Outputs = [client: Message[], reports: Message[], events: Message[], replies: Message[]];

export interface Found {
  objectId: string;
  /** By identifier: node id and type. */
  variables: Record<string, [string, string]>;
  methods: Record<string, [nodeId: string, types: string[]]>;
}

export type Command =
  | { step: 'path' | 'object'; device: number; nodeId: string; rest: string }
  | { step: 'method'; device: number; nodeId: string; identifier: string }
  | { step: 'types'; nodeId: string; rest: string[]; visited: number }
  | { step: 'fields'; nodeId: string; name: string }
  | { step: 'read'; items: Array<[device: number, identifier: string]>; nodeIds: string[] };

/** A call of a method that the platform waits for. */
export interface Call {
  command: Message;
  device: unknown;
  request: unknown;
  since: number;
}

export interface State {
  version: string;
  found: Record<string, Found>;
  /** Until when a device is not looked for again. */
  later: Record<string, number>;
  /** Event types by display name: node id and names of their own fields in order. */
  types: Record<string, [nodeId: string, fields: string[]]>;
  typesLater: number;
  /** Whether the client has a session; not known at first. */
  session?: boolean;
  /** When the client was last told to connect. */
  connectedAt: number;
  /** Fields of the events that are subscribed; empty when none are. */
  subscribed: string;
  queue: Command[];
  sent?: { number: number; command: Command; since: number };
  number: number;
  /** The one under way first. */
  calls: Call[];
}

export function stateOf(store: Store, { version }: OpcUaPlan): State {
  const value = store.get('opcUa');
  if (isFields(value) && value.version === version) return value as unknown as State;
  return {
    version,
    found: {},
    later: {},
    types: {},
    typesLater: 0,
    connectedAt: 0,
    subscribed: '',
    queue: [],
    number: 0,
    calls: [],
  };
}

export function namesAt(plan: OpcUaPlan, device: number): DeviceNames {
  const [productKey = '', deviceName = ''] = plan.devices[device] ?? [];
  return { productKey, deviceName };
}

export function keyAt(plan: OpcUaPlan, device: number): string {
  const { productKey, deviceName } = namesAt(plan, device);
  return `${productKey}/${deviceName}`;
}

export function indexOf({ devices }: OpcUaPlan, names: unknown): number {
  if (!isFields(names)) return -1;
  return devices.findIndex(
    ([productKey, name]) => productKey === names.productKey && name === names.deviceName,
  );
}

export function modelAt(plan: OpcUaPlan, device: number): OpcUaModel {
  return plan.models[namesAt(plan, device).productKey] ?? { properties: [], services: [], events: [] };
}
