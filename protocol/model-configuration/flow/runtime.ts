import { type Said, said, saidAbout, spoken, type Words } from '../said';

// What the function nodes of generated flows run. Their text is made from these files by scripts/function-texts.mjs, so
// that it is the code that the tests know.

/** Node-RED's context, as function nodes have it. */
export interface Store {
  get(name: string): unknown;
  set(name: string, value: unknown): void;
}

/** What function nodes know of themselves. */
export interface FunctionNode {
  status(status: { fill?: string; shape?: string; text?: string }): void;
  warn(text: string): void;
}

/** A function node and the words of its user. */
export interface Voice {
  node: FunctionNode;
  words: Words;
}

export interface Message {
  topic?: unknown;
  payload?: unknown;
  [name: string]: unknown;
}

export interface DeviceNames {
  productKey: string;
  deviceName: string;
}

/** Names a device in topics and in the context. */
export function deviceKey({ productKey, deviceName }: DeviceNames): string {
  return `${productKey}/${deviceName}`;
}

/** An object of the context, made when it is not there; keys must hold a slash, which nothing inherited does. */
export function kept<T>(store: Store, name: string): Record<string, T> {
  const value = store.get(name);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, T>;
  const fresh: Record<string, T> = {};
  store.set(name, fresh);
  return fresh;
}

/** Whether so many ms have gone by; a clock that was set back must not stop anything. */
export function hasPassed(ms: number, since: number, now: number): boolean {
  const waited = now - since;
  return waited < 0 || waited >= ms;
}

/** The key of what is told of the server itself. */
export const SERVER = 'the server';

/**
 * Warns of something once, until it changes; a device that is away must not fill the log.
 * @param key what it is about; begins with `{productKey}/{deviceName}`
 * @param what undefined when there is nothing (any more)
 */
export function tell(store: Store, { node, words }: Voice, key: string, what: Said | undefined): void {
  const told = kept<string>(store, 'told');
  const text = what === undefined ? '' : spoken(what, words);
  const about = (name: string, problem: string) =>
    spoken(saidAbout(name === SERVER ? said(SERVER) : name, problem), words);
  if ((told[key] ?? '') === text) return;
  if (text === '') delete told[key];
  else told[key] = text;
  store.set('told', told);
  if (text !== '') node.warn(about(key, text));
  const [problem] = Object.entries(told);
  if (problem === undefined) node.status({ fill: 'green', shape: 'dot', text: '' });
  else node.status({ fill: 'yellow', shape: 'ring', text: about(...problem).slice(0, 80) });
}

/** The sentence of an error; that of a function node is none of this realm, so its class says nothing. */
export function messageOf(error: unknown): string {
  const message = typeof error === 'object' && error !== null && 'message' in error ? error.message : error;
  return typeof message === 'string' ? message : '';
}
