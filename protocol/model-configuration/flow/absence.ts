import { said } from '../said';
import { hasPassed, kept, messageOf, SERVER, type Store, tell, type Voice } from './runtime';

interface Absence {
  /** Until when it is not asked. */
  until: number;
  /** How long to wait after the next failure, ms. */
  wait: number;
}

const FIRST_WAIT_MS = 5_000;
const LONGEST_WAIT_MS = 60_000;
const SILENT_AFTER_MS = 10_000;
const PROBE_MS = 10_000;
/** By 10 and 11 a gateway between network and serial line says that the device behind it does not answer. */
const NO_ANSWER = /timed?\s*out|exception 1[01]\b/i;
const EXCEPTION = /exception/i;

/**
 * Whether a device may be asked now. One that has not answered in time is asked rarely, and one thing only: the Modbus nodes
 * connect anew after each time-out, which costs all other devices of the server some seconds.
 */
export function mayAsk(store: Store, device: string, now: number): boolean {
  const absence = kept<Absence>(store, 'absent')[device];
  return absence === undefined || hasPassed(LONGEST_WAIT_MS, absence.until - LONGEST_WAIT_MS, now);
}

/** A device is asked; one that was absent is not asked anything else until it has answered. */
export function probed(store: Store, device: string, now: number): void {
  const absence = kept<Absence>(store, 'absent')[device];
  if (absence !== undefined) absence.until = now + PROBE_MS;
}

/** A device has answered. */
export function answered(store: Store, voice: Voice, device: string, now: number): void {
  const absent = kept<Absence>(store, 'absent');
  delete absent[device];
  store.set('absent', absent);
  store.set('answeredAt', now);
  tell(store, voice, SERVER, undefined);
  tell(store, voice, device, undefined);
}

/** The device does not answer, it refuses, or there is no connection, which is no fault of the device. */
export type Failure = 'noAnswer' | 'refused' | 'notReached';

/** A request has failed. @param about the device and what was asked */
export function failed(
  store: Store,
  voice: Voice,
  { device, about, error, now }: { device: string; about: string; error: unknown; now: number },
): Failure {
  const reason = messageOf(error);
  const isException = EXCEPTION.test(reason);
  if (isException) store.set('answeredAt', now);
  if (NO_ANSWER.test(reason)) {
    const absent = kept<Absence>(store, 'absent');
    const wait = absent[device]?.wait ?? FIRST_WAIT_MS;
    absent[device] = { until: now + wait, wait: Math.min(2 * wait, LONGEST_WAIT_MS) };
    store.set('absent', absent);
    // Once for the device, whatever it is asked next.
    tell(store, voice, device, said('does not answer ({reason})', { reason }));
    return 'noAnswer';
  }
  if (isException) {
    tell(store, voice, about, said('refuses ({reason})', { reason }));
    return 'refused';
  }
  const since = store.get('answeredAt');
  if (typeof since !== 'number') store.set('answeredAt', now);
  else if (now - since > SILENT_AFTER_MS && kept<string>(store, 'told')[SERVER] === undefined) {
    tell(
      store,
      voice,
      SERVER,
      reason === '' ? said('is not reached') : said('is not reached ({reason})', { reason }),
    );
  }
  return 'notReached';
}
