import type { NodeAPI } from 'node-red';
import { explainCode, type Problem, problemMessage } from '../../protocol';
import { AlinkError, type LogLine } from '../../sdk';

/** Strings that several nodes share stand with the platform node, which every flow has. */
const SHARED = 'alink-platform';

/** Nodes whose dialogs name settings that an error may be about; where several have one, the last counts. */
const SETTINGS_OF = ['alink-config-push', 'alink-ota-in', SHARED, 'alink-device'];

export type MessageValues = Readonly<Record<string, string | number>>;

/** What was said without values, by the runtime that said it: thousands of nodes come online in a moment. */
const said = new WeakMap<NodeAPI, Map<string, string>>();

/**
 * Says a thing in the language of the runtime, which stays what it was at its start.
 * @param key path in `locales/<lang>/alink-platform.json`, for example `status.online`
 * @param fallback used when the runtime has no catalogue, as in unit tests of other collections
 * @param type node whose strings have it, when they are not the shared ones
 */
export function say(
  RED: NodeAPI,
  key: string,
  values: MessageValues,
  fallback: string,
  type = SHARED,
): string {
  const path = `node-red-contrib-alink/${type}:${key}`;
  const isPlain = Object.keys(values).length === 0;
  const known = isPlain ? said.get(RED)?.get(path) : undefined;
  if (known !== undefined) return known;
  const text = RED._(path, { ...values });
  if (typeof text !== 'string' || text === '' || text.endsWith(key)) return fallback;
  if (isPlain) remember(RED, path, text);
  return text;
}

function remember(RED: NodeAPI, path: string, text: string): void {
  const texts = said.get(RED);
  if (texts) texts.set(path, text);
  else said.set(RED, new Map([[path, text]]));
}

/** One sentence that names what is wrong and the remedy, then what the platform itself said. */
export function explainError(RED: NodeAPI, error: AlinkError): string {
  const values = {
    ...error.details,
    ...(error.details.rule === undefined ? {} : { reason: explainReason(RED, error.details) }),
    ...causeOf(RED, error),
    ...(error.key === 'badSettings' ? { field: settingName(RED, error.details.field) } : {}),
    ...(error.code === undefined ? {} : { code: error.code, explanation: explanationOf(RED, error) }),
    ...(error.details.cloudCode === undefined
      ? {}
      : { explanation: explainCloudCode(RED, error.details.cloudCode) }),
  };
  const explanation =
    error.problems.length > 0
      ? explainProblems(RED, error.problems)
      : say(RED, `error.${sentenceKey(error)}`, values, error.message);
  if (!error.platformMessage || addsNothing(error.platformMessage, explanation, error)) return explanation;
  const both = { explanation: explanation.trimEnd(), platform: error.platformMessage };
  return say(RED, 'error.withPlatform', both, `${both.explanation} (${both.platform})`);
}

function sentenceKey({ key, details, cause }: AlinkError): string {
  if (key === 'timeout' && details.rule !== undefined) return 'timeoutWithReason';
  if (key === 'notAnswered' && details.kind === 'configuration') return 'configurationNotAnswered';
  return key === 'waitingTimeout' && cause instanceof AlinkError ? 'waitingTimeoutWithReason' : key;
}

/** What kept a thing offline is an error of its own, with words of its own. */
function causeOf(RED: NodeAPI, { key, cause }: AlinkError): { reason?: string } {
  if (!(cause instanceof AlinkError)) return {};
  if (key === 'gatewayOffline') return { reason: nameReason(RED, cause) };
  return key === 'waitingTimeout' ? { reason: explainError(RED, cause) } : {};
}

/** A setting as its dialog calls it; the field's own name when no dialog has it. */
function settingName(RED: NodeAPI, field: string | number | undefined): string {
  const name = String(field);
  return SETTINGS_OF.reduce((found, type) => say(RED, `label.${name}`, {}, found, type), name);
}

