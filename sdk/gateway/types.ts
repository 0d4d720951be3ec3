import type { AlinkReply, DeviceIdentity } from '../../protocol';
import type { Device } from '../device-types';
import type { AlinkError } from '../errors';
import type { FirmwareOffer } from '../ota/types';
import type {
  DeviceOptions,
  IncomingMessage,
  Outcome,
  RequestOptions,
  SessionState,
  ThingOptions,
} from '../types';

/** How a sub-device comes to its secret. */
export type SubDeviceAuthentication =
  | { kind: 'deviceSecret'; deviceSecret: string }
  /** The gateway registers it, which its product must allow; the secret is stored (B.4 row 56). */
  | { kind: 'subRegister' }
  /** The gateway registers it with the secret of its product; the secret is stored (B.4 row 58). */
  | { kind: 'productRegister'; productSecret: string };

/** A sub-device: its messages go over its gateway's connection. */
export interface SubDeviceOptions extends ThingOptions {
  gateway: DeviceOptions;
  authentication: SubDeviceAuthentication;
}

/** What became of one sub-device in a request about several. */
export interface SubDeviceResult {
  identity: DeviceIdentity;
  /** Absent when it went well. */
  error?: AlinkError;
}

/** A sub-device to be added or logged in: with its secret, or with one that is stored, or registered first. */
export interface SubDeviceCredentials {
  identity: DeviceIdentity;
  /** Absent: the stored one, or that of an open sub-device; else it is registered. */
  deviceSecret?: string;
  /** To register it where sub register is not wanted. */
  productSecret?: string;
}

/** What the platform tells about sub-devices and the topology. */
export interface GatewayNotice {
  /**
   * `addRequested`: an application asks the gateway to add these (B.4 row 54); `added`, `removed`, `enabled`,
   * `disabled`: the topology changed (row 55) or the sub-device was told (rows 76, 77); `deleted` (row 78);
   * `kicked`: the platform ended a session (B.5 rows 74, 75), `code` says why; `permitJoin`: devices of
   * `productKey` may join for `seconds` (row 59).
   */
  type: 'addRequested' | 'added' | 'removed' | 'enabled' | 'disabled' | 'deleted' | 'kicked' | 'permitJoin';
  devices: readonly DeviceIdentity[];
  /** Why a session ended: 427, 520, 521, 522, 6401 (C.3). */
  error?: AlinkError;
  productKey?: string;
  seconds?: number;
  /** ms since 1970. */
  time: number;
}

/** State of one sub-device. */
export interface SubDeviceState {
  identity: DeviceIdentity;
  state: SessionState;
}

/** What a gateway can do besides being a device. */
export interface Gateway {
  /**
   * Sub-devices that are open or were logged in with `login`, each with its state.
   * @param deviceName only those with this name, of whatever product; found without looking through the others
   */
  subDevices(deviceName?: string): SubDeviceState[];
  /**
   * A handle on one of them, to be released like any other; the sub-device stays as long as somebody else wants it.
   * @returns undefined when it is none of them
   */
  subDevice(identity: DeviceIdentity): Device | undefined;
  /** Calls back on each change of a sub-device's state, and at once for each that is there. */
  onSubDevice(listener: (change: SubDeviceState) => void): () => void;
  /**
   * Messages on a topic of each sub-device, also of those that come later; subscribed for each while anyone listens.
   * @param filterOf the filter for one of them
   * @param onRefused told of each that the platform refused, or that cannot be subscribed
   * @param options `qos` of the subscriptions, 1 by default
   */
  onMessage(
    filterOf: (identity: DeviceIdentity) => string,
    listener: (identity: DeviceIdentity, message: IncomingMessage) => void,
    onRefused?: (identity: DeviceIdentity, error: AlinkError) => void,
    options?: { qos?: 0 | 1 },
  ): () => void;
  /**
   * Firmware that is pushed to sub-devices, also to those that come later; nothing is asked for by itself.
   * @param module undefined: every module
   * @param onProblem as that of `Ota.onOffer`
   */
  onOffer(
    module: string | undefined,
    listener: (identity: DeviceIdentity, offer: FirmwareOffer) => void,
    onProblem?: (identity: DeviceIdentity, error: AlinkError) => void,
  ): () => void;
  onNotice(listener: (notice: GatewayNotice) => void): () => void;
  /**
   * Takes what applications ask to add (B.4 row 54): registers each, adds it to the topology, logs it in and keeps it
   * online; does the same for whatever the topology holds whose secret is stored. Runs until undone.
   * @param onResult told what became of each
   */
  admit(onResult: (result: SubDeviceResult) => void): () => void;

  /** Adds to the topology; registers those without secret first (row 50). Never rejects for single devices. @throws AlinkError */
  addTopology(devices: readonly SubDeviceCredentials[], options?: RequestOptions): Promise<SubDeviceResult[]>;
  /** Row 51. Those that `login` or `admit` brought online are logged out with it. @throws AlinkError */
  deleteTopology(devices: readonly DeviceIdentity[], options?: RequestOptions): Promise<SubDeviceResult[]>;
  /** Row 52. @throws AlinkError */
  getTopology(options?: RequestOptions): Promise<DeviceIdentity[]>;
  /** Tells applications what was found on the bus (row 53). @throws AlinkError */
  reportFound(devices: readonly DeviceIdentity[], options?: RequestOptions): Promise<AlinkReply>;
  /**
   * Registers sub-devices and stores their secrets (rows 56, 58: by whether a productSecret is given), in blocks of 30.
   * @throws AlinkError
   */
  register(
    devices: ReadonlyArray<{ identity: DeviceIdentity; productSecret?: string }>,
    options?: RequestOptions,
  ): Promise<Array<SubDeviceResult & { deviceSecret?: string }>>;

  /**
   * Brings sub-devices online that exist only as messages: registers those without secret, adds those that the topology
   * lacks, logs in. They are logged in again after each reconnect until `logout` or `deleteTopology`, or until
   * somebody opens them with settings of their own, which take over.
   * @param options `store`: keep the secrets given here on disk once they have worked; else they live in memory as long
   * as the session
   */
  login(
    devices: readonly SubDeviceCredentials[],
    options?: RequestOptions & { store?: boolean },
  ): Promise<SubDeviceResult[]>;
  /** Ends sessions that `login` or `admit` began. */
  logout(devices: readonly DeviceIdentity[], options?: RequestOptions): Promise<SubDeviceResult[]>;

  /**
   * Reports properties of a sub-device, or of the gateway itself, packed with what others report about the same time
   * (B.1 row 3). The sub-device needs no open handle; when there is one its thing model checks the values. Reports of one
   * thing keep their order. Many values of one property go as a batch by the handle's door (row 4), or one pack after the
   * other where there is none. A time is always sent: the one given, or that of this call.
   * @throws AlinkError what became of this report, whatever the others in the pack did
   */
  postProperties(
    identity: DeviceIdentity,
    input: unknown,
    options?: PackOptions & { time?: number },
  ): Promise<Outcome>;
  /** The same for an event. @throws AlinkError */
  postEvent(
    identity: DeviceIdentity,
    event: string,
    values: unknown,
    options?: PackOptions & { time?: number },
  ): Promise<Outcome>;
}

export interface PackOptions extends Pick<RequestOptions, 'timeoutMs' | 'signal'> {
  /** How long a report may wait for company, ms; 0–10,000; 50 by default. */
  packWindowMs?: number;
}
