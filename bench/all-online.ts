import type { Gateway } from '../sdk';

/** Counts the sub-devices of a gateway that are online. */
export class AllOnline {
  readonly #online = new Set<string>();
  #look = () => {};

  constructor(gateway: Gateway) {
    gateway.onSubDevice(({ identity, state }) => {
      if (state.name === 'online') this.#online.add(identity.deviceName);
      else this.#online.delete(identity.deviceName);
      this.#look();
    });
  }

  /** Resolves when so many are online. */
  reached(count: number): Promise<void> {
    return new Promise((resolve) => {
      this.#look = () => this.#online.size === count && resolve();
      this.#look();
    });
  }

  /** Resolves when as many as now are online after fewer were. */
  back(): Promise<void> {
    const count = this.#online.size;
    return new Promise((resolve) => {
      let gone = false;
      this.#look = () => {
        gone ||= this.#online.size < count;
        if (gone && this.#online.size === count) resolve();
      };
    });
  }
}
