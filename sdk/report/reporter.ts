import type { AlinkReply, Sample } from '../../protocol';
import type { DeviceThingModel } from '../thing-model';
import type { Outcome, RequestOptions, ThingModelMode } from '../types';
import type { Dispatcher } from './dispatcher';
import {
  messageOf,
  type PreparedReport,
  prepareEvent,
  prepareProperties,
  type ReportMessage,
  type ReportRules,
} from './prepare';

export interface ReporterOptions {
  dispatcher: Pick<Dispatcher, 'submit'>;
  mode: ThingModelMode;
  thingModel: Pick<DeviceThingModel, 'model' | 'loading'>;
  online: () => boolean;
  /** Writes times as the platform has them; absent: as they are. */
  writeTime?: ((time: number) => string) | undefined;
}

/** Properties whose last value is kept. */
const MOST_REMEMBERED = 1000;

type ReportOptions = RequestOptions & { time?: number };

/**
 * From what a user hands over to an acknowledged report: read, check, encode, dispatch. A report that goes in a pack
 * is prepared with the same `rules` and remembered here as well.
 */
export class Reporter {
  /** The latest acknowledged value of each property. */
  readonly lastReported: Map<string, Sample> = new Map();

  constructor(private readonly options: ReporterOptions) {}

  /** Pending while the thing model is being read; reports wait for it. */
  get loading(): Promise<void> | undefined {
    return this.options.thingModel.loading;
  }

  /** What reports are checked against at this moment. */
  get rules(): ReportRules {
    const { mode, thingModel } = this.options;
    return { mode, model: thingModel.model };
  }

  /** @throws AlinkError `thingModel` naming every broken rule, or whatever became of the request */
  async properties(input: unknown, options: ReportOptions): Promise<Outcome> {
    if (this.loading) await this.loading;
    const times = this.#times(options);
    return this.send(prepareProperties(input, this.rules, times), options, times.now);
  }

  /** @throws AlinkError `thingModel` naming every broken rule, or whatever became of the request */
  async event(identifier: string, input: unknown, options: ReportOptions): Promise<Outcome> {
    if (this.loading) await this.loading;
    const times = this.#times(options);
    return this.send(prepareEvent(identifier, input, this.rules, times), options, times.now);
  }

  /**
   * Sends a prepared report as a message of its own.
   * @throws AlinkError whatever became of the request
   */
  async send(report: PreparedReport, options: RequestOptions, now: number = Date.now()): Promise<Outcome> {
    const message = this.messageOf(report, now);
    const reply = await this.dispatch(message, options);
    this.acknowledged(report);
    return { status: 'acknowledged', reply, method: message.method, warnings: report.warnings };
  }

  /** A report as a message of its own, for `dispatch`. @param now ms since 1970, for samples without a time */
  messageOf(report: PreparedReport, now: number): ReportMessage {
    return messageOf(report, now, this.options.writeTime);
  }

  /** @throws AlinkError whatever became of the request */
  dispatch({ operation, params, variables }: ReportMessage, options: RequestOptions): Promise<AlinkReply> {
    const { dispatcher } = this.options;
    return dispatcher.submit({ operation, params, options: variables ? { ...options, variables } : options });
  }

  /** Remembers what the platform has taken. */
  acknowledged(report: PreparedReport): void {
    if (report.kind !== 'properties') return;
    for (const [identifier, list] of report.samples) this.#remember(identifier, list.at(-1));
  }

  // What waits for the connection keeps the time at which it was measured.
  #times({ time }: ReportOptions): { now: number; time: number | undefined } {
    const now = Date.now();
    return { now, time: time ?? (this.options.online() ? undefined : now) };
  }

  // Identifiers come from messages when there is no thing model.
  #remember(identifier: string, sample: Sample | undefined): void {
    if (sample === undefined) return;
    if (this.lastReported.size >= MOST_REMEMBERED && !this.lastReported.has(identifier)) return;
    this.lastReported.set(identifier, sample);
  }
}
