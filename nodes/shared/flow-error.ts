import type { NodeAPI } from 'node-red';
import { AlinkError } from '../../sdk';
import { explainError } from './runtime-messages';

/**
 * What `done(err)` gets: the sentence in the user's language, with the platform's code as `err.code`,
 * so that a catch node can tell refusals apart.
 */
export class FlowError extends Error {
  readonly code: string | number;
  /** Whether a retry makes sense: no, slow, login, auth. */
  readonly retry: string;
  /** Key of the explanation, the same in every language. */
  readonly key: string;

  constructor(message: string, error: AlinkError) {
    // No `cause`: Node-RED copies it into the message, which must stay plain JSON.
    super(message);
    this.code = error.code ?? error.details.cloudCode ?? error.key;
    this.retry = error.retry;
    this.key = error.key;
  }

  /** Node-RED shows this text to people; the class name in front would be noise. */
  override toString(): string {
    return this.message;
  }
}

/** Turns whatever was thrown into something a flow can catch and a person can read. */
export function toFlowError(RED: NodeAPI, thrown: unknown): FlowError {
  const error = toAlinkError(thrown);
  return new FlowError(explainError(RED, error), error);
}

export function toAlinkError(thrown: unknown): AlinkError {
  if (thrown instanceof AlinkError) return thrown;
  const cause = thrown instanceof Error ? thrown : new Error(String(thrown));
  return new AlinkError('invalidInput', cause.message, { cause, details: { reason: cause.message } });
}
