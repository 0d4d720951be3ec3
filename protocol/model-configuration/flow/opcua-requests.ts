import { indexOf, keyAt, type OpcUaPlan, type Outputs, type State } from './opcua-state';
import { isFields, isGood, toOpcUa } from './opcua-values';
import { type Message, messageOf, type Store } from './runtime';
import { partDone, replyTo, waitFor } from './waiting';

export const NOT_CONNECTED = 'there is no connection to the server';

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
  // The client would keep it for a connection to come, and write long after the platform was told that it failed.
  if (state.session === false) {
    replies.push(replyTo(msg, 400, NOT_CONNECTED));
    return;
  }
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
      return { action: 'write', topic, datatype, payload: toWrite(identifier, value, datatype), identifier };
    });
    const alinkWrite = waitFor(store, msg, writes.length, now);
    client.push(
      ...writes.map(({ identifier, ...write }) => ({
        ...write,
        alinkWrite: { topic: alinkWrite, identifier },
      })),
    );
  } catch (thrown) {
    replies.push(replyTo(msg, 460, messageOf(thrown)));
  }
}

/** The client has written a value, or the server has refused it. */
export function written(msg: Message, store: Store): Message | undefined {
  if (!isFields(msg.alinkWrite)) return undefined;
  const { topic, identifier } = msg.alinkWrite;
  return partDone(store, topic, isGood(msg.payload) ? '' : `${identifier}: ${describe(msg.payload)}`);
}

/** Writes take numbers of 64 bits in an object of their own. */
function toWrite(identifier: string, value: unknown, type: string): unknown {
  const converted = converting(identifier, value, type);
  return type.endsWith('64') ? { value: converted } : converted;
}

/** @throws Error that names the identifier */
export function converting(identifier: string, value: unknown, type: string): ReturnType<typeof toOpcUa> {
  try {
    return toOpcUa(value, type);
  } catch (thrown) {
    throw new Error(`${identifier}: ${messageOf(thrown)}`);
  }
}

function describe(payload: unknown): string {
  if (!isFields(payload)) return messageOf(payload) || 'the server did not take it';
  const text = payload._description ?? payload.description ?? payload._name ?? messageOf(payload);
  return typeof text === 'string' && text !== '' ? text : 'the server did not take it';
}
