import type { DeviceIdentity } from '../protocol';

/** Ways into the emulator; each is a port of its own. */
export const DOORS = ['mqtt', 'mqtts', 'ws', 'wss', 'http', 'https'] as const;
export type Door = (typeof DOORS)[number];

/** Limits of section D and bounds on memory, with the switches for what the sources disagree about. */
export interface EmulatorLimits {
  /** Refuse a CONNECT whose keep-alive is outside 30–1200 s (section J row 24). */
  checkKeepAlive: boolean;
  keepAliveMinSeconds: number;
  keepAliveMaxSeconds: number;
  /** Larger MQTT payloads are dropped, and a packet that cannot be one closes the connection. */
  payloadBytes: number;
  connections: number;
  subscriptionsPerSession: number;
  /** QoS 1 messages kept for a session that is not clean; the oldest goes first. */
  sessionQueue: number;
  sessionQueueMs: number;
  samplesPerProperty: number;
  eventsPerDevice: number;
  /** Identifiers kept for a device without a thing model. */
  propertiesPerDevice: number;
  /** Values and events kept of one device; beyond it history is forgotten. */
  deviceBytes: number;
  /** Uploaded files of all devices, finished or under way. */
  fileBytes: number;
  /** Firmware packages of all products. */
  firmwares: number;
  /** Memory for firmware that is neither generated nor on disk. */
  firmwareBytes: number;
  /** Largest file of a firmware package. */
  firmwareFileBytes: number;
  /** Largest firmware that goes over MQTT. */
  mqttFirmwareBytes: number;
  /** An address of a firmware or configuration file works for this long. */
  fileUrlMs: number;
  /** Largest remote configuration. */
  configurationBytes: number;
  /** Largest model configuration of a gateway. */
  modelConfigurationBytes: number;
  /** The old request for firmware is answered on `/ota/device/upgrade/…` (section J row 35). */
  otaAnswersOnUpgrade: boolean;
  exchanges: number;
  /** Messages to applications that are kept. */
  messages: number;
  topicRoutes: number;
  /** Time of one call of a product's script. */
  scriptMs: number;
  /** Memory of a script beyond the 16 MB that its interpreter starts with. */
  scriptMemoryBytes: number;
  scriptStackBytes: number;
  /** Length of what a call of a script returns, as JSON text. */
  scriptResultBytes: number;
  /** Calls that wait for a script; more are answered with 26010. */
  scriptQueue: number;
  /** Products and devices that may be created by whoever connects. */
  provisionedDevices: number;
  iotTokenMs: number;
  /** A registration connection is closed after this time (A.5). */
  registrationMs: number;
  connectTimeoutMs: number;
  /** The platform takes MQTT registration over TLS only and answers CONNACK 2 otherwise (A.7). */
  registrationOverPlainTcp: boolean;
  /** Close the connection on a publish without permission instead of dropping it (A.5). */
  disconnectOnForbiddenPublish: boolean;
  /** Sub-devices behind one gateway; one more is refused with 6400 (section J row 20). 0 is no limit, here and below. */
  subDevicesPerGateway: number;
  /** Sub-devices logged in through one gateway; one more is refused with 428. */
  onlineSubDevicesPerGateway: number;
  /** Logins of one sub-device; more are refused with 429. */
  loginsPerMinute: number;
  /** Logins of sub-devices through one gateway; more are refused with 429. */
  loginsPerSecond: number;
  /** Sub-devices in one login or logout; more are refused with 460 (section J row 21). */
  loginBatch: number;
  /** Sub-devices in one thing.topo.add; more are refused with 460. The guide says 30. */
  topoAddBatch: number;
  /** Sub-devices in one registration; more are refused with 460. */
  subRegisterBatch: number;
  /** Events in one pack post; more are refused with 6356 (section J row 22). */
  packEvents: number;
  /** Sub-devices in one pack post; more are refused with 6357. */
  packSubDevices: number;
  /** The gateway is told of an ended session on `/ext/error/…` (section J row 15). */
  kickOnErrorTopic: boolean;
  /** … and on `/ext/session/…/combine/logout_reply`. */
  kickOnLogoutTopic: boolean;
}

export const DEFAULT_LIMITS: EmulatorLimits = {
  checkKeepAlive: true,
  keepAliveMinSeconds: 30,
  keepAliveMaxSeconds: 1200,
  payloadBytes: 256 * 1024,
  connections: 20_000,
  subscriptionsPerSession: 20_000,
  sessionQueue: 1000,
  sessionQueueMs: 7 * 24 * 3_600_000,
  samplesPerProperty: 1000,
  eventsPerDevice: 1000,
  propertiesPerDevice: 1000,
  deviceBytes: 32 * 1024 * 1024,
  fileBytes: 64 * 1024 * 1024,
  firmwares: 500,
  firmwareBytes: 256 * 1024 * 1024,
  firmwareFileBytes: 2000 * 1024 * 1024,
  mqttFirmwareBytes: 16 * 1024 * 1024,
  fileUrlMs: 24 * 3_600_000,
  configurationBytes: 64 * 1024,
  modelConfigurationBytes: 8 * 1024 * 1024,
  otaAnswersOnUpgrade: false,
  exchanges: 1000,
  messages: 1000,
  topicRoutes: 1000,
  scriptMs: 500,
  scriptMemoryBytes: 16 * 1024 * 1024,
  scriptStackBytes: 256 * 1024,
  scriptResultBytes: 1024 * 1024,
  scriptQueue: 200,
  provisionedDevices: 100_000,
  iotTokenMs: 7 * 24 * 3_600_000,
  registrationMs: 15_000,
  connectTimeoutMs: 30_000,
  registrationOverPlainTcp: false,
  disconnectOnForbiddenPublish: false,
  subDevicesPerGateway: 1500,
  onlineSubDevicesPerGateway: 1500,
  loginsPerMinute: 5,
  loginsPerSecond: 200,
  loginBatch: 50,
  topoAddBatch: 30,
  subRegisterBatch: 30,
  packEvents: 20,
  packSubDevices: 20,
  kickOnErrorTopic: true,
  kickOnLogoutTopic: true,
};

export interface EmulatorOptions {
  /** The object of a configuration file (docs: `emulator/config.ts`). */
  config?: unknown;
  /** Address to listen on; 127.0.0.1 by default. */
  host?: string;
  /** Ports; 0 takes any free one, an absent door stays closed. By default `{ mqtt: 0, http: 0 }`. */
  doors?: Partial<Record<Door, number>>;
  /** PEM texts; without them the TLS doors make a certificate of their own, see `Emulator.ca`. */
  tls?: { key: string; cert: string };
  /** Whoever presents an unknown identity gets a device of that name; see docs of `Registry.connectable`. */
  autoProvision?: boolean;
  /** Milliseconds since 1970; `Date.now` by default. */
  clock?: () => number;
  /** One line per noteworthy step; never a secret. */
  log?: (line: string) => void;
  limits?: Partial<EmulatorLimits>;
  /** State of devices is read from here at the start and written at the end. */
  snapshotFile?: string;
}

/** A device that the emulator does not have. */
export class UnknownDeviceError extends Error {
  override readonly name = 'UnknownDeviceError';
  constructor(readonly identity: DeviceIdentity) {
    super(`there is no device ${identity.productKey}/${identity.deviceName}`);
  }
}
