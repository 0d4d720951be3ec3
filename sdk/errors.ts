import type { Json, Problem } from '../protocol';

/** Whether and how a retry makes sense (section C). */
export type Retry = 'no' | 'slow' | 'login' | 'auth';

/** Where in the locales the explanation stands, under `error`. */
export type ErrorKey =
  // connection
  | 'dns'
  | 'unreachable'
  | 'tls'
  | 'handshakeTimeout'
  | 'connackTimeout'
  | 'connectionClosed'
  | 'packetTooLarge'
  | 'refusedCredentials'
  | 'refusedNotAuthorized'
  | 'refusedIdentifier'
  | 'refusedServer'
  | 'refusedVersion'
  | 'conflict'
  | 'credentialsMissing'
  | 'badSettings'
  | 'definitionConflict'
  // registration and HTTPS
  | 'registrationFailed'
  | 'registrationTimeout'
  | 'secretStore'
  | 'authenticationFailed'
  // requests
  | 'timeout'
  | 'disconnected'
  | 'waitingFull'
  | 'waitingTimeout'
  | 'platformRefused'
  | 'malformedReply'
  | 'payloadTooLarge'
  | 'subscriptionRefused'
  | 'aborted'
  | 'closed'
  | 'unknownOperation'
  // gateways
  | 'gatewayOffline'
  | 'unknownSubDevice'
  // firmware over the air
  | 'firmwareOffer'
  | 'firmwareNotAllowed'
  | 'firmwareTooLarge'
  | 'firmwareMismatch'
  | 'firmwareReplaced'
  | 'firmwareGivenUp'
  | 'firmwareStorage'
  | 'diskFull'
  | 'downloadFailed'
  | 'downloadExpired'
  // configuration from the cloud
  | 'configurationOffer'
  | 'configurationNotAllowed'
  | 'configurationTooLarge'
  | 'configurationMismatch'
  | 'configurationNotLoaded'
  | 'configurationExpired'
  | 'configurationNotJson'
  | 'configurationTakenBack'
  | 'configurationStorage'
  // answers to the platform
  | 'notAnswered'
  | 'alreadyAnswered'
  | 'tooLate'
  | 'unknownRequest'
  | 'noAnswerWanted'
  // the platform's API for applications
  | 'cloudRefused'
  | 'cloudUnreachable'
  // input
  | 'invalidInput'
  | 'thingModel';

export interface AlinkErrorOptions {
  /** The platform's code, or the one it would give for this input. */
  code?: number;
  /** What the platform said, word for word. */
  platformMessage?: string;
  /** What the platform gave along with its refusal: the offset to go on at, for example. */
  platformData?: Json;
  retry?: Retry;
  /** Values for the message. Never a secret. */
  details?: Readonly<Record<string, string | number>>;
  problems?: readonly Problem[];
  cause?: unknown;
}

/** Every error of the SDK. `message` is English; `key` and `details` let a user interface say it in any language. */
export class AlinkError extends Error {
  override readonly name = 'AlinkError';
  readonly code: number | undefined;
  readonly platformMessage: string | undefined;
  readonly platformData: Json | undefined;
  readonly retry: Retry;
  readonly details: Readonly<Record<string, string | number>>;
  readonly problems: readonly Problem[];

  constructor(
    readonly key: ErrorKey,
    message: string,
    options: AlinkErrorOptions = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = options.code;
    this.platformMessage = options.platformMessage;
    this.platformData = options.platformData;
    this.retry = options.retry ?? 'no';
    this.details = options.details ?? {};
    this.problems = options.problems ?? [];
  }
}

/** Whatever was thrown, as an error of the SDK. @param key for what is none */
export function asAlinkError(thrown: unknown, key: ErrorKey, retry: Retry = 'no'): AlinkError {
  if (thrown instanceof AlinkError) return thrown;
  const reason = thrown instanceof Error ? thrown.message : String(thrown);
  return new AlinkError(key, reason, { retry, cause: thrown, details: { reason } });
}
