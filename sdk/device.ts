import { type AlinkReply, type Json, type Sample, type ThingModel, thingKey } from '../protocol';
import { ConfigurationHandle } from './configuration/handle';
import type { Configuration } from './configuration/types';
import type { Connection } from './connection';
import type { Device } from './device-types';
import { directConnection } from './direct';
import { AlinkError } from './errors';
import { Admission, type Kept } from './gateway/admission';
import type { MemberOptions } from './gateway/bring-up';
import type { GatewayCore } from './gateway/core';
import { GatewayHandle, type GatewayParts } from './gateway/handle';
import { Packer } from './gateway/packer';
import type { Gateway, SubDeviceOptions } from './gateway/types';
import { assertParams } from './operations/params';
import { checkThing, connectionKey } from './options';
import { OtaHandle } from './ota/handle';
import type { Ota } from './ota/types';
import { abandon, conflict, dismiss, drop, find, hold, keep, type Shared, share } from './pool';
import { assertAnswerable } from './report/dispatcher';
import { withSharedModel } from './shared-thing-models';
import type {
  DeviceOptions,
  Outcome,
  RequestOptions,
  SessionState,
  ThingOptions,
  UploadFile,
  UploadOptions,
  UploadResult,
} from './types';

export { closeAllDevices, openConnections } from './pool';

/** What makes a shared connection that of a gateway. */
const gateways = new WeakMap<Shared, GatewayParts>();

/**
 * Opens a device. All handles of one device in this process share one connection, because the platform throws out
 * the older of two (A.5). It does not connect before `connect()`.
 * @throws AlinkError `badSettings` naming the field; `definitionConflict` when the device is open with other settings
 */
export function openDevice(options: DeviceOptions): Device {
  return handleOn(shareDevice(options), options);
}

/**
 * Opens a sub-device, and its gateway with it. All handles of one sub-device share one session (B.5).
 * @throws AlinkError as `openDevice`, about the gateway too
 */
export function openSubDevice(options: SubDeviceOptions): Device {
  const parent = shareDevice(options.gateway);
  try {
    const core = gateways.get(parent)?.core;
    if (core === undefined) throw notGateway(options.gateway);
    return handleOn(shareMember(parent, core, options), options);
  } catch (thrown) {
    abandon(parent);
    throw thrown;
  }
}

function notGateway({ identity }: DeviceOptions): AlinkError {
  const name = thingKey(identity);
  const reason = `${name} is no gateway`;
  return new AlinkError('badSettings', `gateway: ${reason}`, {
    details: { field: 'gateway', reason, rule: 'notGateway', name },
  });
}

function shareDevice(given: DeviceOptions): Shared {
  const options = withSharedModel(given);
  const made: { gateway?: GatewayCore | undefined } = {};
  const shared = share(connectionKey(options), options, undefined, () => {
    const { connection, gateway } = directConnection(options);
    made.gateway = gateway;
    return connection;
  });
  if (made.gateway) equip(shared, made.gateway, options);
  return shared;
}

function shareMember(parent: Shared, core: GatewayCore, options: Omit<SubDeviceOptions, 'gateway'>): Shared {
  checkThing(options);
  core.assertOther(options.identity);
  const { gateway: _, ...own } = withSharedModel(options) as SubDeviceOptions;
  return share(memberKey(parent, options), own, parent, () => core.createMember(own));
}

function memberKey(parent: Shared, { identity }: Pick<ThingOptions, 'identity'>): string {
  return connectionKey({ ...(parent.options as DeviceOptions), identity });
}

function equip(shared: Shared, core: GatewayCore, options: DeviceOptions): void {
  const { connection } = shared;
  const admission = new Admission(
    core,
    (member) => keepMember(shared, core, member),
    (listener, value) => connection.call(listener, value),
  );
  const packer = new Packer({
    identity: options.identity,
    submit: (submission) => connection.request(submission),
    reporterOf: (identity) =>
      connection.isOf(identity) ? connection.reporter : core.member(identity)?.connection.reporter,
    defaultTimeoutMs: options.requestTimeoutMs ?? 10_000,
    online: () => connection.isOnline,
    offlineReason: () => connection.state.reason,
    writeTime: connection.clock && ((time) => connection.clock?.write(time) ?? String(time)),
  });
  connection.onOnline(() => void admission.online());
  shared.onEnd = async () => {
    packer.close(givenBack());
    core.close();
    await admission.close();
  };
  gateways.set(shared, {
    connection,
    core,
    admission,
    packer,
    handleOn: (identity) => {
      const member = find(memberKey(shared, { identity }));
      return member && handleOn(member, { ...member.options, lingerMs: member.lingerMs });
    },
  });
}

