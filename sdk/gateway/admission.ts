import { isDeepStrictEqual } from 'node:util';
import { type DeviceIdentity, identityProblem, thingKey } from '../../protocol';
import type { Connection } from '../connection';
import { AlinkError, asAlinkError } from '../errors';
import { type Call, ListenerSet } from '../listener-set';
import type { RequestOptions, SessionState } from '../types';
import type { MemberOptions } from './bring-up';
import type { GatewayCore } from './core';
import { withTimeLimit } from './time-limit';
import type { SubDeviceAuthentication, SubDeviceCredentials, SubDeviceResult } from './types';

/** A sub-device that is kept open without anybody holding a handle. */
export interface Kept {
  readonly connection: Connection;
  /** Ended, because it was opened with settings of its own. */
  readonly isOver: boolean;
  release(): Promise<void>;
}

/**
 * @returns undefined when it is open by settings of its own
 * @throws AlinkError `definitionConflict` when another gateway keeps it
 */
export type Keeper = (options: MemberOptions) => Kept | undefined;

export interface LoginOptions extends RequestOptions {
  store?: boolean;
}

interface Keeping {
  readonly authentication: SubDeviceAuthentication;
  readonly kept: Kept;
  /** Logins that wait for it. */
  pending: number;
  /** One of them succeeded, or an application wants it. */
  isWanted: boolean;
}

/** How long a login may take, ms: a batch may wait for its turn behind many others. */
const LOGIN_MS = 60_000;
/** More than any platform lets one gateway have (section D); applications may ask to add any name. */
const MOST_KEPT = 5000;

/**
 * Sub-devices that nobody opened: those that a flow logs in by their names, and those that an application asked to add.
 * The gateway itself keeps them, through reconnects and deploys, until they are logged out or opened by settings of
 * their own.
 */
export class Admission {
  readonly #core: GatewayCore;
  readonly #keep: Keeper;
  readonly #keepings = new Map<string, Keeping>();
  readonly #admitting: ListenerSet<SubDeviceResult>;

