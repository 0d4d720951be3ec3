import type { DeviceIdentity } from '../../protocol';
import { type AlinkError, asAlinkError } from '../errors';
import { type ConfigurationState, noState, readState, writeState } from './state';
import type { ConfigurationStore } from './store';

/** Where the state of a thing is kept. */
export interface StatePlace {
  identity: DeviceIdentity;
  /** In this process alone when absent. */
  store: ConfigurationStore | undefined;
  platformKey: string;
}

/** The state of one thing, in memory and on disk. A disk that fails is told, and nothing stops for it. */
export class StateKeeper {
  #state: ConfigurationState = noState();

  constructor(
    private readonly place: StatePlace,
    private readonly onProblem: (error: AlinkError) => void,
  ) {}

  async load(): Promise<ConfigurationState> {
    const { store, identity, platformKey } = this.place;
    try {
      this.#state = readState(await store?.read('remote', identity, platformKey));
    } catch (thrown) {
      this.onProblem(asAlinkError(thrown, 'configurationStorage'));
    }
    return this.#state;
  }

  /** Resolves when what was loaded, as it is now, is on disk, or when the disk has failed. */
  async keep(): Promise<void> {
    const { store, identity, platformKey } = this.place;
    try {
      await store?.write('remote', identity, platformKey, writeState(this.#state));
    } catch (thrown) {
      this.onProblem(asAlinkError(thrown, 'configurationStorage'));
    }
  }
}
