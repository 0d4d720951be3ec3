import { type DeviceIdentity, type Json, parseJson } from '../../protocol';
import type { AlinkAnswer, IncomingRequest, RequestFilter, RequestHandling } from '../downlink/types';
import { AlinkError, asAlinkError } from '../errors';
import type { Answer } from '../operations';
import type { Submission } from '../report/dispatcher';
import type { Timing } from '../session/timing';
import type { LogLine, RequestOptions } from '../types';
import type { DeliveryEnd } from './delivery';
import { type LoadedDocument, loadDocument } from './document';
import { ConfigurationListeners, type Listener } from './listeners';
import { checkListening } from './listening';
import { type ConfigurationOffer, readConfigurationOffer } from './offer';
import {
  type ConfigurationState,
  type IncomingConfiguration,
  isSame,
  knownAs,
  noState,
  readState,
  takeBack,
  writeState,
} from './state';
import type { ConfigurationStore } from './store';
import { Trial } from './trial';
import type { Configuration, ConfigurationListening, ConfigurationOutcome, RollbackReason } from './types';

/** What configuration from the cloud needs of a thing's connection. */
export interface ConfigurationDoor {
  identity: DeviceIdentity;
  /** Where states are kept; in this process alone when absent. */
  store: ConfigurationStore | undefined;
  platformKey: string;
  /** Plain http is allowed only for an emulator. */
  allowHttp: boolean;
  /** Trusted besides Node.js's own roots. */
  ca: string | undefined;
  isOnline: () => boolean;
  onOnline: (listener: () => void) => () => void;
  onRequest: (
    filter: RequestFilter,
    handler: (request: IncomingRequest) => void,
    handling: RequestHandling,
  ) => () => void;
  request: (submission: Submission) => Promise<Answer>;
  timing: Pick<Timing, 'handshakeMs' | 'takeoverMs' | 'configurationSettleMs' | 'configurationGraceMs'>;
  log: (line: LogLine) => void;
}

/** So often a configuration is handed to a flow that never says what became of it, each time in another run. */
const MOST_ATTEMPTS = 3;
const LONGEST_TIME_LIMIT_MS = 3_600_000;

/** Remote configuration of one thing (B.3 rows 33, 34), shared by all its handles. One is dealt with after the other. */
export class ConfigurationClient implements Pick<Configuration, 'onPush' | 'get' | 'current'> {
  readonly #door: ConfigurationDoor;
  readonly #listeners: ConfigurationListeners;
  readonly #closing = new AbortController();
  readonly #trial: Trial;
  #state: ConfigurationState = noState();
  #loading: Promise<ConfigurationState> | undefined;
  #work: Promise<unknown> = Promise.resolve();
  /** Pushed while another one is dealt with; only the newest counts. */
  #next: IncomingRequest | undefined;
  /** The platform's request behind what waits for the next listener. */
  #held: { request: IncomingRequest; timer: NodeJS.Timeout } | undefined;
  #stopListening: (() => void) | undefined;

  constructor(door: ConfigurationDoor) {
    this.#door = door;
    this.#listeners = new ConfigurationListeners(door);
    const { configurationSettleMs: settleMs, configurationGraceMs: graceMs } = door.timing;
    const ask = (signal: AbortSignal) => this.#ask({ signal });
    this.#trial = new Trial({ isOnline: door.isOnline, onOnline: door.onOnline, ask }, { settleMs, graceMs });
  }

