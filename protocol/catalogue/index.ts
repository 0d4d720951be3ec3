import type { DeviceIdentity } from '../identity';
import { topicMatches } from '../topic-check';
import { CUSTOM_OPERATIONS } from './custom';
import { DEVICE_INFO_OPERATIONS } from './device-info';
import { GATEWAY_OPERATIONS } from './gateway';
import { OTA_OPERATIONS } from './ota';
import { THING_OPERATIONS } from './thing';
import type { Operation } from './types';

export { checkParams } from './check-params';
export { type SubscriptionKind, subscriptions } from './subscriptions';
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

// Longer than every name; keeps the search for close names short whatever is asked.
const LONGEST_NAME = 64;

const BY_NAME = new Map<string, Operation & { name: OperationName }>(
  OPERATIONS.map((operation) => [operation.name, operation]),
);

export function isOperationName(name: string): name is OperationName {
  return BY_NAME.has(name);
}

/** The entry of an operation. @throws RangeError for a name that the catalogue does not have, with the closest ones */
export function operation(name: string): Operation & { name: OperationName } {
  const found = BY_NAME.get(name);
  if (found !== undefined) return found;
  const shown = name.slice(0, LONGEST_NAME);
  const close = [...BY_NAME.keys()]
    .map((known) => ({ known, distance: editDistance(shown, known) }))
    .sort((a, b) => a.distance - b.distance)
    .slice(0, 3)
    .map(({ known }) => known);
  throw new RangeError(`there is no operation "${shown}"; close to it are ${close.join(', ')}`);
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

/** Whether a session with `_ss=1` gets all that this topic or filter of the thing stands for without subscribing it. */
export function isAutoSubscribed({ productKey, deviceName }: DeviceIdentity, filter: string): boolean {
  const template = filter.replace(`/${productKey}/${deviceName}`, '/{pk}/{dn}');
  return AUTO_SUBSCRIBED.some((covered) => topicMatches(covered, template));
}

/** How many letters have to be put in, taken out or changed (Levenshtein). */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
