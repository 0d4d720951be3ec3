import type { ThingModel } from '../thing-model';
import type { RegisterFormat } from './registers';
import type { Said } from './said';

/** What is wrong with a model configuration document, and what became of it. */
export interface ModelProblem {
  /** JSON path in the document, for example `modelList[1].properties[0].registerAddress`. */
  path: string;
  /** English; never holds a password. */
  reason: string;
  /** The reason as `spokenProblem` takes it to say it in other languages. */
  said: Said;
  /** `leftOut`: the entry is not used; `assumed`: it is used with the value that the reason names. */
  effect: 'leftOut' | 'assumed';
}

/** A Modbus server on a serial line (H.1). */
export interface RtuServer {
  kind: 'rtu';
  serverId: string;
  name: string;
  serialPort: string;
  baudRate: number;
  dataBits: 5 | 6 | 7 | 8;
  stopBits: 1 | 1.5 | 2;
  parity: 'none' | 'odd' | 'even';
}

/** A Modbus server on the network (H.1). */
export interface TcpServer {
  kind: 'tcp';
  serverId: string;
  name: string;
  host: string;
  port: number;
}

/** An OPC UA server (H.1). */
export interface OpcUaServer {
  kind: 'opcua';
  serverId: string;
  name: string;
  url: string;
  userName?: string;
  /** As it came: encrypted with the gateway's secret (H.3), Base64. */
  encryptedPassword?: string;
  securityPolicy: 'None' | 'Basic128Rsa15' | 'Basic256';
  securityMode: 'None' | 'Sign' | 'SignAndEncrypt';
  /** As it came; the unit is not documented. */
  timeout?: number;
}

export type ModbusServer = RtuServer | TcpServer;
export type ModelServer = ModbusServer | OpcUaServer;

/** Kinds of Modbus data, with the function code that reads them: 1, 2, 3, 4 (H.1). */
export type OperateType = 'coilStatus' | 'inputStatus' | 'holdingRegister' | 'inputRegister';

/** A property that lies in Modbus registers or coils (H.1). */
export interface ModbusProperty {
  identifier: string;
  operateType: OperateType;
  /** 0–65535, as it goes over the wire. */
  address: number;
  format: RegisterFormat;
  /** Milliseconds. */
  pollingTime: number;
  /** Reported with each poll, or only when it differs. */
  report: 'each' | 'change';
  /** Function code that writes it; undefined when the document says that it cannot be written. */
  writeCode?: 5 | 6 | 15 | 16;
  /** Never read. */
  writeOnly?: true;
}

/** A property that is a variable of an OPC UA object (H.1). */
export interface OpcUaProperty {
  identifier: string;
  displayName: string;
}

/** Which argument or field of OPC UA is which parameter (H.1). */
export interface OpcUaParameter {
  identifier: string;
  /** From 0. */
  index: number;
}

/** A service that is a method of an OPC UA object (H.1). */
export interface OpcUaService {
  identifier: string;
  displayName: string;
  inputData: readonly OpcUaParameter[];
  outputData: readonly OpcUaParameter[];
}

/** An event of an OPC UA object (H.1). */
export interface OpcUaEvent {
  identifier: string;
  displayName: string;
  outputData: readonly OpcUaParameter[];
}

/** Where the features of a product lie; a product normally has only one of the two kinds (H.1). */
export interface ProductModel {
  productKey: string;
  modbus: readonly ModbusProperty[];
  opcUa: {
    properties: readonly OpcUaProperty[];
    services: readonly OpcUaService[];
    events: readonly OpcUaEvent[];
  };
}

/** A sub-device with the server that it is reached through, before the join (H.1). */
export interface DeviceEntry {
  productKey: string;
  deviceName: string;
  serverId: string;
  /** Unit on the Modbus server. */
  slaveId?: number;
  /** Display names from the objects folder down to the device's object. */
  displayNamePath?: string;
  path: string;
}

/** A Modbus device with everything that the document says of it. */
export interface ModbusDevice {
  kind: 'modbus';
  productKey: string;
  deviceName: string;
  slaveId: number;
  server: ModbusServer;
  properties: readonly ModbusProperty[];
  thingModel?: ThingModel;
}

/** An OPC UA device with everything that the document says of it. */
export interface OpcUaDevice {
  kind: 'opcua';
  productKey: string;
  deviceName: string;
  displayNamePath: string;
  server: OpcUaServer;
  model: ProductModel['opcUa'];
  thingModel?: ThingModel;
}

export type ModelDevice = ModbusDevice | OpcUaDevice;

/** A gateway model configuration after reading (H.1). */
export interface ModelConfiguration {
  servers: ReadonlyMap<string, ModelServer>;
  models: ReadonlyMap<string, ProductModel>;
  thingModels: ReadonlyMap<string, ThingModel>;
  /** Devices whose server and model are there, in the order of the document. */
  devices: readonly ModelDevice[];
  problems: readonly ModelProblem[];
}
