import {
  formatLogTime,
  isJsonObject,
  type Json,
  type JsonObject,
  type Operation,
  toJson,
} from '../../protocol';
import { type InputRule, invalidInput } from '../shared/invalid-input';
import type { MessageValues } from '../shared/runtime-messages';
import { AUTOMATIC, ENTRY_NAME, entryFields, type Field } from './options';

/** Where the parameters come from; with `both` the message wins, parameter by parameter. */
export type ParameterSource = 'form' | 'payload' | 'both';

/** Values of the form, one record per entry; fields that were left empty are absent. */
export type FormEntries = ReadonlyArray<Readonly<Record<string, unknown>>>;

/**
 * Params of a request as the catalogue describes them.
 * In a list or a map the first entry of the form fills what entries of the payload leave out.
 * @throws AlinkError `invalidInput` naming the parameter
 */
export function requestParams(
  operation: Operation,
  form: FormEntries,
  payload: unknown,
  source: ParameterSource,
  now: Date = new Date(),
): Json {
  if (operation.params === 'none') return {};
  const given = source === 'form' || isNothing(payload) ? undefined : asJson('msg.payload', payload);
  const written = source === 'payload' ? [] : form;
  const entries = (given === undefined ? written : merged(operation, written[0] ?? {}, given)).map((entry) =>
    checkedEntry(operation, entry, now),
  );
  return shaped(operation, entries);
}

function merged(
  operation: Operation,
  defaults: Readonly<Record<string, unknown>>,
  given: Json,
): Array<Record<string, unknown>> {
  const { params } = operation;
  if (params === 'listOfTexts') {
    return (Array.isArray(given) ? given : [given]).map((value) => ({ [ENTRY_NAME.name]: value }));
  }
  if (params === 'map') {
    const rest = Object.entries(defaults).filter(([name]) => name !== ENTRY_NAME.name);
    return Object.entries(object('msg.payload', given)).map(([name, value]) => ({
      ...Object.fromEntries(rest),
      ...object(name, value),
      [ENTRY_NAME.name]: name,
    }));
  }
  const list = params === 'listOfObjects' && Array.isArray(given) ? given : [given];
  return list.map((value) => ({ ...defaults, ...object('msg.payload', value) }));
}

// Parameters that the catalogue does not know pass: the platform's check is the one that counts.
function checkedEntry(
  operation: Operation,
  entry: Readonly<Record<string, unknown>>,
  now: Date,
): Map<string, Json> {
  const checked = new Map<string, Json>();
  const fields = new Map(entryFields(operation).map((field) => [field.name, field]));
  for (const [name, value] of Object.entries(entry)) {
    const field = fields.get(name);
    if (isNothing(value) || field?.type === 'bytes') continue;
    checked.set(name, field === undefined ? asJson(name, value) : coerced(field, value));
  }
  for (const { name, type, required, default: standard } of fields.values()) {
    if (checked.has(name) || type === 'bytes') continue;
    if (AUTOMATIC.has(name)) checked.set(name, formatLogTime(now.getTime()));
    else if (required && standard !== undefined) checked.set(name, standard);
    else if (required) throw invalid('missing', name, 'is missing');
  }
  return checked;
}

function shaped({ params }: Operation, entries: ReadonlyArray<Map<string, Json>>): Json {
  const name = (entry: Map<string, Json>) => String(entry.get(ENTRY_NAME.name));
  switch (params) {
    case 'listOfTexts':
      return entries.map(name);
    case 'listOfObjects':
      return entries.map((entry) => Object.fromEntries(entry));
    case 'map':
      return Object.fromEntries(
        entries.map((entry) => {
          const { [ENTRY_NAME.name]: _, ...rest } = Object.fromEntries(entry);
          return [name(entry), rest];
        }),
      );
    default:
      return Object.fromEntries(entries[0] ?? []);
  }
}

function coerced({ name, type, values }: Field, given: unknown): Json {
  const value = convert(name, type, asJson(name, given));
  if (values !== undefined && !values.some((known) => known === value)) {
    throw invalid('notOneOf', name, `is none of ${values.join(', ')}`, { expected: values.join(', ') });
  }
  return value;
}

function convert(name: string, type: Field['type'], value: Json): Json {
  switch (type) {
    case 'text':
      return typeof value === 'object' ? JSON.stringify(value) : String(value);
    case 'number':
    case 'time': {
      const number = typeof value === 'string' || typeof value === 'number' ? Number(value) : Number.NaN;
      if (!Number.isFinite(number)) throw invalid('notANumber', name, 'is not a number');
      return number;
    }
    case 'boolean':
      if (value === true || value === 'true') return true;
      if (value === false || value === 'false') return false;
      throw invalid('notABoolean', name, 'is neither true nor false');
    case 'object':
    case 'identity':
      return object(name, value);
    case 'list':
      if (Array.isArray(value)) return value;
      throw invalid('notAList', name, 'is not a list');
    default:
      return value;
  }
}

function object(name: string, value: Json): JsonObject {
  if (isJsonObject(value)) return value;
  throw invalid('notAnObject', name, 'is not an object');
}

function asJson(name: string, value: unknown): Json {
  const json = toJson(value);
  if (json.ok) return json.value;
  throw invalid('notJsonValue', name, `${json.found} cannot be sent`, { value: json.found });
}

function isNothing(value: unknown): boolean {
  return value === undefined || value === null || value === '';
}

/**
 * The bytes of a file, as a message or the form gives them.
 * @throws AlinkError `invalidInput` for anything but bytes and text
 */
export function fileContent(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value;
  if (typeof value === 'string') return Buffer.from(value);
  throw invalid('notBytes', 'content', 'is neither a buffer nor text');
}

function invalid(rule: InputRule, field: string, problem: string, values: MessageValues = {}): Error {
  return invalidInput(rule, `${field}: ${problem}`, { ...values, field });
}
