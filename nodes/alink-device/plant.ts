/** A sub-device as its gateway's plant sees it. */
export interface Member {
  /** Wanted online from now on, whether or not a flow node names it. */
  hold(): void;
  /** Resolves when it is open or has failed to; at once when nobody holds it. */
  opened(): Promise<void>;
  letGo(): void;
}

/**
 * The deployed sub-devices of one gateway. They are online while any flow node uses the gateway, because messages
 * address them by `msg.device`; a gateway that nobody uses connects nothing.
 */
class Plant {
  readonly members = new Set<Member>();
  users = 0;
  opening: Promise<void> | undefined;
}

/**
 * Plants by the gateway's id: gateway and sub-devices are redeployed independently and in any order, so none of them
 * can own it.
 */
export class Plants {
  readonly #plants = new Map<string, Plant>();

  /** @returns function that takes the member out again */
  join(gatewayId: string, member: Member): () => void {
    const plant = this.#plant(gatewayId);
    plant.members.add(member);
    if (plant.users > 0) member.hold();
    return once(() => {
      plant.members.delete(member);
      member.letGo();
      this.#tidy(gatewayId, plant);
    });
  }

  /** A flow node begins to use the gateway. @returns function that ends it */
  use(gatewayId: string): () => void {
    const plant = this.#plant(gatewayId);
    plant.users++;
    if (plant.users === 1) for (const member of plant.members) member.hold();
    return once(() => {
      plant.users--;
      if (plant.users === 0) for (const member of plant.members) member.letGo();
      this.#tidy(gatewayId, plant);
    });
  }

  /** Resolves when each sub-device that is there is open or has failed to. */
  opened(gatewayId: string): Promise<void> {
    const plant = this.#plants.get(gatewayId);
    if (plant === undefined) return Promise.resolve();
    // One wait for all that ask at the same time: each of a plant's first messages does.
    plant.opening ??= Promise.all([...plant.members].map((member) => member.opened())).then(() => {
      plant.opening = undefined;
    });
    return plant.opening;
  }

  #plant(gatewayId: string): Plant {
    let plant = this.#plants.get(gatewayId);
    if (plant === undefined) {
      plant = new Plant();
      this.#plants.set(gatewayId, plant);
    }
    return plant;
  }

  #tidy(gatewayId: string, plant: Plant): void {
    if (plant.members.size === 0 && plant.users === 0) this.#plants.delete(gatewayId);
  }
}

function once(step: () => void): () => void {
  let pending = true;
  return () => {
    if (pending) step();
    pending = false;
  };
}
