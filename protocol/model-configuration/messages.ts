import type { ModbusPlan } from './plan';
import { type PlannedRead, type WriteRequest, writeRequest } from './poll';
import type { RegisterData } from './registers';
import type { ModbusServer, OpcUaDevice, OpcUaServer } from './types';

/** What `modbus-flex-connector` of node-red-contrib-modbus takes in `msg.payload`. */
export type ConnectorPayload =
  | { connectorType: 'TCP'; tcpHost: string; tcpPort: number; tcpType: 'DEFAULT'; unitId: number }
  | {
      connectorType: 'SERIAL';
      serialPort: string;
      serialBaudrate: number;
      serialDatabits: number;
      serialStopbits: number;
      serialParity: 'none' | 'odd' | 'even';
      /** Written as that collection writes it. */
      serialType: 'RTU-BUFFERD';
      unitId: number;
    };

export interface ReadMessage {
  /** `{productKey}/{deviceName}/{number of the read}`. */
  topic: string;
  device: { productKey: string; deviceName: string };
  payload: { fc: 1 | 2 | 3 | 4; unitid: number; address: number; quantity: number };
  /** How the answer is decoded, and how often to ask, in ms. */
  read: PlannedRead;
}

export interface WriteMessage {
  topic: string;
  device: { productKey: string; deviceName: string };
  payload: WriteRequest;
}

/** What `OpcUa-Client` of node-red-contrib-opcua takes to connect. */
export interface OpcUaConnectMessage {
  action: 'connect';
  OpcUaEndpoint: {
    endpoint: string;
    securityPolicy: string;
    securityMode: string;
    none: boolean;
    login: boolean;
    user?: string;
    password?: string;
  };
}

/** First of the messages that lead an `OpcUa-Client` to a device: its path is of display names, which must be browsed. */
export interface OpcUaBrowseMessage {
  action: 'browse';
  topic: 'ns=0;i=85';
  device: { productKey: string; deviceName: string };
  opcUa: { displayNamePath: string } & OpcUaDevice['model'];
}

/** @param serialPorts names of serial ports on this machine, by those of the document */
export function modbusConnectorMessage(
  server: ModbusServer,
  unitId = 1,
  serialPorts: ReadonlyMap<string, string> = new Map(),
): { payload: ConnectorPayload } {
  if (server.kind === 'tcp') {
    const { host, port } = server;
    return {
      payload: { connectorType: 'TCP', tcpHost: host, tcpPort: port, tcpType: 'DEFAULT', unitId },
    };
  }
  const { serialPort, baudRate, dataBits, stopBits, parity } = server;
  return {
    payload: {
      connectorType: 'SERIAL',
      serialPort: serialPorts.get(serialPort) ?? serialPort,
      serialBaudrate: baudRate,
      serialDatabits: dataBits,
      serialStopbits: stopBits,
      serialParity: parity,
      serialType: 'RTU-BUFFERD',
      unitId,
    },
  };
}

/** One message for each read of a device, as `modbus-flex-getter` takes it. */
export function modbusReadMessages({ productKey, deviceName, unitId, reads }: ModbusPlan): ReadMessage[] {
  return reads.map((read, i) => ({
    topic: `${productKey}/${deviceName}/${i}`,
    device: { productKey, deviceName },
    payload: { fc: read.fc, unitid: unitId, address: read.address, quantity: read.quantity },
    read,
  }));
}

/**
 * One message for each property of a property set, as `modbus-flex-write` takes it.
 * @param current what stands in the registers of a property now; needed where a bit mask is set
 * @throws RegisterError when a value does not fit; RangeError when a property cannot be written
 */
export function modbusWriteMessages(
  { productKey, deviceName, unitId, writes }: ModbusPlan,
  values: Readonly<Record<string, unknown>>,
  current: (identifier: string) => RegisterData | undefined = () => undefined,
): WriteMessage[] {
  return Object.entries(values).map(([identifier, value]) => {
    const write = writes.find((candidate) => candidate.identifier === identifier);
    if (write === undefined) throw new RangeError(`${identifier}: cannot be written`);
    return {
      topic: `${productKey}/${deviceName}/${identifier}`,
      device: { productKey, deviceName },
      payload: writeRequest(write, unitId, value, current(identifier)),
    };
  });
}

/** @param password decrypted (H.3); the message must not be logged when there is one */
export function opcUaConnectMessage(server: OpcUaServer, password?: string): OpcUaConnectMessage {
  const { url, userName, securityPolicy, securityMode } = server;
  return {
    action: 'connect',
    OpcUaEndpoint: {
      endpoint: url,
      securityPolicy,
      securityMode,
      none: userName === undefined,
      login: userName !== undefined,
      ...(userName === undefined ? {} : { user: userName }),
      ...(password === undefined ? {} : { password }),
    },
  };
}

export function opcUaBrowseMessage(device: OpcUaDevice): OpcUaBrowseMessage {
  const { productKey, deviceName, displayNamePath, model } = device;
  return {
    action: 'browse',
    topic: 'ns=0;i=85',
    device: { productKey, deviceName },
    opcUa: { displayNamePath, ...model },
  };
}
