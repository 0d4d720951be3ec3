import { toJson } from '../../protocol';
import { firmwareName } from '../shared/firmware-things';
import { invalidInput } from '../shared/invalid-input';

/** What the node tells; `message`: the message says which. */
export const ACTIONS = ['message', 'version', 'progress', 'failure'] as const;

/** A version, or a step: percent or a failure. */
export type OtaReport =
  | { version: string; module?: unknown }
  | { version?: never; step: number; description: string | undefined; module?: unknown };

/** Of the upgrade, the download, the check, flashing (G.3). */
const FAILURES: ReadonlySet<number> = new Set([-1, -2, -3, -4]);
const LONGEST_DESCRIPTION = 500;

/**
 * Reads what is to be told.
 * @param value a version, a percentage, a failure step, or with `message` an object that names one of them
 * @throws AlinkError `invalidInput`
 */
export function readReport(
  action: (typeof ACTIONS)[number],
  value: unknown,
  description: unknown,
): OtaReport {
  switch (action) {
    case 'version':
      return { version: firmwareName(trimmed(value), 'version') };
    case 'progress':
      return { step: readPercent(value, 'percent'), description: readDescription(description) };
    case 'failure':
      return { step: readFailure(value, 'step'), description: readDescription(description) };
    case 'message':
      return readMessage(value, description);
  }
}

function readMessage(value: unknown, otherwise: unknown): OtaReport {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw nothing();
  const {
    version,
    percent,
    failure,
    step,
    module,
    description = otherwise,
  } = value as Record<string, unknown>;
  const given = [version, percent, failure, step].filter((one) => one !== undefined && one !== null);
  // Whoever names two things does not know which of them is told.
  if (given.length !== 1) throw nothing();
  const about = module === undefined || module === null || module === '' ? {} : { module };
  if (version !== undefined && version !== null)
    return { version: firmwareName(trimmed(version), 'version'), ...about };
  const read = () => {
    if (percent !== undefined && percent !== null) return readPercent(percent, 'percent');
    if (failure !== undefined && failure !== null) return readFailure(failure, 'failure');
    return Number(step) < 0 ? readFailure(step, 'step') : readPercent(step, 'step');
  };
  return { step: read(), description: readDescription(description), ...about };
}

/** The platform's lowest is 1. */
function readPercent(value: unknown, field: string): number {
  const number = toNumber(value);
  if (number === undefined || number < 0 || number > 100) {
    throw invalidInput('notPercent', `${field} is no number from 0 to 100`, { field });
  }
  return Math.max(1, Math.round(number));
}

function readFailure(value: unknown, field: string): number {
  const number = toNumber(value);
  if (number !== undefined && FAILURES.has(number)) return number;
  throw invalidInput('notFailureStep', `${field} is none of -1, -2, -3, -4`, { field });
}

function readDescription(value: unknown): string | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  const text = value instanceof Error ? value.message : typeof value === 'object' ? toText(value) : value;
  return String(text).slice(0, LONGEST_DESCRIPTION);
}

function toText(value: object): string {
  const json = toJson(value);
  if (json.ok) return JSON.stringify(json.value);
  const field = 'description';
  throw invalidInput('notJsonValue', `${field}: ${json.found} cannot be sent`, { field, value: json.found });
}

function toNumber(value: unknown): number | undefined {
  const isNumber = typeof value === 'number' || (typeof value === 'string' && value.trim() !== '');
  return isNumber && Number.isFinite(Number(value)) ? Number(value) : undefined;
}

function trimmed(value: unknown): unknown {
  return typeof value === 'string' ? value.trim() : value;
}

function nothing() {
  return invalidInput('noOtaReport', 'the payload must have exactly one of version, percent, failure, step');
}
