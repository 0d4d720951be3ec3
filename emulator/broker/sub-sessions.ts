import {
  type DeviceIdentity,
  explainCode,
  formatRequest,
  formatTopic,
  type OperationName,
  operation as operationOf,
  parseClientId,
} from '../../protocol';
import { isSigned, type SubDeviceProof } from '../auth/sub-device';
import type { Ground } from '../ground';
import { type Refusal, refusalOf } from '../refusal';
import type { Device } from '../registry/device';
import type { Line, Member } from './line';
import { RateWindow } from './rate-window';
import type { Session } from './session';
import type { KickCode, SessionOwner } from './session-owner';

/** What a gateway says about a sub-device that it logs in (B.5 row 70). */
export interface SubDeviceLogin extends DeviceIdentity, SubDeviceProof {
  clean: boolean;
}

const MINUTE_MS = 60_000;
const SECOND_MS = 1000;

interface Accepted {
  session: Session;
  login: SubDeviceLogin;
}

/** Sessions of sub-devices: bound to their gateway's connection, ended with it (B.5). */
export class SubSessions {
  // By device, because whoever connects again must not start anew; forgotten with the device.
  private readonly ofGateways = new WeakMap<Device, RateWindow>();
  private readonly ofSubDevices = new WeakMap<Device, RateWindow>();

  /** Disabled while they were logged in, with the line on which they wait to hear that they may come back. */
  private readonly disabled = new WeakMap<Device, Line>();

  constructor(private readonly platform: Ground) {}

  /** Logs in all, or none. */
  login(line: Line, logins: readonly SubDeviceLogin[]): Refusal | undefined {
    const { limits } = this.platform;
    const gateway = line.session.device;
    const now = this.platform.clock();
    if (line.session.line !== line) return { code: 520, note: 'the gateway is gone' };
    if (!window(this.ofGateways, gateway, SECOND_MS).take(now, limits.loginsPerSecond, logins.length)) {
      return { code: 429, note: `more than ${limits.loginsPerSecond} logins a second` };
    }
    const accepted: Accepted[] = [];
    for (const login of logins) {
      const device = this.judge(gateway, login);
      if ('code' in device) return device;
      if (!window(this.ofSubDevices, device, MINUTE_MS).fits(now, limits.loginsPerMinute)) {
        return refusalOf(429, login, `more than ${limits.loginsPerMinute} logins a minute`);
      }
      accepted.push({ session: this.platform.sessionOf(device), login });
    }
    const most = limits.onlineSubDevicesPerGateway;
    const added = accepted.filter(({ session }) => session.line !== line).length;
    if (most > 0 && line.members.size + added > most) {
      return { code: 428, note: `more than ${most} sub-devices online` };
    }
    for (const { session, login } of accepted) {
      window(this.ofSubDevices, session.device, MINUTE_MS).take(now, limits.loginsPerMinute);
      this.begin(line, session, login);
    }
    return undefined;
  }

  /** Logs out all, or none. */
  logout(line: Line, identities: readonly DeviceIdentity[]): Refusal | undefined {
    const members = new Set<Member>();
    for (const identity of identities) {
      const device = this.platform.registry.find(identity);
      const member = device && line.members.get(device.key);
      if (member === undefined) {
        return refusalOf(520, identity, 'has no session here');
      }
      members.add(member);
    }
    for (const { session } of members) this.end(session, 'logged out');
    return undefined;
  }

  /**
   * Ends the session that a device has behind a gateway, if it has one.
   * @param code what the gateway is told; nothing when absent, because it knows
   */
  end(session: Session, note: string, code?: KickCode): void {
    const { line } = session;
    const member = line?.members.get(session.device.key);
    if (line === undefined || member === undefined) return;
    session.end();
    this.platform.offline(session.device, member as SubDeviceMember, note);
    if (code !== undefined) this.notify(line.session.device, session.device.identity, code);
  }

  /** Tells the sub-device and ends its session (row 76). */
  disable(session: Session): void {
    const { line } = session;
    if (line === undefined || !line.members.has(session.device.key)) return;
    this.platform.request(session.device, 'thing.disable', {});
    // What it subscribed goes with its session, and yet it shall hear when it may come back.
    if (session.outlook(topicOf('thing.enable', session.device), 0) === 'sent') {
      this.disabled.set(session.device, line);
    }
    this.end(session, 'disabled', 522);
  }

