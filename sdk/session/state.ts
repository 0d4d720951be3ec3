import { AlinkError, type ErrorKey } from '../errors';
import type { SessionStateName } from '../types';
import type { Timing } from './timing';

/** What the state machine remembers; plain data, so that every step can be tested as a table. */
export interface MachineState {
  name: SessionStateName;
  /** Failed or short connections in a row. */
  attempts: number;
  /** Refusals in a row. */
  refusals: number;
  /** When CONNECTs were sent, answered or not, ms; only the last minute counts. */
  connects: readonly number[];
  /** When the platform closed a young connection, ms. */
  kicks: readonly number[];
  onlineSince?: number;
  /** When the next attempt is due, on the clock of the session. */
  retryAt?: number;
  reason?: AlinkError;
}

export type MachineEvent =
  | { type: 'start' }
  /** CONNECT was written, the device's or that of a registration. */
  | { type: 'sent' }
  | { type: 'online' }
  /** The connection ended after CONNACK; `kicked` when the other side closed it. */
  | { type: 'lost'; error: AlinkError; kicked: boolean }
  /** No connection came about, or the platform took it back for a reason that a new one would not remove. */
  | { type: 'failed'; error: AlinkError }
  /** The gateway is offline, and its sub-devices with it (B.5). */
  | { type: 'gatewayLost'; error: AlinkError }
  /** The gateway is online again: every sub-device has to log in. */
  | { type: 'gatewayBack' }
  | { type: 'retry' }
  /** Somebody asks for it, or what kept it offline is over: no use in waiting out the rest. */
  | { type: 'hurry' }
  | { type: 'stop' }
  | { type: 'stopped' };

// The platform said no, or would: asking again soon is of no use and counts against the device.
const REFUSALS: ReadonlySet<ErrorKey> = new Set<ErrorKey>([
  'refusedCredentials',
  'refusedNotAuthorized',
  'refusedIdentifier',
  'refusedServer',
  'refusedVersion',
  'registrationFailed',
  'authenticationFailed',
  'credentialsMissing',
  'badSettings',
  'secretStore',
]);

/** Too many logins within a minute: another before its end would be refused too (C.3). */
const THROTTLED = 429;
const THROTTLED_MS = 60_000;

export const IDLE: MachineState = { name: 'idle', attempts: 0, refusals: 0, connects: [], kicks: [] };

/**
 * The next state of a session. Pure: time and chance come in.
 * @param now ms on a clock that never jumps: a device without a battery for its clock starts in 1970
 * @param random 0 ≤ random < 1, spreads the waits
 */
export function nextState(
  state: MachineState,
  event: MachineEvent,
  { now, random, timing }: { now: number; random: number; timing: Timing },
): MachineState {
  if (state.name === 'closing' && event.type !== 'stopped') return state;
  switch (event.type) {
    case 'start':
      return state.name === 'idle' ? connecting(state) : state;
    case 'retry':
      return state.retryAt === undefined ? state : connecting(state);
    case 'hurry':
      // Before the minute is over the platform would refuse again.
      return state.retryAt === undefined || state.reason?.code === THROTTLED
        ? state
        : whenThereIsRoom(state, now, timing);
    case 'sent':
      return { ...state, connects: recent([...state.connects, now], now) };
    case 'online': {
      const { retryAt: _, reason: __, ...rest } = state;
      return {
        ...rest,
        name: 'online',
        refusals: 0,
        onlineSince: now,
      };
    }
    case 'failed':
      return afterFailure(state, event.error, now, random, timing);
    case 'lost':
      return afterLoss(state, event.error, event.kicked, now, random, timing);
    case 'gatewayLost':
      return afterGateway(state, event.error);
    case 'gatewayBack':
      return resume(state, now, timing);
    case 'stop':
      return { ...state, name: 'closing' };
    case 'stopped':
      return { ...IDLE, connects: state.connects, kicks: state.kicks };
  }
}

function connecting(state: MachineState): MachineState {
  const { retryAt: _, ...rest } = state;
  return { ...rest, name: 'connecting' };
}

