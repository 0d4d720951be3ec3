import {
  type DeviceIdentity,
  isJsonObject,
  type Json,
  type Problem,
  type Sample,
  type ThingModel,
} from '../../protocol';
import { Recent } from '../../protocol/recent';
import { AlinkError } from '../errors';
import { brokenRules } from '../problems';
import type { IncomingMessage, LogLine, ThingModelMode } from '../types';
import { type CheckedInput, checkInput, checkOutput } from './check';
import { DesiredValues, desiredRead, desiredRequests } from './desired';
import { type RequestHandler, RequestHandlers, subscriptionsFor } from './handlers';
import { type ReadRequest, type Received, readDownlink, type UnreadableRequest } from './read';
import { PlatformRequest } from './request';
import type { RequestFilter, RequestHandling } from './types';

/** Requests of one device that wait for their answer or for a handler; more are told 429, or that nobody is there. */
const MOST_WAITING = 10_000;
const MOST_WAITING_BYTES = 32 * 1024 * 1024;
/** Requests by topic and id, to tell a repetition from a new one. */
const LEAST_SEEN = 2_000;
/** Ids are unique within a day only; later the same one is a new request, unless MQTT says that it is not. */
const REPEATED_WITHIN_MS = 60_000;
/** What the platform only lets the device know: its session ends or begins by itself (B.5 rows 76–78). */
const RECEIPTS: ReadonlySet<string> = new Set(['thing.disable', 'thing.enable', 'thing.delete']);
const STANDARD_TIME_LIMIT_MS = 5000;
const LONGEST_TIME_LIMIT_MS = 3_600_000;

export interface DownlinkOptions {
  identity: DeviceIdentity;
  mode: ThingModelMode;
  thingModel: { readonly model: ThingModel | undefined; readonly loading: Promise<void> | undefined };
  lastReported: () => ReadonlyMap<string, Sample>;
  online: () => boolean;
  /** @param patient what is out of reach is waited for */
  publish: (topic: string, payload: string | Uint8Array, qos: 0 | 1, patient: boolean) => Promise<void>;
  /** @returns function that ends it */
  subscribe: (filter: string, onRefused: (error: AlinkError) => void) => () => void;
  /** Asks for desired values. @returns the data of the answer */
  askDesired: (identifiers: readonly string[]) => Promise<Json>;
  log: (line: LogLine) => void;
  takeoverMs: number;
  /** Handlers of the gateway, for a sub-device. */
  outerHandlers?: RequestHandlers | undefined;
  /** Milliseconds on a clock that never jumps. */
  now?: () => number;
}

/**
 * What the platform asks of the device: every request is read, checked, handed to whoever takes it, and answered
 * exactly once — by a flow, or here when none does (J.2).
 */
export class Downlink {
  readonly #options: DownlinkOptions;
  readonly #now: () => number;
  readonly handlers: RequestHandlers;
  readonly #pending = new Set<PlatformRequest>();
  readonly #held = new Map<ReadRequest, NodeJS.Timeout>();
  /** When each request came, ms on the clock. */
  readonly #seen = new Recent<number>(LEAST_SEEN);
  readonly #desired = new DesiredValues();
  #waitingBytes = 0;
  #asking = false;
  #askAgain = false;

