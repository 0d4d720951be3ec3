import type { ConnectFields, MqttEndpoint } from '../../protocol';
import { AlinkError } from '../errors';
import type { IncomingMessage, LogLine } from '../types';
import { type MqttLink, openLink } from './mqtt-link';
import { IDLE, type MachineEvent, type MachineState, nextState } from './state';
import { TIMING, type Timing } from './timing';

export interface SessionOptions {
  endpoint: () => MqttEndpoint;
  /** Fields with a fresh signature for each attempt; may register the device first. */
  connectFields: (signal: AbortSignal, onSent: () => void) => Promise<ConnectFields>;
  /** The platform refused these fields: what they were made of may be out of date. @returns what to tell */
  onRefused: (error: AlinkError) => AlinkError;
  ca?: string | undefined;
  keepAliveSeconds: number;
  cleanSession: boolean;
  timing?: Partial<Timing> | undefined;
  /** Milliseconds on a clock that never jumps. */
  now?: () => number;
  random?: () => number;
  log: (line: LogLine) => void;
  /** Filters to subscribe on every connect. */
  filters: () => readonly string[];
  qosOf: (filter: string) => 0 | 1;
  onRefusedFilter: (filter: string) => void;
  onMessage: (message: IncomingMessage) => void;
  onState: (state: MachineState) => void;
  /** Connected, subscribed, ready to send. */
  onOnline: () => void;
  /** What was sent and not answered is lost to this side. */
  onOffline: (error: AlinkError) => void;
}

