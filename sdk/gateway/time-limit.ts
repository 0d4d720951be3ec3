import { AlinkError } from '../errors';
import type { RequestOptions } from '../types';

/** Runs one of several tasks that share a time limit. */
export type Limited = <T>(task: (signal: AbortSignal) => Promise<T>) => Promise<T>;

/**
 * Gives tasks a time limit of their own. What a gateway sends about many sub-devices is shared by whoever asked for
 * them, so it does not end for one of them: a task that is not sent by then never is, any other goes on unheard.
 * @param operation that the error names
 * @throws AlinkError what `work` throws; its tasks fail with `timeout` once the time is over, `aborted` when they are
 * given up
 */
export async function withTimeLimit<T>(
  { timeoutMs, signal }: Pick<RequestOptions, 'timeoutMs' | 'signal'>,
  operation: string,
  work: (limited: Limited) => Promise<T>,
): Promise<T> {
  const limit = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let abort: () => void = () => undefined;
  const over = new Promise<never>((_, reject) => {
    const end = (error: AlinkError): void => {
      reject(error);
      limit.abort();
    };
    abort = () => end(new AlinkError('aborted', 'the request was given up'));
    if (timeoutMs !== undefined) timer = setTimeout(() => end(timedOut(timeoutMs, operation)), timeoutMs);
  });
  over.catch(() => undefined); // nobody may be waiting any more
  if (signal?.aborted) abort();
  signal?.addEventListener('abort', abort, { once: true });
  try {
    return await work((task) => Promise.race([over, task(limit.signal)]));
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
  }
}

function timedOut(timeoutMs: number, operation: string): AlinkError {
  const seconds = Math.round(timeoutMs / 100) / 10;
  return new AlinkError('timeout', `${operation} was not answered within ${seconds} s`, {
    retry: 'slow',
    details: { seconds, operation },
  });
}
