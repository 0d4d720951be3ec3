import { type DeviceNames, hasPassed, type Message, type Store } from './runtime';

/** A request for `modbus-flex-getter`. */
export interface ReadRequest extends Message {
  /** By it an answer finds its read again; nothing else survives an error of the Modbus nodes. */
  topic: string;
  device: DeviceNames;
  payload: { fc: number; unitid: number; address: number; quantity: number };
}

/** What a server is asked: one request at a time, as a serial line behind it would carry them. */
interface Polling {
  /** Those whose time has come and that have no answer yet, each once, in the order in which they are asked. */
  due: ReadRequest[];
  /** Topic of the one that is on its way; empty when there is none. */
  asked: string;
  since: number;
}

/** An answer that has not come by then will not come: the client gives up after 1 s. */
const LOST_AFTER_MS = 10_000;

/** Adds requests whose time has come; what still waits from before is not added again. */
export function becomeDue(store: Store, requests: readonly ReadRequest[]): void {
  const polling = pollingOf(store);
  const waiting = new Set(polling.due.map(({ topic }) => topic));
  polling.due.push(...requests.filter(({ topic }) => !waiting.has(topic)));
  store.set('polling', polling);
}

/** The next request, unless one is on its way. @param may whether its device may be asked now */
export function nextDue(
  store: Store,
  now: number,
  may: (request: ReadRequest) => boolean,
): ReadRequest | undefined {
  const polling = pollingOf(store);
  if (polling.asked !== '' && !hasPassed(LOST_AFTER_MS, polling.since, now)) return undefined;
  const at = polling.due.findIndex(may);
  const [next] = at === -1 ? [] : polling.due.splice(at, 1);
  // It stays due until it has an answer, but the others come first.
  if (next !== undefined) polling.due.push(next);
  polling.asked = next?.topic ?? '';
  polling.since = now;
  store.set('polling', polling);
  // The Modbus nodes write their answer, or the error, into the message that they get.
  return next && { topic: next.topic, device: { ...next.device }, payload: { ...next.payload } };
}

/** A request is no longer on its way. @param isDone it has its answer */
export function hasCome(store: Store, topic: string, isDone: boolean): void {
  const polling = pollingOf(store);
  if (polling.asked === topic) polling.asked = '';
  if (isDone) polling.due = polling.due.filter((request) => request.topic !== topic);
  store.set('polling', polling);
}

function pollingOf(store: Store): Polling {
  return (store.get('polling') as Polling | undefined) ?? { due: [], asked: '', since: 0 };
}
