import type { Json } from '../../protocol';
import {
  generateFlow,
  type ModelConfiguration,
  type ModelDevice,
  type ModelServer,
  modbusConnectorMessage,
  modbusReadMessages,
  type OpcUaServer,
  opcUaBrowseMessage,
  opcUaConnectMessage,
  planModbusDevice,
} from '../../protocol/model-configuration';
import type { ModelOutput } from './settings';

/** A message before what all of them share is added to `alink`. */
export interface ModelMessage {
  topic?: string;
  payload?: unknown;
  device?: { productKey: string; deviceName: string };
  alink?: { part: string; serverId: string };
  [field: string]: unknown;
}

export interface ModelMessageOptions {
  output: ModelOutput;
  /** Decrypted, by serverId. */
  passwords: ReadonlyMap<string, string>;
  /** Id of the gateway's config node. */
  gateway: string;
  /** Of the gateway, for the tabs of a flow. */
  name: string;
  flowAs: 'array' | 'text';
  language: string;
}

/** Outputs of which a flow may ask for the part of one device. */
export const OUTPUTS_BY_DEVICE: readonly ModelOutput[] = ['plans', 'modbus', 'opcua'];

/** What a model configuration becomes: itself, one plan for each device, requests of other collections, or a flow. */
export function modelMessages(
  configuration: ModelConfiguration,
  document: Json,
  options: ModelMessageOptions,
): ModelMessage[] {
  switch (options.output) {
    case 'document':
      return [{ payload: document }];
    case 'plans':
      return configuration.devices.flatMap((device) => messagesOf(device, options));
    case 'modbus':
      return modbusMessages(configuration);
    case 'opcua':
      return opcUaMessages(configuration, options.passwords);
    case 'flow': {
      const { gateway, name, passwords, language } = options;
      const flow = generateFlow(configuration, { gateway, name, passwords, language });
      return [{ payload: options.flowAs === 'text' ? JSON.stringify(flow, null, 4) : flow }];
    }
  }
}

/** What belongs to one device alone: its plan, its reads, or how to begin to look for it. */
export function messagesOf(
  device: ModelDevice,
  { output, passwords }: Pick<ModelMessageOptions, 'output' | 'passwords'>,
): ModelMessage[] {
  const { serverId } = device.server;
  if (output === 'plans') {
    const payload = planOf(device, passwords);
    return [{ topic: `${device.productKey}/${device.deviceName}`, device: namesOf(device), payload }];
  }
  if (output === 'modbus' && device.kind === 'modbus') {
    const messages = modbusReadMessages(planModbusDevice(device));
    return messages.map((message) => ({ ...message, alink: { part: 'read', serverId } }));
  }
  if (output === 'opcua' && device.kind === 'opcua') {
    return [{ ...opcUaBrowseMessage(device), alink: { part: 'browse', serverId } }];
  }
  return [];
}

/** For each server its connector, then every read of its devices. */
function modbusMessages({ devices }: ModelConfiguration): ModelMessage[] {
  const connected = new Set<string>();
  return devices.flatMap((device): ModelMessage[] => {
    if (device.kind !== 'modbus') return [];
    const { server, slaveId } = device;
    const { serverId } = server;
    const isFirst = !connected.has(serverId);
    connected.add(serverId);
    const connector = { topic: serverId, ...modbusConnectorMessage(server, slaveId) };
    return [
      ...(isFirst ? [{ ...connector, alink: { part: 'connector', serverId } }] : []),
      ...messagesOf(device, { output: 'modbus', passwords: new Map() }),
    ];
  });
}

/**
 * For each server how to connect, and which devices to ask for then. Their browses do not come along: the client loses what
 * comes while it connects, and mixes the answers of browses that overlap.
 */
function opcUaMessages(
  { devices }: ModelConfiguration,
  passwords: ReadonlyMap<string, string>,
): ModelMessage[] {
  const servers = new Map<OpcUaServer, ModelDevice[]>();
  for (const device of devices) {
    if (device.kind !== 'opcua') continue;
    const group = servers.get(device.server) ?? [];
    servers.set(device.server, group);
    group.push(device);
  }
  return [...servers].map(([server, group]) => ({
    ...opcUaConnectMessage(server, passwords.get(server.serverId)),
    topic: server.serverId,
    devices: group.map(namesOf),
    alink: { part: 'connect', serverId: server.serverId },
  }));
}

/** Everything that a flow needs to know of one device; plain JSON. */
function planOf(device: ModelDevice, passwords: ReadonlyMap<string, string>): object {
  const server = withPassword(device.server, passwords);
  if (device.kind === 'modbus') return { kind: 'modbus', server, ...planModbusDevice(device) };
  const { displayNamePath, model } = device;
  return { kind: 'opcua', ...namesOf(device), server, displayNamePath, ...model };
}

function withPassword(server: ModelServer, passwords: ReadonlyMap<string, string>): object {
  if (server.kind !== 'opcua') return { ...server };
  const { encryptedPassword: _, ...rest } = server;
  const password = passwords.get(server.serverId);
  return { ...rest, ...(password === undefined ? {} : { password }) };
}

function namesOf({ productKey, deviceName }: ModelDevice): { productKey: string; deviceName: string } {
  return { productKey, deviceName };
}
