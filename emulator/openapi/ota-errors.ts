import { OtaError } from '../ota/ota-error';
import { ActionError } from './parameters';

/** Carries an action out, with the names that the emulator gives to what cannot be done. @throws ActionError */
export function asAction<T>(work: () => T): T {
  try {
    return work();
  } catch (thrown) {
    throw named(thrown);
  }
}

/** The same for what takes its time. */
export async function asActionLater<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    throw named(thrown);
  }
}

function named(thrown: unknown): unknown {
  if (!(thrown instanceof OtaError)) return thrown;
  const { code, message } = thrown;
  return new ActionError(`iot.ota.${code}`, `${message.charAt(0).toUpperCase()}${message.slice(1)}.`);
}
