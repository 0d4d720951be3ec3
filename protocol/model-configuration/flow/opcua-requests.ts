import { type Said, SaidError, said, saidAbout, saidBy } from '../said';
import { indexOf, keyAt, type OpcUaPlan, type Outputs, type State } from './opcua-state';
import { isFields, isGood, toOpcUa } from './opcua-values';
import { type Message, messageOf, type Store } from './runtime';
import { partDone, replyTo, waitFor } from './waiting';

export const NOT_CONNECTED = said('there is no connection to the server');

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
        ? said('the device is not found on its server yet')
        : saidAbout(unknown?.[0] ?? '', said('is not on the server'));
    replies.push(replyTo(msg, variables === undefined ? 400 : 460, reason));
    return;
  }
  if (values.length === 0) {
    replies.push(replyTo(msg, 200, undefined));
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
    replies.push(replyTo(msg, 460, saidBy(thrown)));
  }
}

/** The client has written a value, or the server has refused it. */
export function written(msg: Message, store: Store): Message | undefined {
  if (!isFields(msg.alinkWrite)) return undefined;
  const { topic, identifier } = msg.alinkWrite;
  return partDone(
    store,
    topic,
    isGood(msg.payload) ? undefined : saidAbout(String(identifier), describe(msg.payload)),
  );
}

/** Writes take numbers of 64 bits in an object of their own. */
function toWrite(identifier: string, value: unknown, type: string): unknown {
  const converted = converting(identifier, value, type);
  return type.endsWith('64') ? { value: converted } : converted;
}

/** @throws SaidError that names the identifier */
export function converting(identifier: string, value: unknown, type: string): ReturnType<typeof toOpcUa> {
  try {
    return toOpcUa(value, type);
  } catch (thrown) {
    throw new SaidError(saidAbout(identifier, saidBy(thrown)));
  }
}

/** Status codes tell what they are, in English. */
function describe(payload: unknown): Said {
  const { _description, description, _name } = isFields(payload) ? payload : {};
  const reason = _description ?? description ?? _name ?? messageOf(payload);
  return typeof reason === 'string' && reason !== ''
    ? said('the server refuses it ({reason})', { reason })
    : said('the server did not take it');
}
