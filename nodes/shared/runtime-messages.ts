import type { NodeAPI } from 'node-red';
import { explainCode, type Problem, problemMessage } from '../../protocol';
import { AlinkError } from '../../sdk';

/** Strings that several nodes share stand with the platform node, which every flow has. */
const NAMESPACE = 'node-red-contrib-alink/alink-platform:';

export type MessageValues = Readonly<Record<string, string | number>>;

/**
 * Says a thing in the language of the runtime.
 * @param key path in `locales/<lang>/alink-platform.json`, for example `status.online`
 * @param fallback used when the runtime has no catalogue, as in unit tests of other collections
 */
export function say(RED: NodeAPI, key: string, values: MessageValues, fallback: string): string {
  const text = RED._(NAMESPACE + key, { ...values });
  return typeof text !== 'string' || text === '' || text.endsWith(key) ? fallback : text;
}

/** One sentence that names what is wrong and the remedy, then what the platform itself said. */
export function explainError(RED: NodeAPI, error: AlinkError): string {
  const values = {
    ...error.details,
    ...(error.details.rule === undefined ? {} : { reason: reasonOf(RED, error.details) }),
    // What keeps the gateway offline is an error of its own, with words of its own.
    ...(error.key === 'gatewayOffline' && error.cause instanceof AlinkError
      ? { reason: nameReason(RED, error.cause) }
      : {}),
    ...(error.code === undefined ? {} : { code: error.code, explanation: explanationOf(RED, error) }),
    ...(error.details.cloudCode === undefined
      ? {}
      : { explanation: explainCloudCode(RED, error.details.cloudCode) }),
  };
  const explanation =
    error.problems.length > 0
      ? explainProblems(RED, error.problems)
      : say(RED, `error.${sentenceKey(error)}`, values, error.message);
  if (!error.platformMessage) return explanation;
  const both = { explanation: explanation.trimEnd(), platform: error.platformMessage };
  return say(RED, 'error.withPlatform', both, `${both.explanation} (${both.platform})`);
}

function sentenceKey({ key, details }: AlinkError): string {
  return key === 'timeout' && details.rule !== undefined ? 'timeoutWithReason' : key;
}

/** What is wrong with input or setting; the English text when the catalogue does not have the rule. */
function reasonOf(RED: NodeAPI, details: MessageValues): string {
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
  const name = say(RED, `reason.${key}`, error.details, key);
  return error.code === undefined ? name : `${name} (${error.code})`;
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
