import type { DeviceIdentity } from '../../protocol';
import type { SessionState } from '../../sdk';

/** What a flow hears of sessions. */
export type ToldState = 'online' | 'offline' | 'refused' | 'conflict';

/** What flows want to know of a session; connecting and closing are steps on the way. */
const TOLD: Partial<Record<SessionState['name'], ToldState>> = {
  online: 'online',
  waiting: 'offline',
  refused: 'refused',
  conflict: 'conflict',
};

interface Entry {
  /** Told last, with its reason. */
  news: string;
  told: ToldState | undefined;
  online: boolean;
}

/** The states of one or many devices: which changes are news, and how many are online. */
export class StateBook {
  readonly #entries = new Map<string, Entry>();
  #online = 0;

  /** Devices that are open, whatever their state. */
  get total(): number {
    return this.#entries.size;
  }

  get online(): number {
    return this.#online;
  }

  /**
   * Takes note of a state.
   * @returns its name for the flow, or undefined when that is no news: a failed attempt repeats the state, and the
   * flow hears of it again only when the reason is another
   */
  take(identity: DeviceIdentity, state: SessionState): ToldState | undefined {
    const key = `${identity.productKey}/${identity.deviceName}`;
    const entry = this.#entries.get(key) ?? { news: '', told: undefined, online: false };
    if (entry.online) this.#online -= 1;
    if (state.name === 'idle') {
      // Nobody wants it online any more; one that was is offline from now on.
      this.#entries.delete(key);
      return entry.told === 'online' ? 'offline' : undefined;
    }
    entry.online = state.name === 'online';
    if (entry.online) this.#online += 1;
    this.#entries.set(key, entry);
    const told = TOLD[state.name];
    if (told === undefined) return undefined;
    const news = `${told}|${state.reason?.key ?? ''}|${state.reason?.code ?? ''}`;
    if (news === entry.news) return undefined;
    entry.news = news;
    entry.told = told;
    return told;
  }
}
