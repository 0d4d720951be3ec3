import { setTimeout } from 'node:timers/promises';
import { AlinkError } from '../errors';
import { backoff } from '../session/state';
import type { Timing } from '../session/timing';
import { type LoadedDocument, type LoadOptions, loadDocument } from './document';
import type { DocumentOffer } from './offer';

export interface PatientOptions extends LoadOptions {
  waits: Timing['downloadBackoff'];
  /** Aborted with a `GiveWay` when there is no sense in waiting for this one any more. */
  giveWay: AbortSignal;
  /** Told before each wait. */
  onRetry: (error: AlinkError, waitMs: number) => void;
  /** A new address of the same document, if there is one. */
  renew?: () => Promise<DocumentOffer | undefined>;
}

/** For what a document that waits for its server gives way. */
export type GiveWay = 'replaced' | 'gaveWay';

const REASONS: Readonly<Record<GiveWay, string>> = {
  replaced: 'replaced by a newer configuration',
  gaveWay: 'the last good configuration had to be delivered again',
};

const USUAL_RETRY_MS = 300_000;

/**
 * Loads a document and does not give up for what passes: a network or server that fails is tried again with growing
 * waits. An address that has expired is asked for anew, once.
 * @throws AlinkError as `loadDocument`; `configurationNotLoaded` with a rule of `GiveWay`
 */
export async function loadPatiently(offer: DocumentOffer, options: PatientOptions): Promise<LoadedDocument> {
  const { retryMs = USUAL_RETRY_MS, waits, giveWay, onRetry } = options;
  const until = performance.now() + retryMs;
  let { renew } = options;
  let current = offer;
  for (let failures = 1; ; failures++) {
    try {
      return await loadDocument(current, options);
    } catch (thrown) {
      if (!(thrown instanceof AlinkError)) throw thrown;
      if (thrown.key === 'configurationExpired') {
        const renewed = await renew?.();
        renew = undefined;
        if (renewed === undefined) throw thrown;
        current = renewed;
        continue;
      }
      const wait = backoff(failures, waits, Math.random());
      if (thrown.retry !== 'slow' || performance.now() + wait > until) throw thrown;
      if (!giveWay.aborted) onRetry(thrown, wait);
      await pause(wait, options);
    }
  }
}

/** @throws AlinkError `configurationNotLoaded` with a rule of `GiveWay`, `closed` */
async function pause(ms: number, { giveWay, signal }: PatientOptions): Promise<void> {
  try {
    await setTimeout(ms, undefined, { signal: AbortSignal.any([giveWay, signal]) });
  } catch {
    if (signal.aborted) throw new AlinkError('closed', 'the device was given back or closed');
    const rule = giveWay.reason as GiveWay;
    const reason = REASONS[rule];
    throw new AlinkError('configurationNotLoaded', reason, { details: { rule, reason } });
  }
}
