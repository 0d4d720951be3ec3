/**
 * The device's side of the Alink protocol, without Node-RED.
 *
 * `openDevice(options)` gives a handle; `connect()` starts it; `postProperties`, `postEvent` and `request` resolve
 * when the platform has answered and reject with an `AlinkError` otherwise; `release()` gives it back.
 */
export {
  type AlinkReply,
  type DeviceIdentity,
  encodeLogEntries,
  type Json,
  type LogEntry,
  type LogLevel,
  type Platform,
  type Problem,
  parseCertificate,
  parseThingModel,
  type SignMethod,
  type ThingModel,
  type Transport,
} from '../protocol';
export { type ConfigurationStore, fileConfigurationStore } from './configuration/store';
export * from './configuration/types';
export { closeAllDevices, openConnections, openDevice, openSubDevice } from './device';
export * from './device-types';
export { answerRequest, openRequests } from './downlink/registry';
export * from './downlink/types';
export { AlinkError, type AlinkErrorOptions, type ErrorKey, type Retry } from './errors';
export * from './gateway/types';
export { type MachineNameKind, type MachineSources, machineName } from './machine-name';
export { decryptOpcUaPassword, encryptOpcUaPassword } from './model-configuration/opcua-password';
export { failureStep } from './ota/failure';
export {
  type FirmwareState,
  type FirmwareUpdate,
  type ModuleFirmware,
  openFirmwareState,
  type ReportResult,
  type UpdatePhase,
} from './ota/firmware-state';
export * from './ota/types';
export { platformKey } from './registration/credentials';
export { fileSecretStore, type SecretStore, type StoredSecret } from './registration/secret-store';
export { TIMING, type Timing } from './session/timing';
export * from './types';
