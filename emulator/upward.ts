import type { Line } from './broker/line';
import type { Route } from './broker/routes';

export type KnownRoute = Exclude<Route, { kind: 'none' }>;

/** A message on its way up. */
export interface Upward {
  /** The connection on which it came. */
  line: Line;
  topic: string;
  payload: Uint8Array;
  qos: 0 | 1;
  route: KnownRoute;
  /** The product's script shall make JSON of it. */
  marked: boolean;
}

/** What a fault does to an answer. */
export type ReplyFault = 'loseReply' | 'malformReply';
