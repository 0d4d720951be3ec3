import type { AlinkError } from '../errors';
import type { IncomingMessage, LogLine } from '../types';
import type { MqttLink } from './mqtt-link';
import type { MachineState } from './state';

/** What a thing's messages travel on: a connection of its own, or its gateway's while it is logged in there. */
export interface ThingSession {
  readonly state: Pick<MachineState, 'name' | 'reason'>;
  /** When it tries again, ms since 1970. */
  readonly retryAt: number | undefined;
  /** Only while the thing is online. */
  readonly link: Pick<MqttLink, 'publish'> | undefined;
  start(): void;
  /**
   * Adds filters; they are part of every later session through `filters`.
   * @param isNew subscribe them again: what had them before is over
   */
  subscribe(filters: readonly string[], isNew?: boolean): void;
  /** @param isOver the platform has dropped them already */
  unsubscribe(filters: readonly string[], isOver?: boolean): void;
  /** Says goodbye and resolves when that is done. */
  stop(): Promise<void>;
}

/** What a thing wants and is told of its session. */
export interface SessionEvents {
  /** Filters to subscribe whenever a session begins. */
  filters: () => readonly string[];
  qosOf: (filter: string) => 0 | 1;
  onRefusedFilter: (filter: string) => void;
  onMessage: (message: IncomingMessage) => void;
  onState: () => void;
  /** Subscribed and ready to send. */
  onOnline: () => void;
  /** What was sent and not answered is lost to this side. */
  onOffline: (error: AlinkError) => void;
  log: (line: LogLine) => void;
}
