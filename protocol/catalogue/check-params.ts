import { isJsonObject, type Json, type JsonObject } from '../envelope';
import { utf8Length } from '../identity';
import type { Problem, Rule } from '../thing-model/types';
import type { Operation, Parameter, ParameterType } from './types';

/** What the platform answers to a request with wrong parameters. */
const PARAMETER_ERROR = 460;
/** Found and told; the rest of a list that is wrong throughout says nothing new. */
const MOST_PROBLEMS = 20;
/** As much of a wrong value as a message shows. */
const SHOWN_CHARACTERS = 50;
/** Beyond the years that a date can have. */
const LATEST_TIME = 8.64e15;
const WHOLE = 'params';

type Checked = Pick<Operation, 'params' | 'parameters' | 'limits'>;
type Tell = (path: string, rule: Rule, details?: Problem['details']) => void;

/** What a parameter of a type may be; a time is a number of milliseconds or its digits (B.3 row 39). */
const TYPES: Record<ParameterType, { fits: (value: Json) => boolean; rule: Rule }> = {
  text: { fits: (value) => typeof value === 'string', rule: 'notText' },
  number: { fits: (value) => typeof value === 'number' && Number.isFinite(value), rule: 'notNumber' },
  boolean: { fits: (value) => typeof value === 'boolean', rule: 'notBoolean' },
  object: { fits: isJsonObject, rule: 'notStruct' },
  list: { fits: Array.isArray, rule: 'notArray' },
  identity: { fits: isIdentity, rule: 'notStruct' },
  time: { fits: isTime, rule: 'badTime' },
  any: { fits: () => true, rule: 'notJsonValue' },
};

/** Which value a named limit is about: within each entry, or of all params; undefined where there is none. */
const LIMITED: Readonly<
  Record<string, { rule: Rule; of: 'entry' | 'all'; path?: string; measure: (value: Json) => number }>
> = {
  items: { rule: 'tooManyElements', of: 'all', measure: count },
  properties: { rule: 'tooManyElements', of: 'all', measure: count },
  keyBytes: { rule: 'tooManyBytes', of: 'entry', path: 'attrKey', measure: bytes },
  contentBytes: { rule: 'tooManyBytes', of: 'entry', path: 'logContent', measure: bytes },
  reportedAttributes: { rule: 'tooManyElements', of: 'entry', path: 'state.reported', measure: count },
  fileBytes: { rule: 'tooManyBytes', of: 'entry', path: 'fileSize', measure: size },
};

/**
 * Checks the params of a request against the catalogue: shape, required parameters, types, closed sets of values and
 * limits (B, D). Parameters that the catalogue does not know pass: the platform's check is the one that counts.
 * @returns the first 20 broken rules with the parameter's path, such as `params[2].attrKey`; none when it may be sent
 */
export function checkParams(operation: Checked, params: Json): Problem[] {
  const problems: Problem[] = [];
  const tell: Tell = (path, rule, details = {}) => {
    problems.push({ path, rule, code: PARAMETER_ERROR, details });
  };
  const limits = Object.entries(operation.limits ?? {});
  for (const [name, limit] of limits) {
    const limited = LIMITED[name];
    if (limited?.of === 'all') checkLimit(WHOLE, params, limited, limit, tell);
  }
  for (const [path, entry] of entries(operation, params, tell)) {
    if (problems.length >= MOST_PROBLEMS) break;
    for (const parameter of operation.parameters) {
      checkParameter(join(path, parameter.name), parameter, own(entry, parameter.name), tell);
    }
    for (const [name, limit] of limits) {
      const limited = LIMITED[name];
      if (limited?.path === undefined) continue;
      checkLimit(join(path, limited.path), at(entry, limited.path), limited, limit, tell);
    }
  }
  return problems.slice(0, MOST_PROBLEMS);
}

/** The objects whose parameters the catalogue describes, each with its path. */
function* entries(
  { params: shape }: Checked,
  params: Json,
  tell: Tell,
): Generator<readonly [path: string, entry: JsonObject]> {
  switch (shape) {
    case 'object':
    case 'none':
      if (isJsonObject(params)) yield ['', params];
      else tell(WHOLE, 'notStruct', { value: shown(params) });
      break;
    case 'map':
      if (isJsonObject(params)) yield* objects(Object.entries(params), (name) => `${WHOLE}.${name}`, tell);
      else tell(WHOLE, 'notStruct', { value: shown(params) });
      break;
    case 'listOfObjects':
      if (Array.isArray(params)) yield* objects(params.entries(), (index) => `${WHOLE}[${index}]`, tell);
      else tell(WHOLE, 'notArray', { value: shown(params) });
      break;
    case 'listOfTexts':
      if (!Array.isArray(params)) tell(WHOLE, 'notArray', { value: shown(params) });
      else {
        const index = params.findIndex((value) => typeof value !== 'string');
        if (index >= 0) tell(`${WHOLE}[${index}]`, 'notText', { value: shown(params[index] ?? null) });
      }
      break;
    default:
      break;
  }
}

function* objects<K extends string | number>(
  list: Iterable<[K, Json]>,
  pathOf: (key: K) => string,
  tell: Tell,
): Generator<readonly [path: string, entry: JsonObject]> {
  for (const [key, value] of list) {
    if (isJsonObject(value)) yield [pathOf(key), value];
    else {
      tell(pathOf(key), 'notStruct', { value: shown(value) });
      return;
    }
  }
}

function checkParameter(
  path: string,
  { type, required, values }: Parameter,
  value: Json | undefined,
  tell: Tell,
): void {
  if (value === undefined || value === null) {
    if (required) tell(path, 'missing');
    return;
  }
  const { fits, rule } = TYPES[type];
  if (!fits(value)) tell(path, rule, { value: shown(value) });
  else if (values !== undefined && !values.some((known) => known === value)) {
    tell(path, 'notEnum', { value: shown(value), expected: values.join(', ') });
  }
}

function checkLimit(
  path: string,
  value: Json | undefined,
  { rule, measure }: { rule: Rule; measure: (value: Json) => number },
  limit: number,
  tell: Tell,
): void {
  const measured = value === undefined ? 0 : measure(value);
  if (measured > limit) tell(path, rule, { value: measured, limit });
}

function count(value: Json): number {
  if (Array.isArray(value)) return value.length;
  return isJsonObject(value) ? Object.keys(value).length : 0;
}

function bytes(value: Json): number {
  return typeof value === 'string' ? utf8Length(value) : 0;
}

function size(value: Json): number {
  return typeof value === 'number' ? value : 0;
}

function isIdentity(value: Json): boolean {
  return (
    isJsonObject(value) &&
    typeof own(value, 'productKey') === 'string' &&
    typeof own(value, 'deviceName') === 'string'
  );
}

function isTime(value: Json): boolean {
  const time = typeof value === 'string' && /^\d{1,16}$/.test(value) ? Number(value) : value;
  return typeof time === 'number' && Number.isInteger(time) && time >= 0 && time <= LATEST_TIME;
}

// What an object inherits is none of the message.
function own(object: JsonObject, name: string): Json | undefined {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

function at(object: JsonObject, path: string): Json | undefined {
  let value: Json | undefined = object;
  for (const name of path.split('.')) value = isJsonObject(value) ? own(value, name) : undefined;
  return value;
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}

function shown(value: Json): string {
  return (JSON.stringify(value) ?? String(value)).slice(0, SHOWN_CHARACTERS);
}