  constructor(options: DownlinkOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.handlers = new RequestHandlers(this.#now, options.takeoverMs, options.outerHandlers);
  }

  /** Requests that wait for their answer or for a handler. */
  get waiting(): number {
    return this.#pending.size + this.#held.size;
  }

  /** @throws AlinkError `badSettings` for a filter or time limit that cannot be */
  add(filter: RequestFilter, handle: RequestHandler['handle'], handling: RequestHandling): () => void {
    checkTimeLimit(handling.timeLimitMs);
    const handler: RequestHandler = { filter, handle, handling };
    const topics = subscriptionsFor(filter, this.#options.identity);
    const unsubscribe = topics.map((topic, i) =>
      // The others are further ways for the same calls, which not every instance knows.
      this.#options.subscribe(topic, (error) =>
        i === 0 ? this.#problem(handler, error, undefined) : undefined,
      ),
    );
    this.handlers.add(handler);
    // Not before the others of the same deploy are there, and the caller has what it needs to stop.
    this.handlerAdded(this.handlers.wantDesired.includes(handler) ? handling : {});
    return () => {
      this.handlers.remove(handler);
      for (const undo of unsubscribe) undo();
    };
  }

  /** A message of the platform. @returns whether it was a request that this takes care of */
  receive(message: IncomingMessage): boolean {
    const result = readDownlink(message, this.#options.identity);
    if (result.is === 'other') return false;
    if (this.#isRepetition(result.request)) {
      this.#options.log({ level: 'debug', event: 'requestRepeated', details: { topic: message.topic } });
      return true;
    }
    if (result.is === 'unreadable') {
      this.#refuseUnreadable(result.request);
      return true;
    }
    const { loading } = this.#options.thingModel;
    // The thing model is about to be known; then() keeps the order of what arrives meanwhile.
    if (loading) void loading.then(() => this.#take(result.request));
    else this.#take(result.request);
    return true;
  }

  /** The gateway has a new handler for requests to its sub-devices too. */
  handlerAdded({ desired }: RequestHandling): void {
    if (this.#held.size > 0) queueMicrotask(() => this.#takeHeld());
    if (desired && this.#options.online()) void this.#askDesired();
  }

  /** The session began. */
  online(): void {
    if (this.handlers.wantDesired.length > 0) void this.#askDesired();
  }

  /** Ends what waits; the platform is told while the connection lasts. */
  close(): void {
    for (const request of [...this.#held.keys()]) {
      this.#release(request);
      this.#unhandled(request, this.#check(request));
    }
    for (const request of [...this.#pending]) request.close();
  }

  #take(read: ReadRequest): void {
    const checked = this.#check(read);
    const handlers = this.handlers.matching(read);
    if (handlers.length === 0) {
      this.#hold(read, checked);
      return;
    }
    const { fatal, wrong, notWritable } = checked;
    const broken = fatal ? [fatal] : this.#options.mode === 'strict' ? wrong : [];
    const takers = handlers.filter(({ handling }) => notWritable.length === 0 || handling.unknown === 'pass');
    if (broken.length > 0 || takers.length === 0) {
      this.#refuse(read, checked, broken.length > 0 ? broken : notWritable, handlers);
      return;
    }
    this.#hand(read, checked, takers);
  }

  #hand(read: ReadRequest, checked: CheckedInput, takers: readonly RequestHandler[]): void {
    if (read.kind === 'propertySet') this.#desired.pushed(checked.params);
    const isNotice = read.kind === 'notice';
    const listeners = takers.every(({ handling }) => handling.listenOnly === true);
    // Bytes need no answer unless somebody waits; too many that could have one are no reason to lose the next.
    const unanswerable = read.id === undefined && (listeners || (!read.sync && this.#isFull));
    const request = this.#request(read, checked, [...checked.notWritable, ...checked.wrong], {
      wantsAnswer: read.wantsAnswer && !isNotice && !unanswerable,
    });
    // A notice needs no more than the receipt.
    if (isNotice) request.dismiss({});
    if (request.wantsAnswer) {
      if (this.#isFull) {
        request.dismiss({ code: 429, message: 'too many requests wait for their answer' });
        this.#options.log({ level: 'warn', event: 'tooManyRequests', details: { topic: read.topic } });
        return;
      }
      this.#pending.add(request);
      this.#waitingBytes += read.payload.length;
      const ms = Math.max(...takers.map(({ handling }) => handling.timeLimitMs ?? STANDARD_TIME_LIMIT_MS));
      request.wait(ms, () => this.#expired(request, ms, takers));
    }
    this.#call(request, takers);
  }

  #call(request: PlatformRequest, takers: readonly RequestHandler[]): void {
    for (const { handle } of takers) {
      try {
        handle(request);
      } catch (thrown) {
        const reason = thrown instanceof Error ? thrown.message : String(thrown);
        this.#options.log({ level: 'warn', event: 'listenerFailed', details: { reason } });
      }
    }
  }

  #expired(request: PlatformRequest, ms: number, takers: readonly RequestHandler[]): void {
    const { name } = request;
    const seconds = ms / 1000;
    const error = new AlinkError('notAnswered', `${name} was not answered within ${seconds} s`, {
      code: 400,
      details: { name, seconds },
    });
    for (const taker of takers) this.#problem(taker, error, request);
  }

  // A deploy ends the old nodes before it starts the new ones; those shall have the request.
  #hold(read: ReadRequest, checked: CheckedInput): void {
    const ms = this.handlers.holdFor(read);
    if (ms === 0 || this.#isFull) {
      this.#unhandled(read, checked);
      return;
    }
    const timer = setTimeout(() => {
      this.#release(read);
      this.#unhandled(read, checked);
    }, ms);
    timer.unref();
    this.#held.set(read, timer);
    this.#waitingBytes += read.payload.length;
  }

  #release(read: ReadRequest): void {
    clearTimeout(this.#held.get(read));
    if (this.#held.delete(read)) this.#waitingBytes -= read.payload.length;
  }

  #takeHeld(): void {
    for (const request of [...this.#held.keys()]) {
      if (this.handlers.matching(request).length === 0) continue;
      this.#release(request);
      this.#take(request);
    }
  }

  get #isFull(): boolean {
    return this.waiting >= MOST_WAITING || this.#waitingBytes > MOST_WAITING_BYTES;
  }

  #unhandled(read: ReadRequest, checked: CheckedInput): void {
    const request = this.#request(read, checked, []);
    if (read.kind === 'propertyGet' && checked.fatal === undefined) {
      request.dismiss({ data: this.#reported(read.params) });
      return;
    }
    if (read.kind === 'notice' && read.replyTopic === undefined) return;
    if (RECEIPTS.has(read.operation)) {
      request.dismiss({});
      return;
    }
    const broken = [...(checked.fatal ? [checked.fatal] : []), ...checked.notWritable, ...checked.wrong];
    const { model } = this.#options.thingModel;
    const unknown =
      read.kind === 'service' && (model === undefined || !model.services.has(read.identifier ?? ''));
    request.dismiss({
      code: broken.length > 0 || unknown ? 460 : 400,
      message:
        broken.length > 0 ? brokenRules('thingModel', broken).message : `no flow takes ${request.name}`,
    });
    this.#options.log({ level: 'warn', event: 'requestNotTaken', details: { name: request.name } });
  }

  /** Values for a property get that no flow takes: the last ones that were reported. */
  #reported(params: Json): { [identifier: string]: Json } {
    const reported = this.#options.lastReported();
    const wanted = Array.isArray(params) && params.length > 0 ? params.map(String) : [...reported.keys()];
    return Object.fromEntries(
      wanted.flatMap((identifier): Array<[string, Json]> => {
        const sample = reported.get(identifier);
        return sample === undefined ? [] : [[identifier, sample.value]];
      }),
    );
  }

  #refuse(
    read: ReadRequest,
    checked: CheckedInput,
    problems: readonly Problem[],
    handlers: readonly RequestHandler[],
  ): void {
    const request = this.#request(read, checked, problems);
    const error = brokenRules('thingModel', problems, 460);
    request.dismiss({ code: 460, message: error.message });
    for (const handler of handlers) this.#problem(handler, error, request);
  }

  #refuseUnreadable({ topic, replyTopic, sync, reason }: UnreadableRequest): void {
    this.#options.log({ level: 'warn', event: 'requestUnreadable', details: { topic, reason } });
    // Without its id nobody could tell what an answer belongs to, except where the topic is the call's own.
    if (replyTopic === undefined || !sync) return;
    const answer = JSON.stringify({ id: '', code: 460, data: {}, message: reason });
    this.#options.publish(replyTopic, answer, 0, false).catch(() => undefined);
  }

  #request(
    read: ReadRequest,
    { params }: Pick<CheckedInput, 'params'>,
    problems: readonly Problem[],
    more: { wantsAnswer?: boolean; versions?: Readonly<Record<string, number>> } = {},
  ): PlatformRequest {
    const { identity, publish, mode, thingModel } = this.#options;
    const details = { identity, params, problems, wantsAnswer: read.wantsAnswer, ...more };
    return new PlatformRequest(read, details, {
      publish,
      checkOutput: (request, data) => {
        const output = checkOutput(request, data, thingModel.model, mode);
        return mode === 'strict' ? output : { ...output, problems: [] };
      },
      onEnd: (request) => {
        if (this.#pending.delete(request)) this.#waitingBytes -= read.payload.length;
      },
    });
  }

  #check(read: ReadRequest): CheckedInput {
    return checkInput(read, this.#options.thingModel.model, this.#options.mode);
  }

  #isRepetition({ topic, id, sync, duplicate }: Received): boolean {
    // Bytes on a common topic cannot be told apart.
    if (id === undefined && !sync) return false;
    const key = `${topic} ${id ?? ''}`;
    const now = this.#now();
    const before = this.#seen.get(key);
    if (before !== undefined && (duplicate || now - before < REPEATED_WITHIN_MS)) return true;
    this.#seen.set(key, now);
    return false;
  }

  async #askDesired(): Promise<void> {
    this.#askAgain = this.#asking;
    if (this.#asking) return;
    this.#asking = true;
    try {
      await this.#options.thingModel.loading;
      const { model } = this.#options.thingModel;
      if (model === undefined) throw needsModel();
      for (const identifiers of desiredRequests(model)) {
        this.#handDesired(await this.#options.askDesired(identifiers), identifiers);
      }
    } catch (thrown) {
      const reason = thrown instanceof Error ? thrown.message : String(thrown);
      this.#options.log({ level: 'warn', event: 'desiredNotAsked', details: { reason } });
      if (thrown instanceof AlinkError) {
        for (const handler of this.handlers.wantDesired) this.#problem(handler, thrown, undefined);
      }
    } finally {
      this.#asking = false;
    }
    // Whoever came meanwhile may have missed the first part.
    if (this.#askAgain && this.#options.online()) this.online();
  }

  #handDesired(data: Json, asked: readonly string[]): void {
    const takers = this.handlers.wantDesired;
    // In the middle of a deploy: what nobody took is still news for the next one, who asks by itself.
    if (takers.length === 0) return;
    const news = this.#desired.newer(data, asked, {
      accept: (identifier, value) => {
        const { params, wrong } = this.#check(desiredRead({ [identifier]: value }));
        if (wrong.length === 0 || this.#options.mode !== 'strict')
          return isJsonObject(params) ? params[identifier] : value;
        for (const taker of takers) this.#problem(taker, brokenRules('thingModel', wrong), undefined);
        return undefined;
      },
      reported: (identifier) => this.#options.lastReported().get(identifier)?.value,
    });
    if (news === undefined) return;
    const read = desiredRead(news.params);
    const checked = this.#check(read);
    const problems = [...checked.notWritable, ...checked.wrong];
    const request = this.#request(read, checked, problems, { versions: news.versions });
    this.#call(request, takers);
  }

  #problem({ handling }: RequestHandler, error: AlinkError, request: PlatformRequest | undefined): void {
    try {
      handling.onProblem?.(error, request);
    } catch (thrown) {
      const reason = thrown instanceof Error ? thrown.message : String(thrown);
      this.#options.log({ level: 'warn', event: 'listenerFailed', details: { reason } });
    }
  }
}

function checkTimeLimit(ms: number | undefined): void {
  if (ms === undefined || (Number.isFinite(ms) && ms >= 1 && ms <= LONGEST_TIME_LIMIT_MS)) return;
  throw new AlinkError('badSettings', `timeLimitMs: 1–${LONGEST_TIME_LIMIT_MS}`, {
    details: { field: 'timeLimitMs', reason: `1–${LONGEST_TIME_LIMIT_MS}` },
  });
}

function needsModel(): AlinkError {
  return new AlinkError('badSettings', 'desired values need a thing model that names the properties', {
    details: {
      field: 'thingModel',
      reason: 'desired values need a thing model that names the properties',
      rule: 'desiredNeedsModel',
    },
  });
}
