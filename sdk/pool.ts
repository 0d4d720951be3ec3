import { isDeepStrictEqual } from 'node:util';
import type { Connection } from './connection';
import { AlinkError } from './errors';
import type { ThingOptions } from './types';

/** A connection with those who use it. */
export interface Shared<O extends ThingOptions = ThingOptions> {
  readonly key: string;
  readonly options: O;
  readonly connection: Connection;
  /** The gateway that a sub-device stands behind; it stays open while the sub-device is used. */
  readonly parent: Shared | undefined;
  readonly children: Set<Shared>;
  /** What else has to end first. */
  onEnd: () => Promise<unknown>;
  /** Handles that are held. */
  users: number;
  /**
   * A gateway keeps this sub-device, whoever else uses it; it does not hold the gateway in turn. Settings of the
   * sub-device's own take its place.
   */
  isKept: boolean;
  lingerMs: number;
  linger: NodeJS.Timeout | undefined;
  ended: Promise<void> | undefined;
}

// What may differ between two definitions of the same thing without being a contradiction.
const NOT_COMPARED: ReadonlySet<string> = new Set(['log', 'lingerMs', 'secretStore', 'configurationStore']);

const connections = new Map<string, Shared>();
const ending = new Set<Promise<void>>();

/**
 * The connection of a thing, made when there is none: all users of a thing in this process share one, because the
 * platform throws out the older of two (A.5). Nobody uses it yet; see `hold`.
 * @throws AlinkError `definitionConflict` when it is in use with other settings
 */
export function share<O extends ThingOptions>(
  key: string,
  options: O,
  parent: Shared | undefined,
  connect: () => Connection,
): Shared {
  const known = connections.get(key);
  if (known) {
    const field = differingField(known, options, parent);
    if (field === undefined) return known;
    if (known.users > 0 && !known.isKept) throw conflict(options, field);
    void end(known);
  }
  const shared: Shared = {
    key,
    options,
    parent,
    connection: connect(),
    children: new Set(),
    onEnd: () => Promise.resolve(),
    users: 0,
    isKept: false,
    lingerMs: 0,
    linger: undefined,
    ended: undefined,
  };
  connections.set(key, shared);
  parent?.children.add(shared);
  return shared;
}

export function find(key: string): Shared | undefined {
  return connections.get(key);
}

/** One more user. @param lingerMs how long it outlives its last one */
export function hold(shared: Shared, lingerMs: number): void {
  clearTimeout(shared.linger);
  shared.linger = undefined;
  shared.lingerMs = lingerMs;
  shared.users++;
  if (shared.users === 1 && shared.parent) hold(shared.parent, shared.parent.options.lingerMs ?? 0);
}

/** One user less; resolves when it has ended, if it had to. */
export async function drop(shared: Shared): Promise<void> {
  shared.users--;
  if (shared.users > 0) return;
  const { parent, lingerMs } = shared;
  if (!shared.isKept && !shared.ended) await lingerOrEnd(shared, lingerMs);
  if (parent) await drop(parent);
}

/** A gateway keeps this sub-device. */
export function keep(shared: Shared): void {
  clearTimeout(shared.linger);
  shared.linger = undefined;
  shared.isKept = true;
}

/** A gateway keeps this sub-device no more. */
export async function dismiss(shared: Shared): Promise<void> {
  shared.isKept = false;
  if (shared.users === 0) await end(shared);
}

async function lingerOrEnd(shared: Shared, lingerMs: number): Promise<void> {
  if (lingerMs === 0) {
    await end(shared);
    return;
  }
  shared.linger = setTimeout(() => void end(shared), lingerMs);
  shared.linger.unref();
}

/** Ends a connection that was made for somebody who did not come to use it. */
export function abandon(shared: Shared): void {
  if (shared.users === 0 && shared.linger === undefined) void end(shared);
}

/** Ends a connection, whoever uses it, and those that stand behind it before. */
export function end(shared: Shared): Promise<void> {
  clearTimeout(shared.linger);
  if (connections.get(shared.key) === shared) connections.delete(shared.key);
  shared.parent?.children.delete(shared);
  if (shared.ended === undefined) {
    const closing = close(shared).finally(() => ending.delete(closing));
    shared.ended = closing;
    ending.add(closing);
  }
  return shared.ended;
}

/** How many connections are held, used or lingering; for tests that look for leaks. */
export function openConnections(): number {
  return connections.size;
}

/** Ends every connection, whoever uses it; for the end of a program. */
export async function closeAllDevices(): Promise<void> {
  for (const shared of [...connections.values()]) void end(shared);
  while (ending.size > 0) await Promise.all(ending);
}

async function close(shared: Shared): Promise<void> {
  const first = [...shared.children].map((child) => end(child));
  if (first.length > 0) await Promise.all(first);
  await shared.onEnd();
  await shared.connection.close();
}

function differingField(
  known: Shared,
  options: ThingOptions,
  parent: Shared | undefined,
): string | undefined {
  if (known.parent !== parent) return 'gateway';
  const before = new Map<string, unknown>(Object.entries(known.options));
  const now = new Map<string, unknown>(Object.entries(options));
  for (const field of new Set([...before.keys(), ...now.keys()])) {
    if (!NOT_COMPARED.has(field) && !isDeepStrictEqual(before.get(field), now.get(field))) return field;
  }
  return undefined;
}

/** The same thing, wanted with settings that contradict each other. */
export function conflict({ identity }: ThingOptions, field: string): AlinkError {
  const name = `${identity.productKey}/${identity.deviceName}`;
  return new AlinkError('definitionConflict', `${name} is defined twice with different settings: ${field}`, {
    details: { field, device: name },
  });
}
