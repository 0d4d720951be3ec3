import { isJsonObject, type Json, type JsonObject } from '../../envelope';
import { type Said, type Sentence, said, spoken } from '../said';
import type { ModelProblem } from '../types';

const MOST_PROBLEMS = 500;

/** An entry of a list together with where it stands. */
export interface Entry {
  body: JsonObject;
  path: string;
}

/** What a number field may be. */
export interface NumberRule {
  least: number;
  most: number;
  whole?: boolean;
  /** Taken when the field is missing or wrong. */
  assumed: number;
}

/** Collects what is wrong; no more than 500 entries, however bad the document is. */
export class Problems {
  readonly list: ModelProblem[] = [];
  #more = 0;

  leftOut(path: string, sentence: Sentence, values: Said['values'] = {}): undefined {
    return this.#add(problem(path, 'leftOut', said(sentence, values)));
  }

  assumed(path: string, sentence: Sentence, values: Said['values'] = {}): undefined {
    return this.#add(problem(path, 'assumed', said(sentence, values)));
  }

  /** All, with a last one that counts what had no room. */
  all(): ModelProblem[] {
    if (this.#more === 0) return this.list;
    return [...this.list, problem('$', 'leftOut', said('{more} more problems', { more: this.#more }))];
  }

  #add(problem: ModelProblem): undefined {
    if (this.list.length < MOST_PROBLEMS) this.list.push(problem);
    else this.#more++;
  }
}

function problem(path: string, effect: ModelProblem['effect'], what: Said): ModelProblem {
  return { path, reason: spoken(what), said: what, effect };
}

/** Only what the document itself says, nothing inherited. */
export function field(body: JsonObject, name: string): Json | undefined {
  const value = Object.hasOwn(body, name) ? body[name] : undefined;
  return value === null ? undefined : value;
}

/** Objects of a list; documents hold `""` where an empty list is meant (H.1). */
export function entries(from: Entry, name: string, most: number, problems: Problems): Entry[] {
  const value = field(from.body, name);
  const at = under(from.path, name);
  if (value === undefined || value === '') return [];
  // The guide types the lists as objects; a single one is read as a list of it.
  const list = isJsonObject(value) ? [value] : value;
  if (!Array.isArray(list)) {
    problems.leftOut(at, 'is not a list');
    return [];
  }
  if (list.length > most)
    problems.leftOut(at, 'has {length} entries, only the first {most} are read', {
      length: list.length,
      most,
    });
  return list.slice(0, most).flatMap((body, i) => {
    const path = `${at}[${i}]`;
    if (isJsonObject(body)) return [{ body, path }];
    problems.leftOut(path, 'is not an object');
    return [];
  });
}

/** In fields of its nodes Node-RED puts environment variables in the place of these. */
const ENVIRONMENT = /^\$(\{\S+\}|\(\S+\))$/;

/**
 * Text without control characters, which names no environment variable: whoever sends a document must not have one told to
 * a server of his.
 * @returns undefined when it is missing or cannot be used
 */
export function text(from: Entry, name: string, longest: number): string | undefined {
  const value = field(from.body, name);
  const given = typeof value === 'number' ? String(value) : value;
  if (typeof given !== 'string' || given.length > longest || /\p{Cc}/u.test(given)) return undefined;
  const trimmed = given.trim();
  return trimmed === '' || ENVIRONMENT.test(trimmed) ? undefined : trimmed;
}

/** Text that must be there. */
export function needText(from: Entry, name: string, longest: number, problems: Problems): string | undefined {
  const found = text(from, name, longest);
  if (found === undefined)
    problems.leftOut(under(from.path, name), 'is not text of 1–{longest} characters', { longest });
  return found;
}

/** A number or a decimal number as text. */
export function number(from: Entry, name: string, rule: NumberRule, problems: Problems): number {
  const value = field(from.body, name);
  if (value === undefined || value === '') return rule.assumed;
  const read = readNumber(value);
  if (read !== undefined && isWithin(read, rule)) return read;
  problems.assumed(
    under(from.path, name),
    rule.whole
      ? '{value} is not a whole number from {least} to {most}; {assumed} is taken'
      : '{value} is not from {least} to {most}; {assumed} is taken',
    { value: show(value), least: rule.least, most: rule.most, assumed: rule.assumed },
  );
  return rule.assumed;
}

export function readNumber(value: Json): number | undefined {
  if (typeof value === 'boolean') return Number(value);
  if (typeof value !== 'number' && !(typeof value === 'string' && value.trim() !== '')) return undefined;
  const read = Number(value);
  return Number.isFinite(read) ? read : undefined;
}

export function isWithin(value: number, { least, most, whole }: Omit<NumberRule, 'assumed'>): boolean {
  return value >= least && value <= most && (!whole || Number.isInteger(value));
}

export function under(path: string, name: string): string {
  return path === '$' ? name : `${path}.${name}`;
}

/** A value for a message: short, on one line. */
export function show(value: Json | undefined): string {
  const written = value === undefined ? 'nothing' : JSON.stringify(value);
  return written.length > 40 ? `${written.slice(0, 40)}…` : written;
}
