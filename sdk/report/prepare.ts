import {
  encodeEventReport,
  encodePropertyReport,
  type JsonObject,
  type Problem,
  readEventReport,
  readPropertyReport,
  type Sample,
  type ThingModel,
} from '../../protocol';
import { brokenRules } from '../problems';
import type { ThingModelMode } from '../types';
import type { Submission } from './dispatcher';

/** What the reports of one thing are checked against. */
export interface ReportRules {
  mode: ThingModelMode;
  model: ThingModel | undefined;
}

/** Writes times as the platform has them; absent: as they are. */
export type WriteTime = ((time: number) => string) | undefined;

interface Prepared {
  /** That it was checked with. */
  model: ThingModel | undefined;
  /** Broken rules of the thing model that were let through (mode `warn`). */
  warnings: readonly Problem[];
}

/** A report that was read and checked: it can go as a message of its own, or in a pack with others. */
export type PreparedReport = Prepared &
  (
    | { kind: 'properties'; samples: ReadonlyMap<string, readonly Sample[]> }
    | { kind: 'event'; identifier: string; values: JsonObject; time: number | undefined }
  );

/** When a report is read, and the time of samples that carry none, both ms since 1970. */
interface Times {
  now: number;
  time: number | undefined;
}

/** @throws AlinkError `thingModel` naming every broken rule, `invalidInput` for what no report can be */
export function prepareProperties(input: unknown, rules: ReportRules, times: Times): PreparedReport {
  const model = modelOf(rules);
  const { samples, problems, modelProblems } = readPropertyReport(input, { model, ...times });
  const warnings = judge(rules, problems, modelProblems);
  return { kind: 'properties', samples, model, warnings };
}

/** @throws AlinkError `thingModel` naming every broken rule, `invalidInput` for what no report can be */
export function prepareEvent(
  identifier: string,
  input: unknown,
  rules: ReportRules,
  times: Times,
): PreparedReport {
  const model = modelOf(rules);
  const report = readEventReport(identifier, input, { model, ...times });
  const warnings = judge(rules, report.problems, report.modelProblems);
  const { values, time } = report;
  return { kind: 'event', identifier, values, time, model, warnings };
}

/** The message that a report is by itself (B.1 rows 1, 2, 4), and its method. */
export interface ReportMessage extends Pick<Submission, 'operation' | 'params'> {
  method: string;
  variables?: Readonly<Record<string, string>>;
}

/** @param now ms since 1970, for samples of a batch that have no time */
export function messageOf(report: PreparedReport, now: number, writeTime: WriteTime): ReportMessage {
  const { model } = report;
  if (report.kind === 'properties') {
    const { operation, params } = encodePropertyReport(model, report.samples, now, writeTime);
    return { operation, params, method: operation };
  }
  const { identifier, values, time } = report;
  return {
    operation: 'thing.event.post',
    params: encodeEventReport(model, identifier, values, time, writeTime),
    method: `thing.event.${identifier}.post`,
    variables: { event: identifier },
  };
}

// With the check off the report is sent as the user asked, without coercion either.
function modelOf({ mode, model }: ReportRules): ThingModel | undefined {
  return mode === 'off' ? undefined : model;
}

function judge(
  { mode }: ReportRules,
  problems: readonly Problem[],
  modelProblems: readonly Problem[],
): readonly Problem[] {
  if (problems.length > 0) throw brokenRules('invalidInput', problems);
  if (modelProblems.length > 0 && mode === 'strict') throw brokenRules('thingModel', modelProblems);
  return modelProblems;
}
