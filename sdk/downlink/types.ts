import type { DeviceIdentity, Json, OperationName, Problem } from '../../protocol';
import type { AlinkError } from '../errors';

/**
 * What a flow does with a message of the platform: set or read properties, carry out a service, interpret bytes of
 * a passthrough product, answer an RRPC of one's own, take a configuration, or take notice.
 */
export type RequestKind =
  | 'propertySet'
  | 'propertyGet'
  | 'service'
  | 'raw'
  | 'rrpc'
  | 'configuration'
  | 'notice';

/** Down operations that tell something and need no more than a receipt. */
export type NoticeOperation =
  | 'shadow.control'
  | 'thing.job.notify'
  | 'thing.config.log.push'
  | 'thing.model.config.push'
  | 'thing.topo.add.notify'
  | 'thing.topo.change'
  | 'thing.gateway.permit'
  | 'thing.disable'
  | 'thing.enable'
  | 'thing.delete';

/** Which requests of the platform a handler takes. */
export type RequestFilter =
  | { kind: 'propertySet' | 'propertyGet' | 'raw' | 'configuration' }
  /** One service of the thing model; every service when `identifier` is absent. */
  | { kind: 'service'; identifier?: string }
  /**
   * RRPC with a payload of one's own. `topic` is the custom topic behind `/ext/rrpc/{msgId}` and may hold `+` and
   * `#`; absent: calls on `/sys/{pk}/{dn}/rrpc/request/{msgId}` that are no service.
   */
  | { kind: 'rrpc'; topic?: string }
  | { kind: 'notice'; operation: NoticeOperation };

/** How a handler's requests are treated. */
export interface RequestHandling {
  /** Without an answer by then the platform is told 400; milliseconds, 5,000 by default, at most an hour. */
  timeLimitMs?: number;
  /** Kind `propertySet`: properties that are read-only or not in the thing model are answered 460, or handed on. */
  unknown?: 'refuse' | 'pass';
  /** Kind `propertySet`: ask for desired values after each connect; newer versions come as requests (B.1 row 15). */
  desired?: boolean;
  /** At a gateway: requests to each of its sub-devices too, also to those that come later. */
  subDevices?: boolean;
  /** Kinds `raw` and `rrpc`: this handler takes notice and never answers. */
  listenOnly?: boolean;
  /**
   * Told when the subscription was refused (`subscriptionRefused`), when the input broke the thing model and was
   * answered 460 without this handler (`thingModel`), and when no answer came in time (`notAnswered`).
   */
  onProblem?: (error: AlinkError, request: IncomingRequest | undefined) => void;
}

/** The answer to a request in the common envelope; 200 with `{}` by default. */
export interface AlinkAnswer {
  /** 200, 400, 429, 460, or the device's own 100000–110000 (C.1). */
  code?: number;
  /** Plain JSON, at most 16 levels deep; only who answers a request is held to it, a configuration has no use for it. */
  data?: unknown;
  message?: string;
}

/** What a request is answered with: an envelope, or bytes when the request was bytes. */
export type RequestAnswer = AlinkAnswer | { payload: Uint8Array | string };

/** One request of the platform, read and checked, waiting for its answer. */
export interface IncomingRequest {
  /** Unique in this process; finds the request again however far a message has travelled. */
  readonly token: string;
  readonly kind: RequestKind;
  readonly operation: OperationName;
  readonly identity: DeviceIdentity;
  readonly topic: string;
  /** The platform's id; absent for bytes. */
  readonly id?: string | number;
  readonly method?: string;
  /** The service, of kind `service`. */
  readonly identifier?: string;
  /** Somebody waits for the answer right now (RRPC). */
  readonly sync: boolean;
  /** Parameters, coerced by the thing model; `null` for bytes. */
  readonly params: Json;
  /** As it came. */
  readonly payload: Uint8Array;
  /** Rules of the thing model that were let through. */
  readonly problems: readonly Problem[];
  /** Versions of desired values, by property. */
  readonly versions?: Readonly<Record<string, number>>;
  /** ms since 1970. */
  readonly receivedAt: number;
  /** False for desired values and shadow pushes: nobody waits for an answer, so none can be given. */
  readonly wantsAnswer: boolean;
  /** Answered, too late, or closed. */
  readonly ended: boolean;
  /**
   * Answers once. Whether the answer can be sent shows at once in `ended`; the promise tells what became of it.
   * @throws AlinkError `alreadyAnswered`, `tooLate`, `noAnswerWanted`, `invalidInput` (a code or payload that cannot
   * be sent), `thingModel` (output that breaks the model; may be answered again), `payloadTooLarge`, `disconnected`
   */
  answer(answer: RequestAnswer): Promise<void>;
}
