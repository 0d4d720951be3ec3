import { type DeviceIdentity, identityProblem, thingKey } from '../../protocol';
import type { Connection } from '../connection';
import { AlinkError, asAlinkError } from '../errors';
import type { RequestOptions, SessionState } from '../types';
import type { MemberOptions } from './bring-up';
import type { GatewayCore } from './core';
import type { SubDeviceAuthentication, SubDeviceCredentials, SubDeviceResult } from './types';

/** A sub-device that is kept open without anybody holding a handle. */
export interface Kept {
  connection: Connection;
  release(): Promise<void>;
}

/** @throws AlinkError `definitionConflict` when it is open with other settings */
export type Keeper = (options: MemberOptions) => Kept;

export interface LoginOptions extends RequestOptions {
  store?: boolean;
}

/** How long a login may take, ms: a batch may wait for its turn behind many others. */
const LOGIN_MS = 60_000;

/**
 * Sub-devices that nobody opened: those that a flow logs in by their names, and those that an application asked to add.
 * The gateway itself keeps them, through reconnects and deploys, until they are logged out.
 */
export class Admission {
  readonly #core: GatewayCore;
  readonly #keep: Keeper;
  readonly #kept = new Map<string, Kept>();
  readonly #admitting = new Set<(result: SubDeviceResult) => void>();

  constructor(core: GatewayCore, keep: Keeper) {
    this.#core = core;
    this.#keep = keep;
    core.onNotice(({ type, devices }) => {
      if (type !== 'addRequested' || this.#admitting.size === 0) return;
      for (const identity of devices) void this.#admit(identity);
    });
  }

  /** @returns what became of each, in the order asked for; never rejects for single ones */
  login(devices: readonly SubDeviceCredentials[], options: LoginOptions): Promise<SubDeviceResult[]> {
    return Promise.all(devices.map((device) => outcome(device.identity, () => this.#login(device, options))));
  }

  logout(devices: readonly DeviceIdentity[]): Promise<SubDeviceResult[]> {
    return Promise.all(devices.map((identity) => outcome(identity, () => this.#logout(identity))));
  }

  /** The gateway itself has taken it out of the topology: nothing keeps it any more. */
  async forget(identity: DeviceIdentity): Promise<void> {
    const key = thingKey(identity);
    const kept = this.#kept.get(key);
    this.#kept.delete(key);
    await kept?.release();
  }

  /** Takes in whatever an application asks to add, from now on. */
  admit(onResult: (result: SubDeviceResult) => void): () => void {
    const own = (result: SubDeviceResult) => onResult(result);
    this.#admitting.add(own);
    if (this.#core.isOnline) void this.online();
    return () => this.#admitting.delete(own);
  }

  /** The gateway is online: what the topology holds and this side has a secret for comes back. */
  async online(): Promise<void> {
    if (this.#admitting.size === 0) return;
    await this.#core.topology.load();
    for (const identity of this.#core.topology.list()) {
      if (this.#core.member(identity)) continue;
      const secret = await this.#core.bringUp.storedSecret({ identity }).catch(() => undefined);
      if (secret !== undefined && this.#admitting.size > 0) void this.#admit(identity);
    }
  }

  /** Gives everything back; the sessions end with the gateway's. */
  close(): Promise<unknown> {
    this.#admitting.clear();
    const all = [...this.#kept.values()];
    this.#kept.clear();
    return Promise.all(all.map((kept) => kept.release()));
  }

  async #login({ identity, ...secrets }: SubDeviceCredentials, options: LoginOptions): Promise<void> {
    assertIdentity(identity);
    const key = thingKey(identity);
    const known = this.#core.member(identity);
    if (known) {
      await online(known.connection, options);
      return;
    }
    const authentication = await this.#authentication({ identity, ...secrets }, options.store === true);
    const kept = this.#keep({ identity, authentication });
    this.#kept.set(key, kept);
    try {
      kept.connection.session.start();
      await online(kept.connection, options);
    } catch (thrown) {
      // Whoever asked is told and may ask again; nothing goes on trying behind his back.
      if (this.#kept.get(key) === kept) this.#kept.delete(key);
      await kept.release();
      throw thrown;
    }
  }

  async #logout(identity: DeviceIdentity): Promise<void> {
    assertIdentity(identity);
    const key = thingKey(identity);
    if (this.#kept.has(key)) return this.forget(identity);
    if (this.#core.member(identity)) throw inUse(identity);
    // A session that an earlier run began, or nobody: the platform knows.
    await this.#core.logins.logout(identity);
  }

  async #admit(identity: DeviceIdentity): Promise<void> {
    const result = await outcome(identity, async () => {
      assertIdentity(identity);
      const known = this.#core.member(identity);
      if (known) {
        this.#core.putBack(identity);
        await online(known.connection, {});
        return;
      }
      const kept = this.#keep({ identity, authentication: { kind: 'subRegister' } });
      this.#kept.set(thingKey(identity), kept);
      kept.connection.session.start();
      await online(kept.connection, {});
    });
    for (const onResult of [...this.#admitting]) onResult(result);
  }

  async #authentication(
    { identity, deviceSecret, productSecret }: SubDeviceCredentials,
    store: boolean,
  ): Promise<SubDeviceAuthentication> {
    if (deviceSecret !== undefined && deviceSecret !== '') {
      if (store) await this.#core.bringUp.store(identity, deviceSecret);
      return { kind: 'deviceSecret', deviceSecret };
    }
    return productSecret === undefined || productSecret === ''
      ? { kind: 'subRegister' }
      : { kind: 'productRegister', productSecret };
  }
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
export function assertIdentity({ productKey, deviceName }: DeviceIdentity): void {
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
function online(connection: Connection, { timeoutMs = LOGIN_MS, signal }: RequestOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    let stop: () => void = () => undefined;
    const end = (error?: AlinkError) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
      queueMicrotask(() => stop()); // it may not be there yet
      if (error) reject(error);
      else resolve();
    };
    const abort = () => end(new AlinkError('aborted', 'the login was given up'));
    const seconds = Math.round(timeoutMs / 100) / 10;
    const timer = setTimeout(
      () =>
        end(
          new AlinkError('timeout', `the sub-device was not online within ${seconds} s`, {
            retry: 'slow',
            details: { seconds, operation: 'session.login' },
          }),
        ),
      timeoutMs,
    );
    if (signal?.aborted) return abort();
    signal?.addEventListener('abort', abort, { once: true });
    stop = connection.onState(({ name, reason }) => {
      if (name === 'online') end();
      // While the gateway is away it only waits, like any request.
      else if (FAILED.has(name) && reason && reason.key !== 'gatewayOffline') end(reason);
    });
  });
}

function inUse(identity: DeviceIdentity): AlinkError {
  const device = thingKey(identity);
  const reason = `${device} is logged in by its own settings`;
  return new AlinkError('invalidInput', reason, { details: { device, reason, rule: 'subDeviceConfigured' } });
}