/** A login by message yields to settings of the sub-device's own. */
function keepMember(parent: Shared, core: GatewayCore, member: MemberOptions): Kept | undefined {
  const known = find(memberKey(parent, member));
  if (known?.isKept && known.parent !== parent) throw conflict(member, 'gateway');
  if (known !== undefined && known.users > 0) return undefined;
  const kept = shareMember(parent, core, member);
  keep(kept);
  return {
    connection: kept.connection,
    get isOver() {
      return kept.ended !== undefined;
    },
    release: () => dismiss(kept),
  };
}

function handleOn(shared: Shared, options: Pick<ThingOptions, 'lingerMs' | 'log'>): Device {
  hold(shared, options.lingerMs ?? 0);
  return new DeviceHandle(shared, options);
}

function givenBack(): AlinkError {
  return new AlinkError('closed', 'the device was given back or closed');
}

/** There may be thousands, one for each message even; so what it can do is not made anew for each. */
class DeviceHandle implements Device {
  readonly #shared: Shared;
  readonly gateway: Gateway | undefined;
  readonly #undo = new Set<() => void>();
  #released: Promise<void> | undefined;
  #ota: Ota | undefined;
  #configuration: Configuration | undefined;

  constructor(shared: Shared, { log }: Pick<ThingOptions, 'log'>) {
    this.#shared = shared;
    const parts = gateways.get(shared);
    this.gateway =
      parts &&
      new GatewayHandle(parts, (undo) => {
        if (!this.#closed) return this.#track(undo);
        undo();
        throw givenBack();
      });
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

  onState(listener: (state: SessionState) => void): () => void {
    return this.#track(this.#connection().onState(listener));
  }

  onOnline(listener: () => void): () => void {
    return this.#track(this.#connection().onOnline(listener));
  }

  onMessage(...[filter, listener, onRefused, { qos = 1 } = {}]: Parameters<Device['onMessage']>): () => void {
    return this.#track(this.#connection().onMessage(filter, { listener, onRefused, qos }));
  }

  connect(): void {
    this.#connection().session.start();
  }

  postProperties(...[input, options = {}]: Parameters<Device['postProperties']>): Promise<Outcome> {
    if (this.#closed) return Promise.reject(givenBack());
    return this.#shared.connection.reporter.properties(input, options);
  }

  postEvent(...[identifier, values, options = {}]: Parameters<Device['postEvent']>): Promise<Outcome> {
    if (this.#closed) return Promise.reject(givenBack());
    return this.#shared.connection.reporter.event(identifier, values, options);
  }

  async request(operation: string, params: Json, options: RequestOptions = {}): Promise<AlinkReply> {
    const connection = this.#connection();
    assertAnswerable(operation);
    assertParams(operation, params ?? {});
    return connection.request({ operation, params: JSON.stringify(params ?? {}), options });
  }

  onRequest(...[filter, handler, handling = {}]: Parameters<Device['onRequest']>): () => void {
    const undo = this.#track(this.#connection().onRequest(filter, handler, handling));
    if (handling.subDevices) gateways.get(this.#shared)?.core.handlerAdded(filter, handling);
    return undo;
  }

  lastReported(): ReadonlyMap<string, Sample> {
    return this.#shared.connection.reporter.lastReported;
  }

  async sendRaw(payload: Uint8Array, options: RequestOptions = {}): Promise<Uint8Array> {
    return this.#connection().sendRaw(payload, options);
  }

  async uploadFile(file: UploadFile, options: UploadOptions = {}): Promise<UploadResult> {
    return this.#connection().uploadFile(file, options);
  }

  get ota(): Ota {
    this.#ota ??= new OtaHandle({
      ota: () => this.#connection().ota,
      track: (undo) => this.#track(undo),
      givenBack,
    });
    return this.#ota;
  }

  get configuration(): Configuration {
    this.#configuration ??= new ConfigurationHandle({
      configuration: () => this.#connection().configuration,
      track: (undo) => this.#track(undo),
    });
    return this.#configuration;
  }

  get clockOffset(): number | undefined {
    return this.#shared.connection.clock?.offset;
  }

  async publish(...[topic, payload, qos, options = {}]: Parameters<Device['publish']>): Promise<void> {
    return this.#connection().publish(topic, payload, qos, options);
  }

  release(): Promise<void> {
    this.#released ??= this.#giveBack();
    return this.#released;
  }

  async #giveBack(): Promise<void> {
    for (const undo of this.#undo) undo();
    this.#undo.clear();
    await drop(this.#shared);
  }

  get #closed(): boolean {
    return this.#released !== undefined || this.#shared.ended !== undefined;
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
