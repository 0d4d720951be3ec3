import { type DeviceIdentity, type Json, type Platform, topicProblem } from '../protocol';
import { PlatformClock } from './clock';
import { configurationOf, type ThingConfiguration } from './configuration/of-connection';
import { Downlink } from './downlink/downlink';
import type { RequestHandlers } from './downlink/handlers';
import { publishPatiently } from './downlink/patience';
import type { IncomingRequest, RequestFilter, RequestHandling } from './downlink/types';
import { AlinkError } from './errors';
import { type Call, ListenerSet } from './listener-set';
import { type MessageListener, MessageListeners } from './listeners';
import type { Answer } from './operations';
import { uploadFile } from './operations/upload';
import { checkFilter } from './options';
import type { OtaClient } from './ota/client';
import { otaOf } from './ota/of-connection';
import { ReplyFilters } from './reply-filters';
import { Dispatcher, type Submission } from './report/dispatcher';
import { Reporter } from './report/reporter';
import type { SendWindow } from './report/send-window';
import type { SessionEvents, ThingSession } from './session/thing-session';
import { TIMING } from './session/timing';
import { DeviceThingModel } from './thing-model';
import { DeviceIdentityTopics } from './topics';
import type {
  IncomingMessage,
  LogLine,
  RequestOptions,
  SessionState,
  ThingOptions,
  UploadFile,
  UploadOptions,
  UploadResult,
} from './types';

type Log = (line: LogLine) => void;

/** What a connection stands on. */
export interface ConnectionParts {
  openSession: (events: SessionEvents) => ThingSession;
  /** Filters to subscribe on every session besides those that somebody asked for. */
  filters: readonly string[];
  /** Shared with the others on the same MQTT connection. */
  window?: SendWindow;
  /** Handlers of the gateway, some of which take requests to its sub-devices too. */
  outerHandlers?: RequestHandlers;
  /** Fetches the thing model; several of one product may share the answer. */
  fetchThingModel?: (ask: () => Promise<Json>) => Promise<Json>;
  platform: Platform;
  /** Root certificate to trust besides Node.js's own, for files over HTTPS. */
  ca?: string | undefined;
  /** The thing's own, where it can be told. @throws AlinkError `credentialsMissing` */
  secret: () => Promise<string>;
}

/** One thing's session and everything on it, shared by all handles of that thing. */
export class Connection {
  readonly identity: ThingOptions['identity'];
  readonly session: ThingSession;
  readonly dispatcher: Dispatcher;
  readonly reporter: Reporter;
  readonly downlink: Downlink;
  readonly thingModel: DeviceThingModel;
  readonly topics: DeviceIdentityTopics;
  /** Only for a device whose report times are corrected. */
  readonly clock: PlatformClock | undefined;
  readonly #parts: ConnectionParts;
  #learningTime = false;
  readonly #stateListeners: ListenerSet<SessionState>;
  readonly #onlineListeners: ListenerSet;
  readonly #messageListeners: MessageListeners;
  readonly #logs = new Set<Log>();
  readonly #replies: ReplyFilters;
  readonly #pauseMs: number;
  readonly #options: Pick<ThingOptions, 'requestTimeoutMs' | 'timing' | 'configurationStore'>;
  #ota: OtaClient | undefined;
  #configuration: ThingConfiguration | undefined;
  #toldWaiting = 0;

  /** Filters for the answers to reports, for instances that know nothing of `_ss=1` (section J row 42). */
  static filters({ productKey, deviceName }: DeviceIdentity): string[] {
    const events = `/sys/${productKey}/${deviceName}/thing/event`;
    return [`${events}/+/post_reply`, `${events}/property/+/post_reply`];
  }