// A refusal or conflict has its own time; the gateway's absence changes nothing about it.
function afterGateway(state: MachineState, error: AlinkError): MachineState {
  if (state.name === 'idle' || state.name === 'refused' || state.name === 'conflict') return state;
  const isTold = state.name === 'waiting' && state.retryAt === undefined;
  if (isTold && state.reason?.message === error.message) return state;
  const { retryAt: _, onlineSince: __, ...rest } = state;
  return { ...rest, name: 'waiting', attempts: 0, reason: error };
}

function resume(state: MachineState, now: number, timing: Timing): MachineState {
  if (state.name !== 'waiting' || state.retryAt !== undefined) return state;
  return whenThereIsRoom(state, now, timing);
}

function whenThereIsRoom(state: MachineState, now: number, timing: Timing): MachineState {
  const connects = recent(state.connects, now);
  const retryAt = roomForConnect(connects, now, timing);
  return retryAt > now ? { ...state, connects, retryAt } : connecting({ ...state, connects });
}

function afterFailure(
  state: MachineState,
  error: AlinkError,
  now: number,
  random: number,
  timing: Timing,
): MachineState {
  const connects = recent(state.connects, now);
  // For a sub-device the platform's answer is the refusal; most of its codes ask for a person (C.3).
  const refused = REFUSALS.has(error.key) || (error.key === 'platformRefused' && error.retry === 'no');
  const refusals = refused ? state.refusals + 1 : 0;
  const attempts = state.attempts + 1;
  const wait = refused
    ? backoff(refusals, timing.refusalBackoff, random)
    : backoff(attempts, timing.backoff, random);
  const retryAt = Math.max(
    now + wait,
    roomForConnect(connects, now, timing),
    error.code === THROTTLED ? now + THROTTLED_MS : now,
  );
  const { onlineSince: _, ...rest } = state;
  return {
    ...rest,
    name: refused ? 'refused' : 'waiting',
    attempts,
    refusals,
    connects,
    retryAt,
    reason: error,
  };
}

function afterLoss(
  state: MachineState,
  error: AlinkError,
  kicked: boolean,
  now: number,
  random: number,
  timing: Timing,
): MachineState {
  const lasted = now - (state.onlineSince ?? now);
  const { onlineSince: _, ...rest } = state;
  const attempts = lasted >= timing.stableMs ? 1 : state.attempts + 1;
  const connects = recent(state.connects, now);
  const quick = kicked && lasted < timing.quickKickMs;
  const kicks = [...state.kicks, ...(quick ? [now] : [])].filter((at) => at > now - timing.kicks.windowMs);
  if (quick && kicks.length >= timing.kicks.count) {
    const { shortest, longest } = timing.conflictWait;
    const reason = new AlinkError('conflict', 'another client uses the same identity', {
      retry: 'slow',
      cause: error,
    });
    // Whoever stays would only be thrown out again, so this side gives way for a long time.
    return {
      ...rest,
      name: 'conflict',
      attempts,
      connects,
      kicks: [],
      retryAt: now + shortest + random * (longest - shortest),
      reason,
    };
  }
  const retryAt = Math.max(
    now + backoff(attempts, timing.backoff, random),
    roomForConnect(connects, now, timing),
  );
  return { ...rest, name: 'waiting', attempts, connects, kicks, retryAt, reason: error };
}

/** Half to whole of a doubling wait, so that devices that lost the same broker do not return together. */
export function backoff(
  attempt: number,
  { first, longest }: { first: number; longest: number },
  random: number,
): number {
  const base = Math.min(longest, first * 2 ** Math.min(attempt - 1, 20));
  return base * (0.5 + random * 0.5);
}

function recent(times: readonly number[], now: number): number[] {
  return times.filter((at) => at > now - 60_000);
}

function roomForConnect(connects: readonly number[], now: number, { connectsPerMinute }: Timing): number {
  const oldest = connects[connects.length - connectsPerMinute];
  return oldest === undefined ? now : oldest + 60_000;
}
