import { said, type Words } from '../said';
import { call, called, forgetCall } from './opcua-calls';
import { event } from './opcua-events';
import { set, written } from './opcua-requests';
import { lost, send, taken, tick } from './opcua-search';
import { hasSession, isStatus, stated } from './opcua-session';
import { type OpcUaPlan, type Outputs, type State, stateOf } from './opcua-state';
import { isFields } from './opcua-values';
import { type FunctionNode, hasPassed, type Message, type Store, type Voice } from './runtime';
import { inWords } from './waiting';

const LOST_AFTER_MS = 10_000;

/**
 * Everything between the platform and one `OpcUa-Client`: finds the devices by their display names, polls their variables,
 * writes, calls methods, takes events. Commands go out one at a time, because the client keeps what it is doing in
 * variables of its own.
 * @param words in which warnings are, and why the platform's wishes were not carried out
 */
export function opcUa(
  plan: OpcUaPlan,
  msg: Message,
  store: Store,
  node: FunctionNode,
  now: number,
  words: Words,
): Outputs {
  const voice = { node, words };
  const outputs: Outputs = [[], [], [], []];
  // The client tells each value that it has read alone first, then all of them.
  if (msg.action === 'readmultiple' && !Array.isArray(msg.topic)) return outputs;
  const state = stateOf(store, plan);
  dispatch(plan, state, msg, store, voice, now, outputs);
  if (state.sent !== undefined && hasPassed(LOST_AFTER_MS, state.sent.since, now)) {
    lost(plan, state, store, voice, now, said('does not answer'));
  }
  forgetCall(state, now, outputs);
  if (hasSession(state, now, outputs) && state.sent === undefined) send(state, now, outputs);
  store.set('opcUa', state);
  const [client, reports, events, replies] = outputs;
  return [client, reports, events, replies.map((reply) => inWords(reply, words))];
}

function dispatch(
  plan: OpcUaPlan,
  state: State,
  msg: Message,
  store: Store,
  voice: Voice,
  now: number,
  outputs: Outputs,
): void {
  const kind = isFields(msg.alink) ? (msg.alink.identifier === undefined ? 'set' : 'call') : undefined;
  if (msg.alinkWrite !== undefined) {
    const reply = written(msg, store);
    if (reply) outputs[3].push(reply);
  } else if (msg.alinkCall !== undefined) called(plan, state, msg, now, outputs);
  else if (kind === 'set') set(plan, state, msg, store, now, outputs);
  else if (kind === 'call') call(plan, state, msg, now, outputs);
  else if (typeof msg.alinkStep === 'number') taken(plan, state, msg, store, voice, now, outputs);
  else if (isStatus(msg)) stated(state, msg, store, voice, now, outputs);
  else if (msg.topic === 'tick') tick(plan, state, now);
  else event(plan, state, msg, outputs);
}
