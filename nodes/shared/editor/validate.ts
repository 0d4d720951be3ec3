import { identityProblem } from '../../../protocol/identity';
import { sharedText, usesEnvironment } from './text';

/** Why a value is refused, or undefined. */
export type Check = (value: string, node: EditorNode) => string | undefined;

/** Makes what the editor wants of a check; `${ENV}` passes, because only the runtime knows its value. */
export function validator(check: Check): FieldValidator {
  // The editor takes the reason only from a function with two parameters.
  return function validate(this: EditorNode, value: unknown, _options: unknown): true | string {
    const text = value === undefined || value === null ? '' : String(value).trim();
    if (usesEnvironment(text)) return true;
    return check(text, this) ?? true;
  };
}

/** A number within bounds; empty is allowed when the runtime has a default. */
export function numberCheck(min: number, max: number, options: { integer: boolean }): Check {
  return (value) => {
    if (value === '') return undefined;
    const number = Number(value);
    const fits = Number.isFinite(number) && number >= min && number <= max;
    if (fits && (!options.integer || Number.isInteger(number))) return undefined;
    return sharedText('validate.range', { min, max });
  };
}

/** ProductKey or DeviceName of something that exists. */
export const identityCheck: Check = (value) => {
  const problem = identityProblem(value);
  return problem === undefined ? undefined : sharedText(`validate.identity.${problem}`);
};

/** A JSON object, or nothing. */
export const jsonObjectCheck: Check = (value) => {
  if (value === '') return undefined;
  try {
    const document: unknown = JSON.parse(value);
    if (typeof document === 'object' && document !== null && !Array.isArray(document)) return undefined;
    return sharedText('validate.jsonObject');
  } catch (error) {
    return sharedText('validate.json', { reason: error instanceof Error ? error.message : String(error) });
  }
};

/** The config node that this field points at exists and is complete. */
export function referenceCheck(kind: 'device' | 'platform'): Check {
  return (value) => {
    if (value === '' || value === '_ADD_') return sharedText(`validate.reference.${kind}Missing`);
    const target = RED.nodes.node(value);
    if (!target) return sharedText(`validate.reference.${kind}Unknown`);
    return target.valid === false ? sharedText(`validate.reference.${kind}Invalid`) : undefined;
  };
}

/** Identifier of a property or event; modules of newer thing models write `block:identifier`. */
export const identifierCheck: Check = (value) =>
  value === '' || /^\w{1,50}(:\w{1,50})?$/.test(value) ? undefined : sharedText('validate.identifier');

/** Host names with commas between them, exact or with `*.` in front. */
export const hostsCheck: Check = (value) => {
  const hosts = value.split(/[\s,;]+/).filter((host) => host !== '');
  const wrong = hosts.find((host) => !/^(\*\.)?[\w]([\w.-]*\w)?$|^\[?[\da-f:.]+\]?$/i.test(host));
  return wrong === undefined ? undefined : sharedText('validate.hostName', { host: wrong });
};