  /** @throws AlinkError `badSettings` when the thing model given is none */
  constructor(options: ThingOptions, parts: ConnectionParts) {
    this.identity = options.identity;
    this.#parts = parts;
    this.#options = options;
    this.topics = new DeviceIdentityTopics(options.identity);
    const log: Log = (line) => this.log(line);
    const call: Call = (listener, value) => this.call(listener, value);
    this.#stateListeners = new ListenerSet(call);
    this.#onlineListeners = new ListenerSet(call);
    const { takeoverMs, clockMs, backoff } = { ...TIMING, ...options.timing };
    this.#pauseMs = backoff.first;
    this.#messageListeners = new MessageListeners(takeoverMs, (topic, count) =>
      log({ level: 'warn', event: 'messagesNotTaken', details: { topic, count } }),
    );
    this.thingModel = new DeviceThingModel(options.thingModel, log);
    this.#replies = new ReplyFilters(parts.filters);
    this.session = parts.openSession({
      filters: () => this.#filters(),
      qosOf: (filter) => this.qosOf(filter),
      onRefusedFilter: (filter) => this.refusedFilter(filter),
      onMessage: (message) => this.receive(message),
      onState: () => this.#tellState(),
      onOnline: () => this.#online(),
      onOffline: (error) => this.#offline(error),
      log,
    });
    if (options.correctTime) this.clock = this.#makeClock(log, clockMs);
    const { clock } = this;
    this.dispatcher = new Dispatcher({
      topics: this.topics,
      // Reports wait until the time that they carry can be told.
      link: () => (this.#learningTime ? undefined : this.session.link),
      settle: clock && ((params) => clock.settle(params)),
      window: parts.window,
      waitingLimit: options.waitingLimit ?? 1000,
      defaultTimeoutMs: options.requestTimeoutMs ?? 10_000,
      onWaiting: (size) => this.#waiting(size),
      offlineReason: () => this.session.state.reason,
    });
    this.reporter = new Reporter({
      // Not all answers to reports are subscribed from the beginning.
      dispatcher: { submit: (submission) => this.request(submission) },
      mode: options.thingModel?.mode ?? 'off',
      thingModel: this.thingModel,
      online: () => this.isOnline,
      writeTime: clock && ((time) => clock.write(time)),
    });
    this.downlink = new Downlink({
      identity: options.identity,
      mode: options.thingModel?.mode ?? 'off',
      thingModel: this.thingModel,
      lastReported: () => this.reporter.lastReported,
      online: () => this.isOnline,
      publish: (topic, payload, qos, patient) =>
        patient
          ? publishPatiently((timeoutMs) => this.publish(topic, payload, qos, { timeoutMs }))
          : this.publish(topic, payload, qos, {}, qos === 0),
      subscribe: (filter, onRefused) => this.onMessage(filter, { onRefused }),
      askDesired: async (identifiers) => {
        const operation = 'thing.property.desired.get';
        const params = JSON.stringify(identifiers);
        return (await this.request({ operation, params, options: {} })).data;
      },
      outerHandlers: parts.outerHandlers,
      takeoverMs,
      log,
    });
  }

  get state(): SessionState {
    const { retryAt } = this.session;
    const { name, reason } = this.session.state;
    return {
      name,
      waiting: this.dispatcher.waiting,
      ...(reason === undefined ? {} : { reason }),
      ...(retryAt === undefined ? {} : { retryAt }),
    };
  }

  get isOnline(): boolean {
    return this.session.link !== undefined;
  }

  isOf({ productKey, deviceName }: DeviceIdentity): boolean {
    return this.identity.productKey === productKey && this.identity.deviceName === deviceName;
  }

  /** Lines go to whoever came last: the others may be nodes of a flow that is gone. */
  addLog(log: Log): () => void {
    this.#logs.add(log);
    return () => this.#logs.delete(log);
  }

  onState(listener: (state: SessionState) => void): () => void {
    return this.#stateListeners.add(listener, [this.state]);
  }

  onOnline(listener: () => void): () => void {
    return this.#onlineListeners.add(listener);
  }

