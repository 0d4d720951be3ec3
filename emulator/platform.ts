import {
  filterProblem,
  formatRequest,
  formatTopic,
  type Json,
  MessageIds,
  type OperationName,
  operation as operationOf,
  topicMatches,
} from '../protocol';
import type { ConnectContext } from './auth/connect';
import { TokenStore } from './auth/tokens';
import type { Delivery } from './broker/delivery';
import { maySubscribe, namedIn } from './broker/rights';
import { Session } from './broker/session';
import type { KickCode, SessionOwner } from './broker/session-owner';
import { SubSessions } from './broker/sub-sessions';
import { RemoteConfigurations } from './configuration/remote';
import { Downlink } from './downlink/downlink';
import { ExchangeLog } from './exchanges';
import { FaultRules } from './faults';
import { FileServer, mayHoldAddress, withoutSignatures } from './files/file-server';
import type { ServedFile } from './files/served-file';
import { Forwarding } from './forwarding/forwarding';
import { type DownlinkResult, downlinkMessage, lifecycleMessage, statusMessage } from './forwarding/messages';
import type { Ground } from './ground';
import { encode } from './handlers/codec';
import { malformed } from './malformed';
import type { EmulatorLimits } from './options';
import { Ota } from './ota/ota';
import { FirmwareUploads } from './ota/uploads';
import { Passthrough } from './passthrough';
import type { Device } from './registry/device';
import { FileBudget } from './registry/files';
import type { Product } from './registry/product';
import { Registry } from './registry/registry';
import { ProductScript } from './script/product-script';
import { TopologyChanges } from './topology-changes';
import { Uplink } from './uplink';

/** The platform behind all doors: who may do what, and what happens to each message. */
export class Platform implements Ground, ConnectContext {
  readonly registry: Registry;
  readonly tokens: TokenStore;
  readonly exchanges: ExchangeLog;
  readonly faults = new FaultRules();
  readonly forwarding: Forwarding;
  readonly downlink: Downlink;
  readonly passthrough = new Passthrough(this);
  /** Messages of devices. */
  readonly uplink = new Uplink(this);
  /** Changes of the topology; what it holds is in the registry. */
  readonly topology = new TopologyChanges(this);
  /** Firmware and configurations that devices fetch. */
  readonly files: FileServer;
  readonly ota: Ota;
  readonly configurations = new RemoteConfigurations(this);
  readonly firmwareUploads: FirmwareUploads;
  readonly firmwareBudget: FileBudget;
  /** Address of the HTTP door as a device can reach it; undefined while none is open. */
  fileOrigin: (device: Device) => string | undefined = () => undefined;
  /** Nothing is sent: what a dead network looks like. */
  silent = false;
  /** Ids of the platform's own requests. */
  readonly messageIds: MessageIds;
  readonly subSessions = new SubSessions(this);
  // Forgotten with the device, even when something on its way asks for one of a device that is no more.
  private readonly sessions = new WeakMap<Device, Session>();
  private readonly connections = new Map<Device, SessionOwner>();
  private readonly delayed = new Set<NodeJS.Timeout>();

  constructor(
    readonly limits: EmulatorLimits,
    readonly clock: () => number,
    autoProvision: boolean,
    readonly log: (line: string) => void,
  ) {
    this.registry = new Registry(limits, clock, autoProvision);
    this.messageIds = new MessageIds(clock());
    this.tokens = new TokenStore(clock, limits.iotTokenMs);
    this.exchanges = new ExchangeLog(limits.exchanges, clock);
    this.forwarding = new Forwarding(limits, clock, ({ identity, topic }, payload) => {
      const device = this.registry.find(identity);
      if (device !== undefined) this.push(device, topic, payload, 1);
    });
    this.registry.topology.left = (device) => {
      this.subSessions.end(this.sessionOf(device), 'no longer behind its gateway', 6401);
    };
    this.registry.created = (device) => this.tellLifecycle(device, 'create');
    this.downlink = new Downlink(this);
    this.files = new FileServer((device) => this.fileOrigin(device), clock, limits.fileUrlMs);
    this.firmwareBudget = new FileBudget(limits.firmwareBytes);
    this.firmwareUploads = new FirmwareUploads(this);
    this.ota = new Ota(this);
  }

  sessionOf(device: Device): Session {
    let session = this.sessions.get(device);
    if (session === undefined) {
      session = new Session(device, this.limits, this.clock);
      this.sessions.set(device, session);
    }
    return session;
  }

  /**
   * @param clientIp where it comes from
   * @param reachedAt our own address as it reached it
   * @param gateway through which it is logged in
   */
  online(
    device: Device,
    connection: SessionOwner,
    { clientIp, reachedAt }: { clientIp: string; reachedAt: string },
    gateway?: Device,
  ): void {
    const now = this.clock();
    this.connections.set(device, connection);
    device.activatedAt ??= now;
    device.onlineSince = now;
    device.lastOnlineAt = now;
    device.clientIp = clientIp;
    device.reachedAt = reachedAt;
    const last = device.lastHeardAt ?? now;
    device.lastHeardAt = now;
    const note = gateway && `through ${gateway.key}`;
    this.exchanges.add({ kind: 'connect', identity: device.identity, code: 0, note });
    this.forwarding.publish(device, statusMessage(device, 'online', { now, last }));
    this.offerFirmware(device);
  }

  /** The device asked for topics. */
  subscribed(device: Device, filter: string): void {
    const { topic } = operationOf('ota.upgrade');
    if (topicMatches(filter, formatTopic(topic, { ...device.identity }))) this.offerFirmware(device);
  }

