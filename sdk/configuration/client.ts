import { type DeviceIdentity, parseJson } from '../../protocol';
import type { AlinkAnswer, IncomingRequest, RequestFilter, RequestHandling } from '../downlink/types';
import { AlinkError, asAlinkError } from '../errors';
import type { Answer } from '../operations';
import type { Submission } from '../report/dispatcher';
import type { Timing } from '../session/timing';
import type { LogLine, RequestOptions } from '../types';
import type { DeliveryEnd } from './delivery';
import type { LoadedDocument } from './document';
import { HeldRequest } from './held-request';
import { ConfigurationListeners, type Listener } from './listeners';
import { checkListening } from './listening';
import { type ConfigurationOffer, readConfigurationOffer } from './offer';
import { type GiveWay, loadPatiently } from './patience';
import { MOST_ATTEMPTS, Standing } from './standing';
import { type IncomingConfiguration, isSame, knownAs } from './state';
import type { ConfigurationStore } from './store';
import type {
  Configuration,
  ConfigurationListening,
  ConfigurationOutcome,
  CurrentConfiguration,
} from './types';

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
  timing: Pick<
    Timing,
    'handshakeMs' | 'takeoverMs' | 'downloadBackoff' | 'configurationSettleMs' | 'configurationGraceMs'
  >;
  log: (line: LogLine) => void;
}

const LONGEST_TIME_LIMIT_MS = 3_600_000;

/** Remote configuration of one thing (B.3 rows 33, 34), shared by all its handles. One is dealt with after the other. */
export class ConfigurationClient implements Pick<Configuration, 'onPush' | 'get' | 'current'> {
  readonly #door: ConfigurationDoor;
  readonly #listeners: ConfigurationListeners;
  readonly #standing: Standing;
  readonly #closing = new AbortController();
  readonly #held = new HeldRequest();
  #work: Promise<unknown> = Promise.resolve();
  /** Pushed while another one is dealt with; only the newest counts. */
  #next: IncomingRequest | undefined;
  /** Of the document that is being loaded. */
  #giveWay = new AbortController();
  #stopListening: (() => void) | undefined;

