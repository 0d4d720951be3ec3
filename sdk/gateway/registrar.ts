import {
  type AlinkReply,
  type DeviceIdentity,
  isJsonObject,
  type Json,
  type SignMethod,
  signRegistration,
  thingKey,
} from '../../protocol';
import { hmac } from '../../protocol/hmac';
import { AlinkError } from '../errors';
import { stored } from '../registration/credentials';
import { newRandom } from '../registration/input';
import type { SecretStore } from '../registration/secret-store';
import type { Submission } from '../report/dispatcher';
import { refusal } from '../requests';
import { type BlockResult, Blocks } from './blocks';
import { WIRE_SIGN_METHODS } from './sign-methods';

/** Registrations in one message (B.4 row 56). */
const MOST_AT_ONCE = 30;
/** Each was looked for on disk before, which takes one a little longer than another. */
const GATHER_MS = 20;
const SUB_REGISTER = 'thing.sub.register';
const PRODUCT_REGISTER = 'thing.proxy.provisioning.product_register';

export interface RegistrarOptions {
  /** Of the gateway. */
  request: (submission: Submission) => Promise<AlinkReply>;
  platformKey: string;
  signMethod: SignMethod;
}

interface Registration {
  identity: DeviceIdentity;
  productSecret: string | undefined;
  store: SecretStore | undefined;
  /** What came of it. */
  deviceSecret?: string;
}

/**
 * Registers sub-devices through their gateway (B.4 rows 56, 58). A secret is on disk before anybody hears of it, and is
 * stored even when the connection, or whoever wanted it, is gone by then: the platform may give it only once.
 */
export class Registrar {
  readonly #options: RegistrarOptions;
  readonly #blocks: Blocks<Registration>;
  readonly #proxied: Blocks<Registration>;

  constructor(options: RegistrarOptions) {
    this.#options = options;
    const size = MOST_AT_ONCE;
    const gatherMs = GATHER_MS;
    this.#blocks = new Blocks({ size, gatherMs, send: (entries) => this.#register(entries) });
    this.#proxied = new Blocks({ size, gatherMs, send: (entries) => this.#registerByProduct(entries) });
  }

  /**
   * @param productSecret of the sub-device's product; absent: the product allows sub register
   * @param store absent: the secret is not kept
   * @throws AlinkError `platformRefused`, `registrationFailed`, `secretStore`, or as any request
   */
  async register(
    identity: DeviceIdentity,
    productSecret: string | undefined,
    store: SecretStore | undefined,
    signal?: AbortSignal,
  ): Promise<string> {
    const registration: Registration = { identity, productSecret, store };
    await (productSecret === undefined ? this.#blocks : this.#proxied).add(registration, signal);
    return registration.deviceSecret ?? '';
  }

  failAll(error: AlinkError): void {
    this.#blocks.failAll(error);
    this.#proxied.failAll(error);
  }

  async #register(entries: readonly Registration[]): Promise<BlockResult[]> {
    const params = JSON.stringify(entries.map(({ identity }) => identity));
    const { data } = await this.#options.request({ operation: SUB_REGISTER, params, options: {} });
    const given = byThing(data);
    return Promise.all(
      entries.map((entry) => this.#keep(entry, given.get(thingKey(entry.identity))?.deviceSecret)),
    );
  }

  async #registerByProduct(entries: readonly Registration[]): Promise<BlockResult[]> {
    const { signMethod } = this.#options;
    const proxieds = entries.map(({ identity, productSecret = '' }) => {
      const { productKey, deviceName } = identity;
      const random = newRandom();
      const sign = signRegistration(hmac, signMethod, productSecret, { productKey, deviceName, random });
      return { productKey, deviceName, random, signMethod: WIRE_SIGN_METHODS[signMethod], sign };
    });
    const params = JSON.stringify({ proxieds });
    const reply = await this.#options.request({ operation: PRODUCT_REGISTER, params, options: {} });
    const lists = isJsonObject(reply.data) ? reply.data : {};
    const successes = byThing(lists.successes ?? null);
    const failures = byThing(lists.failures ?? null);
    return Promise.all(
      entries.map((entry) => {
        const key = thingKey(entry.identity);
        const detail = failures.get(key)?.errorDetail;
        const code = isJsonObject(detail) ? Number(detail.code) : Number.NaN;
        if (!Number.isFinite(code)) return this.#keep(entry, successes.get(key)?.deviceSecret);
        return refusal({ id: reply.id, code, data: {} }, PRODUCT_REGISTER);
      }),
    );
  }

  async #keep(entry: Registration, deviceSecret: Json | undefined): Promise<BlockResult> {
    const { identity, store } = entry;
    if (typeof deviceSecret !== 'string' || deviceSecret === '') {
      const reason = `the answer holds no secret of ${thingKey(identity)}`;
      return new AlinkError('registrationFailed', reason, { retry: 'slow', details: { reason } });
    }
    try {
      if (store) await stored(store.write(identity, this.#options.platformKey, { deviceSecret }));
    } catch (thrown) {
      if (thrown instanceof AlinkError) return thrown;
      throw thrown;
    }
    entry.deviceSecret = deviceSecret;
    return undefined;
  }
}

/** Entries of an answer by the sub-device they are about; anything else is left out. */
function byThing(list: Json): Map<string, { [name: string]: Json }> {
  const found = new Map<string, { [name: string]: Json }>();
  for (const entry of Array.isArray(list) ? list : []) {
    if (!isJsonObject(entry)) continue;
    const { productKey, deviceName } = entry;
    if (typeof productKey === 'string' && typeof deviceName === 'string') {
      found.set(thingKey({ productKey, deviceName }), entry);
    }
  }
  return found;
}
