export { ConfigError } from './config-reader';
export type { ConfigurationPanel, ModelConfigurationPanel } from './configuration/api';
export type { ConfigurationPush } from './configuration/types';
export type { DeviceView } from './device-view';
export { DoorError } from './doors';
export { startEmulator } from './emulator';
export {
  Exchange,
  type ExchangeKind,
  ExchangeLog,
  type ExchangePredicate,
  ExchangeTimeoutError,
} from './exchanges';
export type { FaultAction, FaultMatch, FaultRule, FileFault, MessageFault } from './faults';
export type { Download } from './files/file-server';
export { MessageLog, MessageTimeoutError, PlatformMessage } from './forwarding/message-log';
export type { DownlinkResult } from './forwarding/messages';
export type { TopicRoute } from './forwarding/routes';
export {
  DEFAULT_LIMITS,
  DOORS,
  type Door,
  type EmulatorLimits,
  type EmulatorOptions,
  UnknownDeviceError,
} from './options';
export type {
  FirmwarePanel,
  FirmwareView,
  NewFirmware,
  NewFirmwareFile,
  NewUpgrade,
  UpgradeView,
} from './ota/api';
export { OtaError } from './ota/ota-error';
export type {
  DesiredValue,
  DeviceLogEntry,
  DeviceStatus,
  StoredEvent,
  StoredSample,
} from './registry/device';
export type { Emulator, FaultPanel, NewJob } from './types';
