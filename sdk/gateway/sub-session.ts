import { AlinkError, asAlinkError } from '../errors';
import { SessionMachine } from '../session/machine';
import type { MqttLink } from '../session/mqtt-link';
import type { MachineState } from '../session/state';
import type { SessionEvents, ThingSession } from '../session/thing-session';
import type { Timing } from '../session/timing';

/** What the session of a sub-device stands on. */
export interface Carrier {
  /** The gateway's open link. */
  readonly link: Pick<MqttLink, 'publish'> | undefined;
  /** Why the gateway is offline, as far as is known; undefined while it is about to be online. */
  readonly offline: AlinkError | undefined;
  start(): void;
  /** @param isNew for a session that has none of them yet, whatever an older one had */
  subscribe(filters: readonly string[], isNew?: boolean): void;
  /** @param isOver they went with the session */
  unsubscribe(filters: readonly string[], isOver?: boolean): void;
  /**
   * All that is needed for a session: secret, topology, login.
   * @param onSent told of each login that is sent
   * @throws AlinkError
   */
  bringUp(signal: AbortSignal, onSent: () => void): Promise<void>;
  /** Never rejects. */
  logout(): Promise<void>;
  /** The session will not be used any more. */
  leave(): void;
}

/** The platform closes these sessions for a while only. */
const ELSEWHERE = 427;
const NO_SESSION = 520;

/**
 * A sub-device's session on its gateway's connection (B.5). It begins anew each time the gateway comes online, follows
 * the same rules as a connection of its own, and never waits for another sub-device.
 */
export class SubDeviceSession implements ThingSession {
  readonly #carrier: Carrier;
  readonly #events: SessionEvents;
  readonly #machine: SessionMachine;
  #attempt: AbortController | undefined;
  /** The end of the session that the attempt is about to begin, told in one go with the answer to the login. */
  #endedEarly: AlinkError | undefined;

  constructor(carrier: Carrier, events: SessionEvents, timing: Partial<Timing> | undefined) {
    this.#carrier = carrier;
    this.#events = events;
    this.#machine = new SessionMachine({
      timing,
      log: events.log,
      // Not within the step that asks for it: the attempt may end at once.
      connect: () => queueMicrotask(() => void this.#login()),
      onState: () => events.onState(),
    });
  }

  get state(): MachineState {
    return this.#machine.state;
  }

  get retryAt(): number | undefined {
    return this.#machine.retryAt;
  }

  get link(): Pick<MqttLink, 'publish'> | undefined {
    return this.state.name === 'online' ? this.#carrier.link : undefined;
  }

  start(): void {
    this.#machine.step({ type: 'start' });
    this.#carrier.start();
  }

  subscribe(filters: readonly string[]): void {
    if (this.state.name === 'online') this.#carrier.subscribe(filters);
  }

  unsubscribe(filters: readonly string[]): void {
    if (this.state.name === 'online') this.#carrier.unsubscribe(filters);
  }

  async stop(): Promise<void> {
    const { name } = this.state;
    if (name === 'closing') return;
    if (name !== 'idle') {
      this.#machine.step({ type: 'stop' });
      this.#abort();
      this.#events.onOffline(new AlinkError('closed', 'the sub-device was closed'));
      if (name === 'online' && this.#carrier.link) await this.#carrier.logout();
      this.#machine.step({ type: 'stopped' });
    }
    this.#carrier.unsubscribe(this.#events.filters(), true);
    this.#carrier.leave();
  }

  /** The gateway has a new session. */
  gatewayOnline(): void {
    if (this.state.name === 'connecting') void this.#login();
    else this.#machine.step({ type: 'gatewayBack' });
  }

  gatewayOffline(error: AlinkError): void {
    const wasOnline = this.state.name === 'online';
    this.#abort();
    this.#machine.step({ type: 'gatewayLost', error });
    if (wasOnline) this.#events.onOffline(error);
  }

  /** The platform ended the session, or says that there is none. @param error with the code (B.5 rows 74, 75) */
  ended(error: AlinkError): void {
    const { code } = error;
    // What had no session was sent before it.
    if (this.#attempt && code !== NO_SESSION) this.#endedEarly = error;
    if (this.state.name !== 'online') return;
    if (code === ELSEWHERE || code === NO_SESSION) {
      this.#machine.step({ type: 'lost', error, kicked: code === ELSEWHERE });
    } else this.#machine.step({ type: 'failed', error });
    this.#events.onOffline(error);
  }

  /** What kept it from its session is over, or somebody asks for it. */
  retry(): void {
    this.#machine.step({ type: 'hurry' });
  }

  /** A reason that makes waiting attempts pointless, heard of otherwise than by their failure. */
  refuse(error: AlinkError): void {
    if (this.state.name === 'online') this.ended(error);
    else if (this.state.name === 'connecting' && this.#attempt) {
      this.#abort();
      this.#machine.step({ type: 'failed', error });
    }
  }

  async #login(): Promise<void> {
    const { name } = this.state;
    if (name !== 'connecting' || this.#attempt) return;
    if (this.#carrier.link === undefined) {
      const { offline } = this.#carrier;
      if (offline) this.#machine.step({ type: 'gatewayLost', error: offline });
      return; // otherwise it begins when the gateway is there
    }
    const attempt = new AbortController();
    this.#attempt = attempt;
    this.#endedEarly = undefined;
    const { signal } = attempt;
    try {
      await this.#carrier.bringUp(signal, () => {
        if (!signal.aborted) this.#machine.step({ type: 'sent' });
      });
    } catch (thrown) {
      if (signal.aborted) return;
      this.#attempt = undefined;
      this.#machine.step({ type: 'failed', error: asAlinkError(thrown, 'connectionClosed', 'slow') });
      return;
    }
    if (signal.aborted) {
      // Given up while the login was on its way: nobody shall hold a session that nobody wants.
      if (this.state.name !== 'online' && this.state.name !== 'connecting') await this.#carrier.logout();
      return;
    }
    this.#attempt = undefined;
    this.#carrier.subscribe(this.#events.filters(), true);
    this.#machine.step({ type: 'online' });
    this.#events.onOnline();
    if (this.#endedEarly) this.ended(this.#endedEarly);
  }

  #abort(): void {
    this.#attempt?.abort();
    this.#attempt = undefined;
  }
}
