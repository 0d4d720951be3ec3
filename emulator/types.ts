import type { DeviceIdentity, Json, JsonObject } from '../protocol';
import type { Delivery } from './broker/delivery';
import type { ConfigurationPanel, ModelConfigurationPanel } from './configuration/api';
import type { DeviceView } from './device-view';
import type { ExchangeLog } from './exchanges';
import type { FaultRule } from './faults';
import type { MessageLog } from './forwarding/message-log';
import type { Door } from './options';
import type { FirmwarePanel } from './ota/api';

/** Makes things go wrong on purpose. */
export interface FaultPanel {
  /** @returns the rule's number */
  add(rule: FaultRule): number;
  remove(id: number): boolean;
  /** Removes every rule and listens and reads again. */
  clear(): Promise<void>;
  list(): Array<FaultRule & { id: number; left: number | null }>;
  /** Closes the device's connection, or ends its session behind a gateway. @returns whether it had one */
  kick(identity: DeviceIdentity): boolean;
  /** Closes every MQTT connection, authenticated or not. */
  dropConnections(): void;
  /** The MQTT doors close as when the platform is gone; HTTP stays. */
  stopListening(): Promise<void>;
  /** They open again, on the same ports. @throws DoorError */
  startListening(): Promise<void>;
  /** Connections stay open, but nothing is read or answered: a half-open socket. New ones are let in and ignored. */
  goSilent(silent?: boolean): void;
  /** Every iotToken becomes invalid. */
  expireTokens(): void;
}

/** What a job asks of its devices. */
export interface NewJob {
  name?: string;
  /** `{}` by default. */
  document?: Json;
  /** `{"signMethod","sign","fileUrl"}` */
  file?: JsonObject;
  /** A task that is IN_PROGRESS for longer is TIMED_OUT. */
  inProgressMs?: number;
}

/** A running emulator of the platform. */
export interface Emulator {
  /** Address of each open door, for example `mqtt://127.0.0.1:40001`. */
  addresses: Partial<Record<Door, string>>;
  ports: Partial<Record<Door, number>>;
  /** Base address of the HTTP door (or HTTPS when only that is open); empty without one. */
  httpUrl: string;
  /** PEM of the root that its TLS doors are signed by, when it made the certificate itself. */
  ca?: string;
  /**
   * Creates product and device when they are missing.
   * @param thingModelDocument becomes the product's thing model
   * @throws RangeError for a name that no device can have
   * @throws ThingModelError
   */
  provisionDevice(identity: DeviceIdentity, thingModelDocument?: Json): { deviceSecret: string };
  faults: FaultPanel;
  /**
   * Sets the script of a passthrough product: JavaScript with `rawDataToProtocol`, `protocolToRawData` or
   * `transformPayload`; an empty text takes it away.
   * @throws RangeError when there is no such product or the script is too long
   */
  setScript(productKey: string, script: string): void;
  exchanges: ExchangeLog;
  /** What the platform tells applications: status, values, events, results (B.9), and messages on users' topics. */
  messages: MessageLog;
  devices: {
    list(): DeviceIdentity[];
    /** @returns undefined for an unknown device */
    get(identity: DeviceIdentity): DeviceView | undefined;
    /** @throws UnknownDeviceError */
    setEnabled(identity: DeviceIdentity, enabled: boolean): void;
    /**
     * Switches the device's log on (1) or off (0) and tells it (B.3 row 36).
     * @throws UnknownDeviceError
     */
    setLogMode(identity: DeviceIdentity, mode: 0 | 1): Delivery;
    /** @throws UnknownDeviceError */
    delete(identity: DeviceIdentity): void;
  };
  /** Which sub-device stands behind which gateway; `devices.get` tells the same of one device. */
  topology: {
    /** In the order in which they were added. @throws UnknownDeviceError */
    subDevices(gateway: DeviceIdentity): DeviceIdentity[];
    /** @returns undefined when it stands behind none @throws UnknownDeviceError */
    gatewayOf(subDevice: DeviceIdentity): DeviceIdentity | undefined;
    /**
     * Puts sub-devices behind a gateway, as the console does: without a signature and without the quota. Those of another
     * gateway leave it. Gateways are told (B.4 row 55).
     * @throws UnknownDeviceError
     * @throws RangeError for a device that cannot be a gateway, or a sub-device of this one
     */
    add(gateway: DeviceIdentity, subDevices: readonly DeviceIdentity[]): void;
    /** Takes sub-devices from their gateways, which are told; sessions end with 6401. @returns how many had one @throws UnknownDeviceError */
    remove(subDevices: readonly DeviceIdentity[]): number;
    /**
     * Asks a gateway to add sub-devices (B.4 row 54); what it answers is among the messages to applications.
     * @returns id of the request
     * @throws UnknownDeviceError
     */
    notifyAdd(gateway: DeviceIdentity, devices: readonly DeviceIdentity[]): Promise<string>;
  };
  jobs: {
    /**
     * Makes a job for these devices and tells them (B.6 row 89); its tasks are in `devices.get`.
     * @throws UnknownDeviceError
     */
    create(devices: readonly DeviceIdentity[], settings?: NewJob): { jobId: string };
    /** Ends the tasks that have not ended and tells their devices. @returns whether there is such a job */
    cancel(jobId: string): boolean;
  };
  /** Firmware packages, upgrades and what became of them (section G). */
  firmware: FirmwarePanel;
  configuration: ConfigurationPanel;
  modelConfiguration: ModelConfigurationPanel;
  /** Sends a message to a device that subscribed the topic. @throws UnknownDeviceError @throws RangeError */
  publishToDevice(
    identity: DeviceIdentity,
    topic: string,
    payload: string | Uint8Array,
    qos?: 0 | 1,
  ): Delivery;
  /** Ends every connection, frees every port, writes the snapshot. */
  close(): Promise<void>;
}
