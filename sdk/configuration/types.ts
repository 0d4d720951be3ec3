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
  /** For the whole download, milliseconds; 30,000 by default. */
  downloadMs?: number;
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
   * Code 200 accepts it, any other refuses; a push is answered to the platform with it. What was accepted is on disk
   * before the platform hears of it.
   * @throws AlinkError `alreadyAnswered`, `tooLate`, `invalidInput`, `disconnected`
   */
  answer(answer: AlinkAnswer): Promise<void>;
}

export interface ConfigurationListening extends DocumentOptions {
  /** Within which the listener has to answer, milliseconds; 5,000 by default, at most an hour. */
  timeLimitMs?: number;
  /** Guarded: what was accepted is taken back when the platform is not reached again within so many milliseconds. */
  guardMs?: number;
  /** Ask for the configuration whenever a session begins. */
  ask?: boolean;
  /**
   * Told of each configuration that cannot be used (`configuration…`), of a listener that did not answer
   * (`notAnswered`) and of a refused subscription (`subscriptionRefused`).
   */
  onProblem?: (error: AlinkError) => void;
  /** A guarded configuration was accepted and stands from now on: the platform was reached again. */
  onConfirmed?: (configId: string) => void;
}

/** What became of a configuration that was asked for. `kept`: nobody listens; the next listener gets it. */
export type ConfigurationOutcome = {
  configId: string;
  status: 'accepted' | 'refused' | 'notAnswered' | 'unchanged' | 'rolledBack' | 'kept';
};

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

export interface ModelListening extends DocumentOptions {
  /** Hand on the last good document at once. */
  kept?: boolean;
  onProblem?: (error: AlinkError) => void;
}

/** Configuration from the cloud (B.3 rows 33, 34; H). */
export interface Configuration {
  /**
   * Configurations that are pushed or asked for, each once by its configId, also over restarts. What an earlier run
   * left unanswered, or has to take back, comes first. Of several listeners all get it, the first answer counts, and
   * the settings of the one that came last.
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
  /** The configuration that was accepted, and confirmed if it was guarded. */
  current(): Promise<{ configId: string; document: Json } | undefined>;
  /** Model configurations that are pushed to a gateway. @throws AlinkError `badSettings` */
  onModelPush(
    listener: (configuration: ReceivedModelConfiguration) => void,
    listening?: ModelListening,
  ): () => void;
  /** The last good model configuration. @throws AlinkError `configurationStorage` */
  model(): Promise<ReceivedModelConfiguration | undefined>;
}
