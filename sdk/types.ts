import type {
  AlinkReply,
  DeviceIdentity,
  Json,
  JsonObject,
  Platform,
  Problem,
  Sample,
  SignMethod,
  ThingModel,
  Transport,
} from '../protocol';
import type { ConfigurationStore } from './configuration/store';
import type { Configuration } from './configuration/types';
import type { IncomingRequest, RequestFilter, RequestHandling } from './downlink/types';
import type { AlinkError } from './errors';
import type { Gateway, GatewayOptions } from './gateway/types';
import type { Ota } from './ota/types';
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

/**
 * A thing: whatever has a productKey and a deviceName. Several users of one device share one connection;
 * each gets its own handle and releases it.
 */
export interface Device {
  readonly identity: DeviceIdentity;
  readonly state: SessionState;
  readonly thingModel: ThingModel | undefined;
  /** What only a gateway can do; undefined for other things. */
  readonly gateway: Gateway | undefined;
  /** Firmware over the air (section G). */
  readonly ota: Ota;
  /** Configuration from the cloud (B.3 rows 33, 34; H). */
  readonly configuration: Configuration;
  /** Calls back on every change and once at once. @returns function that stops it */
  onState(listener: (state: SessionState) => void): () => void;
  /** Session started (also after a reconnect); for work that each connection needs. */
  onOnline(listener: () => void): () => void;
  /**
   * Messages on topics that fit the filter; the filter is subscribed while anyone listens.
   * @param onRefused told each time the platform refuses the subscription (`subscriptionRefused`)
   * @param options `qos` of the subscription, 1 by default; the highest of all that listen to this filter counts
   * @throws AlinkError `badSettings` when the filter cannot be subscribed
   */
  onMessage(
    filter: string,
    listener: (message: IncomingMessage) => void,
    onRefused?: (error: AlinkError) => void,
    options?: { qos?: 0 | 1 },
  ): () => void;
  /**
   * Reports properties (B.1 rows 1, 4).
   * @param input object of values, of `{value, time}`, or an array of samples
   * @throws AlinkError when nothing could be sent, time ran out or the platform refused
   */
  postProperties(input: unknown, options?: RequestOptions & { time?: number }): Promise<Outcome>;
  /** Reports one event (B.1 row 2). `values` are the event's output parameters. @throws AlinkError */
  postEvent(
    identifier: string,
    values: unknown,
    options?: RequestOptions & { time?: number },
  ): Promise<Outcome>;
  /**
   * One operation of the catalogue that the device may start.
   * @param params as JSON value
   * @throws AlinkError with the platform's code when it is not 200
   */
  request(operation: string, params: Json, options?: RequestOptions): Promise<AlinkReply>;
  /**
   * Requests of the platform: property set and get, services, RRPC, raw data, notices (B.1 rows 6–14). Each that
   * fits goes to every handler; the first answer counts. Requests that no handler takes are answered by the SDK.
   * @throws AlinkError `badSettings` for a filter that cannot be
   */
  onRequest(
    filter: RequestFilter,
    handler: (request: IncomingRequest) => void,
    handling?: RequestHandling,
  ): () => void;
  /** The latest acknowledged value of each property that this process reported. */
  lastReported(): ReadonlyMap<string, Sample>;
  /**
   * Sends bytes of a passthrough product (B.1 row 12).
   * @returns the bytes that the product's script answers with
   * @throws AlinkError
   */
  sendRaw(payload: Uint8Array, options?: RequestOptions): Promise<Uint8Array>;
  /** Uploads a file in blocks over MQTT (B.6 rows 86–88, B.7), from where the platform says. @throws AlinkError */
  uploadFile(file: UploadFile, options?: UploadOptions): Promise<UploadResult>;
  /** Milliseconds to add to this machine's clock to get the platform's; undefined before it was learned (NTP). */
  readonly clockOffset: number | undefined;
  /**
   * Publishes and resolves when the platform has it (QoS 1) or it was written (QoS 0). While offline it waits for
   * the connection like a request.
   * @throws AlinkError
   */
  publish(
    topic: string,
    payload: Uint8Array | string,
    qos: 0 | 1,
    options?: Pick<RequestOptions, 'timeoutMs' | 'signal'>,
  ): Promise<void>;
  /** Connects if nobody did yet. */
  connect(): void;
  /** Gives the handle back; the connection ends when the last one is given back. */
  release(): Promise<void>;
}