/** Whether the platform's own sentence is what was said already, in this language or in another. */
function addsNothing(platformMessage: string, explanation: string, { code, details }: AlinkError): boolean {
  const operationName = typeof details.operation === 'string' ? details.operation : undefined;
  const known = code === undefined ? undefined : explainCode(code, operationName);
  const said = platformMessage
    .trim()
    .replace(/[.。]$/, '')
    .toLowerCase();
  return [explanation, known?.en ?? '', known?.zh ?? ''].some((text) => text.toLowerCase().includes(said));
}

/** What is wrong with input or setting; the English text when the catalogue does not have the rule. */
export function explainReason(RED: NodeAPI, details: MessageValues): string {
  return say(RED, `input.${details.rule}`, details, String(details.reason));
}

/** What the platform's code means, in the language of the runtime as far as the result codes have it. */
function explanationOf(RED: NodeAPI, { code, details }: AlinkError): string {
  const operationName = typeof details.operation === 'string' ? details.operation : undefined;
  const found = code === undefined ? undefined : explainCode(code, operationName);
  return found?.[isChinese(RED) ? 'zh' : 'en'] ?? String(details.reason ?? '?');
}

/** What a code of the platform's API means; they are names with dots, which keys of a catalogue cannot hold. */
function explainCloudCode(RED: NodeAPI, code: string | number): string {
  const name = String(code);
  // What a device answered, or the platform's own numbers, as devices get them too.
  if (/^\d+$/.test(name)) return sentence(RED, explainCode(Number(name))) ?? '';
  const family = /^Missing[A-Z]/.test(name) ? 'Missing' : name;
  return say(RED, `cloudCode.${family.replaceAll('.', '_')}`, {}, '');
}

function sentence(RED: NodeAPI, found: { en: string; zh: string } | undefined): string | undefined {
  if (found === undefined) return undefined;
  if (isChinese(RED)) return `${found.zh}。`;
  return `${found.en.charAt(0).toUpperCase()}${found.en.slice(1)}.`;
}

function isChinese(RED: NodeAPI): boolean {
  return say(RED, 'language', {}, 'en') === 'zh';
}

/** A few words for the status line. */
export function nameReason(RED: NodeAPI, error: AlinkError): string {
  // A model that values break is not itself at fault.
  const key = error.key === 'thingModel' && error.problems.length > 0 ? 'breaksThingModel' : error.key;
  const values = key === 'badSettings' ? { field: settingName(RED, error.details.field) } : error.details;
  const name = nameCode(RED, error) ?? say(RED, `reason.${key}`, values, key);
  const whole = error.code === undefined ? name : `${name} (${error.code})`;
  return key === 'waitingTimeout' && error.cause instanceof AlinkError
    ? `${whole}: ${nameReason(RED, error.cause)}`
    : whole;
}

/** What the platform's code means in a word or two; undefined when it needs a sentence. */
export function nameCode(RED: NodeAPI, { key, code }: AlinkError): string | undefined {
  if (key !== 'platformRefused' || code === undefined) return undefined;
  return say(RED, `code.${code}`, {}, '') || undefined;
}

/** A line of a device's log, for people: what happened, and to whom it happened where that is known. */
export function explainLog(RED: NodeAPI, { event, details, error }: LogLine): string {
  const reason = details.rule === undefined ? undefined : explainReason(RED, details);
  const said = error === undefined ? reason : explainError(RED, error);
  const values = said === undefined ? details : { ...details, reason: said };
  return say(RED, `log.${event}`, values, `${event} ${JSON.stringify(details)}`);
}

/** Names each property and the rule it breaks; at most five, because the rest would not be read. */
export function explainProblems(RED: NodeAPI, problems: readonly Problem[]): string {
  const shown = problems.slice(0, 5).map((problem) => {
    const values = { path: problem.path, ...problem.details };
    return say(RED, `rule.${problem.rule}`, values, problemMessage(problem));
  });
  if (problems.length > shown.length) shown.push(`+${problems.length - shown.length}`);
  return shown.join('; ');
}