  offline(device: Device, connection: SessionOwner, note: string): void {
    this.exchanges.add({ kind: 'disconnect', identity: device.identity, note });
    if (this.connections.get(device) !== connection) return;
    this.connections.delete(device);
    const now = this.clock();
    device.onlineSince = undefined;
    device.lastOnlineAt = now;
    const last = device.lastHeardAt ?? now;
    this.forwarding.publish(device, statusMessage(device, 'offline', { now, last }));
  }

  /**
   * Closes the device's connection, or ends its session behind a gateway.
   * @returns whether it had one
   */
  kick(device: Device, code: KickCode = 427): boolean {
    const connection = this.connections.get(device);
    connection?.close(code);
    return connection !== undefined;
  }

  /** Deletes a device with everything it has; it may register again (C.2 codes 6100, 6289). */
  deleteDevice(device: Device): void {
    this.subSessions.delete(this.sessionOf(device));
    this.topology.forget(device);
    this.ota.forget(device);
    if (device.modelConfiguration !== undefined) this.files.remove(device.modelConfiguration.fileId);
    this.registry.removeDevice(device);
    this.kick(device, 521);
    this.sessions.delete(device);
    this.downlink.giveUp(device);
    this.tellLifecycle(device, 'delete');
  }

  /** A file of a package that is gone. */
  forgetFile({ fileId, content }: ServedFile): void {
    this.files.remove(fileId);
    this.firmwareBudget.release(content.memoryBytes);
  }

  /** Gives a product another script; an empty one takes it away. */
  setScript(product: Product, text: string): void {
    product.script?.close();
    product.script = text === '' ? undefined : new ProductScript(text, this.limits);
  }

  setEnabled(device: Device, enabled: boolean): void {
    const changed = device.enabled !== enabled;
    device.enabled = enabled;
    if (enabled) this.subSessions.enable(device);
    else {
      this.subSessions.disable(this.sessionOf(device));
      this.kick(device, 522);
    }
    if (!changed) return;
    const action = enabled ? 'enable' : 'disable';
    this.tellLifecycle(device, action);
    this.topology.switched(device, action);
  }

  /**
   * The session that a filter belongs to: the connection's own, or that of a sub-device behind it.
   * @returns undefined when the connection may not subscribe it
   */
  subscriber(session: Session, filter: string): Session | undefined {
    if (filterProblem(filter) !== undefined) return undefined;
    const device = session.speaksFor(namedIn(filter)) ?? session.device;
    return maySubscribe(device.product, device.identity, filter) ? this.sessionOf(device) : undefined;
  }

  /**
   * Sends a message to a device.
   * @param operation its name in the catalogue, for faults and the log
   */
  push(
    device: Device,
    topic: string,
    payload: string | Uint8Array,
    qos: 0 | 1,
    operation?: OperationName,
  ): Delivery {
    const fault = this.faults.strike('down', device, topic, operation);
    const session = this.sessionOf(device);
    // What is lost on the way the platform believes to be under way.
    let delivery = session.outlook(topic, qos);
    if (this.silent) return delivery;
    const encoded = encode(device, topic, payload);
    switch (fault?.action) {
      case 'drop':
      case 'loseReply':
      case 'refuse':
        break;
      case 'kick':
        this.kick(device, 427);
        delivery = 'offline';
        break;
      case 'delay':
        this.later(fault.ms, () => session.send(topic, encoded, qos));
        break;
      case 'malformReply':
        delivery = session.send(topic, malformed(encoded), qos);
        break;
      case 'duplicate':
        session.send(topic, encoded, qos);
        delivery = session.send(topic, encoded, qos);
        break;
      default:
        delivery = session.send(topic, encoded, qos);
    }
    const note = fault ? `fault: ${fault.action}` : delivery === 'sent' ? undefined : delivery;
    const kept = mayHoldAddress(operation) ? withoutSignatures(payload) : payload;
    this.exchanges.add({
      kind: 'down',
      identity: device.identity,
      topic,
      payload: kept,
      qos,
      operation,
      note,
    });
    return delivery;
  }

  /** Sends a request in the common envelope whose answer nobody waits for. */
  request(device: Device, name: OperationName, params: Json): Delivery {
    const { topic, method, qos } = operationOf(name);
    const message = formatRequest(this.messageIds.next(), method, JSON.stringify(params));
    return this.push(device, formatTopic(topic, { ...device.identity }), message, qos, name);
  }

  /** Tells applications what came of a request to a device (B.9). */
  onResult(device: Device, result: DownlinkResult): void {
    this.forwarding.publish(device, downlinkMessage(device, result, this.clock()));
  }

  /** Runs `work` later, unless the emulator ends before. */
  later(ms: number, work: () => void): void {
    const timer = setTimeout(() => {
      this.delayed.delete(timer);
      work();
    }, ms);
    this.delayed.add(timer);
  }

  close(): void {
    for (const timer of this.delayed) clearTimeout(timer);
    this.delayed.clear();
    this.downlink.close();
    for (const { script } of this.registry.products.values()) script?.close();
  }

  // Behind the acknowledgement of the connection, login or subscription.
  private offerFirmware(device: Device): void {
    if (device.upgrades.size > 0) this.later(0, () => this.ota.pushDue(device));
  }

  private tellLifecycle(device: Device, action: 'create' | 'delete' | 'enable' | 'disable'): void {
    this.forwarding.publish(device, lifecycleMessage(device, action, this.clock()));
  }
}
