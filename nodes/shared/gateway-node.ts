import type { Node, NodeAPI, NodeDef } from 'node-red';
import { thingKey } from '../../protocol';
import {
  AlinkError,
  type Device,
  type DeviceIdentity,
  type Gateway,
  type RequestOptions,
  type SubDeviceCredentials,
  type SubDeviceResult,
} from '../../sdk';
import { badSettings, expandText, readNumber, readValue, type ValueSource } from './config';
import { FlowError, toAlinkError, toFlowError } from './flow-error';
import { type AlinkMessage, failed, linkThing, namesOf, type ThingLink } from './flow-node';
import { invalidInput } from './invalid-input';
import { say } from './runtime-messages';
import { type DeviceEntry, type Outcomes, outcomesOf, readDevices, withoutSecrets } from './sub-devices';
import type { AlinkInfo } from './types';

/** Sentences in `msg.alink.problems`, at most. */
const MOST_PROBLEMS = 200;

/** Fields that every node which does something with sub-devices has in its dialog. */
export interface GatewayDef extends NodeDef {
  device: string;
  value: string;
  valueType: ValueSource;
  /** Of sub-devices that name none. */
  productKey: string;
  /** Seconds; empty: the device's. */
  timeout: string;
}

/** One thing that a gateway can do about sub-devices. */
export interface GatewayWork {
  /** Of the message, or the name in the catalogue where messages have no method. */
  method: string;
  /** `none`: nothing is read from the message, and the answer is names. */
  devices: 'named' | 'none';
  /** Whether secrets that came by registration go into the answer. */
  handOut?: boolean;
  /** @returns what became of each. @throws AlinkError which all of them share */
  run: (
    gateway: Gateway,
    devices: readonly SubDeviceCredentials[],
    options: RequestOptions,
  ) => Promise<ReadonlyArray<SubDeviceResult & { deviceSecret?: string }>>;
}

/** Ties a node to its gateway. @param onOpen called with the open gateway; what it returns is called on close */
export function linkGateway(
  RED: NodeAPI,
  node: Node,
  deviceId: string,
  onOpen: (gateway: Gateway, link: ThingLink, device: Device) => () => void,
): ThingLink {
  const link = linkThing(RED, node, deviceId, (device) => onOpen(gatewayOf(device), link, device));
  return link;
}

/**
 * The one way a message about sub-devices goes through a node: `msg.payload` becomes what became of each; it is an
 * error when nothing went well. Secrets leave the message before anything else happens with it.
 */
export function handleDevices(
  RED: NodeAPI,
  node: Node,
  def: GatewayDef,
  link: ThingLink,
  work: GatewayWork,
): void {
  node.on('input', async (msg: AlinkMessage, send, done) => {
    const info: AlinkInfo = { status: 'failed', method: work.method };
    let entries: DeviceEntry[] = [];
    let told: Awaited<ReturnType<GatewayWork['run']>> | AlinkError;
    try {
      entries = await takeDevices(RED, node, def, msg, work);
      const device = await link.device();
      Object.assign(info, namesOf(device));
      const seconds = readNumber(expandText(RED, node, def.timeout), 'timeout', { min: 1, max: 3600 });
      told = await ask(work, gatewayOf(device), entries, {
        signal: link.signal,
        ...(seconds === undefined ? {} : { timeoutMs: seconds * 1000 }),
      });
    } catch (thrown) {
      told = toAlinkError(thrown);
    }
    const outcomes = outcomesOf(RED, entries, told, work.handOut === true);
    const error = errorOf(RED, told, outcomes);
    if (entries.length > 0 || !(told instanceof AlinkError)) msg.payload = payloadOf(work, told, outcomes);
    const only = onlyOne(outcomes.results);
    if (only !== undefined) msg.device = { ...only };
    msg.alink = { ...info, ...only, ...summaryOf(RED, told, outcomes, error) };
    if (error !== undefined) {
      if (!link.signal.aborted) link.status.error(error.cause);
      done(error.said);
      return;
    }
    if (outcomes.failures.length === 0) link.status.success();
    else link.status.partly(outcomes.failures.length, outcomes.results.length);
    send(msg);
    done();
  });
}

/** @throws AlinkError `badSettings` when the device is none */
function gatewayOf({ gateway, identity }: Device): Gateway {
  if (gateway !== undefined) return gateway;
  const name = `${identity.productKey}/${identity.deviceName}`;
  throw badSettings('device', `${name} is no gateway`, 'notGateway', { name });
}

