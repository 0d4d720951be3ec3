import { isJsonObject, type Json, type JsonObject } from '../envelope';
import { LIMITS } from '../limits';
import { checkMembers, checkValue, problem, show } from './check';
import { coerceMembers, coerceValue } from './coerce';
import { toJson } from './json-value';
import type { DataType, Problem, Sample, ThingModel } from './types';

/** A report after reading: samples by identifier in the order they came, and every broken rule. */
export interface PropertyReport {
  samples: Map<string, Sample[]>;
  /** Rules of the protocol: with one of these nothing can be sent. */
  problems: Problem[];
  /** Rules of the thing model: the mode decides. */
  modelProblems: Problem[];
}

/** Identifiers of properties and events, with the module in front when there is one. */
const IDENTIFIER = /^[A-Za-z0-9_]{1,50}(:[A-Za-z0-9_]{1,50})?$/;
const MOST_SAMPLES = 10_000;
// Later ones are no dates in JavaScript; they are mostly microseconds or nanoseconds.
const LATEST_TIME = 8.64e15;

export interface ReportOptions {
  model?: ThingModel | undefined;
  /** ms since 1970; decides what is too far ahead. */
  now: number;
  /** Time for samples that carry none. */
  time?: number | undefined;
}

/**
 * Reads what a user wants to report: an object of values, of `{value, time}`, of lists of `{value, time}`, or an
 * array of samples – `{identifier, value, time?}` or `{temperature: 21.5, …, time?}`. Values are coerced by the
 * thing model and checked. Never throws.
 */
export function readPropertyReport(input: unknown, options: ReportOptions): PropertyReport {
  const report: PropertyReport = { samples: new Map(), problems: [], modelProblems: [] };
  const reader = { ...options, report };
  if (options.time !== undefined) checkTime(reader, options.time, 'time');
  const json = toJson(input);
  if (!json.ok)
    report.problems.push(problem(json.path || 'payload', 'notJsonValue', 460, { value: json.found }));
  else if (Array.isArray(json.value)) readList(reader, json.value);
  else if (isJsonObject(json.value)) readValues(reader, json.value, options.time, '');
  else report.problems.push(problem('payload', 'notObject', 460, { value: show(json.value) }));

  const { samples, problems } = report;
  if (problems.length === 0 && samples.size === 0) problems.push(problem('payload', 'empty', 460, {}));
  const limit = LIMITS.propertiesPerPost;
  if (samples.size > limit) {
    problems.push(problem('payload', 'tooManyProperties', 6106, { value: samples.size, limit }));
  }
  return report;
}

interface Reader extends ReportOptions {
  report: PropertyReport;
}

function readList(reader: Reader, list: readonly Json[]): void {
  if (list.length > MOST_SAMPLES) {
    const details = { value: list.length, limit: MOST_SAMPLES };
    reader.report.problems.push(problem('payload', 'tooManyElements', 460, details));
    return;
  }
  list.forEach((entry, i) => {
    const path = `[${i}]`;
    if (!isJsonObject(entry)) {
      reader.report.problems.push(problem(path, 'notObject', 460, { value: show(entry) }));
    } else if (typeof entry.identifier === 'string' && entry.value !== undefined) {
      addSample(reader, entry.identifier, entry.value, readTime(reader, entry.time, `${path}.time`), path);
    } else {
      const { time, ...values } = entry;
      readValues(reader, values, readTime(reader, time, `${path}.time`), path);
    }
  });
}

function readValues(reader: Reader, values: JsonObject, time: number | undefined, path: string): void {
  for (const [identifier, value] of Object.entries(values)) {
    const type = reader.model?.properties.get(identifier)?.dataType.type;
    if (isSampleList(value, type)) {
      for (const sample of value) readSample(reader, identifier, sample, time, path);
    } else if (isSample(value) && type !== 'struct') {
      readSample(reader, identifier, value, time, path);
    } else if (isSample(value) && type === 'struct' && isTimedStruct(reader, identifier, value)) {
      readSample(reader, identifier, value, time, path);
    } else {
      addSample(reader, identifier, value, time, path);
    }
  }
}

function readSample(
  reader: Reader,
  identifier: string,
  sample: JsonObject,
  time: number | undefined,
  path: string,
) {
  const own = readTime(reader, sample.time, `${identifier}.time`) ?? time;
  addSample(reader, identifier, sample.value ?? null, own, path);
}