  onPush(deliver: Listener['deliver'], listening: ConfigurationListening = {}): () => void {
    checkListening(listening);
    const listener = { deliver, listening };
    this.#listeners.add(listener);
    this.#stopListening ??= this.#listen();
    // Others of the same deploy come in the same turn; they shall have it as well.
    queueMicrotask(() => {
      if (!this.#listeners.has(listener)) return;
      this.#inBackground(() => this.#resume());
      if (listening.ask && this.#door.isOnline()) void this.#askByItself();
    });
    return () => {
      if (!this.#listeners.remove(listener)) return;
      this.#stopListening?.();
      this.#stopListening = undefined;
    };
  }

  async get({
    again = false,
    ...options
  }: RequestOptions & { again?: boolean } = {}): Promise<ConfigurationOutcome> {
    const offer = await this.#ask(options);
    return this.#enqueue(() => this.#take(offer, { source: 'get', again }));
  }

  async current(): Promise<{ configId: string; document: Json } | undefined> {
    const { good } = await this.#loaded();
    return good && { configId: good.configId, document: parseJson(good.text) };
  }

  close(): void {
    this.#closing.abort();
    this.#trial.stop();
    this.#letGo();
    this.#listeners.close();
    this.#stopListening?.();
    this.#stopListening = undefined;
  }

  #listen(): () => void {
    const stops = [
      this.#door.onRequest({ kind: 'configuration' }, (request) => this.#pushed(request), {
        // The time limit here begins when the flow has the document.
        timeLimitMs: LONGEST_TIME_LIMIT_MS,
        onProblem: (error) => this.#listeners.problem(error),
      }),
      this.#door.onOnline(() => {
        if (this.#listeners.wantAsking) void this.#askByItself();
      }),
    ];
    return () => {
      for (const stop of stops) stop();
    };
  }

  #pushed(request: IncomingRequest): void {
    const replaced = this.#next;
    this.#next = request;
    if (replaced !== undefined) {
      this.#answer(replaced, { code: 400, message: 'replaced by a newer configuration' });
      return;
    }
    this.#enqueue(() => this.#takeNext()).catch(() => undefined); // closed: the connection has told the platform
  }

  async #takeNext(): Promise<void> {
    const request = this.#next;
    this.#next = undefined;
    if (request === undefined) return;
    try {
      await this.#take(readConfigurationOffer(request.params), { source: 'push', request });
    } catch (thrown) {
      const error = asAlinkError(thrown, 'configurationNotLoaded');
      this.#answer(request, { code: error.code === 460 ? 460 : 400, message: error.message });
      this.#listeners.problem(error);
    }
  }

  async #ask(options: RequestOptions): Promise<ConfigurationOffer> {
    const params = JSON.stringify({ configScope: 'product', getType: 'file' });
    const { data } = await this.#door.request({ operation: 'thing.config.get', params, options });
    return readConfigurationOffer(data);
  }

  async #askByItself(): Promise<void> {
    try {
      const offer = await this.#ask({});
      // What the flow has refused waits for somebody who pushes it or asks for it.
      await this.#enqueue(async () => {
        const { refused } = await this.#loaded();
        if (!isSame(refused, offer)) await this.#take(offer, { source: 'get' });
      });
    } catch (thrown) {
      const error = asAlinkError(thrown, 'configurationNotLoaded');
      // None stored, switched off, or no connection: nobody asked for it, so nobody misses it.
      if (error.key.startsWith('configuration')) this.#listeners.problem(error);
      else {
        const details = { reason: error.message };
        this.#door.log({ level: 'debug', event: 'configurationNotAsked', details });
      }
    }
  }

  /** Goes on with what an earlier run, or listeners that are gone, left. */
  async #resume(): Promise<void> {
    const state = await this.#loaded();
    const { incoming } = state;
    if (incoming !== undefined) {
      if (incoming.attempts < MOST_ATTEMPTS) {
        const request = this.#letGo(false);
        incoming.attempts++;
        await this.#keep();
        await this.#handOn(incoming, request);
      } else await this.#giveUp(incoming);
    }
    if (state.rollback !== undefined) await this.#handBack(state.rollback);
  }

  async #take(
    offer: ConfigurationOffer,
    { source, request, again }: { source: 'push' | 'get'; request?: IncomingRequest; again?: boolean },
  ): Promise<ConfigurationOutcome> {
    const state = await this.#loaded();
    const { configId } = offer;
    const known = again ? undefined : knownAs(state, offer);
    if (known !== undefined) {
      const answer = known === 'unchanged' ? {} : { code: 400, message: 'this configuration was taken back' };
      if (request) this.#answer(request, answer);
      return { configId, status: known };
    }
    const loaded = await this.#load(offer);
    const { guardMs } = this.#listeners.settings;
    const incoming: IncomingConfiguration = {
      configId,
      digest: loaded.digest,
      text: loaded.text,
      source,
      attempts: 1,
      ...(guardMs === undefined ? {} : { guardMs }),
    };
    state.incoming = incoming;
    state.rollback = undefined;
    await this.#keep();
    const end = await this.#handOn(incoming, request);
    const status = end === undefined || end === 'closed' ? 'kept' : end === 'expired' ? 'notAnswered' : end;
    return { configId, status };
  }

  /** Loads the document; an address that has expired while the push waited for us is asked for anew, once. */
  async #load(offer: ConfigurationOffer): Promise<LoadedDocument> {
    const { allowHttp, ca, timing } = this.#door;
    const { handshakeMs } = timing;
    const { signal } = this.#closing;
    const options = { ...this.#listeners.settings, allowHttp, ca, handshakeMs, signal };
    try {
      return await loadDocument(offer, options);
    } catch (thrown) {
      if (!(thrown instanceof AlinkError) || thrown.key !== 'configurationExpired') throw thrown;
      const renewed = await this.#ask({ signal }).catch(() => undefined);
      if (renewed === undefined || !isSame(renewed, offer)) throw thrown;
      return loadDocument(renewed, options);
    }
  }

  async #handOn(
    incoming: IncomingConfiguration,
    request: IncomingRequest | undefined,
  ): Promise<DeliveryEnd | undefined> {
    const { source, guardMs } = incoming;
    const details = { source, ...(guardMs === undefined ? {} : { guardMs }) };
    const end = await this.#listeners.deliver(
      incoming,
      details,
      (accepted) => this.#answered(incoming, accepted),
      async (answer) => {
        if (request && !request.ended) await request.answer(answer);
      },
    );
    if (end === undefined || end === 'closed') this.#hold(request);
    if (end === 'expired') {
      await this.#answered(incoming, false);
      if (request) this.#answer(request, { code: 400, message: 'the flow did not answer in time' });
    }
    return end;
  }

  /** The flow has said what it thinks. */
  async #answered(incoming: IncomingConfiguration, accepted: boolean): Promise<void> {
    const state = await this.#loaded();
    const { configId, digest, text, guardMs } = incoming;
    state.incoming = undefined;
    state.refused = accepted ? undefined : { configId, digest };
    if (accepted) {
      this.#trial.stop();
      state.tried = undefined;
      state.takenBack = state.takenBack.filter((id) => id !== configId);
      if (guardMs === undefined || isSame(state.good, incoming)) state.good = { configId, digest, text };
      else {
        const deadline = Date.now() + guardMs;
        state.tried = { configId, digest, text, guardMs, deadline, hadGrace: false };
        this.#trial.begin(state.tried, (reached) => this.#tried(configId, reached));
      }
    }
    await this.#keep();
  }

  #tried(configId: string, reached: boolean): void {
    this.#inBackground(async () => {
      const state = await this.#loaded();
      const { tried } = state;
      if (tried?.configId !== configId) return;
      state.tried = undefined;
      if (!reached) {
        await this.#goBack({ configId, problem: 'noContact' }, tried.guardMs / 1000);
        return;
      }
      state.good = { configId, digest: tried.digest, text: tried.text };
      await this.#keep();
      this.#listeners.confirmed(configId);
    });
  }

  /** Nobody ever said what became of it. */
  async #giveUp({ configId, guardMs }: IncomingConfiguration): Promise<void> {
    const state = await this.#loaded();
    state.incoming = undefined;
    const request = this.#letGo(false);
    if (request) this.#answer(request, { code: 400, message: 'the flow never answered' });
    if (guardMs !== undefined) return this.#goBack({ configId, problem: 'notAnswered' }, 0);
    takeBack(state, configId);
    await this.#keep();
    this.#listeners.problem(this.#takenBack({ configId, problem: 'notAnswered' }, 0, false));
  }

  async #goBack(reason: RollbackReason, seconds: number): Promise<void> {
    const state = await this.#loaded();
    takeBack(state, reason.configId);
    state.rollback = state.good && reason;
    await this.#keep();
    this.#listeners.problem(this.#takenBack(reason, seconds, state.good !== undefined));
    if (state.rollback) await this.#handBack(reason);
  }

  #takenBack({ configId, problem }: RollbackReason, seconds: number, hasGood: boolean): AlinkError {
    const why =
      problem === 'noContact'
        ? `the platform was not reached within ${seconds} s`
        : `the flow did not answer ${MOST_ATTEMPTS} times`;
    const then = hasGood ? 'the last good one is delivered again' : 'there is no earlier one';
    const rule = `takenBack${problem === 'noContact' ? 'NoContact' : 'NotAnswered'}${hasGood ? '' : 'Nothing'}`;
    return new AlinkError('configurationTakenBack', `${configId} was taken back: ${why}; ${then}`, {
      details: { configId, seconds, attempts: MOST_ATTEMPTS, reason: why, rule },
    });
  }

  /** Delivers the last good one again; until it is accepted, also after the next start. */
  async #handBack(reason: RollbackReason): Promise<void> {
    const state = await this.#loaded();
    if (state.good === undefined) return;
    await this.#listeners.deliver(state.good, { source: 'rollback', reason }, async (accepted) => {
      if (accepted) state.rollback = undefined;
      await this.#keep();
    });
  }

  /** The next listener may be on its way: a deploy ends the old nodes before it starts the new ones. */
  #hold(request: IncomingRequest | undefined): void {
    if (request === undefined || request.ended || this.#closing.signal.aborted) return;
    this.#letGo();
    const timer = setTimeout(() => this.#letGo(), this.#door.timing.takeoverMs);
    timer.unref();
    this.#held = { request, timer };
  }

  #letGo(refuse = true): IncomingRequest | undefined {
    const { request, timer } = this.#held ?? {};
    this.#held = undefined;
    clearTimeout(timer);
    if (request && refuse) this.#answer(request, { code: 400, message: 'no flow takes it' });
    return request;
  }

  #loaded(): Promise<ConfigurationState> {
    this.#loading ??= this.#loadState();
    return this.#loading;
  }

  async #loadState(): Promise<ConfigurationState> {
    const { store, identity, platformKey } = this.#door;
    try {
      this.#state = readState(await store?.read('remote', identity, platformKey));
    } catch (thrown) {
      this.#listeners.problem(asAlinkError(thrown, 'configurationStorage'));
    }
    const { tried } = this.#state;
    const isOver = this.#closing.signal.aborted || tried === undefined;
    if (!isOver && this.#trial.resume(tried, (reached) => this.#tried(tried.configId, reached)))
      await this.#keep();
    return this.#state;
  }

  /** Writes the state; that it could not be written is told, and nothing stops for it. */
  async #keep(): Promise<void> {
    const { store, identity, platformKey } = this.#door;
    try {
      await store?.write('remote', identity, platformKey, writeState(this.#state));
    } catch (thrown) {
      this.#listeners.problem(asAlinkError(thrown, 'configurationStorage'));
    }
  }

  /** One after the other. */
  #enqueue<T>(step: () => Promise<T>): Promise<T> {
    const result = this.#work.then(() => {
      if (this.#closing.signal.aborted) throw new AlinkError('closed', 'the device was given back or closed');
      return step();
    });
    this.#work = result.catch(() => undefined); // whoever enqueued it knows
    return result;
  }

  #inBackground(step: () => Promise<void>): void {
    this.#enqueue(step).catch((thrown: unknown) =>
      this.#listeners.problem(asAlinkError(thrown, 'configurationStorage')),
    );
  }

  #answer(request: IncomingRequest, answer: AlinkAnswer): void {
    // The connection tells why it is gone.
    request.answer(answer).catch(() => undefined);
  }
}
