import type { CHINESE } from './chinese';
import type { CHINESE_PROBLEMS } from './chinese-problems';

// What is said where values are read and written. It is made from an English sentence and values, so that the function
// nodes of generated flows can say it in another language: a table goes with their text, and the code stays the same.

/** An English sentence; `{name}` stands for a value. */
export type Sentence = keyof typeof CHINESE | keyof typeof CHINESE_PROBLEMS;

/** A sentence with its values; what others say (a server, a client) is a value as it is. */
export interface Said {
  sentence: Sentence;
  values: Readonly<Record<string, string | number | Said>>;
}

/** Sentences in another language, by the English ones. */
export type Words = Readonly<Record<string, string>>;

/** Values may be of any length, and what is said goes into logs and to the platform. */
const LONGEST_VALUE = 200;

export function said(sentence: Sentence, values: Said['values'] = {}): Said {
  return { sentence, values };
}

/** @param words of the language; English where a sentence is not among them */
export function spoken({ sentence, values }: Said, words: Words = {}): string {
  const text = Object.hasOwn(words, sentence) ? (words[sentence] ?? sentence) : sentence;
  return text.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = values[name] ?? '';
    if (typeof value === 'object') return spoken(value, words);
    const given = String(value);
    return given.length > LONGEST_VALUE ? `${given.slice(0, LONGEST_VALUE)}…` : given;
  });
}

/** One thing about another, for example a reason about a property. */
export function saidAbout(about: string | Said, what: string | Said): Said {
  return said('{about}: {what}', { about, what });
}

/** Several in one. @returns undefined when there are none */
export function saidTogether(list: readonly Said[]): Said | undefined {
  const [first, ...rest] = list;
  return first && rest.reduce((one, other) => said('{one}; {other}', { one, other }), first);
}

/** An error whose message is in English, and that can be said in other languages. */
export class SaidError extends Error {
  constructor(readonly said: Said) {
    super(spoken(said));
    this.name = 'SaidError';
  }
}

/** What an error says; one that is none of ours is told as it is. */
export function saidBy(thrown: unknown): Said {
  return thrown instanceof SaidError
    ? thrown.said
    : said('an unexpected error: {error}', { error: String(thrown) });
}