// `{value, time}` and nothing else; anything with further members is a value of its own.
function isSample(value: Json): value is JsonObject {
  if (!isJsonObject(value) || !Object.hasOwn(value, 'value')) return false;
  return Object.keys(value).every((key) => key === 'value' || key === 'time');
}

// Where no thing model says that the property is no list, only times tell samples from a list of structs.
function isSampleList(value: Json, type: DataType['type'] | undefined): value is JsonObject[] {
  if (!Array.isArray(value) || value.length === 0 || type === 'array') return false;
  return value.every((entry) => isSample(entry) && (type !== undefined || entry.time !== undefined));
}

// A struct may have members called value and time; then the model decides what is meant.
function isTimedStruct({ model }: Reader, identifier: string, value: JsonObject): boolean {
  const dataType = model?.properties.get(identifier)?.dataType;
  if (dataType?.type !== 'struct') return false;
  return isJsonObject(value.value) && !dataType.members.some((member) => member.identifier === 'value');
}

function addSample(
  reader: Reader,
  identifier: string,
  value: Json,
  time: number | undefined,
  path: string,
): void {
  const { report, model } = reader;
  if (!IDENTIFIER.test(identifier)) {
    report.problems.push(problem(path + show(identifier), 'badIdentifier', 460, { value: show(identifier) }));
    return;
  }
  if (value === null) {
    report.problems.push(problem(identifier, 'notJsonValue', 460, { value: 'null' }));
    return;
  }
  const definition = model?.properties.get(identifier);
  const coerced = definition === undefined ? value : coerceValue(definition.dataType, value);
  if (definition !== undefined)
    report.modelProblems.push(...checkValue(definition.dataType, coerced, identifier));
  else if (model !== undefined) report.modelProblems.push(problem(identifier, 'unknownIdentifier', 6320, {}));
  const at = time ?? reader.time;
  const sample = { value: coerced, ...(at === undefined ? {} : { time: at }) };
  const list = report.samples.get(identifier);
  if (list === undefined) report.samples.set(identifier, [sample]);
  else list.push(sample);
}

function readTime(reader: Reader, time: Json | undefined, path: string): number | undefined {
  if (time === undefined || time === null) return undefined;
  const number = typeof time === 'number' ? time : typeof time === 'string' ? parseTime(time) : Number.NaN;
  return checkTime(reader, number, path) ? number : undefined;
}

function parseTime(text: string): number {
  return /^\s*\d+\s*$/.test(text) ? Number(text) : Date.parse(text);
}

function checkTime({ report, now }: Reader, time: number, path: string): boolean {
  if (!Number.isInteger(time) || time < 0 || time > LATEST_TIME) {
    report.problems.push(problem(path, 'badTime', 6326, { value: show(time) }));
    return false;
  }
  if (time <= now + LIMITS.sampleTimeAheadMs) return true;
  report.problems.push(problem(path, 'timeAhead', 6326, { value: new Date(time).toISOString() }));
  return false;
}

/** An event after reading. */
export interface EventReport {
  values: JsonObject;
  time: number | undefined;
  problems: Problem[];
  modelProblems: Problem[];
}

/**
 * Reads the output parameters of an event, coerces and checks them (B.1 row 2). Never throws.
 * @param input object of output parameters; absent and empty are allowed for events without any
 */
export function readEventReport(identifier: string, input: unknown, options: ReportOptions): EventReport {
  const { model, time } = options;
  const report: EventReport = { values: {}, time, problems: [], modelProblems: [] };
  if (!IDENTIFIER.test(identifier)) {
    report.problems.push(problem(show(identifier), 'badIdentifier', 460, { value: show(identifier) }));
  }
  if (time !== undefined) {
    checkTime({ ...options, report: { ...report, samples: new Map() } }, time, `${identifier}.time`);
  }
  const json = toJson(input ?? {});
  if (!json.ok)
    report.problems.push(problem(json.path || identifier, 'notJsonValue', 460, { value: json.found }));
  else if (!isJsonObject(json.value)) {
    report.problems.push(problem(identifier, 'notObject', 460, { value: show(json.value) }));
  } else {
    const definition = model?.events.get(identifier);
    report.values = definition ? coerceMembers(definition.outputData, json.value) : json.value;
    if (definition)
      report.modelProblems.push(...checkMembers(definition.outputData, report.values, '', true));
    else if (model) report.modelProblems.push(problem(identifier, 'unknownIdentifier', 6321, {}));
  }
  return report;
}