  constructor(door: ConfigurationDoor) {
    this.#door = door;
    this.#listeners = new ConfigurationListeners(door);
    const { configurationSettleMs: settleMs, configurationGraceMs: graceMs } = door.timing;
    const { isOnline, onOnline, identity, store, platformKey } = door;
    const ask = (signal: AbortSignal) => this.#question({ signal });
    const inOrder = (step: () => Promise<void>) => this.#inBackground(step);
    const makeWay = () => this.#letGiveWay('gaveWay');
    this.#standing = new Standing(
      { isOnline, onOnline, ask, inOrder, makeWay, identity, store, platformKey },
      this.#listeners,
      { settleMs, graceMs },
    );
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
      this.#listeners.remove(listener);
      if (this.#listeners.size > 0) return;
      this.#stopListening?.();
      this.#stopListening = undefined;
    };
  }

  async get({
    again = false,
    ...options
  }: RequestOptions & { again?: boolean } = {}): Promise<ConfigurationOutcome> {
    const offer = await this.#ask(options);
    this.#letGiveWay('replaced');
    return this.#enqueue(() => this.#take(offer, { source: 'get', again }));
  }

  async current(): Promise<CurrentConfiguration | undefined> {
    const { good, tried } = await this.#standing.state();
    const used = tried ?? good;
    return used && { configId: used.configId, document: parseJson(used.text), confirmed: used === good };
  }

  close(): void {
    this.#closing.abort();
    this.#standing.close();
    this.#refuse(this.#held.take());
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
        if (this.#listeners.settings.ask) void this.#askByItself();
      }),
    ];
    return () => {
      for (const stop of stops) stop();
    };
  }

  #pushed(request: IncomingRequest): void {
    const replaced = this.#next;
    this.#next = request;
    this.#letGiveWay('replaced');
    if (replaced !== undefined) {
      this.#replaced(replaced);
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
      this.#failed(error);
    }
  }

  #question(options: RequestOptions): Promise<Answer> {
    const params = JSON.stringify({ configScope: 'product', getType: 'file' });
    return this.#door.request({ operation: 'thing.config.get', params, options });
  }

  async #ask(options: RequestOptions): Promise<ConfigurationOffer> {
    return readConfigurationOffer((await this.#question(options)).data);
  }

  async #askByItself(): Promise<void> {
    try {
      const offer = await this.#ask({});
      this.#letGiveWay('replaced');
      // What the flow has refused waits for somebody who pushes it or asks for it.
      await this.#enqueue(async () => {
        const { refused } = await this.#standing.state();
        if (!isSame(refused, offer)) await this.#take(offer, { source: 'get' });
      });
    } catch (thrown) {
      const error = asAlinkError(thrown, 'configurationNotLoaded');
      // None stored, switched off, or no connection: nobody asked for it, so nobody misses it.
      if (error.key.startsWith('configuration')) this.#failed(error);
      else {
        const details = { reason: error.message };
        this.#door.log({ level: 'debug', event: 'configurationNotAsked', details });
      }
    }
  }

  /** Goes on with what an earlier run, or listeners that are gone, left. */
  async #resume(): Promise<void> {
    const { incoming } = await this.#standing.state();
    if (incoming !== undefined) {
      const request = this.#held.take();
      if (incoming.attempts < MOST_ATTEMPTS) {
        incoming.attempts++;
        await this.#standing.keep();
        await this.#handOn(incoming, request);
      } else {
        if (request) this.#answer(request, { code: 400, message: 'the flow never answered' });
        await this.#standing.neverAnswered(incoming);
      }
    }
    await this.#standing.resume();
  }

  async #take(
    offer: ConfigurationOffer,
    { source, request, again }: { source: 'push' | 'get'; request?: IncomingRequest; again?: boolean },
  ): Promise<ConfigurationOutcome> {
    const state = await this.#standing.state();
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
    this.#replaced(this.#held.take());
    state.incoming = incoming;
    state.rollback = undefined;
    await this.#standing.keep();
    const end = await this.#handOn(incoming, request);
    const status = end === undefined || end === 'closed' ? 'kept' : end === 'expired' ? 'notAnswered' : end;
    return { configId, status };
  }

  #load(offer: ConfigurationOffer): Promise<LoadedDocument> {
    const { allowHttp, ca, timing } = this.#door;
    const { signal } = this.#closing;
    this.#giveWay = new AbortController();
    // What came while others were dealt with has been waiting here, and is newer already.
    if (this.#next) this.#letGiveWay('replaced');
    return loadPatiently(offer, {
      ...this.#listeners.settings,
      allowHttp,
      ca,
      handshakeMs: timing.handshakeMs,
      waits: timing.downloadBackoff,
      signal,
      giveWay: this.#giveWay.signal,
      onRetry: (error, waitMs) => this.#listeners.retry(error, waitMs),
      renew: async () => {
        const renewed = await this.#ask({ signal }).catch(() => undefined);
        return renewed && isSame(renewed, offer) ? renewed : undefined;
      },
    });
  }

  /** A document that waits for its server must not keep others waiting; one that is on its way may come. */
  #letGiveWay(why: GiveWay): void {
    this.#giveWay.abort(why);
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
      (accepted) => (accepted ? this.#standing.accepted(incoming) : this.#standing.refused(incoming)),
      async (answer) => {
        if (request && !request.ended) await request.answer(answer);
      },
    );
    if (end === undefined || end === 'closed') this.#hold(request);
    if (end === 'expired') {
      await this.#standing.refused(incoming);
      if (request) this.#answer(request, { code: 400, message: 'the flow did not answer in time' });
    }
    return end;
  }

  #hold(request: IncomingRequest | undefined): void {
    if (this.#closing.signal.aborted) return;
    this.#held.hold(request, this.#door.timing.takeoverMs, (left) => {
      if (this.#listeners.size === 0) {
        this.#refuse(left);
        return;
      }
      // One of several is gone for good; the others shall say what they think.
      this.#held.hold(left, this.#door.timing.takeoverMs, (late) => this.#refuse(late));
      this.#inBackground(() => this.#resume());
    });
  }

  #refuse(request: IncomingRequest | undefined): void {
    if (request) this.#answer(request, { code: 400, message: 'no flow takes it' });
  }

  #replaced(request: IncomingRequest | undefined): void {
    if (request) this.#answer(request, { code: 400, message: 'replaced by a newer configuration' });
  }

  #failed(error: AlinkError): void {
    // Something newer is on its way, of which there will be news.
    if (error.details.rule !== 'replaced') this.#listeners.problem(error);
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
