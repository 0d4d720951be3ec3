import type { RegisterValue } from '../registers';
import { type Said, said } from '../said';
import { subscribe } from './opcua-events';
import {
  argumentTypes,
  follow,
  methodsOf,
  OBJECTS,
  readReferences,
  startOf,
  typesOf,
  variablesOf,
} from './opcua-find';
import {
  type Command,
  type Found,
  keyAt,
  modelAt,
  namesAt,
  type OpcUaPlan,
  type Outputs,
  type State,
} from './opcua-state';
import { isFields, isGood, isUnknownNode, toReport, typeName } from './opcua-values';
import { hasPassed, kept, type Message, SERVER, type Store, tell, type Voice } from './runtime';

const LOOK_AGAIN_AFTER_MS = 30_000;
const MOST_READ_AT_ONCE = 200;
const MOST_TYPES = 300;
const BASE_EVENT_TYPE = 'ns=0;i=2041';

/** The clock: looks for what has not been found, reads what has. */
export function tick(plan: OpcUaPlan, state: State, now: number): void {
  const commands = [...state.queue, ...(state.sent ? [state.sent.command] : [])];
  const busy = new Set(commands.map((command) => ('device' in command ? command.device : undefined)));
  const items: Array<[number, string]> = [];
  const nodeIds: string[] = [];
  for (const [device, [, , path]] of plan.devices.entries()) {
    const found = state.found[keyAt(plan, device)];
    if (found === undefined) {
      const isTime = isDue(state.later[keyAt(plan, device)] ?? 0, now);
      if (isTime && !busy.has(device))
        state.queue.push({ step: 'path', device, nodeId: OBJECTS, rest: startOf(path) });
      continue;
    }
    for (const [identifier, [nodeId]] of Object.entries(found.variables)) {
      items.push([device, identifier]);
      nodeIds.push(nodeId);
    }
  }
  lookForTypes(plan, state, now);
  if (commands.some(({ step }) => step === 'read')) return;
  for (let i = 0; i < items.length; i += MOST_READ_AT_ONCE) {
    const end = i + MOST_READ_AT_ONCE;
    state.queue.push({ step: 'read', items: items.slice(i, end), nodeIds: nodeIds.slice(i, end) });
  }
}

/** @param later when something is looked for again */
function isDue(later: number, now: number): boolean {
  return hasPassed(LOOK_AGAIN_AFTER_MS, later - LOOK_AGAIN_AFTER_MS, now);
}

function eventNames({ models }: OpcUaPlan): string[] {
  return [
    ...new Set(Object.values(models).flatMap(({ events }) => events.map(({ displayName }) => displayName))),
  ];
}

function lookForTypes(plan: OpcUaPlan, state: State, now: number): void {
  const missing = eventNames(plan).some((name) => !Object.hasOwn(state.types, name));
  if (!missing || !isDue(state.typesLater, now)) return;
  state.typesLater = now + LOOK_AGAIN_AFTER_MS;
  state.queue.push({ step: 'types', nodeId: BASE_EVENT_TYPE, rest: [], visited: 0 });
}

/** The next command for the client. */
export function send(state: State, now: number, [client]: Outputs): void {
  const command = state.queue.shift();
  if (command === undefined) return;
  state.number = (state.number + 1) % 1_000_000_000;
  state.sent = { number: state.number, command, since: now };
  const alinkStep = state.number;
  if (command.step === 'read') {
    client.push({ action: 'readmultiple', topic: 'readmultiple', payload: [...command.nodeIds], alinkStep });
  } else client.push({ action: 'browse', topic: command.nodeId, payload: '', alinkStep });
}

export function lost(
  plan: OpcUaPlan,
  state: State,
  store: Store,
  voice: Voice,
  now: number,
  reason: Said,
): void {
  const command = state.sent?.command;
  delete state.sent;
  if (command === undefined) return;
  if (!('device' in command)) tell(store, voice, SERVER, reason);
  else missed(plan, state, command.device, store, voice, now, reason);
}

function missed(
  plan: OpcUaPlan,
  state: State,
  device: number,
  store: Store,
  voice: Voice,
  now: number,
  reason: Said,
): void {
  state.later[keyAt(plan, device)] = now + LOOK_AGAIN_AFTER_MS;
  tell(store, voice, keyAt(plan, device), reason);
}

