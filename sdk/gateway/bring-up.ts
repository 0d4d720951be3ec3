import { DEFAULT_SIGN_METHOD, type DeviceIdentity, type Platform } from '../../protocol';
import { AlinkError } from '../errors';
import { platformKey, stored } from '../registration/credentials';
import type { SecretStore } from '../registration/secret-store';
import type { ThingOptions } from '../types';
import type { Logins } from './logins';
import type { Registrar } from './registrar';
import type { TopologyClient } from './topology';
import type { SubDeviceAuthentication } from './types';

/** A sub-device as its gateway sees it. */
export interface MemberOptions extends ThingOptions {
  authentication: SubDeviceAuthentication;
}

/** What is known of a sub-device's way to its session, over all attempts. */
export interface Standing {
  readonly options: MemberOptions;
  /** Once known. */
  secret: string | undefined;
  /** While it is being found: an attempt that is given up must not make the next one register again. */
  finding?: Promise<string> | undefined;
  /** What the store holds is of an emulator that has forgotten it. */
  isStoreOld: boolean;
  /** The cloud took it out of the topology; only the cloud puts it back. */
  isRemoved: boolean;
}

const NOT_IN_TOPOLOGY = 6401;
/** Signature wrong, device unknown: what an emulator says to a secret from before its restart. */
const OLD_SECRET: ReadonlySet<number | undefined> = new Set([401, 6287, 6100]);

export interface BringUpParts {
  platform: Platform;
  registrar: Registrar;
  topology: TopologyClient;
  logins: Logins;
  /** The gateway's, for sub-devices without one. */
  secretStore: SecretStore | undefined;
}

/** From a name to a session: secret, topology, login, each only as far as it is missing (B.4, B.5). */
export class BringUp {
  constructor(private readonly parts: BringUpParts) {}

  /** @throws AlinkError */
  async run(standing: Standing, signal: AbortSignal, onSent: () => void): Promise<void> {
    const { topology, logins } = this.parts;
    const { options } = standing;
    const { identity, clientId, cleanSession = false, signMethod = DEFAULT_SIGN_METHOD } = options;
    for (let again = false; ; again = true) {
      const deviceSecret = await this.secretOf(standing);
      signal.throwIfAborted();
      try {
        if (!standing.isRemoved) await topology.include({ identity, deviceSecret }, signal);
        signal.throwIfAborted();
        await logins.login({ identity, deviceSecret, clientId, signMethod, cleanSession, onSent }, signal);
        return;
      } catch (thrown) {
        if (again || !(thrown instanceof AlinkError) || !this.#canMend(standing, thrown)) throw thrown;
      }
    }
  }

  /** The secret: given, stored, or registered now. @throws AlinkError */
  async secretOf(standing: Standing): Promise<string> {
    if (standing.secret !== undefined) return standing.secret;
    standing.finding ??= this.#findSecret(standing).finally(() => {
      standing.finding = undefined;
    });
    standing.secret = await standing.finding;
    return standing.secret;
  }

  /** The secret on disk, if there is one. @throws AlinkError `secretStore` when it cannot be read */
  async storedSecret(options: Pick<MemberOptions, 'identity' | 'secretStore'>): Promise<string | undefined> {
    const store = options.secretStore ?? this.parts.secretStore;
    const found = await store?.read(options.identity, platformKey(this.parts.platform));
    return found && 'deviceSecret' in found ? found.deviceSecret : undefined;
  }

  /** Keeps a secret that somebody gave. @throws AlinkError `secretStore` */
  async store(identity: DeviceIdentity, deviceSecret: string): Promise<void> {
    const { secretStore, platform } = this.parts;
    if (secretStore) await stored(secretStore.write(identity, platformKey(platform), { deviceSecret }));
  }

  /** Registers whatever is stored already. @throws AlinkError */
  register(
    identity: DeviceIdentity,
    productSecret: string | undefined,
    signal?: AbortSignal,
  ): Promise<string> {
    return this.parts.registrar.register(
      identity,
      productSecret || undefined,
      this.parts.secretStore,
      signal,
    );
  }

  async #findSecret(standing: Standing): Promise<string> {
    const { options } = standing;
    const { authentication, identity } = options;
    if (authentication.kind === 'deviceSecret') return needed('deviceSecret', authentication.deviceSecret);
    const known = standing.isStoreOld ? undefined : await this.storedSecret(options);
    if (known !== undefined) return known;
    const productSecret =
      authentication.kind === 'productRegister'
        ? needed('productSecret', authentication.productSecret)
        : undefined;
    const store = options.secretStore ?? this.parts.secretStore;
    return this.parts.registrar.register(identity, productSecret, store);
  }

  #canMend(standing: Standing, error: AlinkError): boolean {
    if (error.code === NOT_IN_TOPOLOGY && !standing.isRemoved) {
      this.parts.topology.missing(standing.options.identity);
      return true;
    }
    const { authentication } = standing.options;
    if (!OLD_SECRET.has(error.code) || authentication.kind === 'deviceSecret') return false;
    if (this.parts.platform.kind !== 'emulator') return false;
    // It forgets its devices when it ends, and gives a secret as often as it is asked.
    standing.isStoreOld = true;
    standing.secret = undefined;
    return true;
  }
}

function needed(field: 'deviceSecret' | 'productSecret', secret: string): string {
  if (secret !== '') return secret;
  throw new AlinkError('credentialsMissing', `the ${field} is missing`, { details: { field } });
}
