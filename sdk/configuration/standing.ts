import { AlinkError } from '../errors';
import type { ContactDoor } from './contact-watch';
import type { ConfigurationListeners } from './listeners';
import {
  type ConfigurationName,
  type ConfigurationState,
  forgive,
  type IncomingConfiguration,
  isSame,
  takeBack,
} from './state';
import { StateKeeper, type StatePlace } from './state-keeper';
import { Trial, type TrialTiming } from './trial';
import type { RollbackReason } from './types';

/** What it needs besides its listeners. */
export interface StandingDoor extends StatePlace, ContactDoor {
  /** Carries out a step when nothing else is dealt with. */
  inOrder: (step: () => Promise<void>) => void;
  /** Ends whatever waits for a network that is not there. */
  makeWay: () => void;
}

/** So often a configuration is handed to a flow that never says what became of it, each time in another run. */
export const MOST_ATTEMPTS = 3;

/** Which configuration stands: what the flow said of each, which is on trial, and the way back to the last good one. */
export class Standing {
  readonly #door: StandingDoor;
  readonly #listeners: ConfigurationListeners;
  readonly #keeper: StateKeeper;
  readonly #trial: Trial;
  #loading: Promise<ConfigurationState> | undefined;
  #closed = false;

  constructor(door: StandingDoor, listeners: ConfigurationListeners, timing: TrialTiming) {
    this.#door = door;
    this.#listeners = listeners;
    this.#keeper = new StateKeeper(door, (error) => listeners.problem(error));
    this.#trial = new Trial(door, timing);
  }

  /** Loaded when it is asked for first; a trial that an earlier run began goes on then. */
  state(): Promise<ConfigurationState> {
    this.#loading ??= this.#load();
    return this.#loading;
  }

  keep(): Promise<void> {
    return this.#keeper.keep();
  }

  close(): void {
    this.#closed = true;
    this.#trial.stop();
  }

  /** Goes on with what an earlier run left: a trial, and a way back that no flow has answered. */
  async resume(): Promise<void> {
    const { tried, rollback } = await this.state();
    if (tried) this.#listeners.onTrial(tried.configId, tried.deadline);
    if (rollback) await this.#handBack();
  }

  /** The flow has accepted a configuration: it is good, or on trial when it is guarded. */
  async accepted(incoming: IncomingConfiguration): Promise<void> {
    const state = await this.state();
    const { configId, digest, text, guardMs } = incoming;
    this.#trial.stop();
    state.incoming = undefined;
    state.refused = undefined;
    state.tried = undefined;
    forgive(state, incoming);
    if (guardMs === undefined || isSame(state.good, incoming)) state.good = { configId, digest, text };
    else {
      const deadline = Date.now() + guardMs;
      state.tried = { configId, digest, text, guardMs, deadline, hadGrace: false };
      this.#trial.begin(state.tried, (reached) => this.#tried(configId, reached));
      this.#listeners.onTrial(configId, deadline);
    }
    await this.keep();
  }

  /** The flow has refused a configuration, or did not answer in time. What was in use before goes on. */
  async refused({ configId, digest }: IncomingConfiguration): Promise<void> {
    const state = await this.state();
    state.incoming = undefined;
    state.refused = { configId, digest };
    await this.keep();
  }

  /** No run ever learned what became of it: it may be what ended them. */
  async neverAnswered(incoming: IncomingConfiguration): Promise<void> {
    const { configId, guardMs } = incoming;
    const state = await this.state();
    state.incoming = undefined;
    await this.#takeBack(incoming, { configId, problem: 'notAnswered' }, guardMs !== undefined, 0);
  }

  async #load(): Promise<ConfigurationState> {
    const state = await this.#keeper.load();
    const { tried } = state;
    if (tried === undefined || this.#closed) return state;
    if (this.#trial.resume(tried, (reached) => this.#tried(tried.configId, reached))) await this.keep();
    return state;
  }

  #tried(configId: string, reached: boolean): void {
    if (!reached) this.#door.makeWay();
    this.#door.inOrder(async () => {
      const state = await this.state();
      const { tried } = state;
      if (tried?.configId !== configId) return;
      state.tried = undefined;
      if (!reached) {
        await this.#takeBack(tried, { configId, problem: 'noContact' }, true, tried.guardMs / 1000);
        return;
      }
      state.good = { configId, digest: tried.digest, text: tried.text };
      await this.keep();
      this.#listeners.confirmed(configId);
    });
  }

  async #takeBack(
    name: ConfigurationName,
    reason: RollbackReason,
    isGuarded: boolean,
    seconds: number,
  ): Promise<void> {
    const state = await this.state();
    takeBack(state, name);
    const goesBack = isGuarded && state.good !== undefined;
    state.rollback = goesBack ? { reason, attempts: 0 } : undefined;
    await this.keep();
    this.#listeners.problem(takenBack(reason, seconds, goesBack));
    if (goesBack) await this.#handBack();
  }

  /** Delivers the last good one again: once when the flow answers it, and in other runs too when it does not. */
  async #handBack(): Promise<void> {
    const state = await this.state();
    const { good, rollback } = state;
    if (rollback === undefined) return;
    if (good === undefined || rollback.attempts >= MOST_ATTEMPTS) {
      state.rollback = undefined;
      await this.keep();
      return;
    }
    rollback.attempts++;
    await this.keep();
    // Whatever the flow says of it, it has been told.
    await this.#listeners.deliver(good, { source: 'rollback', reason: rollback.reason }, async () => {
      state.rollback = undefined;
      await this.keep();
    });
  }
}

function takenBack({ configId, problem }: RollbackReason, seconds: number, goesBack: boolean): AlinkError {
  const why =
    problem === 'noContact'
      ? `the platform was not reached within ${seconds} s`
      : `the flow did not answer ${MOST_ATTEMPTS} times`;
  const then = goesBack ? 'the last good one is delivered again' : 'nothing is delivered instead';
  const rule = `takenBack${problem === 'noContact' ? 'NoContact' : 'NotAnswered'}${goesBack ? '' : 'Nothing'}`;
  return new AlinkError('configurationTakenBack', `${configId} was taken back: ${why}; ${then}`, {
    details: { configId, seconds, attempts: MOST_ATTEMPTS, reason: why, rule },
  });
}
