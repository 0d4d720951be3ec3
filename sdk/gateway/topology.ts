import {
  type AlinkReply,
  type DeviceIdentity,
  defaultClientId,
  identityProblem,
  isJsonObject,
  type Json,
  type SignMethod,
  signDevice,
  thingKey,
} from '../../protocol';
import { hmac } from '../../protocol/hmac';
import { Recent } from '../../protocol/recent';
import type { AlinkError } from '../errors';
import type { Submission } from '../report/dispatcher';
import type { RequestOptions } from '../types';
import { Blocks } from './blocks';
import { WIRE_SIGN_METHODS } from './sign-methods';

/** Sub-devices in one message: the guide of topo add says 30, that of topo delete nothing. */
const MOST_AT_ONCE = 30;
/** Far more than any gateway may have (section D). */
const REMEMBERED = 10_000;

export interface TopologyOptions {
  /** Of the gateway. */
  request: (submission: Submission) => Promise<AlinkReply>;
  signMethod: SignMethod;
  log: (event: string, details: Readonly<Record<string, string | number>>) => void;
}

interface Addition {
  identity: DeviceIdentity;
  deviceSecret: string;
}

/** Which sub-devices the platform knows behind this gateway (B.4 rows 50–52). */
export class TopologyClient {
  readonly #options: TopologyOptions;
  readonly #additions: Blocks<Addition>;
  readonly #deletions: Blocks<DeviceIdentity>;
  /** Undefined: not known, because nobody asked or the platform did not say. */
  #known: Set<string> | undefined;
  /** Told to be missing since; only of the last ones, because the platform may name any. */
  #missing = new Recent<boolean>(REMEMBERED);
  #loading: Promise<void> | undefined;

  constructor(options: TopologyOptions) {
    this.#options = options;
    this.#additions = new Blocks({ size: MOST_AT_ONCE, send: (entries) => this.#add(entries) });
    this.#deletions = new Blocks({ size: MOST_AT_ONCE, send: (entries) => this.#delete(entries) });
  }

  /** What was known may have changed while the gateway was away. */
  forgetAll(error: AlinkError): void {
    this.#known = undefined;
    this.#missing = new Recent(REMEMBERED);
    this.#loading = undefined;
    this.#additions.failAll(error);
    this.#deletions.failAll(error);
  }

  /** Adds the sub-device unless the platform has it already. @throws AlinkError */
  async include(addition: Addition, signal: AbortSignal): Promise<void> {
    await this.load();
    const key = thingKey(addition.identity);
    // Without a list the login will show what is missing.
    const isMissing = this.#missing.get(key) ?? this.#known?.has(key) === false;
    if (isMissing) await this.#additions.add(addition, signal);
  }

  /** @throws AlinkError */
  async add(addition: Addition, signal?: AbortSignal): Promise<void> {
    await this.#additions.add(addition, signal);
  }

  /** @throws AlinkError */
  async delete(identity: DeviceIdentity, signal?: AbortSignal): Promise<void> {
    await this.#deletions.add(identity, signal);
  }

  /** @throws AlinkError */
  async get(options: RequestOptions = {}): Promise<DeviceIdentity[]> {
    const { data } = await this.#options.request({ operation: 'thing.topo.get', params: '{}', options });
    const list = readIdentities(data);
    this.#known = new Set(list.map(thingKey));
    this.#missing = new Recent(REMEMBERED);
    return list;
  }

  /** What is known to be behind the gateway. */
  list(): DeviceIdentity[] {
    return [...(this.#known ?? [])].map((key) => {
      const slash = key.indexOf('/');
      return { productKey: key.slice(0, slash), deviceName: key.slice(slash + 1) };
    });
  }

  /** Asks for the list once in each session; when it does not come, logins show what is missing. */
  load(): Promise<void> {
    this.#loading ??= this.get().then(
      () => undefined,
      (thrown: unknown) => {
        const reason = thrown instanceof Error ? thrown.message : String(thrown);
        this.#options.log('topologyUnknown', { reason });
      },
    );
    return this.#loading;
  }

  /** The platform added it. */
  added(identity: DeviceIdentity): void {
    const key = thingKey(identity);
    if (this.#known !== undefined && this.#known.size < REMEMBERED) this.#known.add(key);
    this.#missing.set(key, false);
  }

  /** The platform does not have it, or not any more. */
  missing(identity: DeviceIdentity): void {
    const key = thingKey(identity);
    this.#known?.delete(key);
    this.#missing.set(key, true);
  }

  async #add(entries: readonly Addition[]): Promise<undefined[]> {
    const { request, signMethod } = this.#options;
    const timestamp = String(Date.now());
    const list = entries.map(({ identity, deviceSecret }) => {
      const { productKey, deviceName } = identity;
      const signed = { clientId: defaultClientId(identity), deviceName, productKey, timestamp };
      const sign = signDevice(hmac, signMethod, deviceSecret, signed);
      return { ...signed, signmethod: WIRE_SIGN_METHODS[signMethod], sign };
    });
    await request({ operation: 'thing.topo.add', params: JSON.stringify(list), options: {} });
    for (const { identity } of entries) this.added(identity);
    return entries.map(() => undefined);
  }

  async #delete(entries: readonly DeviceIdentity[]): Promise<undefined[]> {
    const list = entries.map(({ productKey, deviceName }) => ({ deviceName, productKey }));
    const params = JSON.stringify(list);
    await this.#options.request({ operation: 'thing.topo.delete', params, options: {} });
    for (const identity of entries) this.missing(identity);
    return entries.map(() => undefined);
  }
}

/** Names in a list of the platform; what is none is left out, and nothing but the names is kept. */
export function readIdentities(list: Json | undefined): DeviceIdentity[] {
  const found: DeviceIdentity[] = [];
  for (const entry of Array.isArray(list) ? list : [list]) {
    if (!isJsonObject(entry)) continue;
    const { productKey, deviceName } = entry;
    if (typeof productKey !== 'string' || typeof deviceName !== 'string') continue;
    if (identityProblem(productKey) === undefined && identityProblem(deviceName) === undefined) {
      found.push({ productKey, deviceName });
    }
  }
  return found;
}
