import type { AlinkReply } from '../../protocol';

/** How a request ended well: the platform's answer, as bytes too where it is no envelope. */
export interface Answer extends AlinkReply {
  payload?: Uint8Array;
}

/** What a format needs of a message to write it. */
export interface Writable {
  readonly method: string | undefined;
  /** JSON text. */
  readonly params: string;
  readonly payload?: string | Uint8Array | undefined;
}

/**
 * How the requests of one format are written and how their answers find them. A key stands for one request among
 * those that wait on the same topic.
 */
export interface WireFormat {
  /**
   * What the answer will be recognised by.
   * @param id unused so far by any request of this connection
   */
  key(id: string, message: Writable): string;
  /** What goes out. */
  write(key: string, message: Writable): string | Uint8Array;
  /**
   * Reads an answer; a code other than 200 is a refusal.
   * @returns undefined for a message on the same topic that is no answer
   * @throws EnvelopeError when it cannot be read
   */
  read(payload: Uint8Array): Answer | undefined;
  /** @param waiting keys of the requests that wait on the topic, oldest first */
  keyOf(answer: Answer, waiting: Waiting): string | undefined;
  /** Whose answer it was that could not be read, when that can be told. */
  keyOfUnreadable(payload: Uint8Array, waiting: Waiting): string | undefined;
}

/** Keys of the requests that wait on one topic, oldest first. */
export type Waiting = Pick<ReadonlyMap<string, unknown>, 'keys'>;
