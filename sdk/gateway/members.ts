import type { DeviceIdentity } from '../../protocol';

/** A sub-device as it is found: by both names, or by the one that flows often have alone. */
export interface Named {
  readonly identity: DeviceIdentity;
  readonly key: string;
}

/** The sub-devices of a gateway. Messages look for one among thousands, so none of it goes through them all. */
export class Members<M extends Named> {
  readonly #byKey = new Map<string, M>();
  /** Of one name there is mostly one. */
  readonly #byName = new Map<string, readonly M[]>();

  /** In the order in which they came. */
  get all(): M[] {
    return [...this.#byKey.values()];
  }

  get(key: string): M | undefined {
    return this.#byKey.get(key);
  }

  /** Those with this DeviceName, of whatever product. */
  named(deviceName: string): readonly M[] {
    return this.#byName.get(deviceName) ?? [];
  }

  /** @returns the one whose place it takes */
  put(member: M): M | undefined {
    const replaced = this.delete(member.key);
    const { deviceName } = member.identity;
    this.#byKey.set(member.key, member);
    this.#byName.set(deviceName, [...this.named(deviceName), member]);
    return replaced;
  }

  /** @returns the one that was there */
  delete(key: string): M | undefined {
    const member = this.#byKey.get(key);
    if (member === undefined) return undefined;
    const { deviceName } = member.identity;
    const others = this.named(deviceName).filter((other) => other !== member);
    this.#byKey.delete(key);
    if (others.length > 0) this.#byName.set(deviceName, others);
    else this.#byName.delete(deviceName);
    return member;
  }
}
