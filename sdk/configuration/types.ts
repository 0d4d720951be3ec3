import type { DeviceIdentity, Json } from '../../protocol';
import type { AlinkAnswer } from '../downlink/types';
import type { AlinkError } from '../errors';
import type { RequestOptions } from '../types';

/** Bytes of a document where nothing else is said (D). */
export const USUAL_DOCUMENT_BYTES = 64 * 1024;

/** How a document is loaded. */
export interface DocumentOptions {
  /** Larger documents are refused; 64 KB by default, at most 16 MB. */
  mostBytes?: number;
  /** Host names that documents may come from, exact or `*.example.com`; any when absent. */
  hosts?: readonly string[];
  /** For one try to load it, milliseconds; 30,000 by default. */
  downloadMs?: number;
  /** So long a network or server that fails is tried again, milliseconds; 300,000 by default, 0: never. */
  retryMs?: number;
}

/** What whoever listens for documents is told besides. */
export interface DocumentListening extends DocumentOptions {
  /**
   * Told of each document that cannot be used (`configuration…`), of a listener that did not answer (`notAnswered`)
   * and of a refused subscription (`subscriptionRefused`).
   */
  onProblem?: (error: AlinkError) => void;
  /** A document could not be loaded yet; it is tried again after `waitMs`. */
  onRetry?: (error: AlinkError, waitMs: number) => void;
}

/** `push`: the platform sent it; `get`: it was asked for; `rollback`: the last good one, once more. */
export type ConfigurationSource = 'push' | 'get' | 'rollback';

/** Why the last good configuration is delivered once more. */
export interface RollbackReason {
  /** The configuration that did not stand. */
  configId: string;
  /** `noContact`: the platform was not reached in time; `notAnswered`: the flow never said what became of it. */
  problem: 'noContact' | 'notAnswered';
}

/** A configuration on its way to a flow: checked, parsed, and waiting to be accepted. */
export interface ReceivedConfiguration {
  /** Unique in this process; `answerRequest` takes it as that of a request. */
  readonly token: string;
  readonly identity: DeviceIdentity;
  readonly source: ConfigurationSource;
  readonly configId: string;
  /** Bytes. */
  readonly size: number;
  /** SHA-256 of the document, lower-case hexadecimal. */
  readonly digest: string;
  /** A copy of one's own. */
  readonly document: Json;
  /** It counts only when the platform is reached again in this time, milliseconds. */
  readonly guardMs?: number;
  /** Of a rollback. */
  readonly reason?: RollbackReason;
  /** ms since 1970. */
  readonly receivedAt: number;
  /** Accepted, refused, too late, or closed. */
  readonly ended: boolean;
  /**
   * Code 200 accepts it, any other refuses; a push is answered to the platform with it, when it is out of reach as
   * soon as it is there again. What was accepted is on disk before the platform hears of it.
   * @throws AlinkError `alreadyAnswered`, `tooLate`, `invalidInput`, `disconnected`
   */
  answer(answer: AlinkAnswer): Promise<void>;
}

export interface ConfigurationListening extends DocumentListening {
  /** Within which the listener has to answer, milliseconds; 5,000 by default, at most an hour. */
  timeLimitMs?: number;
  /** Guarded: what was accepted is taken back when the platform is not reached again within so many milliseconds. */
  guardMs?: number;
  /** Ask for the configuration whenever a session begins. */
  ask?: boolean;
  /**
   * A guarded configuration was accepted, by this run or an earlier one, and is taken back unless the platform is
   * reached before `until`, ms since 1970.
   */
  onTrial?: (configId: string, until: number) => void;
  /** A guarded configuration was accepted and stands from now on: the platform was reached again. */
  onConfirmed?: (configId: string) => void;
}

/** What became of a configuration that was asked for. `kept`: nobody listens; the next listener gets it. */
export type ConfigurationOutcome = {
  configId: string;
  status: 'accepted' | 'refused' | 'notAnswered' | 'unchanged' | 'rolledBack' | 'kept';
};

/** The configuration that is in use. */
export interface CurrentConfiguration {
  configId: string;
  document: Json;
  /** False while a guarded one waits for the platform to be reached. */
  confirmed: boolean;
}

/** A model configuration of a gateway (H.1), checked and parsed; nobody waits for an answer. */
export interface ReceivedModelConfiguration {
  readonly identity: DeviceIdentity;
  /** `kept`: the last good one, from disk. */
  readonly source: 'push' | 'kept';
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
  /** A copy of one's own; OPC UA passwords in it are encrypted. */
  readonly document: Json;
  /** ms since 1970. */
  readonly receivedAt: number;
  /**
   * The gateway's device secret, with which passwords are encrypted (H.3).
   * @throws AlinkError `credentialsMissing` when the gateway has none
   */
  secret(): Promise<string>;
}

export interface ModelListening extends DocumentListening {
  /** Hand on the last good document at once. */
  kept?: boolean;
}

/** Configuration from the cloud (B.3 rows 33, 34; H). */
export interface Configuration {
  /**
   * Configurations that are pushed or asked for, each once by its configId, also over restarts. What an earlier run
   * left unanswered, or has to take back, comes first. Several listeners all get it, and it is accepted when all have
   * accepted it; of their settings the strictest count.
   * @throws AlinkError `badSettings`
   */
  onPush(
    listener: (configuration: ReceivedConfiguration) => void,
    listening?: ConfigurationListening,
  ): () => void;
  /**
   * Asks for the configuration (row 33) and hands it to the listeners if it is another one.
   * @param options `again`: also when it is the same, or one that was taken back
   * @returns when the listener has answered
   * @throws AlinkError `platformRefused` with 6710 when none is stored, 6713 when it is switched off;
   * `configuration…` when it cannot be used
   */
  get(options?: RequestOptions & { again?: boolean }): Promise<ConfigurationOutcome>;
  /** The configuration that was accepted last and not taken back. */
  current(): Promise<CurrentConfiguration | undefined>;
  /** Model configurations that are pushed to a gateway. @throws AlinkError `badSettings` */
  onModelPush(
    listener: (configuration: ReceivedModelConfiguration) => void,
    listening?: ModelListening,
  ): () => void;
  /** The last good model configuration. @throws AlinkError `configurationStorage` */
  model(): Promise<ReceivedModelConfiguration | undefined>;
}
