import type { ConnectFields, MqttEndpoint } from '../../protocol';
import { AlinkError, asAlinkError } from '../errors';
import { SessionMachine } from './machine';
import { type MqttLink, openLink } from './mqtt-link';
import type { MachineState } from './state';
import type { SessionEvents, ThingSession } from './thing-session';
import type { Timing } from './timing';

export interface SessionOptions extends SessionEvents {
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
}

/** One identity's connection to the platform: connects, stays connected, gives way when it must (J.2). */
export class Session implements ThingSession {
  readonly #options: SessionOptions;
  readonly #machine: SessionMachine;
  #link: MqttLink | undefined;
  /** Filters that the open link was asked for, with their QoS. */
  #asked = new Map<string, 0 | 1>();
  #attempt: AbortController | undefined;

  constructor(options: SessionOptions) {
    this.#options = options;
    const { timing, now, random, log } = options;
    this.#machine = new SessionMachine({
      timing,
      now,
      random,
      log,
      connect: () => void this.#connect(),
      onState: () => options.onState(),
    });
  }

  get state(): MachineState {
    return this.#machine.state;
  }

  get retryAt(): number | undefined {
    return this.#machine.retryAt;
  }

  /** The open link, only while online. */
  get link(): MqttLink | undefined {
    return this.state.name === 'online' ? this.#link : undefined;
  }

  start(): void {
    this.#machine.step({ type: 'start' });
  }

  subscribe(filters: readonly string[], isNew = false): void {
    if (isNew) for (const filter of filters) this.#asked.delete(filter);
    if (this.#link) void this.#subscribe(this.#link, filters).then((refused) => this.#tellRefused(refused));
  }

  unsubscribe(filters: readonly string[], isOver = false): void {
    for (const filter of filters) this.#asked.delete(filter);
    if (!isOver) this.#link?.unsubscribe(filters);
  }

  async stop(): Promise<void> {
    if (this.state.name === 'idle' || this.state.name === 'closing') return;
    const link = this.#link;
    this.#link = undefined;
    this.#machine.step({ type: 'stop' });
    this.#attempt?.abort();
    this.#options.onOffline(new AlinkError('closed', 'the connection was closed'));
    await link?.end();
    this.#machine.step({ type: 'stopped' });
  }

  async #connect(): Promise<void> {
    const attempt = new AbortController();
    this.#attempt = attempt;
    const { signal } = attempt;
    const onSent = () => {
      if (!signal.aborted) this.#machine.step({ type: 'sent' });
    };
    try {
      const fields = await this.#options.connectFields(signal, onSent);
      signal.throwIfAborted();
      await this.#open(fields, signal, onSent);
    } catch (thrown) {
      if (!signal.aborted)
        this.#machine.step({ type: 'failed', error: asAlinkError(thrown, 'connectionClosed', 'slow') });
    }
  }

  async #open(fields: ConnectFields, signal: AbortSignal, onSent: () => void): Promise<void> {
    const { keepAliveSeconds, cleanSession, ca, onMessage } = this.#options;
    const { handshakeMs, connackMs, endMs } = this.#machine.timing;
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
      const error = asAlinkError(thrown, 'connectionClosed', 'slow');
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
    this.#machine.step({ type: 'online' });
    this.#options.onOnline();
    // After the news that the connection is there, which would otherwise cover it.
    this.#tellRefused(refused);
  }

  #lost(error: AlinkError, kicked: boolean): void {
    this.#link = undefined;
    this.#machine.step({ type: 'lost', error, kicked });
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
      timer = setTimeout(() => resolve([]), this.#machine.timing.subackMs);
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
