import type { Problem, Rule } from './types';

const SENTENCES: Record<Rule, (details: Problem['details']) => string> = {
  unknownIdentifier: () => 'is not in the thing model',
  readOnly: () => 'is read-only',
  notInteger: ({ value }) => `${value} is not a whole number`,
  notNumber: ({ value }) => `${value} is not a number`,
  outOfRange: ({ value = '', min = '', max = '' }) =>
    value > max ? `${value} is above the maximum ${max}` : `${value} is below the minimum ${min}`,
  notBool: ({ value }) => `${value} is not a boolean (0 or 1)`,
  notBoolean: ({ value }) => `${value} is neither true nor false`,
  notEnum: ({ value, expected }) => `${value} is not one of ${expected}`,
  notText: ({ value }) => `${value} is not text`,
  tooLong: ({ value, limit }) => `is ${value} characters long, at most ${limit} are allowed`,
  tooManyBytes: ({ value, limit }) => `has ${value} bytes, at most ${limit} are allowed`,
  notDate: ({ value }) => `${value} is not a date in milliseconds`,
  notStruct: ({ value }) => `${value} is not an object`,
  unknownMember: () => 'is not in the thing model',
  missing: () => 'is missing',
  notArray: ({ value }) => `${value} is not a list`,
  tooManyElements: ({ value, limit }) => `has ${value} elements, at most ${limit} are allowed`,
  badTime: ({ value }) => `${value} is not a time in milliseconds since 1970`,
  timeAhead: ({ value }) => `${value} is more than 24 hours ahead`,
  tooManyProperties: ({ value, limit }) => `${value} properties in one report, at most ${limit} are allowed`,
  notObject: ({ value }) => `${value} is not an object of values`,
  empty: () => 'there is nothing to report',
  badIdentifier: () => 'is not an identifier (1–50 letters, digits and _)',
  notJsonValue: ({ value }) => `${value} cannot be sent`,
};

/** English sentence that names the property and the rule, for example `temperature: 130 is above the maximum 120`. */
export function problemMessage({ path, rule, details }: Problem): string {
  return `${path}: ${SENTENCES[rule](details)}`;
}