/** Reads who is meant, and takes the secrets out of the message. @throws AlinkError `invalidInput` */
async function takeDevices(
  RED: NodeAPI,
  node: Node,
  def: GatewayDef,
  msg: AlinkMessage,
  work: GatewayWork,
): Promise<DeviceEntry[]> {
  const [value, source] = [def.value || 'payload', def.valueType || 'msg'];
  try {
    if (work.devices === 'none') return [];
    const standard = expandText(RED, node, def.productKey);
    const given = await readValue(RED, node, value, source, msg);
    const entries = readDevices(given, standard) ?? readDevices(listed(msg.device), standard);
    if (entries !== undefined) return entries;
    throw invalidInput('noSubDevices', 'the message names no sub-device');
  } finally {
    hideSecrets(msg, ['payload']);
    hideSecrets(msg, ['device']);
    if (source === 'msg') hideSecrets(msg, RED.util.normalisePropertyExpression(value, msg, false));
  }
}

// As other nodes of a gateway take it.
function listed(device: unknown): unknown {
  return typeof device === 'string' && device !== '' ? [device] : device;
}

async function ask(
  work: GatewayWork,
  gateway: Gateway,
  entries: readonly DeviceEntry[],
  options: RequestOptions,
): ReturnType<GatewayWork['run']> {
  // Of one that is named twice the last entry counts.
  const devices = new Map<string, SubDeviceCredentials>();
  for (const entry of entries) {
    if ('credentials' in entry) devices.set(thingKey(entry.credentials.identity), entry.credentials);
  }
  if (work.devices === 'named' && devices.size === 0) return [];
  return work.run(gateway, [...devices.values()], options);
}

function payloadOf(
  work: GatewayWork,
  told: Awaited<ReturnType<GatewayWork['run']>> | AlinkError,
  { results }: Outcomes,
): unknown {
  if (work.devices === 'named' || told instanceof AlinkError) return results;
  return told.map(({ identity }) => ({ ...identity }));
}

/** What makes a message fail: an error that all devices share, or that each of them has one. */
function errorOf(
  RED: NodeAPI,
  told: unknown,
  { results, failures }: Outcomes,
): { cause: AlinkError; said: FlowError } | undefined {
  if (told instanceof AlinkError) return { cause: told, said: toFlowError(RED, told) };
  const [first] = failures;
  if (first === undefined || failures.length < results.length) return undefined;
  if (failures.length === 1) return { cause: first.error, said: toFlowError(RED, first.error) };
  const values = { count: failures.length, name: first.name, explanation: first.message };
  const english = `None of ${values.count} sub-devices: ${values.name}: ${values.explanation}`;
  return {
    cause: first.error,
    said: new FlowError(say(RED, 'error.noneOfAll', values, english), first.error),
  };
}

function summaryOf(
  RED: NodeAPI,
  told: unknown,
  { failures }: Outcomes,
  error: { cause: AlinkError; said: FlowError } | undefined,
): Partial<AlinkInfo> & { status: string } {
  // What all of them share stands in the message.
  const own = told instanceof AlinkError ? [] : failures.slice(0, MOST_PROBLEMS);
  const problems = own.map(({ name, message }) => `${name}: ${message}`);
  return {
    status: 'acknowledged',
    ...(error === undefined ? { code: 200 } : failed(RED, error.cause, error.said.message)),
    ...(problems.length > 0 ? { problems } : {}),
  };
}

/** Whom a message is about when it is about one: it names this one for the nodes that come next. */
function onlyOne(devices: ReadonlyArray<Partial<DeviceIdentity>>): DeviceIdentity | undefined {
  const { productKey, deviceName } = devices[0] ?? {};
  if (devices.length !== 1 || productKey === undefined || deviceName === undefined) return undefined;
  return { productKey, deviceName };
}

// Nothing is changed in place: what a message holds may belong to a context or to another message.
function hideSecrets(holder: object, path: ReadonlyArray<string | number>): void {
  const [name, ...rest] = path;
  const value: unknown = name === undefined ? undefined : Reflect.get(holder, name);
  if (name === undefined || value === undefined) return;
  if (rest.length === 0) Reflect.set(holder, name, withoutSecrets(value));
  else if (typeof value === 'object' && value !== null) {
    const copy: object = Array.isArray(value)
      ? [...value]
      : Object.assign(Object.create(Object.getPrototypeOf(value)), value);
    hideSecrets(copy, rest);
    Reflect.set(holder, name, copy);
  }
}