/** One identity's connection to the platform: connects, stays connected, gives way when it must (J.2). */
export class Session {
  readonly #options: SessionOptions;
  readonly #timing: Timing;
  readonly #now: () => number;
  #state: MachineState = IDLE;
  #link: MqttLink | undefined;
  /** Filters that the open link was asked for, with their QoS. */
  #asked = new Map<string, 0 | 1>();
  #retry: NodeJS.Timeout | undefined;
  #attempt: AbortController | undefined;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#timing = { ...TIMING, ...options.timing };
    this.#now = options.now ?? (() => performance.now());
  }

  get state(): MachineState {
    return this.#state;
  }

  /** When it tries again, ms since 1970. */
  get retryAt(): number | undefined {
    const { retryAt } = this.#state;
    return retryAt === undefined ? undefined : Math.round(Date.now() + retryAt - this.#now());
  }

  /** The open link, only while online. */
  get link(): MqttLink | undefined {
    return this.#state.name === 'online' ? this.#link : undefined;
  }

  start(): void {
    this.#step({ type: 'start' });
  }

  /** Adds filters to a running connection; they are part of every later one through `filters`. */
  subscribe(filters: readonly string[]): void {
    if (this.#link) void this.#subscribe(this.#link, filters).then((refused) => this.#tellRefused(refused));
  }

  unsubscribe(filters: readonly string[]): void {
    for (const filter of filters) this.#asked.delete(filter);
    this.#link?.unsubscribe(filters);
  }

  /** Says goodbye and resolves when the socket is closed. */
  async stop(): Promise<void> {
    if (this.#state.name === 'idle' || this.#state.name === 'closing') return;
    const link = this.#link;
    this.#link = undefined;
    this.#step({ type: 'stop' });
    this.#attempt?.abort();
    this.#options.onOffline(new AlinkError('closed', 'the connection was closed'));
    await link?.end();
    this.#step({ type: 'stopped' });
  }

  #step(event: MachineEvent): void {
    const before = this.#state;
    const random = (this.#options.random ?? Math.random)();
    const after = nextState(before, event, { now: this.#now(), random, timing: this.#timing });
    if (after === before) return;
    this.#state = after;
    if (event.type === 'sent') return; // only counted
    clearTimeout(this.#retry);
    this.#retry = undefined;
    if (after.name === 'connecting') void this.#connect();
    else if (after.retryAt !== undefined) {
      const wait = Math.max(0, after.retryAt - this.#now());
      this.#retry = setTimeout(() => this.#step({ type: 'retry' }), wait);
      this.#options.log({
        level: after.name === 'waiting' ? 'info' : 'warn',
        event: after.name,
        details: { reason: after.reason?.message ?? '', retryInSeconds: Math.round(wait / 1000) },
      });
    }
    this.#options.onState(after);
  }

  async #connect(): Promise<void> {
    const attempt = new AbortController();
    this.#attempt = attempt;
    const { signal } = attempt;
    const onSent = () => {
      if (!signal.aborted) this.#step({ type: 'sent' });
    };
    try {
      const fields = await this.#options.connectFields(signal, onSent);
      signal.throwIfAborted();
      await this.#open(fields, signal, onSent);
    } catch (thrown) {
      if (!signal.aborted) this.#step({ type: 'failed', error: asAlinkError(thrown) });
    }
  }

  async #open(fields: ConnectFields, signal: AbortSignal, onSent: () => void): Promise<void> {
    const { keepAliveSeconds, cleanSession, ca, onMessage } = this.#options;
    const { handshakeMs, connackMs, endMs } = this.#timing;
    const ended: { error?: AlinkError; kicked: boolean } = { kicked: false };
    let used = false;
    const link = await openLink({
      endpoint: this.#options.endpoint(),
      fields,
      ca,
      keepAliveSeconds,
      cleanSession,
      handshakeMs,
      connackMs,
      endMs,
      signal,
      onMessage,
      onSent,
      onClose: (error, kicked) => {
        if (!used) Object.assign(ended, { error, kicked });
        else if (this.#link === link) this.#lost(error, kicked);
      },
    }).catch((thrown: unknown) => {
      const error = asAlinkError(thrown);
      throw error.code === undefined ? error : this.#options.onRefused(error);
    });
    if (signal.aborted) {
      await link.end();
      return;
    }
    if (ended.error) {
      this.#lost(ended.error, ended.kicked);
      return;
    }
    used = true;
    this.#link = link;
    this.#asked = new Map();
    const refused = await this.#subscribe(link, this.#options.filters());
    if (this.#link !== link) return; // stopped or lost meanwhile
    this.#step({ type: 'online' });
    this.#options.onOnline();
    // After the news that the connection is there, which would otherwise cover it.
    this.#tellRefused(refused);
  }

  #lost(error: AlinkError, kicked: boolean): void {
    this.#link = undefined;
    this.#step({ type: 'lost', error, kicked });
    this.#options.onOffline(error);
  }

  /** @returns filters that the platform refused */
  async #subscribe(link: MqttLink, wanted: readonly string[]): Promise<string[]> {
    const { qosOf } = this.#options;
    const filters = wanted.filter((filter) => this.#asked.get(filter) !== qosOf(filter));
    const refused = await Promise.all(
      ([1, 0] as const).map((qos) =>
        this.#ask(
          link,
          filters.filter((filter) => qosOf(filter) === qos),
          qos,
        ),
      ),
    );
    return refused.flat();
  }

  async #ask(link: MqttLink, filters: readonly string[], qos: 0 | 1): Promise<string[]> {
    if (filters.length === 0) return [];
    for (const filter of filters) this.#asked.set(filter, qos);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<string[]>((resolve) => {
      timer = setTimeout(() => resolve([]), this.#timing.subackMs);
    });
    try {
      const refused = await Promise.race([link.subscribe(filters, qos), late]);
      if (this.#link === link) for (const filter of refused) this.#asked.delete(filter);
      return refused;
    } catch (thrown) {
      // The connection went away meanwhile, which its own event tells.
      this.#options.log({ level: 'debug', event: 'subscribeFailed', details: { reason: String(thrown) } });
      return [];
    } finally {
      clearTimeout(timer);
    }
  }

  #tellRefused(filters: readonly string[]): void {
    for (const filter of filters) {
      this.#options.log({ level: 'warn', event: 'subscriptionRefused', details: { topic: filter } });
      this.#options.onRefusedFilter(filter);
    }
  }
}

function asAlinkError(thrown: unknown): AlinkError {
  if (thrown instanceof AlinkError) return thrown;
  const reason = thrown instanceof Error ? thrown.message : String(thrown);
  return new AlinkError('connectionClosed', reason, { retry: 'slow', cause: thrown, details: { reason } });
}
