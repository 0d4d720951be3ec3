import { type Said, spoken, type Words } from '../said';
import { kept, type Message, type Store } from './runtime';

/** A request of the platform that waits until all of it is done. */
interface Waiting {
  alink: unknown;
  device: unknown;
  left: number;
  /** Why it failed, if it has. */
  failure?: Said;
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
  waiting[topic] = { alink, device, left: parts, since: now };
  store.set('waiting', waiting);
  return topic;
}

/**
 * One part is done.
 * @param failure why it failed; undefined when it did not
 * @returns the answer for `alink-service-reply` with the last part, or nothing
 */
export function partDone(store: Store, topic: unknown, failure: Said | undefined): Message | undefined {
  const waiting = kept<Waiting>(store, 'waiting');
  const request = typeof topic === 'string' && Object.hasOwn(waiting, topic) ? waiting[topic] : undefined;
  if (request === undefined || typeof topic !== 'string') return undefined;
  request.left -= 1;
  if (failure !== undefined) request.failure ??= failure;
  if (request.left <= 0) delete waiting[topic];
  store.set('waiting', waiting);
  if (request.left > 0) return undefined;
  return replyTo(
    { alink: request.alink, device: request.device },
    request.failure === undefined ? 200 : 400,
    request.failure,
  );
}

/** None of what waits will be done. @returns the answers */
export function failAll(store: Store, failure: Said): Message[] {
  const waiting = Object.values(kept<Waiting>(store, 'waiting'));
  store.set('waiting', {});
  return waiting.map(({ alink, device }) => replyTo({ alink, device }, 400, failure));
}

/** A message for `alink-service-reply`, once its reason is put into words. */
export function replyTo(
  { alink, device }: Message,
  code: number,
  reason: Said | undefined,
  payload: object = {},
): Message {
  return { alink, device, payload, code, reason };
}

/** A reply as `alink-service-reply` takes it; the platform shows the reason to people. */
export function inWords(reply: Message, words: Words): Message {
  return { ...reply, reason: reply.reason === undefined ? '' : spoken(reply.reason as Said, words) };
}
