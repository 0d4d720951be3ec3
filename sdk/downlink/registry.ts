import { Recent } from '../../protocol/recent';
import { AlinkError } from '../errors';
import type { IncomingRequest, RequestAnswer } from './types';

/** How a request ended. */
export type RequestEnd = 'answered' | 'expired' | 'closed';

// Only to tell "twice" and "too late" from "never heard of".
const LEAST_REMEMBERED = 5000;

/** What can be answered by its token. */
type Answerable = Pick<IncomingRequest, 'token' | 'answer'>;

const waiting = new Map<string, Answerable>();
const ended = new Recent<RequestEnd>(LEAST_REMEMBERED);

/** Makes a request findable by its token until it ends. */
export function remember(request: Answerable): void {
  waiting.set(request.token, request);
}

export function forget(token: string, how: RequestEnd): void {
  if (waiting.delete(token)) ended.set(token, how);
}

/** How many requests of all devices wait for their answer; for tests that look for leaks. */
export function openRequests(): number {
  return waiting.size;
}

/**
 * Answers a request of the platform by its token, whichever device it came to.
 * @throws AlinkError as `IncomingRequest.answer`, and `unknownRequest`
 */
export async function answerRequest(token: string, answer: RequestAnswer): Promise<void> {
  const request = waiting.get(token);
  if (request === undefined) throw endError(ended.get(token));
  await request.answer(answer);
}

/** Why a request cannot be answered any more. */
export function endError(how: RequestEnd | undefined): AlinkError {
  switch (how) {
    case 'answered':
      return new AlinkError('alreadyAnswered', 'the request was answered already');
    case 'expired':
      return new AlinkError('tooLate', 'the time limit of the request has passed');
    case 'closed':
      return new AlinkError('closed', 'the device was closed before the answer');
    default:
      return new AlinkError('unknownRequest', 'no such request waits for an answer');
  }
}
