import type { JsonObject } from './envelope';
import { utf8Length } from './identity';
import { LIMITS } from './limits';
import type { Problem, Rule } from './thing-model/types';

/** Levels of a log entry, the most severe first (B.3 row 37). */
export const LOG_LEVELS = ['FATAL', 'ERROR', 'WARN', 'INFO', 'DEBUG'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** One line of a device's log, before it is written as the platform wants it. */
export interface LogEntry {
  /** Milliseconds since 1970; now when absent. */
  time?: number;
  level: LogLevel;
  /** Part of the device's program that wrote it. */
  module: string;
  content: string;
  /** Result code of what is told. */
  code?: string;
  /** Id that ties entries of one request together. */
  traceContext?: string;
}

export interface LogEntryOptions {
  /** Milliseconds since 1970, for entries without a time. */
  now: number;
  /** What becomes of a content of more than 4,096 bytes; `cut` by default. */
  tooLong?: 'cut' | 'refuse';
}

/** Params of `thing.log.post`, one list for each request, and what is wrong with the entries that are in none. */
export interface LogRequests {
  requests: JsonObject[][];
  problems: Problem[];
}

const PARAMETER_ERROR = 460;
/** Room for the envelope of a request. */
const LARGEST_PARAMS = LIMITS.mqttPayloadBytes - 1024;
/** What four digits of a year can tell. */
const LATEST = Date.UTC(10_000, 0) - 1;
const EARLIEST = Date.parse('0000-01-01T00:00:00Z');
const ENCODER = new TextEncoder();

/**
 * Writes log entries as params of `thing.log.post` (B.3 row 37): times as `yyyy-MM-dd'T'HH:mm:ss.SSSZ` in UTC, contents
 * of at most 4,096 bytes, at most 40 entries and 255 KB in a request.
 */
export function encodeLogEntries(
  entries: readonly LogEntry[],
  { now, tooLong = 'cut' }: LogEntryOptions,
): LogRequests {
  const result: LogRequests = { requests: [], problems: [] };
  let open: JsonObject[] = [];
  let openBytes = 0;
  for (const [index, entry] of entries.entries()) {
    const problem = findProblem(entry, tooLong);
    if (problem !== undefined) {
      const [name, rule, details] = problem;
      result.problems.push({ path: `entries[${index}].${name}`, rule, code: PARAMETER_ERROR, details });
      continue;
    }
    const written = write(entry, now);
    const size = utf8Length(JSON.stringify(written)) + 1;
    if (open.length === LIMITS.logsPerPost || (open.length > 0 && openBytes + size > LARGEST_PARAMS)) {
      open = [];
    }
    if (open.length === 0) {
      openBytes = 0;
      result.requests.push(open);
    }
    open.push(written);
    openBytes += size;
  }
  return result;
}

/** A time as the log wants it, for example `2026-01-31T08:05:09.007+0000`. @param time ms since 1970 */
export function formatLogTime(time: number): string {
  return new Date(time).toISOString().replace('Z', '+0000');
}

type Finding = readonly [name: string, rule: Rule, details: Problem['details']];

function findProblem(entry: LogEntry, tooLong: 'cut' | 'refuse'): Finding | undefined {
  const { time, level, content } = entry;
  if (time !== undefined && !(time >= EARLIEST && time <= LATEST)) {
    return ['time', 'badTime', { value: String(time) }];
  }
  if (!LOG_LEVELS.includes(level)) {
    return ['level', 'notEnum', { value: String(level).slice(0, 50), expected: LOG_LEVELS.join(', ') }];
  }
  for (const name of ['module', 'content', 'code', 'traceContext'] as const) {
    const value: unknown = entry[name];
    if (value === undefined && (name === 'code' || name === 'traceContext')) continue;
    if (value === undefined) return [name, 'missing', {}];
    if (typeof value !== 'string') return [name, 'notText', { value: typeof value }];
  }
  const limit = LIMITS.logContentBytes;
  const value = tooLong === 'refuse' ? utf8Length(content) : 0;
  return value > limit ? ['content', 'tooManyBytes', { value, limit }] : undefined;
}

function write({ time, level, module, content, code, traceContext }: LogEntry, now: number): JsonObject {
  return {
    utcTime: formatLogTime(time ?? now),
    logLevel: level,
    module,
    ...(code === undefined ? {} : { code }),
    ...(traceContext === undefined ? {} : { traceContext }),
    logContent: cut(content),
  };
}

// Whole characters only: half of one would be something else.
function cut(content: string): string {
  if (content.length * 3 <= LIMITS.logContentBytes) return content;
  const { read } = ENCODER.encodeInto(content, new Uint8Array(LIMITS.logContentBytes));
  return content.slice(0, read);
}
