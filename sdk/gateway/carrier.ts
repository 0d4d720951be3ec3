import { thingKey } from '../../protocol';
import type { AlinkError } from '../errors';
import type { Standing } from './bring-up';
import type { Carrier } from './sub-session';

/** What a gateway does for the sessions on its connection, whichever sub-device's it is. */
export interface Trunk {
  readonly link: Carrier['link'];
  readonly offline: AlinkError | undefined;
  start(): void;
  /**
   * @param key of the sub-device
   * @param isNew as `Carrier.subscribe` has it
   */
  subscribe(key: string, standing: Standing, filters: readonly string[], isNew?: boolean): void;
  /** @param isOver as `Carrier.unsubscribe` has it */
  unsubscribe(key: string, standing: Standing, filters: readonly string[], isOver?: boolean): void;
  bringUp(standing: Standing, signal: AbortSignal, onSent: () => void): Promise<void>;
  logout(key: string, standing: Standing): Promise<void>;
  leave(key: string, standing: Standing): void;
}

/**
 * What one sub-device's session stands on: its place on the trunk. A class, because there are thousands of them, and
 * because every message asks for the link.
 */
export class MemberCarrier implements Carrier {
  constructor(
    private readonly trunk: Trunk,
    private readonly standing: Standing,
  ) {}

  get link(): Carrier['link'] {
    return this.trunk.link;
  }

  get offline(): AlinkError | undefined {
    return this.trunk.offline;
  }

  start(): void {
    this.trunk.start();
  }

  subscribe(filters: readonly string[], isNew?: boolean): void {
    this.trunk.subscribe(this.key, this.standing, filters, isNew);
  }

  unsubscribe(filters: readonly string[], isOver?: boolean): void {
    this.trunk.unsubscribe(this.key, this.standing, filters, isOver);
  }

  bringUp(signal: AbortSignal, onSent: () => void): Promise<void> {
    return this.trunk.bringUp(this.standing, signal, onSent);
  }

  logout(): Promise<void> {
    return this.trunk.logout(this.key, this.standing);
  }

  leave(): void {
    this.trunk.leave(this.key, this.standing);
  }

  private get key(): string {
    return thingKey(this.standing.options.identity);
  }
}
