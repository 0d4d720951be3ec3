import { CUSTOM_OPERATIONS } from './custom';
import { DEVICE_INFO_OPERATIONS } from './device-info';
import { GATEWAY_OPERATIONS } from './gateway';
import { OTA_OPERATIONS } from './ota';
import { THING_OPERATIONS } from './thing';
import type { Operation } from './types';

export * from './types';

const ENTRIES = [
  ...THING_OPERATIONS,
  ...DEVICE_INFO_OPERATIONS,
  ...GATEWAY_OPERATIONS,
  ...OTA_OPERATIONS,
  ...CUSTOM_OPERATIONS,
] as const;

/** Name of an operation; the method where the protocol has one. */
export type OperationName = (typeof ENTRIES)[number]['name'];

/** Every operation of sections B.1–B.6 and B.8. */
export const OPERATIONS: ReadonlyArray<Operation & { name: OperationName }> = ENTRIES;

const BY_NAME = new Map<string, Operation & { name: OperationName }>(
  OPERATIONS.map((operation) => [operation.name, operation]),
);

export function isOperationName(name: string): name is OperationName {
  return BY_NAME.has(name);
}

/** The entry of an operation. @throws RangeError for a name that the catalogue does not have */
export function operation(name: string): Operation & { name: OperationName } {
  const found = BY_NAME.get(name);
  if (found === undefined) throw new RangeError(`there is no operation "${name}"`);
  return found;
}

/**
 * Topic filters under which a session with `_ss=1` gets messages without subscribing (A.9): `+` stands for
 * every placeholder but the device's own names, which stay `{pk}` and `{dn}`.
 */
export const AUTO_SUBSCRIBED: readonly string[] = [
  ...new Set(
    OPERATIONS.filter(({ autoSubscribed }) => autoSubscribed !== undefined).map(
      ({ autoSubscribed, topic, replyTopic }) =>
        (autoSubscribed === 'reply' ? (replyTopic ?? topic) : topic).replace(/\{(?!pk|dn)\w+\}/g, '+'),
    ),
  ),
];
