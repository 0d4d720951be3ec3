import type { RegisterValue } from '../registers';
import { startOf } from './opcua-find';
import { type Found, keyAt, modelAt, namesAt, type OpcUaPlan, type Outputs, type State } from './opcua-state';
import { isFields, nodeIdText, toReport } from './opcua-values';
import type { Message } from './runtime';

const BASE_EVENT_TYPE = 'ns=0;i=2041';
const SERVER_OBJECT = 'ns=0;i=2253';
const SAMPLING_MS = 500;

/**
 * Subscribes the events once for each session. To be called right after the client has answered only: this action throws
 * where nobody catches it when the server is away, and Node-RED ends. It adds to what is subscribed already, so that each
 * event would come twice; hence other fields need the old subscription to be deleted first.
 */
export function subscribe(state: State, [client]: Outputs): void {
  const searching = state.queue.some(({ step }) => step === 'types' || step === 'fields');
  const customEventFields = [...new Set(Object.values(state.types).flatMap(([, fields]) => fields))];
  const wanted = Object.keys(state.types).length === 0 ? '' : JSON.stringify(customEventFields);
  if (searching || wanted === '' || wanted === state.subscribed) return;
  if (state.subscribed !== '') {
    // What comes of it is told by `subscriptionEnded`.
    client.push({ action: 'deletesubscription', topic: SERVER_OBJECT, payload: '' });
    return;
  }
  state.subscribed = wanted;
  client.push({
    action: 'events',
    topic: SERVER_OBJECT,
    eventTypeIds: BASE_EVENT_TYPE,
    customEventFields,
    payload: SAMPLING_MS,
  });
}

/** An event: its type and source stand somewhere among its fields, under names that the server chose. */
export function event(plan: OpcUaPlan, state: State, msg: Message, outputs: Outputs): void {
  const { payload } = msg;
  if (!isFields(payload)) return;
  const ids = new Set(Object.values(payload).map(nodeIdText));
  for (const [device, [, , path]] of plan.devices.entries()) {
    const found = state.found[keyAt(plan, device)];
    if (found === undefined || !(isSource(found, ids) || startOf(path) === payload.SourceName)) continue;
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

/** Alarms come from a variable of the device as often as from the device itself. */
function isSource({ objectId, variables }: Found, ids: ReadonlySet<string | undefined>): boolean {
  return ids.has(objectId) || Object.values(variables).some(([nodeId]) => ids.has(nodeId));
}