/** An answer of the client to the command that is under way. */
export function taken(
  plan: OpcUaPlan,
  state: State,
  msg: Message,
  store: Store,
  voice: Voice,
  now: number,
  outputs: Outputs,
): void {
  if (state.sent === undefined || msg.alinkStep !== state.sent.number) return;
  const { command } = state.sent;
  state.session = true;
  tell(store, voice, SERVER, undefined);
  if (command.step === 'read') {
    if (!Array.isArray(msg.payload)) return;
    delete state.sent;
    outputs[1].push(...reports(plan, command.items, msg.payload, state, store));
    subscribe(state, outputs);
    return;
  }
  const references = readReferences(msg.payload);
  switch (command.step) {
    case 'path': {
      // One browse for all devices whose path leads through this node: reading what lies there takes long.
      const { nodeId } = command;
      const waiting = state.queue.filter((other) => other.step === 'path' && other.nodeId === nodeId);
      state.queue = state.queue.filter((other) => !waiting.includes(other));
      const here = [command, ...waiting].flatMap((one) => (one.step === 'path' ? [one] : []));
      state.queue.unshift(...here.flatMap((one) => goOn(plan, state, one, references, store, voice, now)));
      break;
    }
    case 'object':
      foundObject(plan, state, command.device, command.nodeId, references, store, voice);
      break;
    case 'method': {
      const method = state.found[keyAt(plan, command.device)]?.methods[command.identifier];
      if (method) method[1] = argumentTypes(references);
      break;
    }
    case 'types': {
      const wanted = new Set(eventNames(plan));
      const types = typesOf(references);
      for (const { nodeId, displayName } of types) {
        if (wanted.has(displayName)) state.queue.push({ step: 'fields', nodeId, name: displayName });
      }
      const [nodeId, ...rest] = [...command.rest, ...types.map((type) => type.nodeId)];
      const visited = command.visited + 1;
      if (nodeId !== undefined && visited < MOST_TYPES)
        state.queue.push({ step: 'types', nodeId, rest, visited });
      break;
    }
    case 'fields':
      state.types[command.name] = [
        command.nodeId,
        variablesOf(references).map(({ browseName }) => browseName),
      ];
      break;
  }
  delete state.sent;
  subscribe(state, outputs);
}

type Way = Extract<Command, { step: 'path' | 'object' }>;

/** The next step on the way to a device, if there is one. */
function goOn(
  plan: OpcUaPlan,
  state: State,
  { device, rest }: Way,
  references: ReturnType<typeof readReferences>,
  store: Store,
  voice: Voice,
  now: number,
): Way[] {
  const next = follow(references, rest);
  if (next === undefined) {
    missed(
      plan,
      state,
      device,
      store,
      voice,
      now,
      said('"{path}" is not found on the server', { path: rest }),
    );
    return [];
  }
  const [{ nodeId }, left] = next;
  return [{ step: left === '' ? 'object' : 'path', device, nodeId, rest: left }];
}

function foundObject(
  plan: OpcUaPlan,
  state: State,
  device: number,
  objectId: string,
  references: ReturnType<typeof readReferences>,
  store: Store,
  voice: Voice,
): void {
  const model = modelAt(plan, device);
  const found: Found = { objectId, variables: {}, methods: {} };
  const missing: string[] = [];
  for (const { identifier, displayName } of model.properties) {
    const variable = variablesOf(references).find((reference) => reference.displayName === displayName);
    if (variable === undefined) missing.push(displayName);
    else found.variables[identifier] = [variable.nodeId, variable.type ?? ''];
  }
  for (const { identifier, displayName, inputData } of model.services) {
    const method = methodsOf(references).find((reference) => reference.displayName === displayName);
    if (method === undefined) missing.push(displayName);
    else {
      found.methods[identifier] = [method.nodeId, []];
      if (inputData.length > 0)
        state.queue.push({ step: 'method', device, nodeId: method.nodeId, identifier });
    }
  }
  state.found[keyAt(plan, device)] = found;
  tell(
    store,
    voice,
    keyAt(plan, device),
    missing.length > 0 ? said('has no {names}', { names: missing.join(', ') }) : undefined,
  );
}

/** Reports of one read: for each device what has changed. */
function reports(
  plan: OpcUaPlan,
  items: ReadonlyArray<[number, string]>,
  values: readonly unknown[],
  state: State,
  store: Store,
): Message[] {
  const reported = kept<Record<string, RegisterValue>>(store, 'reported');
  const byDevice = new Map<number, Record<string, RegisterValue>>();
  for (const [i, [device, identifier]] of items.entries()) {
    const data = values[i];
    const property = modelAt(plan, device).properties.find(
      (candidate) => candidate.identifier === identifier,
    );
    const variant =
      isFields(data) && isGood(data.statusCode) && isFields(data.value) ? data.value : undefined;
    const type = typeName(variant?.dataType);
    const value = toReport(variant?.value, property?.kind, type);
    const key = keyAt(plan, device);
    const variable = state.found[key]?.variables[identifier];
    // It had none as long as there was no value.
    if (variable !== undefined && type !== undefined) variable[1] = type;
    if (isFields(data) && isUnknownNode(data.statusCode)) forget(state, key);
    const last = { ...reported[key] };
    if (value === undefined || (Object.hasOwn(last, identifier) && last[identifier] === value)) continue;
    last[identifier] = value;
    reported[key] = last;
    byDevice.set(device, { ...byDevice.get(device), [identifier]: value });
  }
  store.set('reported', reported);
  return [...byDevice].map(([device, payload]) => {
    const names = namesAt(plan, device);
    return { topic: names.deviceName, device: names, payload };
  });
}

/** A server that was set up anew has given its nodes other ids, those of the event types too. */
function forget(state: State, key: string): void {
  delete state.found[key];
  state.types = {};
}
