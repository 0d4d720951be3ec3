import type { AlinkReply, DeviceIdentity, Json, Sample, ThingModel } from '../protocol';
import type { Configuration } from './configuration/types';
import type { IncomingRequest, RequestFilter, RequestHandling } from './downlink/types';
import type { AlinkError } from './errors';
import type { Gateway } from './gateway/types';
import type { Ota } from './ota/types';
import type {
  IncomingMessage,
  Outcome,
  RequestOptions,
  SessionState,
  UploadFile,
  UploadOptions,
  UploadResult,
} from './types';

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
