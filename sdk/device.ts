import { isDeepStrictEqual } from 'node:util';
import type { Json, ThingModel } from '../protocol';
import { Connection } from './connection';
import { AlinkError } from './errors';
import type { Gateway, SubDeviceOptions } from './gateway/types';
import { assertParams } from './operations/params';
import { connectionKey } from './options';
import { assertAnswerable } from './report/dispatcher';
import type { Device, DeviceOptions, SessionState } from './types';

interface Shared {
  connection: Connection;
  options: DeviceOptions;
  users: number;
  linger: NodeJS.Timeout | undefined;
  ended: boolean;
}

const connections = new Map<string, Shared>();
const ending = new Set<Promise<void>>();
// What may differ between two definitions of the same device without being a contradiction.
const NOT_COMPARED = new Set<keyof DeviceOptions>(['log', 'lingerMs', 'secretStore']);

/**
 * Opens a device. All handles of one device in this process share one connection, because the platform throws out
 * the older of two (A.5). It does not connect before `connect()`.
 * @throws AlinkError `badSettings` naming the field; `definitionConflict` when the device is open with other settings
 */
export function openDevice(options: DeviceOptions): Device {
  const key = connectionKey(options);
  let shared = connections.get(key);
  if (shared) {
    const field = differingField(shared.options, options);
    if (field !== undefined && shared.users > 0) throw conflict(options, field);
    if (field !== undefined) {
      end(key, shared);
      shared = undefined;
    }
  }
  if (!shared) {
    shared = { connection: new Connection(options), options, users: 0, linger: undefined, ended: false };
    connections.set(key, shared);
  }
  clearTimeout(shared.linger);
  shared.linger = undefined;
  shared.users++;
  return new DeviceHandle(key, shared, options);
}

/**
 * Opens a sub-device; its gateway is opened with it. All handles of one sub-device share one session.
 * @throws AlinkError as `openDevice`
 */
export function openSubDevice(options: SubDeviceOptions): Device {
  throw new AlinkError('badSettings', `${options.identity.deviceName}: sub-devices are being built`);
}

/** How many connections are held, used or lingering; for tests that look for leaks. */
export function openConnections(): number {
  return connections.size;
}

/** Ends every connection, whoever uses it; for the end of a program. */
export async function closeAllDevices(): Promise<void> {
  for (const [key, shared] of connections) end(key, shared);
  await Promise.all(ending);
}

function end(key: string, shared: Shared): Promise<void> {
  clearTimeout(shared.linger);
  shared.ended = true;
  if (connections.get(key) === shared) connections.delete(key);
  const closing = shared.connection.close().finally(() => ending.delete(closing));
  ending.add(closing);
  return closing;
}

function differingField(a: DeviceOptions, b: DeviceOptions): string | undefined {
  const fields = new Set([...Object.keys(a), ...Object.keys(b)] as Array<keyof DeviceOptions>);
  for (const field of fields) {
    if (!NOT_COMPARED.has(field) && !isDeepStrictEqual(a[field], b[field])) return field;
  }
  return undefined;
}

function conflict({ identity }: DeviceOptions, field: string): AlinkError {
  const name = `${identity.productKey}/${identity.deviceName}`;
  return new AlinkError('definitionConflict', `${name} is defined twice with different settings: ${field}`, {
    details: { field, device: name },
  });
}

function givenBack(): AlinkError {
  return new AlinkError('closed', 'the device was given back or closed');
}

class DeviceHandle implements Device {
  readonly #key: string;
  readonly #shared: Shared;
  readonly #lingerMs: number;
  readonly #undo = new Set<() => void>();
  #released: Promise<void> | undefined;

  constructor(key: string, shared: Shared, { lingerMs = 0, log }: DeviceOptions) {
    this.#key = key;
    this.#shared = shared;
    this.#lingerMs = lingerMs;
    if (log) this.#track(shared.connection.addLog((line) => log(line)));
  }

  get identity(): Device['identity'] {
    return this.#shared.connection.identity;
  }

  get state(): SessionState {
    return this.#shared.connection.state;
  }

  get thingModel(): ThingModel | undefined {
    return this.#shared.connection.thingModel.model;
  }

  get gateway(): Gateway | undefined {
    return undefined;
  }

  onState(listener: (state: SessionState) => void): () => void {
    return this.#track(this.#connection().onState(listener));
  }

  onOnline(listener: () => void): () => void {
    return this.#track(this.#connection().onOnline(listener));
  }

  onMessage: Device['onMessage'] = (filter, listener, onRefused, { qos = 1 } = {}) =>
    this.#track(this.#connection().onMessage(filter, { listener, onRefused, qos }));

  connect(): void {
    this.#connection().session.start();
  }

  postProperties: Device['postProperties'] = (input, options = {}) =>
    this.#closed ? Promise.reject(givenBack()) : this.#shared.connection.reporter.properties(input, options);

  postEvent: Device['postEvent'] = (identifier, values, options = {}) =>
    this.#closed
      ? Promise.reject(givenBack())
      : this.#shared.connection.reporter.event(identifier, values, options);

  async request(operation: string, params: Json, options: Parameters<Device['request']>[2] = {}) {
    const connection = this.#connection();
    assertAnswerable(operation);
    assertParams(operation, params ?? {});
    return connection.request({ operation, params: JSON.stringify(params ?? {}), options });
  }

  onRequest: Device['onRequest'] = (filter, handler, handling = {}) =>
    this.#track(this.#connection().onRequest(filter, handler, handling));

  lastReported: Device['lastReported'] = () => this.#shared.connection.reporter.lastReported;

  sendRaw: Device['sendRaw'] = async (payload, options = {}) => this.#connection().sendRaw(payload, options);

  uploadFile: Device['uploadFile'] = async (file, options = {}) =>
    this.#connection().uploadFile(file, options);

  get clockOffset(): number | undefined {
    return this.#shared.connection.clock?.offset;
  }

  publish: Device['publish'] = async (topic, payload, qos, options = {}) =>
    this.#connection().publish(topic, payload, qos, options);

  release(): Promise<void> {
    this.#released ??= this.#giveBack();
    return this.#released;
  }

  async #giveBack(): Promise<void> {
    for (const undo of this.#undo) undo();
    this.#undo.clear();
    const shared = this.#shared;
    shared.users--;
    if (shared.users > 0 || connections.get(this.#key) !== shared) return;
    if (this.#lingerMs === 0) {
      await end(this.#key, shared);
      return;
    }
    shared.linger = setTimeout(() => void end(this.#key, shared), this.#lingerMs);
    shared.linger.unref();
  }

  get #closed(): boolean {
    return this.#released !== undefined || this.#shared.ended;
  }

  #connection(): Connection {
    if (this.#closed) throw givenBack();
    return this.#shared.connection;
  }

  #track(undo: () => void): () => void {
    const once = () => {
      if (this.#undo.delete(once)) undo();
    };
    this.#undo.add(once);
    return once;
  }
}
