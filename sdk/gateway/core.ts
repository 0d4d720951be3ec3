import {
  DEFAULT_SIGN_METHOD,
  type DeviceIdentity,
  isAutoSubscribed,
  thingKey,
  topicOwner,
} from '../../protocol';
import { Connection } from '../connection';
import { subscriptionsFor } from '../downlink/handlers';
import type { RequestFilter, RequestHandling } from '../downlink/types';
import { AlinkError } from '../errors';
import { ListenerSet } from '../listener-set';
import { platformKey } from '../registration/credentials';
import type { SendWindow } from '../report/send-window';
import { refusal } from '../requests';
import type { DeviceOptions, IncomingMessage, SessionState } from '../types';
import { BringUp, type MemberOptions, type Standing } from './bring-up';
import { MemberCarrier, type Trunk } from './carrier';
import { Logins } from './logins';
import { Members } from './members';
import { News } from './news';
import type { SessionEnd } from './notices';
import { ProductModels } from './product-models';
import { Registrar } from './registrar';
import {
  type Attach,
  answersTo,
  SubDeviceListeners,
  type SubDeviceTopic,
  topicOfEach,
} from './sub-device-listeners';
import { SubDeviceSession } from './sub-session';
import { TopologyClient } from './topology';
import type { Gateway, GatewayNotice, SubDeviceState } from './types';

/** A sub-device on this gateway. */
interface Member {
  readonly identity: DeviceIdentity;
  readonly key: string;
  readonly connection: Connection;
  readonly session: SubDeviceSession;
  readonly standing: Standing;
  /** Name and reason of the state that was told last. */
  told: string;
}

/** What makes a connection that of a gateway: its sub-devices, and what the platform tells about them. */
export class GatewayCore {
  readonly registrar: Registrar;
  readonly topology: TopologyClient;
  readonly logins: Logins;
  readonly bringUp: BringUp;
  readonly #connection: Connection;
  readonly #window: SendWindow;
  readonly #options: Pick<DeviceOptions, 'platform' | 'ca'>;
  readonly #trunk: Trunk;
  readonly #key: string;
  readonly #members = new Members<Member>();
  readonly #listeners = new SubDeviceListeners();
  readonly #news: News;
  readonly #stateListeners: ListenerSet<SubDeviceState>;
  readonly #models = new ProductModels();
  #offline: AlinkError | undefined;

