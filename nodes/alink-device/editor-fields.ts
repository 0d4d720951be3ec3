import { KEEP_ALIVE_SECONDS, LONGEST_CLIENT_ID } from '../../protocol/connect';
import { currentValue } from '../shared/editor/dialog';
import { text } from '../shared/editor/text';
import { type Check, identityCheck, jsonObjectCheck, numberCheck } from '../shared/editor/validate';

export const TYPE = 'alink-device';
export const KIND = 'node-config-input';

/** What a credential field holds when the runtime has one that it does not show. */
export const MASK = '__PWRD__';

/** Authentications that are signed with the product's secret at first. */
export const WITH_PRODUCT_SECRET: readonly string[] = [
  'productSecretHttps',
  'productSecretMqtt',
  'noPreRegistration',
];

/** Only a typed name is checked; one from the machine is known at run time. */
export const deviceNameCheck: Check = (value, node) =>
  currentValue(node, KIND, 'deviceNameFrom') === 'text' ? identityCheck(value, node) : undefined;

export const clientIdCheck: Check = (value) => {
  if (value.length > LONGEST_CLIENT_ID)
    return text(TYPE, 'validate.clientId.tooLong', { limit: LONGEST_CLIENT_ID });
  return value.includes('|') ? text(TYPE, 'validate.clientId.badCharacter') : undefined;
};

export const keepAliveCheck = numberCheck(KEEP_ALIVE_SECONDS.min, KEEP_ALIVE_SECONDS.max, { integer: true });
export const timeoutCheck = numberCheck(1, 3600, { integer: false });
export const portCheck = numberCheck(1, 65535, { integer: true });

export const thingModelCheck: Check = (value, node) => {
  if (currentValue(node, KIND, 'thingModelSource') !== 'paste') return undefined;
  if (value === '') return text(TYPE, 'validate.thingModel.empty');
  const problem = jsonObjectCheck(value, node);
  if (problem !== undefined) return problem;
  return countModel(value) === undefined ? text(TYPE, 'validate.thingModel.noParts') : undefined;
};

/** A secret never holds blanks inside; one with them was pasted with something else. */
export const secretCheck: Check = (value) =>
  value === MASK || !/\s/.test(value) ? undefined : text(TYPE, 'validate.secret');

export interface ModelCount {
  properties: number;
  events: number;
  services: number;
}

/** How much a thing model holds, also in its modules. @returns undefined when the text is none */
export function countModel(json: string): ModelCount | undefined {
  try {
    const document: unknown = JSON.parse(json);
    const blocks = listOf(document, 'functionBlocks');
    const parts = [document, ...blocks];
    const count = (name: string) => parts.reduce((sum: number, part) => sum + listOf(part, name).length, 0);
    const named = parts.some((part) =>
      ['properties', 'events', 'services'].some(
        (name) => typeof part === 'object' && part !== null && name in part,
      ),
    );
    if (!named) return undefined;
    return { properties: count('properties'), events: count('events'), services: count('services') };
  } catch {
    return undefined;
  }
}

function listOf(part: unknown, name: string): unknown[] {
  const list: unknown = typeof part === 'object' && part !== null ? Reflect.get(part, name) : undefined;
  return Array.isArray(list) ? list : [];
}