  /** @throws AlinkError `badSettings` when the filter cannot be subscribed */
  onMessage(filter: string, entry: MessageListener): () => void {
    checkFilter(filter);
    const kept = this.#messageListeners.add(filter, entry);
    this.session.subscribe([filter]);
    // Not before the others of the same deploy are there, and the caller has what it needs to stop.
    if (kept.length > 0) queueMicrotask(() => this.#deliver(kept, filter));
    return () => {
      if (!this.#messageListeners.remove(filter, entry)) return;
      this.#messageListeners.keep(filter, entry, () => {
        if (!this.#replies.has(filter)) this.session.unsubscribe([filter]);
      });
    };
  }

  /** @throws AlinkError `badSettings` for a filter or time limit that cannot be */
  onRequest(
    filter: RequestFilter,
    handler: (request: IncomingRequest) => void,
    handling: RequestHandling,
  ): () => void {
    return this.downlink.add(filter, handler, handling);
  }

  /** Subscribes the answers of an operation that is used for the first time. */
  expectReplies(replyTopic: string): void {
    if (this.#replies.add(replyTopic)) this.session.subscribe([replyTopic]);
  }

  /**
   * @param soon whoever waits for it will not wait for a connection
   * @throws AlinkError as any request
   */
  async publish(
    topic: string,
    payload: Uint8Array | string,
    qos: 0 | 1,
    options: Pick<RequestOptions, 'timeoutMs' | 'signal'> = {},
    soon = false,
  ): Promise<void> {
    const reason = topicProblem(topic);
    if (reason) throw new AlinkError('invalidInput', `${topic}: ${reason}`, { details: { topic, reason } });
    if (soon && !this.isOnline) {
      throw new AlinkError('disconnected', 'there is no connection', {
        retry: 'slow',
        details: { reason: 'there is no connection' },
      });
    }
    await this.dispatcher.send({ operation: 'user.publish', topic, replyTopic: '', payload, qos }, options);
  }

  /** Bytes of a passthrough product, and the bytes that its script answers with (B.1 row 12). */
  async sendRaw(payload: Uint8Array, options: RequestOptions): Promise<Uint8Array> {
    const operation = 'thing.model.up_raw';
    const { topic, replyTopic, qos } = this.topics.of(operation);
    this.expectReplies(replyTopic);
    const message = { operation, topic, replyTopic, payload, qos: options.qos ?? qos };
    return (await this.dispatcher.send(message, options)).payload ?? new Uint8Array();
  }

  /** Whatever the operation, its answers are subscribed first. */
  request(submission: Submission): Promise<Answer> {
    this.expectReplies(this.topics.of(submission.operation, submission.options.variables).replyTopic);
    return this.dispatcher.submit(submission);
  }

  /** A file in blocks (B.6 rows 86–88). */
  uploadFile(file: UploadFile, options: UploadOptions): Promise<UploadResult> {
    const { onProgress, ...rest } = options;
    const submit = async (step: Submission) => this.request(step);
    return uploadFile({ submit, pauseMs: this.#pauseMs }, file, {
      ...rest,
      ...(onProgress && {
        onProgress: (sent, total) => this.call(() => onProgress(sent, total), undefined),
      }),
    });
  }

  /** Made when it is first used: most sub-devices never are. */
  get ota(): OtaClient {
    this.#ota ??= otaOf(this, this.#options, this.#parts.ca);
    return this.#ota;
  }

  /** Made when it is first used, too. */
  get configuration(): ThingConfiguration {
    this.#configuration ??= configurationOf(this, this.#options, this.#parts);
    return this.#configuration;
  }

  async close(): Promise<void> {
    this.#ota?.close();
    this.#configuration?.close();
    this.downlink.close();
    this.dispatcher.close(new AlinkError('closed', 'the device was closed'));
    await this.session.stop();
    this.#stateListeners.clear();
    this.#onlineListeners.clear();
    this.#messageListeners.clear();
    this.#logs.clear();
  }

  #filters(): string[] {
    return [...new Set([...this.#replies.filters, ...this.#messageListeners.filters])];
  }

  /** QoS to subscribe a filter with. */
  qosOf(filter: string): 0 | 1 {
    return this.#replies.has(filter) ? 1 : this.#messageListeners.qosOf(filter);
  }

  /** Whether anybody here listens to the topic. */
  wants(topic: string): boolean {
    return this.#messageListeners.wants(topic);
  }

  /** The platform refused a subscription: `_ss=1` may bring answers all the same, so only who asked for it is told. */
  refusedFilter(filter: string): void {
    this.#replies.delete(filter);
    const error = new AlinkError(
      'subscriptionRefused',
      `the platform refused the subscription of ${filter}`,
      {
        details: { topic: filter },
      },
    );
    for (const { onRefused } of [...this.#messageListeners.of(filter)]) {
      if (onRefused) this.call(onRefused, error);
    }
  }

  #online(): void {
    if (this.clock) void this.#learnTime(this.clock);
    this.dispatcher.drain();
    this.#onlineListeners.tell();
    // Desired values are asked for by the names in the thing model.
    if (this.thingModel.fetched)
      void this.#fetchThingModel().then(() => this.isOnline && this.downlink.online());
    else this.downlink.online();
  }

  #makeClock(log: Log, limitMs: number): PlatformClock {
    const { topic, replyTopic } = this.topics.of('ext.ntp.request');
    const clock = new PlatformClock({
      log,
      limitMs,
      send: (payload) => this.session.link?.publish(topic, payload, 0, () => undefined),
    });
    this.#messageListeners.add(replyTopic, { listener: ({ payload }) => clock.receive(payload) });
    return clock;
  }

  async #learnTime(clock: PlatformClock): Promise<void> {
    this.#learningTime = true;
    await clock.learn();
    this.#learningTime = false;
    this.dispatcher.drain();
  }

  #offline(error: AlinkError): void {
    this.clock?.stop();
    this.dispatcher.disconnected(error);
  }

  async #fetchThingModel(): Promise<void> {
    try {
      const operation = 'thing.dsltemplate.get';
      const ask = async () => (await this.request({ operation, params: '{}', options: {} })).data;
      const { fetchThingModel = (own) => own() } = this.#parts;
      await this.thingModel.refresh(await fetchThingModel(ask));
    } catch (thrown) {
      const reason = thrown instanceof Error ? thrown.message : String(thrown);
      this.log({ level: 'warn', event: 'thingModelNotFetched', details: { reason } });
    }
  }

