import type { AlinkReply } from '../../protocol';
import { AlinkError } from '../errors';
import { waitedTooLong } from '../report/outbox';
import type { PreparedReport, ReportMessage } from '../report/prepare';
import type { Reporter } from '../report/reporter';
import type { Outcome } from '../types';
import type { Part } from './packs';

/** A part, and the report that it belongs to. */
export interface ReportPart extends Part {
  readonly report: PackedReport;
  /** When it shall be on its way at the latest, on the packer's clock. */
  readonly due: number;
  /** It goes as this message instead: many values of one property. */
  readonly message: ReportMessage | undefined;
}

export interface PackedReportOptions {
  prepared: PreparedReport;
  reporter: Reporter | undefined;
  /** How many parts it has. */
  parts: number;
  /** On the packer's clock. */
  deadline: number;
  timeoutMs: number;
  signal: AbortSignal | undefined;
  /** Told once, before the report itself. */
  onSettled: () => void;
  resolve: (outcome: Outcome) => void;
  reject: (error: unknown) => void;
}

/** A report on its way: it has one outcome, however many packs carry its parts. */
export class PackedReport {
  /** Parts that are not acknowledged. */
  left: number;
  /** Told when it fails while one of its parts is on its way. */
  onGivenUp: (() => void) | undefined;
  /** One of its parts was taken. */
  #begun = false;
  #settled = false;
  readonly #abort = (): void => this.fail(new AlinkError('aborted', 'the request was given up'));

  constructor(readonly options: PackedReportOptions) {
    this.left = options.parts;
    options.signal?.addEventListener('abort', this.#abort, { once: true });
  }

  get settled(): boolean {
    return this.#settled;
  }

  /** One of its parts was taken. @param method of the message that carried it */
  acknowledge(reply: AlinkReply, method: string): void {
    this.#begun = true;
    if (this.#settled || --this.left > 0) return;
    this.#settle();
    const { prepared, reporter, resolve } = this.options;
    reporter?.acknowledged(prepared);
    resolve({ status: 'acknowledged', reply, method, warnings: prepared.warnings });
  }

  fail(error: unknown): void {
    if (this.#settled) return;
    this.#settle();
    this.options.reject(error);
    this.onGivenUp?.();
  }

  /** Its time is over. @param sent what is on its way may have arrived; else why it could not be sent */
  expire(sent: boolean, why: AlinkError | undefined): void {
    const { timeoutMs } = this.options;
    if (!sent && !this.#begun) {
      this.fail(waitedTooLong(timeoutMs, why));
      return;
    }
    const seconds = Math.round(timeoutMs / 100) / 10;
    const message = `the platform did not answer within ${seconds} s`;
    this.fail(new AlinkError('timeout', message, { retry: 'slow', details: { seconds } }));
  }

  // One signal lives as long as its node and sees millions of reports.
  #settle(): void {
    this.#settled = true;
    this.options.signal?.removeEventListener('abort', this.#abort);
    this.options.onSettled();
  }
}
