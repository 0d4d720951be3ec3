import { AlinkError } from '../errors';
import type { RequestAnswer } from './types';

/**
 * Answers a request of the platform by its token, whichever device it came to.
 * @throws AlinkError as `IncomingRequest.answer`, and `unknownRequest`
 */
export async function answerRequest(token: string, answer: RequestAnswer): Promise<void> {
  void answer;
  throw new AlinkError('unknownRequest', `there is no request ${token}`);
}
