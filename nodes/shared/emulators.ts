import { isDeepStrictEqual } from 'node:util';
import type { Emulator, EmulatorOptions } from '../../emulator';

/** Longer than a full deploy takes, so that the next generation of nodes takes the emulator over as it is. */
const LINGER_MS = 5000;

interface Running {
  options: EmulatorOptions;
  started: Promise<Emulator>;
  users: number;
  closing: NodeJS.Timeout | undefined;
}

/** A config node's share of its emulator. */
export interface EmulatorLease {
  emulator: Promise<Emulator>;
  /** Resolves at once; the emulator itself ends when nobody took it over. */
  release(): void;
}

const running = new Map<string, Running>();
const ending = new Map<string, Promise<void>>();

/**
 * The embedded emulator of one platform node. The same id with the same options gets the one that runs;
 * with other options the old one ends first, because both may want the same port.
 */
export function leaseEmulator(id: string, options: EmulatorOptions): EmulatorLease {
  let entry = running.get(id);
  if (entry && !isDeepStrictEqual(entry.options, options)) {
    end(id, entry);
    entry = undefined;
  }
  entry ??= start(id, options);
  clearTimeout(entry.closing);
  entry.closing = undefined;
  entry.users++;
  const mine = entry;
  let released = false;
  return {
    emulator: mine.started,
    release: () => {
      if (released) return;
      released = true;
      mine.users--;
      if (mine.users > 0 || running.get(id) !== mine) return;
      mine.closing = setTimeout(() => end(id, mine), LINGER_MS);
      // A runtime that stops does not wait for an emulator that nobody uses any more.
      mine.closing.unref();
    },
  };
}

/** How many emulators run; for tests that look for leaks. */
export function runningEmulators(): number {
  return running.size;
}

/** Ends all that run, used or not. */
export async function endEmulators(): Promise<void> {
  for (const [id, entry] of running) end(id, entry);
  await Promise.all(ending.values());
}

function start(id: string, options: EmulatorOptions): Running {
  const started = (ending.get(id) ?? Promise.resolve())
    // Loaded only when an emulator is used: a Pi that talks to the cloud never loads a broker.
    .then(() => import('../../emulator/index.js'))
    .then(({ startEmulator }) => startEmulator(options));
  const entry: Running = { options, started, users: 0, closing: undefined };
  running.set(id, entry);
  started.catch(() => {
    // The next deploy tries again; whoever waits on `started` gets the reason.
    if (running.get(id) === entry) running.delete(id);
  });
  return entry;
}

function end(id: string, entry: Running): void {
  clearTimeout(entry.closing);
  if (running.get(id) === entry) running.delete(id);
  const ended = entry.started
    .then((emulator) => emulator.close())
    .catch(() => undefined) // it never started, so there is nothing to close
    .finally(() => {
      if (ending.get(id) === ended) ending.delete(id);
    });
  ending.set(id, ended);
}