  /** @param call calls whoever is told of results */
  constructor(core: GatewayCore, keep: Keeper, call: Call) {
    this.#core = core;
    this.#keep = keep;
    this.#admitting = new ListenerSet(call);
    core.onNotice(({ type, devices }) => {
      if (type !== 'addRequested' || this.#admitting.size === 0) return;
      for (const identity of devices) void this.#admit(identity);
    });
  }

  /** @returns what became of each, in the order asked for; never rejects for single ones */
  login(devices: readonly SubDeviceCredentials[], options: LoginOptions): Promise<SubDeviceResult[]> {
    return Promise.all(devices.map((device) => outcome(device.identity, () => this.#login(device, options))));
  }

  logout(devices: readonly DeviceIdentity[], options: RequestOptions): Promise<SubDeviceResult[]> {
    return withTimeLimit(options, 'session.logout', (limited) =>
      Promise.all(devices.map((identity) => outcome(identity, () => limited(() => this.#logout(identity))))),
    );
  }

  /** The gateway itself has taken it out of the topology: nothing keeps it any more. */
  async forget(identity: DeviceIdentity): Promise<void> {
    const keeping = this.#current(identity);
    if (keeping) await this.#release(identity, keeping);
  }

  /** Takes in whatever an application asks to add, from now on. */
  admit(onResult: (result: SubDeviceResult) => void): () => void {
    const stop = this.#admitting.add(onResult);
    if (this.#core.isOnline) void this.online();
    return stop;
  }

  /** A secret that cannot be read keeps out its own sub-device only, and says so. */
  async #storedSecret(identity: DeviceIdentity): Promise<string | undefined> {
    try {
      return await this.#core.bringUp.storedSecret({ identity });
    } catch (thrown) {
      this.#admitting.tell({ identity, error: asAlinkError(thrown, 'secretStore') });
      return undefined;
    }
  }

  /** The gateway is online: what the topology holds and this side has a secret for comes back. */
  async online(): Promise<void> {
    if (this.#admitting.size === 0) return;
    await this.#core.topology.load();
    for (const identity of this.#core.topology.list()) {
      if (this.#core.member(identity)) continue;
      const secret = await this.#storedSecret(identity);
      if (secret === undefined || this.#admitting.size === 0 || this.#core.member(identity)) continue;
      void this.#admit(identity);
    }
  }

  /** Gives everything back; the sessions end with the gateway's. */
  close(): Promise<unknown> {
    this.#admitting.clear();
    const all = [...this.#keepings.values()];
    this.#keepings.clear();
    return Promise.all(all.map(({ kept }) => kept.release()));
  }

  async #login({ identity, ...secrets }: SubDeviceCredentials, options: LoginOptions): Promise<void> {
    assertIdentity(identity);
    const { deviceSecret = '' } = secrets;
    const keeping = this.#keeping({ identity, authentication: authentication(secrets) });
    if (keeping === undefined) {
      await this.#online(identity, options);
      return;
    }
    const isKnown = keeping.isWanted;
    keeping.pending++;
    try {
      await this.#online(identity, options);
      // Only one that works is worth keeping.
      if (options.store && deviceSecret !== '' && !isKnown)
        await this.#core.bringUp.store(identity, deviceSecret);
      keeping.isWanted = true;
    } finally {
      keeping.pending--;
      // Whoever asked is told and may ask again; nothing goes on trying behind his back.
      if (!keeping.isWanted && keeping.pending === 0) await this.#release(identity, keeping);
    }
  }

  async #logout(identity: DeviceIdentity): Promise<void> {
    assertIdentity(identity);
    const keeping = this.#current(identity);
    if (keeping) await this.#release(identity, keeping);
    else if (this.#core.member(identity)) throw inUse(identity);
    // A session that an earlier run began, or nobody: the platform knows.
    else await this.#core.logins.logout(identity);
  }

  async #admit(identity: DeviceIdentity): Promise<void> {
    const result = await outcome(identity, async () => {
      assertIdentity(identity);
      const isKnown = this.#core.member(identity) !== undefined;
      const keeping = this.#keeping({ identity, authentication: { kind: 'subRegister' } });
      if (keeping) keeping.isWanted = true;
      if (isKnown) this.#core.putBack(identity);
      await this.#online(identity, {});
    });
    this.#admitting.tell(result);
  }

  /** @returns undefined when the sub-device is open by settings of its own */
  #keeping(options: MemberOptions): Keeping | undefined {
    const { identity, authentication } = options;
    const current = this.#current(identity);
    if (current && !isOutOfDate(current, authentication)) return current;
    if (current) void this.#release(identity, current);
    this.#core.assertOther(options.identity);
    if (this.#keepings.size >= MOST_KEPT) throw tooMany();
    const kept = this.#keep(options);
    if (kept === undefined) return undefined;
    const keeping: Keeping = { authentication, kept, pending: 0, isWanted: false };
    this.#keepings.set(thingKey(identity), keeping);
    return keeping;
  }

  #current(identity: DeviceIdentity): Keeping | undefined {
    const key = thingKey(identity);
    const keeping = this.#keepings.get(key);
    if (!keeping?.kept.isOver) return keeping;
    this.#keepings.delete(key);
    return undefined;
  }

  async #release(identity: DeviceIdentity, keeping: Keeping): Promise<void> {
    const key = thingKey(identity);
    if (this.#keepings.get(key) === keeping) this.#keepings.delete(key);
    await keeping.kept.release();
  }

  #online(identity: DeviceIdentity, options: RequestOptions): Promise<void> {
    const member = this.#core.member(identity);
    if (member === undefined) throw closed();
    const { session, connection } = member;
    session.start();
    // Who gives way to another gateway goes on doing so.
    if (session.state.name !== 'conflict') session.retry();
    return online(connection, options);
  }
}

/** Whether somebody gives another secret for a sub-device that is refused with its own. */
function isOutOfDate({ authentication, kept, pending }: Keeping, given: SubDeviceAuthentication): boolean {
  if (given.kind !== 'deviceSecret' || pending > 0 || kept.connection.state.name !== 'refused') return false;
  return !isDeepStrictEqual(authentication, given);
}

/** How it comes to its secret. */
function authentication({
  deviceSecret = '',
  productSecret = '',
}: Omit<SubDeviceCredentials, 'identity'>): SubDeviceAuthentication {
  if (deviceSecret !== '') return { kind: 'deviceSecret', deviceSecret };
  return productSecret === '' ? { kind: 'subRegister' } : { kind: 'productRegister', productSecret };
}

/** Runs what is about one sub-device; its failure is a result like any other. */
export async function outcome(
  identity: DeviceIdentity,
  work: () => Promise<unknown>,
): Promise<SubDeviceResult> {
  try {
    await work();
    return { identity };
  } catch (thrown) {
    return { identity, error: asAlinkError(thrown, 'invalidInput') };
  }
}

/** @throws AlinkError `invalidInput` */
export function assertIdentity(identity: DeviceIdentity | undefined): void {
  if (typeof identity !== 'object' || identity === null) {
    const [field, reason] = ['identity', 'missing'];
    throw new AlinkError('invalidInput', `${field}: ${reason}`, { code: 460, details: { field, reason } });
  }
  const { productKey, deviceName } = identity;
  for (const [field, value] of [
    ['productKey', productKey],
    ['deviceName', deviceName],
  ] as const) {
    const reason = typeof value === 'string' ? identityProblem(value) : 'empty';
    if (reason === undefined) continue;
    throw new AlinkError('invalidInput', `${field}: ${reason}`, { code: 460, details: { field, reason } });
  }
}

const FAILED: ReadonlySet<SessionState['name']> = new Set(['waiting', 'refused', 'conflict']);

/** Waits for the first result of a login. @throws AlinkError why the sub-device is not online */
function online(connection: Connection, { timeoutMs = LOGIN_MS, ...options }: RequestOptions): Promise<void> {
  let stop = (): void => undefined;
  const result = () =>
    new Promise<void>((resolve, reject) => {
      stop = connection.onState(({ name, reason }) => {
        if (name === 'online') resolve();
        else if (name === 'closing') reject(closed());
        // While the gateway is away it only waits, like any request.
        else if (FAILED.has(name) && reason && reason.key !== 'gatewayOffline') reject(reason);
      });
    });
  return withTimeLimit({ ...options, timeoutMs }, 'session.login', (limited) => limited(result)).finally(() =>
    stop(),
  );
}

function closed(): AlinkError {
  return new AlinkError('closed', 'the sub-device was closed');
}

function inUse(identity: DeviceIdentity): AlinkError {
  const device = thingKey(identity);
  const reason = `${device} is logged in by its own settings`;
  return new AlinkError('invalidInput', reason, { details: { device, reason, rule: 'subDeviceConfigured' } });
}

function tooMany(): AlinkError {
  const reason = `${MOST_KEPT} sub-devices are logged in by messages already`;
  return new AlinkError('invalidInput', reason, {
    details: { reason, rule: 'tooManyLoggedIn', limit: MOST_KEPT },
  });
}