  /** A message of the platform for this thing. */
  receive(message: IncomingMessage): void {
    const { topic } = message;
    const answered = this.dispatcher.receive(topic, message.payload);
    if (answered === 'malformed' || answered === 'unknownId') {
      this.log({ level: 'debug', event: answered, details: { topic } });
    }
    // Answers are by far the most; only what is none can be a request.
    if (answered === undefined) this.downlink.receive(message);
    this.#messageListeners.keepMessage(message);
    for (const listeners of this.#messageListeners.matching(topic)) {
      for (const { listener } of listeners) if (listener) this.call(listener, message);
    }
  }

  #deliver(messages: readonly IncomingMessage[], filter: string): void {
    const listeners = [...this.#messageListeners.of(filter)];
    for (const message of messages) {
      for (const { listener } of listeners) if (listener) this.call(listener, message);
    }
  }

  #waiting(size: number): void {
    // Queueing for the window while online is no news; what waited for the connection is, until it is gone.
    if (this.isOnline && (size > 0 || this.#toldWaiting === 0)) return;
    this.#toldWaiting = size;
    this.#tellState();
  }

  #tellState(): void {
    this.#stateListeners.tell(this.state);
  }

  /** Tells whoever keeps a log. */
  log(line: LogLine): void {
    const log = [...this.#logs].at(-1);
    try {
      log?.(line);
    } catch {
      // A broken log must not break the connection, and there is nobody else to tell.
    }
  }

  /** Calls a listener: somebody else's code, whose fault must not reach the connection or the other listeners. */
  call<T>(listener: (value: T) => void, value: T): void {
    try {
      listener(value);
    } catch (thrown) {
      const reason = thrown instanceof Error ? thrown.message : String(thrown);
      this.log({ level: 'warn', event: 'listenerFailed', details: { reason } });
    }
  }
}
