import assert from 'node:assert/strict';
import { AlinkError, type Device, type ErrorKey, type SessionState } from '../../sdk';

/** Waits until the device is in a state. */
export function state(device: Device, name: SessionState['name']): Promise<SessionState> {
  return new Promise((resolve) => {
    device.onState((now) => {
      if (now.name === name) resolve(now);
    });
  });
}

/** The error with which a promise fails. */
export async function rejection(promise: Promise<unknown>): Promise<AlinkError> {
  try {
    await promise;
  } catch (error) {
    assert.ok(error instanceof AlinkError, String(error));
    return error;
  }
  throw new assert.AssertionError({ message: 'it did not fail' });
}

/** For `assert.throws`. */
export function isError(key: ErrorKey): (error: unknown) => boolean {
  return (error) => error instanceof AlinkError && error.key === key;
}
