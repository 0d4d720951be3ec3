import type { RegisterValue } from '../registers';
import { said, saidBy } from '../said';
import { converting, NOT_CONNECTED } from './opcua-requests';
import {
  indexOf,
  keyAt,
  modelAt,
  type OpcUaModel,
  type OpcUaPlan,
  type Outputs,
  type State,
} from './opcua-state';
import { isFields, toReport } from './opcua-values';
import { hasPassed, type Message } from './runtime';
import { replyTo } from './waiting';

// The node that waits for the answer has given up by then.
const TOO_LATE_AFTER_MS = 10_000;
const LOST_AFTER_MS = 60_000;
const MOST_CALLS = 50;

/** Takes a call of a method; calls go out one at a time, because the client does not say which one has failed. */
export function call(plan: OpcUaPlan, state: State, msg: Message, now: number, outputs: Outputs): void {
  const device = indexOf(plan, msg.device);
  if (device === -1 || !isFields(msg.alink)) return;
  const [, , , replies] = outputs;
  const { identifier } = msg.alink;
  const found = state.found[keyAt(plan, device)];
  const service = modelAt(plan, device).services.find((candidate) => candidate.identifier === identifier);
  const method = typeof identifier === 'string' && service ? found?.methods[identifier] : undefined;
  if (found === undefined || service === undefined || method === undefined) {
    replies.push(replyTo(msg, 400, said('the method is not found on the server')));
  } else if (state.session === false) replies.push(replyTo(msg, 400, NOT_CONNECTED));
  else if (state.calls.length >= MOST_CALLS)
    replies.push(replyTo(msg, 400, said('too many calls are waiting')));
  else {
    const [methodId, types] = method;
    try {
      const inputArguments = argumentsOf(service, types, isFields(msg.payload) ? msg.payload : {});
      const command = {
        action: 'method',
        topic: methodId,
        objectId: found.objectId,
        methodId,
        inputArguments,
      };
      state.calls.push({ command, device: msg.device, request: msg.alink, since: now });
      if (state.calls.length === 1) sendCall(state, outputs);
    } catch (thrown) {
      replies.push(replyTo(msg, 460, saidBy(thrown)));
    }
  }
}

function argumentsOf(
  { inputData }: OpcUaModel['services'][number],
  types: readonly string[],
  given: Readonly<Record<string, unknown>>,
): object[] {
  return inputData.map(({ identifier, index }) => {
    const dataType = types[index] || usualType(given[identifier]);
    return { dataType, value: toArgument(identifier, given[identifier], dataType) };
  });
}

/** Arguments go to the server as they are, dates as such. */
function toArgument(identifier: string, value: unknown, type: string): unknown {
  const converted = converting(identifier, value, type);
  return type === 'DateTime' ? new Date(Number(converted)) : converted;
}

function usualType(value: unknown): string {
  if (typeof value === 'string') return 'String';
  return Number.isInteger(value) ? 'Int32' : 'Double';
}

function sendCall({ calls }: State, [client]: Outputs): void {
  const [call] = calls;
  if (call)
    client.push({
      ...call.command,
      payload: '',
      alinkCall: call.since,
      device: call.device,
      request: call.request,
    });
}

/** The call under way has ended; the next one goes out unless nobody waits for it any more. */
function nextCall(state: State, now: number, outputs: Outputs): void {
  state.calls.shift();
  state.calls = state.calls.filter(({ since }) => now - since < TOO_LATE_AFTER_MS);
  sendCall(state, outputs);
}

/** Gives up a call that nothing has been heard of. */
export function forgetCall(state: State, now: number, outputs: Outputs): void {
  const [call] = state.calls;
  if (call && hasPassed(LOST_AFTER_MS, call.since, now)) nextCall(state, now, outputs);
}

/** The client tells that the call under way has failed. */
export function callFailed(state: State, reason: string, now: number, outputs: Outputs): void {
  const [call] = state.calls;
  if (call === undefined) return;
  outputs[3].push(
    replyTo(
      { alink: call.request, device: call.device },
      400,
      said('the method failed ({reason})', { reason }),
    ),
  );
  nextCall(state, now, outputs);
}

/** A method has answered: its outputs by their indices. */
export function called(plan: OpcUaPlan, state: State, msg: Message, now: number, outputs: Outputs): void {
  const reply = replyOf(plan, msg);
  if (reply) outputs[3].push(reply);
  if (state.calls[0]?.since === msg.alinkCall) nextCall(state, now, outputs);
}

function replyOf(plan: OpcUaPlan, msg: Message): Message | undefined {
  const device = indexOf(plan, msg.device);
  const { request } = msg;
  if (device === -1 || !isFields(request)) return undefined;
  const service = modelAt(plan, device).services.find(({ identifier }) => identifier === request.identifier);
  const outputs = service?.outputData ?? [];
  // The client tells one output alone, several as a list; the list that it always has is the surer one.
  const list: unknown[] = Array.isArray(msg.output)
    ? msg.output.map((output: unknown) => (isFields(output) ? output.value : output))
    : outputs.length > 1 && Array.isArray(msg.payload)
      ? msg.payload
      : [msg.payload];
  const payload: Record<string, RegisterValue> = {};
  for (const { identifier, index, kind } of outputs) {
    const value = toReport(list[index], kind);
    if (value !== undefined) payload[identifier] = value;
  }
  return replyTo({ alink: request, device: msg.device }, 200, undefined, payload);
}
