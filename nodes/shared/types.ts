import type { Node } from 'node-red';
import type { DeviceIdentity, Json, Platform, ThingModel } from '../../protocol';
import type { Device, DeviceOptions } from '../../sdk';

/** Where the platform's API answers, and with which key. */
export interface OpenApiAccess {
  /** Host, and port where it is not the usual. */
  endpoint: string;
  /** `http` only for an emulator on this machine. */
  protocol: 'http' | 'https';
  accessKeyId: string;
  accessKeySecret: string;
  /** Further trusted roots, PEM. */
  ca?: string;
  /** Of an enterprise or new public instance; goes with every call. */
  iotInstanceId?: string;
}

/** Where devices connect, once it is known: an embedded emulator has to start first. */
export interface PlatformAccess {
  platform: Platform;
  /** Further trusted roots, PEM. */
  ca?: string;
  /** Only an embedded emulator: creates the device when it is missing and tells its secret. */
  provision?: (identity: DeviceIdentity, thingModel: Json | undefined) => string;
  /** Whether the emulator's products file names the device: then its secret counts, as on the platform. */
  isConfigured?: (identity: DeviceIdentity) => boolean;
  /** Absent when no access key is set. */
  openApi?: OpenApiAccess;
}

/** The platform config node as its devices see it. */
export interface PlatformNode extends Node<{ accessKeyId: string; accessKeySecret: string }> {
  /** @throws AlinkError when its settings cannot work or its emulator could not start */
  access(): Promise<PlatformAccess>;
}

/** What a sub-device needs to know of its gateway: the settings, and the platform that it is on. */
export interface GatewaySettings {
  options: DeviceOptions;
  access: PlatformAccess;
}

/** The device config node as flow nodes see it. */
export interface DeviceNode extends Node<{ deviceSecret: string; productSecret: string }> {
  readonly role: 'device' | 'gateway' | 'subDevice';
  /** Known before the connection, when the settings name one. */
  readonly identity: DeviceIdentity | undefined;
  /** Of a sub-device: the config node of the gateway that it stands behind. */
  readonly gatewayId: string | undefined;
  /** Handle of one user; give it back with `release()`. @throws AlinkError when the settings cannot work */
  open(): Promise<Device>;
  /**
   * A flow node uses it from now on until it calls back. While a gateway is used, its sub-devices are online, also
   * those that no flow node names.
   */
  use(): () => void;
  /** Of a gateway: resolves when each of its deployed sub-devices is open or has failed to. */
  subDevicesOpened(): Promise<void>;
  /** Of a device or gateway. @throws AlinkError when they cannot work */
  settings(): Promise<GatewaySettings>;
  /** Once the device is open and has one. */
  thingModel(): ThingModel | undefined;
}

/** What every flow node leaves in `msg.alink`; plain JSON only. */
export interface AlinkInfo {
  productKey?: string;
  deviceName?: string;
  status: string;
  id?: string;
  code?: number | string;
  message?: string;
  method?: string;
  /** Name in the catalogue, where the method alone does not say it. */
  operation?: string;
  identifier?: string;
  topic?: string;
  time?: number;
  /** Rules of the thing model that were let through or broken, one sentence each. */
  problems?: string[];
}
