import {
  identityProblem,
  KEEP_ALIVE_SECONDS,
  LONGEST_CLIENT_ID,
  mqttEndpoint,
  thingKey,
  topicMatches,
} from '../protocol';
import { AlinkError } from './errors';
import { Credentials } from './registration/credentials';
import { Dispatcher } from './report/dispatcher';
import { Reporter } from './report/reporter';
import { Session } from './session/session';
import { DeviceThingModel } from './thing-model';
import { DeviceIdentityTopics } from './topics';
import type { DeviceOptions, IncomingMessage, LogLine, SessionState } from './types';

interface MessageListener {
  filter: string;
  listener: (message: IncomingMessage) => void;
}

/** One device's connection and everything on it, shared by all handles of that device. */
export class Connection {
  readonly identity: DeviceOptions['identity'];
  readonly session: Session;
  readonly dispatcher: Dispatcher;
  readonly reporter: Reporter;
  readonly thingModel: DeviceThingModel;
  readonly topics: DeviceIdentityTopics;
  readonly #stateListeners = new Set<(state: SessionState) => void>();
  readonly #onlineListeners = new Set<() => void>();
  readonly #messageListeners = new Set<MessageListener>();
  readonly #replyFilters: Set<string>;
  readonly #options: DeviceOptions;
  #lastWaiting = 0;

  /** @throws AlinkError `badSettings` naming the field */
  constructor(options: DeviceOptions) {
    checkOptions(options);
    this.#options = options;
    this.identity = options.identity;
    this.topics = new DeviceIdentityTopics(options.identity);
    this.thingModel = new DeviceThingModel(options.thingModel, (line) => this.log(line));
    const { productKey, deviceName } = options.identity;
    const events = `/sys/${productKey}/${deviceName}/thing/event`;
    // Instances that know nothing of `_ss=1` need these; the others only confirm them (section J row 42).
    this.#replyFilters = new Set([`${events}/+/post_reply`, `${events}/property/+/post_reply`]);
    const credentials = new Credentials(options);
    this.session = new Session({
      endpoint: () => credentials.endpoint(),
      connectFields: async (signal) => {
        await this.thingModel.loadCache();
        return credentials.fields(signal);
      },
      onRefused: () => credentials.refused(),
      ca: options.ca,
      keepAliveSeconds: options.keepAliveSeconds ?? KEEP_ALIVE_SECONDS.default,
      cleanSession: options.cleanSession === true,
      timing: options.timing,
      log: (line) => this.log(line),
      filters: () => this.#filters(),
      onRefusedFilter: (filter) => this.#replyFilters.delete(filter),
      onMessage: (message) => this.#receive(message),
      onState: () => this.#tellState(),
      onOnline: () => this.#online(),
      onOffline: (error) => this.dispatcher.disconnected(error),
    });
    this.dispatcher = new Dispatcher({
      topics: this.topics,
      link: () => this.session.link,
      waitingLimit: options.waitingLimit ?? 1000,
      defaultTimeoutMs: options.requestTimeoutMs ?? 10_000,
      onWaiting: (size) => this.#waiting(size),
    });
    this.reporter = new Reporter({
      dispatcher: this.dispatcher,
      mode: options.thingModel?.mode ?? 'off',
      model: () => this.thingModel.model,
      online: () => this.session.link !== undefined,
    });
  }

