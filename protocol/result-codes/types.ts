import type { Purpose } from '../catalogue/types';

/** Whether and how a retry makes sense: fix it first, with back-off, after a new login, with a new token. */
export type RetryAdvice = 'none' | 'no' | 'slow' | 'login' | 'auth';

/** What a code means, and what to do about it. */
export interface CodeExplanation {
  code: number;
  retry: RetryAdvice;
  en: string;
  zh: string;
  /** Where the code has this meaning; everywhere when absent. */
  purposes?: readonly Purpose[];
}

/** Code, retry, English, Chinese, purposes. */
export type CodeRow = readonly [number, RetryAdvice, string, string, (readonly Purpose[])?];