  /** @param connection the gateway's own */
  constructor(connection: Connection, options: DeviceOptions, window: SendWindow) {
    this.#connection = connection;
    this.#stateListeners = new ListenerSet((listener, value) => connection.call(listener, value));
    this.#key = thingKey(connection.identity);
    this.#window = window;
    this.#options = options;
    const { platform, secretStore, signMethod = DEFAULT_SIGN_METHOD, gateway = {} } = options;
    const request = this.#connection.request.bind(this.#connection);
    this.registrar = new Registrar({ request, platformKey: platformKey(platform), signMethod });
    this.topology = new TopologyClient({
      request,
      signMethod,
      log: (event, details) => connection.log({ level: 'warn', event, details }),
    });
    this.logins = new Logins({
      request,
      loginsPerSecond: gateway.loginsPerSecond,
      loginBatch: gateway.loginBatch,
      autoSubscribe: gateway.subscribeEach !== true,
    });
    const { registrar, topology, logins } = this;
    this.bringUp = new BringUp({ platform, registrar, topology, logins, secretStore });
    this.#trunk = this.#makeTrunk();
    this.#news = new News(connection, GatewayCore.filters(connection.identity), {
      onNotice: (type, identity) => this.#take(type, identity),
      onEnd: (end) => this.#ended(end),
    });
    this.#listen();
  }

  /** Filters that a gateway needs besides those of a device, and besides what it asks for when it needs it (B.10). */
  static filters({ productKey, deviceName }: DeviceIdentity): string[] {
    const names = `${productKey}/${deviceName}`;
    return [`/ext/session/${names}/combine/+`, `/ext/error/${names}`];
  }

  get isOnline(): boolean {
    return this.#connection.isOnline;
  }

  /** @throws AlinkError `badSettings` when it is the gateway itself */
  assertOther(identity: DeviceIdentity): void {
    if (thingKey(identity) !== this.#key) return;
    throw new AlinkError('badSettings', 'gateway: a gateway cannot be its own sub-device', {
      code: 6402,
      details: { field: 'gateway', reason: 'a gateway cannot be its own sub-device', rule: 'ownGateway' },
    });
  }

  createMember(options: MemberOptions): Connection {
    const { identity } = options;
    const key = thingKey(identity);
    const standing: Standing = { options, secret: undefined, isStoreOld: false, isRemoved: false };
    const opened: { session?: SubDeviceSession } = {};
    const connection = new Connection(options, {
      openSession: (events) => {
        opened.session = new SubDeviceSession(
          new MemberCarrier(this.#trunk, standing),
          events,
          options.timing,
        );
        return opened.session;
      },
      filters: answersTo(identity),
      window: this.#window,
      outerHandlers: this.#connection.downlink.handlers,
      fetchThingModel: (ask) => this.#models.of(identity.productKey, ask),
      platform: this.#options.platform,
      ca: this.#options.ca,
      secret: () => this.bringUp.secretOf(standing),
    });
    const { session } = opened;
    if (session === undefined) throw new Error('a connection opens its session at once');
    const member: Member = { identity, key, connection, session, standing, told: '' };
    const replaced = this.#members.put(member);
    if (replaced) this.#listeners.left(replaced.connection);
    connection.onState((state) => this.#stateOf(member, state));
    this.#listeners.came(connection);
    return connection;
  }

  /** States of all sub-devices, or of those with this DeviceName. */
  states(deviceName?: string): SubDeviceState[] {
    const members = deviceName === undefined ? this.#members.all : this.#members.named(deviceName);
    return members.map(({ identity, connection }) => ({ identity, state: connection.state }));
  }

  member(identity: DeviceIdentity): Pick<Member, 'connection' | 'standing' | 'session'> | undefined {
    return this.#members.get(thingKey(identity));
  }

  onSubDevice(listener: (change: SubDeviceState) => void): () => void {
    return this.#stateListeners.add(listener, this.states());
  }

  onMessage(topic: SubDeviceTopic): () => void {
    return this.#listenToEach(topicOfEach(topic));
  }

  onOffer(...[module, listener, onProblem]: Parameters<Gateway['onOffer']>): () => void {
    return this.#listenToEach(({ identity, ota }) =>
      ota.onOffer(
        module,
        (offer) => listener(identity, offer),
        (error) => onProblem?.(identity, error),
        { ask: false },
      ),
    );
  }

  #listenToEach(attach: Attach): () => void {
    return this.#listeners.add(
      attach,
      this.#members.all.map(({ connection }) => connection),
    );
  }

  onNotice(listener: (notice: GatewayNotice) => void): () => void {
    return this.#news.onNotice(listener);
  }

  /** The gateway has a new handler for requests to its sub-devices too. */
  handlerAdded(filter: RequestFilter, handling: RequestHandling): void {
    for (const { connection, identity } of this.#members.all) {
      connection.downlink.handlerAdded(handling);
      if (!this.logins.isAutoSubscribed) connection.session.subscribe(subscriptionsFor(filter, identity));
    }
  }

  /** A message on the gateway's connection. @returns whether it was for a sub-device */
  receive(message: IncomingMessage): boolean {
    const owner = topicOwner(message.topic);
    if (owner === this.#key) return false;
    const member = owner === undefined ? undefined : this.#members.get(owner);
    if (member) {
      member.connection.receive(message);
      return true;
    }
    // Broadcasts and calls on topics of one's own name nobody.
    for (const { connection } of this.#members.all) {
      if (connection.wants(message.topic)) connection.receive(message);
    }
    return false;
  }

  /** The sub-device that a filter belongs to. */
  connectionOf(filter: string): Connection | undefined {
    const owner = topicOwner(filter);
    return owner === undefined ? undefined : this.#members.get(owner)?.connection;
  }

  /** The gateway has a new session: all its sub-devices begin anew (B.5). */
  online(): void {
    this.#offline = undefined;
    for (const { session } of this.#members.all) session.gatewayOnline();
  }

  /** The gateway's session is over, and all of its sub-devices' with it. */
  offline(reason: AlinkError): void {
    const error = offlineError(reason);
    this.topology.forgetAll(error);
    this.registrar.failAll(error);
    this.logins.failAll(error);
    this.#models.clear();
    this.#tellOffline(error);
  }

  close(): void {
    this.#news.close();
    this.#stateListeners.clear();
  }

  #makeTrunk(): Trunk {
    const core = this;
    const { session } = this.#connection;
    return {
      get link() {
        return session.link;
      },
      get offline() {
        return core.#offline;
      },
      start: () => session.start(),
      subscribe: (key, { options }, filters, isNew) => {
        const isOwn = (filter: string) => topicOwner(filter) === key;
        const outer = isNew ? this.#outerFilters(options.identity) : [];
        const wanted = this.#toSubscribe(options.identity, [...filters, ...outer]);
        session.subscribe(wanted.filter((filter) => !isOwn(filter)));
        session.subscribe(wanted.filter(isOwn), isNew);
      },
      unsubscribe: (key, standing, filters, isOver) => {
        // A successor asks for them itself.
        if (isOver && this.#isReplaced(key, standing)) return;
        // What names nobody may be another sub-device's too.
        const outer = isOver ? this.#outerFilters(standing.options.identity) : [];
        const own = [...filters, ...outer].filter((filter) => topicOwner(filter) === key);
        session.unsubscribe(own, isOver);
      },
      bringUp: (standing, signal, onSent) => this.bringUp.run(standing, signal, onSent),
      // A successor's login takes the session over; a logout would end it again.
      logout: async (key, standing) =>
        this.#isReplaced(key, standing) ? undefined : this.#logout(standing.options.identity),
      leave: (key, standing) => {
        if (!this.#isReplaced(key, standing)) this.#left(key);
      },
    };
  }

  /** What the gateway's own handlers take for a sub-device; pushed by itself where the platform knows `_ss=1`. */
  #outerFilters(identity: DeviceIdentity): string[] {
    if (this.logins.isAutoSubscribed) return [];
    const { forSubDevices } = this.#connection.downlink.handlers;
    return [...new Set(forSubDevices.flatMap(({ filter }) => subscriptionsFor(filter, identity)))];
  }

  #toSubscribe(identity: DeviceIdentity, filters: readonly string[]): readonly string[] {
    if (!this.logins.isAutoSubscribed) return filters;
    return filters.filter((filter) => !isAutoSubscribed(identity, filter));
  }

  /** The same sub-device was opened anew with other settings. */
  #isReplaced(key: string, standing: Standing): boolean {
    const member = this.#members.get(key);
    return member !== undefined && member.standing !== standing;
  }

  #left(key: string): void {
    const member = this.#members.delete(key);
    if (member) this.#listeners.left(member.connection);
  }

  async #logout(identity: DeviceIdentity): Promise<void> {
    if (!this.isOnline) return;
    try {
      await this.logins.logout(identity);
    } catch (thrown) {
      // The session ends with the gateway's at the latest.
      const reason = thrown instanceof Error ? thrown.message : String(thrown);
      this.#connection.log({ level: 'info', event: 'logoutFailed', details: { reason } });
    }
  }

  #listen(): void {
    let last = '';
    this.#connection.onState(({ name, reason }) => {
      if (reason === undefined || !OFFLINE.has(name) || `${name} ${reason.message}` === last) return;
      last = `${name} ${reason.message}`;
      this.#tellOffline(offlineError(reason));
    });
  }

  #tellOffline(error: AlinkError): void {
    this.#offline = error;
    for (const { session } of this.#members.all) session.gatewayOffline(error);
  }

  #take(type: GatewayNotice['type'], identity: DeviceIdentity): void {
    const member = this.#members.get(thingKey(identity));
    switch (type) {
      case 'added':
        this.topology.added(identity);
        this.putBack(identity);
        return;
      case 'removed':
        this.removed(identity);
        return;
      case 'enabled':
        member?.session.retry();
        return;
      case 'disabled':
        member?.session.refuse(refusal({ id: '', code: 522, data: {} }, 'session.kicked'));
        return;
      case 'deleted':
        member?.session.refuse(refusal({ id: '', code: 521, data: {} }, 'session.kicked'));
    }
  }

  /** The topology has the sub-device again. */
  putBack(identity: DeviceIdentity): void {
    const member = this.#members.get(thingKey(identity));
    if (!member) return;
    member.standing.isRemoved = false;
    member.session.retry();
  }

  /** The topology has the sub-device no more; it shall not be put back unasked. */
  removed(identity: DeviceIdentity): void {
    this.topology.missing(identity);
    const member = this.#members.get(thingKey(identity));
    if (!member) return;
    member.standing.isRemoved = true;
    member.session.refuse(refusal({ id: '', code: 6401, data: {} }, 'session.kicked'));
  }

  #ended({ identity, error, id }: SessionEnd): void {
    const member = this.#members.get(thingKey(identity));
    if (error.code === 520) {
      // Of a message without a session: nobody else would tell the one who waits for its answer.
      member?.connection.dispatcher.refuse(id, { id, code: 520, data: {} });
    }
    if (error.code === 6401) this.removed(identity);
    member?.session.ended(error);
  }

  #stateOf(member: Member, state: SessionState): void {
    const told = `${state.name} ${state.reason?.message ?? ''}`;
    if (told === member.told || this.#isReplaced(member.key, member.standing)) return;
    member.told = told;
    this.#stateListeners.tell({ identity: member.identity, state });
  }
}

const OFFLINE: ReadonlySet<SessionState['name']> = new Set(['waiting', 'refused', 'conflict']);

function offlineError(reason: AlinkError): AlinkError {
  return new AlinkError('gatewayOffline', `the gateway is offline: ${reason.message}`, {
    retry: 'slow',
    cause: reason,
    details: { reason: reason.message },
  });
}
