import { kept, type Message, type Store } from './runtime';

/** A request of the platform that waits until all of it is done. */
interface Waiting {
  alink: unknown;
  device: unknown;
  left: number;
  /** Why it failed; empty while it has not. */
  reason: string;
  since: number;
}

const FORGOTTEN_AFTER_MS = 60_000;
const MOST_WAITING = 500;

/**
 * Remembers a request, because not everything of a message comes back through other collections' nodes.
 * @returns the topic by which its parts are told
 */
export function waitFor(store: Store, { alink, device }: Message, parts: number, now: number): string {
  const waiting = kept<Waiting>(store, 'waiting');
  // In the order in which they came.
  for (const [i, [topic, { since }]] of Object.entries(waiting).reverse().entries()) {
    if (now - since > FORGOTTEN_AFTER_MS || i >= MOST_WAITING - 1) delete waiting[topic];
  }
  const topic = `write/${now}/${Math.random().toString(36).slice(2)}`;
  waiting[topic] = { alink, device, left: parts, reason: '', since: now };
  store.set('waiting', waiting);
  return topic;
}

/**
 * One part is done.
 * @param reason why it failed; empty when it did not
 * @returns the answer for `alink-service-reply` with the last part, or nothing
 */
export function partDone(store: Store, topic: unknown, reason: string): Message | undefined {
  const waiting = kept<Waiting>(store, 'waiting');
  const request = typeof topic === 'string' && Object.hasOwn(waiting, topic) ? waiting[topic] : undefined;
  if (request === undefined || typeof topic !== 'string') return undefined;
  request.left -= 1;
  request.reason ||= reason;
  if (request.left <= 0) delete waiting[topic];
  store.set('waiting', waiting);
  if (request.left > 0) return undefined;
  return replyTo(
    { alink: request.alink, device: request.device },
    request.reason === '' ? 200 : 400,
    request.reason,
  );
}

/** None of what waits will be done. @returns the answers */
export function failAll(store: Store, reason: string): Message[] {
  const waiting = Object.values(kept<Waiting>(store, 'waiting'));
  store.set('waiting', {});
  return waiting.map(({ alink, device }) => replyTo({ alink, device }, 400, reason));
}

/** A message for `alink-service-reply`. */
export function replyTo(
  { alink, device }: Message,
  code: number,
  reason: string,
  payload: object = {},
): Message {
  return { alink, device, payload, code, reason };
}
