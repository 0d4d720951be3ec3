import type { ConnectFields, MqttEndpoint } from '../../protocol';
import { AlinkError } from '../errors';
import type { IncomingMessage, LogLine } from '../types';
import { type MqttLink, openLink } from './mqtt-link';
import { IDLE, type MachineEvent, type MachineState, nextState } from './state';
import { TIMING, type Timing } from './timing';

export interface SessionOptions {
  endpoint: () => MqttEndpoint;
  /** Fields with a fresh signature for each attempt; may register the device first. */
  connectFields: (signal: AbortSignal) => Promise<ConnectFields>;
  /** The platform refused these fields (CONNACK 2–5): whatever they were made of may be out of date. */
  onRefused: (error: AlinkError) => void;
  ca?: string | undefined;
  keepAliveSeconds: number;
  cleanSession: boolean;
  timing?: Partial<Timing> | undefined;
  now?: () => number;
  random?: () => number;
  log: (line: LogLine) => void;
  /** Filters to subscribe on every connect. */
  filters: () => readonly string[];
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
  #retry: NodeJS.Timeout | undefined;
  #attempt: AbortController | undefined;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#timing = { ...TIMING, ...options.timing };
    this.#now = options.now ?? Date.now;
  }

  get state(): MachineState {
    return this.#state;
  }

  /** The open link, only while online. */
  get link(): MqttLink | undefined {
    return this.#state.name === 'online' ? this.#link : undefined;
  }

  start(): void {
    if (this.#state.name === 'idle') this.#step({ type: 'start' });
  }

  /** Tries now instead of when the wait is over; for a user who has just repaired something. */
  retryNow(): void {
    if (this.#retry !== undefined) this.#step({ type: 'retry' });
  }

  /** Adds filters to a running connection; they are part of every later one through `filters`. */
  subscribe(filters: readonly string[]): void {
    const link = this.link;
    if (link) void this.#subscribe(link, filters);
  }

  unsubscribe(filters: readonly string[]): void {
    this.link?.unsubscribe(filters);
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
    clearTimeout(this.#retry);
    this.#retry = undefined;
    if (after.name === 'connecting') void this.#connect();
    else if (after.retryAt !== undefined) {
      this.#retry = setTimeout(() => this.#step({ type: 'retry' }), Math.max(0, after.retryAt - this.#now()));
      this.#log(after);
    }
    this.#options.onState(after);
  }

  #log(state: MachineState): void {
    const seconds = Math.round(((state.retryAt ?? 0) - this.#now()) / 1000);
    this.#options.log({
      level: state.name === 'waiting' ? 'info' : 'warn',
      event: state.name,
      details: { reason: state.reason?.message ?? '', retryInSeconds: seconds },
    });
  }

  async #connect(): Promise<void> {
    const attempt = new AbortController();
    this.#attempt = attempt;
    let asked = false;
    try {
      const fields = await this.#options.connectFields(attempt.signal);
      attempt.signal.throwIfAborted();
      asked = true;
      const link = await this.#open(fields, attempt.signal);
      if (attempt.signal.aborted) {
        await link.end();
        return;
      }
      await this.#subscribe(link, this.#options.filters());
      if (attempt.signal.aborted || this.#link !== link) return;
      this.#step({ type: 'online' });
      this.#options.onOnline();
    } catch (thrown) {
      if (attempt.signal.aborted) return;
      const error = asAlinkError(thrown);
      const answered = asked && error.code !== undefined;
      if (answered) this.#options.onRefused(error);
      this.#step({ type: 'failed', error, answered });
    }
  }

  async #open(fields: ConnectFields, signal: AbortSignal): Promise<MqttLink> {
    const { keepAliveSeconds, cleanSession, ca } = this.#options;
    let link: MqttLink | undefined;
    link = await openLink({
      endpoint: this.#options.endpoint(),
      fields,
      ca,
      keepAliveSeconds,
      cleanSession,
      handshakeMs: this.#timing.handshakeMs,
      connackMs: this.#timing.connackMs,
      signal,
      onMessage: this.#options.onMessage,
      onClose: (error, kicked) => {
        if (link !== undefined && this.#link === link) this.#lost(error, kicked);
      },
    });
    this.#link = link;
    return link;
  }

  #lost(error: AlinkError, kicked: boolean): void {
    this.#link = undefined;
    const wasOnline = this.#state.name === 'online';
    if (wasOnline) this.#step({ type: 'lost', error, kicked });
    else this.#step({ type: 'failed', error, answered: false });
    this.#options.onOffline(error);
  }

  async #subscribe(link: MqttLink, filters: readonly string[]): Promise<void> {
    if (filters.length === 0) return;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<string[]>((resolve) => {
      timer = setTimeout(() => resolve([]), this.#timing.subackMs);
    });
    try {
      for (const filter of await Promise.race([link.subscribe(filters), late])) {
        this.#options.log({ level: 'warn', event: 'subscriptionRefused', details: { topic: filter } });
        this.#options.onRefusedFilter(filter);
      }
    } catch (thrown) {
      // The connection went away meanwhile, which its own event tells.
      this.#options.log({ level: 'debug', event: 'subscribeFailed', details: { reason: String(thrown) } });
    } finally {
      clearTimeout(timer);
    }
  }
}

function asAlinkError(thrown: unknown): AlinkError {
  if (thrown instanceof AlinkError) return thrown;
  const reason = thrown instanceof Error ? thrown.message : String(thrown);
  return new AlinkError('connectionClosed', reason, { retry: 'slow', cause: thrown, details: { reason } });
}
