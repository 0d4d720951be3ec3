import { type DeviceIdentity, isJsonObject, type Json, thingKey } from '../../protocol';
import { AlinkError } from '../../sdk';

/** The platform's word for a version that is not above the stored one (B.2). */
const CONFLICT = 409;

/**
 * Versions of one device's shadow: each change has to carry a higher one than the platform has. Counted up without
 * waiting for answers, so that changes follow each other as fast as they come.
 */
export class ShadowVersion {
  #last: number | undefined;
  #asking: Promise<void> | undefined;

  /**
   * Sends a change with the next version; with one more attempt when somebody else has changed the shadow meanwhile.
   * @param send sends the change with this version
   * @param ask gets the shadow; the answer's data holds its version
   * @throws AlinkError as the two do
   */
  async change<T>(send: (version: number) => Promise<T>, ask: () => Promise<Json | undefined>): Promise<T> {
    try {
      return await send(await this.#next(ask));
    } catch (thrown) {
      if (!(thrown instanceof AlinkError) || thrown.code !== CONFLICT) throw thrown;
      this.forget();
      return send(await this.#next(ask));
    }
  }

  /** The next change asks first: somebody has set a version of their own. */
  forget(): void {
    this.#last = undefined;
  }

  async #next(ask: () => Promise<Json | undefined>): Promise<number> {
    while (this.#last === undefined) {
      this.#asking ??= this.#learn(ask);
      await this.#asking;
    }
    this.#last++;
    return this.#last;
  }

  async #learn(ask: () => Promise<Json | undefined>): Promise<void> {
    try {
      const data = await ask();
      // A shadow that was never written has no version; the first one is 1.
      const version = isJsonObject(data) ? Number(data.version ?? 0) : 0;
      this.#last = Number.isSafeInteger(version) && version > 0 ? version : 0;
    } finally {
      this.#asking = undefined;
    }
  }
}

const VERSIONS = new WeakMap<object, Map<string, ShadowVersion>>();

/**
 * Shared by the nodes of one device.
 * @param owner what stands for it, or for its gateway, as long as the flows run
 */
export function shadowVersion(owner: object, identity: DeviceIdentity): ShadowVersion {
  const versions = VERSIONS.get(owner) ?? new Map<string, ShadowVersion>();
  VERSIONS.set(owner, versions);
  const key = thingKey(identity);
  const known = versions.get(key) ?? new ShadowVersion();
  versions.set(key, known);
  return known;
}
