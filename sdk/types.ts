import type {
  AlinkReply,
  DeviceIdentity,
  Json,
  JsonObject,
  Platform,
  Problem,
  SignMethod,
  Transport,
} from '../protocol';
import type { ConfigurationStore } from './configuration/store';
import type { AlinkError } from './errors';
import type { SecretStore } from './registration/secret-store';
import type { Timing } from './session/timing';

/** How a device proves who it is (section A). */
export type Authentication =
  /** The secret, or a function that knows it at connect time. */
  | { kind: 'deviceSecret'; deviceSecret: string | (() => Promise<string>) }
  /** "One model, one secret": the device secret is fetched once and stored (A.6, A.7). */
  | { kind: 'productSecret'; productSecret: string; via: 'https' | 'mqtt' }
  /** No pre-registration (A.7): the platform creates the device and gives a token. */
  | { kind: 'noPreRegistration'; productSecret: string; instanceId?: string }
  /** HTTPS authentication first, then MQTT with iotId and iotToken (A.8). */
  | { kind: 'iotToken'; deviceSecret: string };

/** What to do with values that break the thing model. */
export type ThingModelMode = 'strict' | 'warn' | 'off';

/** What every thing has, whether it connects by itself or through a gateway. */
export interface ThingOptions {
  identity: DeviceIdentity;
  signMethod?: SignMethod;
  /** Part of the clientId in front of the bars, at most 64 characters. */
  clientId?: string;
  /** False by default: QoS 1 messages sent while away arrive later. */
  cleanSession?: boolean;
  /** Default for every request, milliseconds. */
  requestTimeoutMs?: number;
  /** A document (TSL), or `fetch` to ask the platform after connecting; none by default. */
  thingModel?: { mode: ThingModelMode; document?: Json; fetch?: boolean; cacheFile?: string };
  /** Learn the platform's time after each connect and correct the time of reports with it (B.3 row 39). */
  correctTime?: boolean;
  /** Needed for the two kinds of registration. */
  secretStore?: SecretStore;
  /** Where configurations from the cloud outlive the process; in memory alone when absent. */
  configurationStore?: ConfigurationStore;
  /** At most this many requests wait while offline; 1,000 by default. */
  waitingLimit?: number;
  /** How long the connection outlives its last user, milliseconds; 0 by default. */
  lingerMs?: number;
  /** For tests: other times than the usual. */
  timing?: Partial<Timing>;
  /** Receives one line per noteworthy step; never a secret. */
  log?: (line: LogLine) => void;
}

/** What makes a device a gateway. */
export interface GatewayOptions {
  /**
   * Sub-devices logged in a second, at most; 190 by default, a little below what the platform takes (section D).
   * 0: as fast as it goes, for platforms without this limit.
   */
  loginsPerSecond?: number;
  /** Sub-devices in one login, 1–50; 50 by default (J 21). */
  loginBatch?: number;
  /**
   * Subscribe the topics of each sub-device one by one, for instances that do not push them by themselves. False by
   * default: the login asks for it with `_ss=1` as the gateway's CONNECT does, which saves thousands of
   * subscriptions.
   */
  subscribeEach?: boolean;
}

/** A device with a connection of its own. */
export interface DeviceOptions extends ThingOptions {
  platform: Platform;
  transport: Transport;
  /** Overrides the platform's port. */
  port?: number;
  /** Further trusted root certificates, PEM; Node.js's own stay trusted. */
  ca?: string;
  authentication: Authentication;
  /** 30–1200. */
  keepAliveSeconds?: number;
  /** Makes the device a gateway. */
  gateway?: GatewayOptions;
}

export interface LogLine {
  level: 'debug' | 'info' | 'warn';
  /** Key of the message, in the style of an error's. */
  event: string;
  details: Readonly<Record<string, string | number>>;
  /** What it is about, for whoever tells it in another language. */
  error?: AlinkError;
}

/** States of a session; `refused`: the platform said no, `conflict`: another client uses the same identity. */
export type SessionStateName =
  | 'idle'
  | 'connecting'
  | 'online'
  | 'waiting'
  | 'refused'
  | 'conflict'
  | 'closing';

export interface SessionState {
  name: SessionStateName;
  /** Requests that wait for the connection. */
  waiting: number;
  /** Why it is waiting, refused or in conflict. */
  reason?: AlinkError;
  /** When it tries again, ms since 1970. */
  retryAt?: number;
}

export interface RequestOptions {
  /** Milliseconds; the device's default when absent. */
  timeoutMs?: number;
  /** Values for placeholders of the operation's topic, `{event}` for example. */
  variables?: Readonly<Record<string, string>>;
  qos?: 0 | 1;
  /** Fails the request early, for example when the node closes. */
  signal?: AbortSignal;
}

/** What became of a report. */
export interface Outcome {
  status: 'acknowledged';
  /** The platform's answer; of the last message when the report was split over several. */
  reply: AlinkReply;
  /** Method and id of what was sent. */
  method: string;
  /** Broken rules of the thing model that were let through (mode `warn`). */
  warnings: readonly Problem[];
}

/** A file to upload (B.6 row 86). */
export interface UploadFile {
  /** At most 100 bytes of `[0-9A-Za-z_.]`, a letter or digit first. */
  name: string;
  /** At most 16 MB. */
  content: Uint8Array;
  /** What to do when the name exists; `overwrite` by default. */
  conflictStrategy?: 'overwrite' | 'append' | 'reject';
  extraParams?: JsonObject;
}

export interface UploadOptions extends Pick<RequestOptions, 'timeoutMs' | 'signal'> {
  /** Bytes of a block, 256–131,072; 65,536 by default. */
  blockBytes?: number;
  onProgress?: (sentBytes: number, totalBytes: number) => void;
}

export interface UploadResult {
  uploadId: string;
  fileName: string;
  bytes: number;
  /** The platform's answer to the last block. */
  reply: AlinkReply;
}

/** Message from the platform to the device, after topic and envelope were read. */
export interface IncomingMessage {
  topic: string;
  payload: Uint8Array;
  qos: 0 | 1;
  duplicate: boolean;
}
