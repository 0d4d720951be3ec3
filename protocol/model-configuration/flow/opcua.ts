import { call, called, describe, event, set } from './opcua-requests';
import { lost, send, taken, tick } from './opcua-search';
import { type OpcUaPlan, type Outputs, stateOf } from './opcua-state';
import { isFields, isGood } from './opcua-values';
import type { FunctionNode, Message, Store } from './runtime';
import { partDone } from './waiting';

const LOST_AFTER_MS = 10_000;

/**
 * Everything between the platform and one `OpcUa-Client`: finds the devices by their display names, polls their variables,
 * writes, calls methods, takes events. Commands go out one at a time, because the client keeps what it is doing in
 * variables of its own.
 */
export function opcUa(plan: OpcUaPlan, msg: Message, store: Store, node: FunctionNode, now: number): Outputs {
  const outputs: Outputs = [[], [], [], []];
  const kind = isFields(msg.alink) ? (msg.alink.identifier === undefined ? 'set' : 'call') : undefined;
  const state = stateOf(store, plan);
  if (msg.alinkWrite !== undefined) {
    const reason = isGood(msg.payload) ? '' : describe(msg.payload);
    add(outputs[3], partDone(store, msg.alinkWrite, reason));
  } else if (msg.alinkCall === true) add(outputs[3], called(plan, msg));
  else if (kind === 'set') set(plan, state, msg, store, now, outputs);
  else if (kind === 'call') call(plan, state, msg, outputs);
  else if (typeof msg.alinkStep === 'number') taken(plan, state, msg, store, node, now, outputs);
  else if (msg.topic === 'tick') tick(plan, state, now);
  else event(plan, state, msg, outputs);
  if (state.sent !== undefined && now - state.sent.since > LOST_AFTER_MS) {
    lost(plan, state, store, node, now, 'the server does not answer');
  }
  if (state.sent === undefined) send(state, now, outputs);
  store.set('opcUa', state);
  return outputs;
}

function add<T>(list: T[], item: T | undefined): void {
  if (item !== undefined) list.push(item);
}
