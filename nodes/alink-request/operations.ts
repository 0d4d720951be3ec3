import { OPERATIONS, type Operation, type Parameter } from '../../protocol/catalogue';
import type { NoticeOperation } from '../../sdk/downlink/types';

/**
 * Operations that the node offers. The SDK answers those with the common envelope; shadow and NTP have shapes of
 * their own, and a file is more than its first message, so they are offered as soon as the SDK carries them out.
 */
export const OFFERED: readonly Operation[] = OPERATIONS.filter(
  ({ requestable, format, purpose }) => requestable && format === 'alink' && purpose !== 'file',
);

export const DEFAULT_OPERATION = 'thing.deviceinfo.update';

const PUSHES: ReadonlyMap<string, NoticeOperation> = new Map([
  ['job', 'thing.job.notify'],
  ['log', 'thing.config.log.push'],
]);

/** What the platform pushes of its own accord in an operation's group. */
export function pushOf({ purpose }: Operation): NoticeOperation | undefined {
  return PUSHES.get(purpose);
}

export function offered(name: string): Operation | undefined {
  return OFFERED.find((operation) => operation.name === name);
}

/** Filled in by the node when neither form nor message gives them. */
export const AUTOMATIC: ReadonlySet<string> = new Set(['utcTime']);

/** Name of an entry where the protocol gives it none: an item of a list of texts, a key of a map. */
export const ENTRY_NAME: Parameter = { name: 'identifier', type: 'text', required: true };

/** Fields of one entry of the form. */
export function entryFields({ params, parameters }: Operation): readonly Parameter[] {
  if (params === 'listOfTexts') return [ENTRY_NAME];
  return params === 'map' ? [ENTRY_NAME, ...parameters] : parameters;
}

/** Whether the form may have any number of entries. */
export function hasManyEntries({ params }: Operation): boolean {
  return params === 'listOfTexts' || params === 'listOfObjects' || params === 'map';
}

/** Key of an operation in the locales, where dots separate. */
export function localeKey(name: string): string {
  return name.replaceAll('.', '_');
}
