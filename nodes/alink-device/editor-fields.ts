import { KEEP_ALIVE_SECONDS, LONGEST_CLIENT_ID } from '../../protocol/connect';
import { currentValue } from '../shared/editor/dialog';
import { text } from '../shared/editor/text';
import {
  type Check,
  identityCheck,
  jsonObjectCheck,
  numberCheck,
  referenceCheck,
} from '../shared/editor/validate';

export const TYPE = 'alink-device';
export const KIND = 'node-config-input';

/** What a credential field holds when the runtime has one that it does not show. */
export const MASK = '__PWRD__';

/** Authentications that are signed with the product's secret at first. */
export const WITH_PRODUCT_SECRET: readonly string[] = [
  'productSecretHttps',
  'productSecretMqtt',
  'noPreRegistration',
  'productRegister',
];

/** Ways to a secret that a sub-device has; a device of its own has others besides the first. */
export const OF_SUB_DEVICES: readonly string[] = ['deviceSecret', 'subRegister', 'productRegister'];

export function isSubDevice(node: EditorNode): boolean {
  return currentValue(node, KIND, 'role') === 'subDevice';
}

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
export const loginsPerSecondCheck = numberCheck(0, 10_000, { integer: false });
export const loginBatchCheck = numberCheck(1, 50, { integer: true });

/** A sub-device is on its gateway's platform and has none of its own. */
export const platformCheck: Check = (value, node) =>
  isSubDevice(node) ? undefined : referenceCheck('platform')(value, node);

/** The gateway exists, is one, and is deployed; with reasons for what the runtime would refuse. */
export const gatewayCheck: Check = (value, node) => {
  if (!isSubDevice(node)) return undefined;
  if (value === '' || value === '_ADD_') return text(TYPE, 'validate.gateway.missing');
  if (value === node.id) return text(TYPE, 'validate.gateway.itself');
  const gateway = RED.nodes.node(value);
  if (!gateway) return text(TYPE, 'validate.gateway.unknown');
  if (gateway.d === true) return text(TYPE, 'validate.gateway.disabled');
  if (gateway.role !== 'gateway') return text(TYPE, 'validate.gateway.notGateway');
  return gateway.valid === false ? text(TYPE, 'validate.gateway.invalid') : undefined;
};

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
