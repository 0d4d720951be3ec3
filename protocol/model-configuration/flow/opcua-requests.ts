import type { RegisterValue } from '../registers';
import { startOf } from './opcua-find';
import { indexOf, keyAt, modelAt, namesAt, type OpcUaPlan, type Outputs, type State } from './opcua-state';
import { isFields, nodeIdText, toOpcUa, toReport } from './opcua-values';
import { type Message, messageOf, type Store } from './runtime';
import { replyTo, waitFor } from './waiting';

export function set(
  plan: OpcUaPlan,
  state: State,
  msg: Message,
  store: Store,
  now: number,
  outputs: Outputs,
): void {
  const device = indexOf(plan, msg.device);
  if (device === -1) return;
  const [client, , , replies] = outputs;
  const variables = state.found[keyAt(plan, device)]?.variables;
  const values = isFields(msg.payload) ? Object.entries(msg.payload) : [];
  const unknown = values.find(([identifier]) => !Object.hasOwn(variables ?? {}, identifier));
  if (variables === undefined || unknown !== undefined) {
    const reason =
      variables === undefined
        ? 'the device is not found on its server yet'
        : `${unknown?.[0]}: is not on the server`;
    replies.push(replyTo(msg, variables === undefined ? 400 : 460, reason));
    return;
  }
  if (values.length === 0) {
    replies.push(replyTo(msg, 200, ''));
    return;
  }
  try {
    const writes = values.map(([identifier, value]) => {
      const [topic = '', datatype = ''] = variables[identifier] ?? [];
      return { action: 'write', topic, datatype, payload: toOpcUa(value, datatype) };
    });
    const alinkWrite = waitFor(store, msg, writes.length, now);
    client.push(...writes.map((write) => ({ ...write, alinkWrite })));
  } catch (thrown) {
    replies.push(replyTo(msg, 460, messageOf(thrown)));
  }
}

export function call(plan: OpcUaPlan, state: State, msg: Message, [client, , , replies]: Outputs): void {
  const device = indexOf(plan, msg.device);
  if (device === -1 || !isFields(msg.alink)) return;
  const { identifier } = msg.alink;
  const found = state.found[keyAt(plan, device)];
  const service = modelAt(plan, device).services.find((candidate) => candidate.identifier === identifier);
  const method = typeof identifier === 'string' && service ? found?.methods[identifier] : undefined;
  if (found === undefined || service === undefined || method === undefined) {
    replies.push(replyTo(msg, 400, 'the method is not found on the server'));
    return;
  }
  const [methodId, types] = method;
  const given = isFields(msg.payload) ? msg.payload : {};
  try {
    const inputArguments = service.inputData.map(({ identifier: name, index }) => {
      const dataType = types[index] || usualType(given[name]);
      return { dataType, value: toArgument(given[name], dataType) };
    });
    client.push({
      action: 'method',
      topic: methodId,
      objectId: found.objectId,
      methodId,
      inputArguments,
      payload: '',
      alinkCall: true,
      device: msg.device,
      request: msg.alink,
    });
  } catch (thrown) {
    replies.push(replyTo(msg, 460, messageOf(thrown)));
  }
}

/** Arguments take the halves of 64-bit numbers without the wrapping that writes need. */
function toArgument(value: unknown, type: string): unknown {
  const converted = toOpcUa(value, type);
  return isFields(converted) ? converted.value : converted;
}

function usualType(value: unknown): string {
  if (typeof value === 'string') return 'String';
  return Number.isInteger(value) ? 'Int32' : 'Double';
}

/** The outputs of a method by their indices. */
export function called(plan: OpcUaPlan, msg: Message): Message | undefined {
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
  return replyTo({ alink: request, device: msg.device }, 200, '', payload);
}

/** An event: its type and source stand somewhere among its fields, under names that the server chose. */
export function event(plan: OpcUaPlan, state: State, msg: Message, outputs: Outputs): void {
  const { payload } = msg;
  if (!isFields(payload)) return;
  const ids = new Set(Object.values(payload).map(nodeIdText));
  for (const [device, [, , path]] of plan.devices.entries()) {
    const found = state.found[keyAt(plan, device)];
    const isSource = found !== undefined && (ids.has(found.objectId) || startOf(path) === payload.SourceName);
    if (!isSource) continue;
    for (const { identifier, displayName, outputData } of modelAt(plan, device).events) {
      const type = Object.hasOwn(state.types, displayName) ? state.types[displayName] : undefined;
      if (type === undefined || !ids.has(type[0])) continue;
      const data: Record<string, RegisterValue> = {};
      for (const { identifier: name, index, kind, empty } of outputData) {
        const value = toReport(payload[type[1][index] ?? ''], kind) ?? empty;
        if (value !== undefined) data[name] = value;
      }
      const names = namesAt(plan, device);
      outputs[2].push({ topic: names.deviceName, device: names, alink: { identifier }, payload: data });
    }
  }
}

export function describe(payload: unknown): string {
  if (!isFields(payload)) return messageOf(payload) || 'the server did not take it';
  const text = payload._description ?? payload.description ?? payload._name ?? messageOf(payload);
  return typeof text === 'string' && text !== '' ? text : 'the server did not take it';
}