  get state(): SessionState {
    const { name, reason, retryAt } = this.session.state;
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

  onState(listener: (state: SessionState) => void): () => void {
    this.#stateListeners.add(listener);
    this.#call(listener, this.state);
    return () => this.#stateListeners.delete(listener);
  }

  onOnline(listener: () => void): () => void {
    this.#onlineListeners.add(listener);
    return () => this.#onlineListeners.delete(listener);
  }

  onMessage(filter: string, listener: (message: IncomingMessage) => void): () => void {
    const entry = { filter, listener };
    const known = this.#filters().includes(filter);
    this.#messageListeners.add(entry);
    if (!known) this.session.subscribe([filter]);
    return () => {
      if (this.#messageListeners.delete(entry) && !this.#filters().includes(filter))
        this.session.unsubscribe([filter]);
    };
  }

  /** Subscribes the answers of an operation that is used for the first time. */
  expectReplies(replyTopic: string): void {
    for (const filter of this.#replyFilters) if (topicMatches(filter, replyTopic)) return;
    this.#replyFilters.add(replyTopic);
    this.session.subscribe([replyTopic]);
  }

  async close(): Promise<void> {
    this.dispatcher.close(new AlinkError('closed', 'the device was closed'));
    await this.session.stop();
    this.#stateListeners.clear();
    this.#onlineListeners.clear();
    this.#messageListeners.clear();
  }

  log(line: LogLine): void {
    this.#options.log?.(line);
  }

  #filters(): string[] {
    return [...new Set([...this.#replyFilters, ...[...this.#messageListeners].map(({ filter }) => filter)])];
  }

  #online(): void {
    this.dispatcher.drain();
    for (const listener of [...this.#onlineListeners]) this.#call(listener, undefined);
    if (this.thingModel.fetched) void this.#fetchThingModel();
  }

  async #fetchThingModel(): Promise<void> {
    try {
      this.expectReplies(this.topics.of('thing.dsltemplate.get').replyTopic);
      const { data } = await this.dispatcher.submit({
        operation: 'thing.dsltemplate.get',
        params: '{}',
        options: {},
      });
      await this.thingModel.refresh(data);
    } catch (thrown) {
      const reason = thrown instanceof Error ? thrown.message : String(thrown);
      this.log({ level: 'warn', event: 'thingModelNotFetched', details: { reason } });
    }
  }

  #receive(message: IncomingMessage): void {
    const answered = this.dispatcher.receive(message.topic, message.payload);
    if (answered === 'malformed' || answered === 'unknownId') {
      this.log({ level: 'debug', event: answered, details: { topic: message.topic } });
    }
    for (const { filter, listener } of [...this.#messageListeners]) {
      if (topicMatches(filter, message.topic)) this.#call(listener, message);
    }
  }

  #waiting(size: number): void {
    // Queueing for the window while online is no news; only what waits for the connection is told.
    if (this.isOnline && this.#lastWaiting === 0) return;
    this.#lastWaiting = this.isOnline ? 0 : size;
    this.#tellState();
  }

  #tellState(): void {
    const { state } = this;
    for (const listener of [...this.#stateListeners]) this.#call(listener, state);
  }

  // A listener is somebody else's code; its fault must not reach the connection or the other listeners.
  #call<T>(listener: (value: T) => void, value: T): void {
    try {
      listener(value);
    } catch (thrown) {
      const reason = thrown instanceof Error ? thrown.message : String(thrown);
      this.log({ level: 'warn', event: 'listenerFailed', details: { reason } });
    }
  }
}

function checkOptions(options: DeviceOptions): void {
  const { identity, platform, transport, keepAliveSeconds, clientId, port } = options;
  for (const field of ['productKey', 'deviceName'] as const) {
    const problem = identityProblem(identity[field]);
    if (problem) throw bad(field, problem);
  }
  const { min, max } = KEEP_ALIVE_SECONDS;
  if (keepAliveSeconds !== undefined && !(keepAliveSeconds >= min && keepAliveSeconds <= max)) {
    throw bad('keepAlive', `${min}–${max} s`);
  }
  if (
    clientId !== undefined &&
    (clientId === '' || clientId.length > LONGEST_CLIENT_ID || clientId.includes('|'))
  ) {
    throw bad('clientId', `1–${LONGEST_CLIENT_ID} characters, no |`);
  }
  try {
    mqttEndpoint(platform, identity.productKey, transport, port);
  } catch (cause) {
    throw bad('transport', cause instanceof Error ? cause.message : String(cause));
  }
}

function bad(field: string, reason: string): AlinkError {
  return new AlinkError('badSettings', `${field}: ${reason}`, { details: { field, reason } });
}

/** Key under which one connection is shared: the thing, and where it connects. */
export function connectionKey({ identity, platform, transport, port }: DeviceOptions): string {
  const { kind } = platform;
  const where = kind === 'public' ? platform.region : kind === 'instance' ? platform.instanceId : '';
  const endpoint =
    kind === 'emulator' || kind === 'custom'
      ? mqttEndpoint(platform, identity.productKey, transport, port).url
      : where;
  return `${thingKey(identity)}@${kind}:${endpoint}`;
}
