import { said } from '../said';
import { callFailed } from './opcua-calls';
import { NOT_CONNECTED } from './opcua-requests';
import type { Outputs, State } from './opcua-state';
import { hasPassed, type Message, messageOf, SERVER, type Store, tell, type Voice } from './runtime';
import { failAll } from './waiting';

const CONNECT_AGAIN_AFTER_MS = 60_000;

/** Whether a message is from the client's second output: what it is doing, and what has gone wrong. */
export function isStatus({ status, endpoint }: Message): boolean {
  return typeof status === 'string' && typeof endpoint === 'string';
}

/** The client tells its state, and errors without the message that they belong to. */
export function stated(
  state: State,
  msg: Message,
  store: Store,
  voice: Voice,
  now: number,
  outputs: Outputs,
): void {
  const error = typeof msg.error === 'string' ? msg.error : '';
  switch (msg.status) {
    case 'session active':
      // A new client, which knows nothing of what the old one was doing.
      state.session = true;
      state.subscribed = '';
      state.calls = [];
      return;
    case 'terminated':
      // Of the subscription; lost connections are mended by the client, with what was subscribed.
      state.subscribed = '';
      return;
    case 'execute method error':
      if (error !== '') callFailed(state, error.replace(/^.*?error: */, ''), now, outputs);
      return;
    case 'invalid session':
      outputs[3].push(...failAll(store, NOT_CONNECTED));
      return;
    default:
      if (!/without OPC UA client/.test(error)) return;
      state.session = false;
      if (msg.status !== 'create client')
        tell(store, voice, SERVER, said('is not connected ({status})', { status: messageOf(msg.status) }));
  }
}

/**
 * Without a session the client keeps commands and carries all of them out at once later, in a muddle; and after a refused
 * login it does not try again. So it gets none until it has one, and is told to connect from time to time.
 * @returns whether commands may go out
 */
export function hasSession(state: State, now: number, [client]: Outputs): boolean {
  if (state.session !== false) return true;
  if (hasPassed(CONNECT_AGAIN_AFTER_MS, state.connectedAt, now)) {
    state.connectedAt = now;
    // Does nothing when it is connecting already, but forgets what is kept.
    client.push({ action: 'connect', topic: 'connect', payload: '' });
    delete state.sent;
  }
  return false;
}