  /** Tells a sub-device that it may log in again (row 77). */
  enable(device: Device): void {
    const line = this.disabled.get(device);
    this.disabled.delete(device);
    if (line === undefined || line.session.line !== line) return;
    const { method } = operationOf('thing.enable');
    const payload = formatRequest(this.platform.messageIds.next(), method, '{}');
    const topic = topicOf('thing.enable', device);
    if (!this.platform.silent) line.write(topic, payload, 0, 0, false);
    const { identity } = device;
    this.platform.exchanges.add({
      kind: 'down',
      identity,
      topic,
      payload,
      qos: 0,
      operation: 'thing.enable',
    });
  }

  /** Tells the sub-device and ends its session (row 78). */
  delete(session: Session): void {
    const { line } = session;
    if (line === undefined || !line.members.has(session.device.key)) return;
    this.platform.request(session.device, 'thing.delete', {});
    this.end(session, 'deleted', 521);
  }

  /** The gateway's connection ended, or another one takes its place: all sub-devices behind it go offline. */
  endAll(line: Line, note: string): void {
    for (const { session } of [...line.members.values()]) this.end(session, note);
  }

  /** Another connection or login takes the session's place. */
  makeWay(session: Session): void {
    const { line } = session;
    if (line === undefined) return;
    if (line.session === session) this.endAll(line, 'the gateway is replaced by a new connection');
    else this.end(session, 'logged in elsewhere', 427);
  }

  /**
   * A gateway's message on a topic of a device that has no session on its connection (B.5 row 75).
   * @param id of the message
   */
  notifyNoSession(gateway: Device, identity: DeviceIdentity, id: string | number): void {
    this.push(gateway, 'session.error', identity, 520, id);
  }

  private notify(gateway: Device, identity: DeviceIdentity, code: KickCode): void {
    const { limits, messageIds } = this.platform;
    const id = messageIds.next();
    if (limits.kickOnErrorTopic) this.push(gateway, 'session.error', identity, code, id);
    if (limits.kickOnLogoutTopic) this.push(gateway, 'session.kicked', identity, code, id);
  }

  private push(
    gateway: Device,
    name: OperationName,
    { productKey, deviceName }: DeviceIdentity,
    code: number,
    id: string | number,
  ): void {
    const message = explainCode(code)?.en ?? 'the session ended';
    const payload = JSON.stringify({ id, code, message, data: { productKey, deviceName } });
    this.platform.push(gateway, topicOf(name, gateway), payload, 0, name);
  }

  private judge(gateway: Device, login: SubDeviceLogin): Device | Refusal {
    const { registry } = this.platform;
    if (registry.wasDeleted(login)) return refusalOf(521, login, 'was deleted');
    const device = registry.connectable({ productKey: login.productKey, deviceName: login.deviceName });
    if (device === undefined) return refusalOf(6100, login, 'there is no such device');
    if (!isSigned(device, login)) return refusalOf(6287, login, 'the signature is wrong');
    if (!device.enabled) return refusalOf(522, login, 'is disabled');
    if (registry.topology.gatewayOf(device) !== gateway) {
      return refusalOf(6401, login, 'does not stand behind this gateway');
    }
    return device;
  }

  private begin(line: Line, session: Session, { clientId = '', clean }: SubDeviceLogin): void {
    if (session.line !== line) {
      this.makeWay(session);
      this.platform.kick(session.device);
    }
    const { parameters } = parseClientId(clientId);
    // C SDK 4 states it in its CONNECT alone and waits for calls of its sub-devices on these topics too.
    const ext = Number(parameters.get('ext') ?? line.session.ext);
    const member = new SubDeviceMember(session, (code) => this.end(session, 'kicked', code));
    const autoSubscribe = parameters.get('_ss') === '1';
    session.takeOver(member, { clean, autoSubscribe, ext: Number.isInteger(ext) ? ext : 0 }, line);
    line.join(member);
    this.platform.online(session.device, member, line.session.device, line.session.device);
    // What waited goes out behind the answer: before it nobody expects messages of this sub-device.
    queueMicrotask(() => {
      if (session.owner === member) session.resume();
    });
  }
}

class SubDeviceMember implements Member, SessionOwner {
  constructor(
    readonly session: Session,
    readonly close: (code: KickCode) => void,
  ) {}
}

function topicOf(name: OperationName, { identity }: Device): string {
  return formatTopic(operationOf(name).topic, { ...identity });
}

function window(windows: WeakMap<Device, RateWindow>, device: Device, ms: number): RateWindow {
  let found = windows.get(device);
  if (found === undefined) {
    found = new RateWindow(ms);
    windows.set(device, found);
  }
  return found;
}
