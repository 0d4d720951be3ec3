import {
  encodeEventReport,
  encodePropertyReport,
  type Problem,
  readEventReport,
  readPropertyReport,
  type Sample,
  type ThingModel,
} from '../../protocol';
import { brokenRules } from '../problems';
import type { DeviceThingModel } from '../thing-model';
import type { Outcome, RequestOptions, ThingModelMode } from '../types';
import type { Dispatcher } from './dispatcher';

export interface ReporterOptions {
  dispatcher: Dispatcher;
  mode: ThingModelMode;
  thingModel: Pick<DeviceThingModel, 'model' | 'loading'>;
  online: () => boolean;
  /** Writes times as the platform has them; absent: as they are. */
  writeTime?: ((time: number) => string) | undefined;
}

/** Properties whose last value is kept. */
const MOST_REMEMBERED = 1000;

type ReportOptions = RequestOptions & { time?: number };

/** From what a user hands over to an acknowledged report: read, check, encode, dispatch. */
export class Reporter {
  /** The latest acknowledged value of each property. */
  readonly lastReported: Map<string, Sample> = new Map();

  constructor(private readonly options: ReporterOptions) {}

  /** @throws AlinkError `thingModel` naming every broken rule, or whatever became of the request */
  async properties(input: unknown, options: ReportOptions): Promise<Outcome> {
    if (this.options.thingModel.loading) await this.options.thingModel.loading;
    const model = this.#model();
    const now = Date.now();
    const { samples, problems, modelProblems } = readPropertyReport(input, {
      model,
      now,
      time: this.#time(options, now),
    });
    const warnings = this.#judge(problems, modelProblems);
    const { operation, params } = encodePropertyReport(model, samples, now, this.options.writeTime);
    const reply = await this.options.dispatcher.submit({ operation, params, options });
    for (const [identifier, list] of samples) this.#remember(identifier, list.at(-1));
    return { status: 'acknowledged', reply, method: operation, warnings };
  }

  /** @throws AlinkError `thingModel` naming every broken rule, or whatever became of the request */
  async event(identifier: string, input: unknown, options: ReportOptions): Promise<Outcome> {
    if (this.options.thingModel.loading) await this.options.thingModel.loading;
    const model = this.#model();
    const now = Date.now();
    const report = readEventReport(identifier, input, { model, now, time: this.#time(options, now) });
    const warnings = this.#judge(report.problems, report.modelProblems);
    const params = encodeEventReport(model, identifier, report.values, report.time, this.options.writeTime);
    const reply = await this.options.dispatcher.submit({
      operation: 'thing.event.post',
      params,
      options: { ...options, variables: { event: identifier } },
    });
    return { status: 'acknowledged', reply, method: `thing.event.${identifier}.post`, warnings };
  }

  // With the check off the report is sent as the user asked, without coercion either.
  #model(): ThingModel | undefined {
    return this.options.mode === 'off' ? undefined : this.options.thingModel.model;
  }

  // What waits for the connection keeps the time at which it was measured.
  #time({ time }: ReportOptions, now: number): number | undefined {
    return time ?? (this.options.online() ? undefined : now);
  }

  // Identifiers come from messages when there is no thing model.
  #remember(identifier: string, sample: Sample | undefined): void {
    if (sample === undefined) return;
    if (this.lastReported.size >= MOST_REMEMBERED && !this.lastReported.has(identifier)) return;
    this.lastReported.set(identifier, sample);
  }

  #judge(problems: readonly Problem[], modelProblems: readonly Problem[]): readonly Problem[] {
    if (problems.length > 0) throw brokenRules('invalidInput', problems);
    if (modelProblems.length > 0 && this.options.mode === 'strict')
      throw brokenRules('thingModel', modelProblems);
    return modelProblems;
  }
}
