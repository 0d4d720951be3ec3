import type { DeviceIdentity } from '../../protocol';
import type { Connection } from '../connection';
import { type AlinkError, asAlinkError } from '../errors';
import type { IncomingMessage } from '../types';

/** What can be listened to at a sub-device. */
type Part = Pick<Connection, 'identity' | 'onMessage' | 'ota'>;

/** Begins to listen at one sub-device. @returns function that stops it */
export type Attach = (part: Part) => () => void;

/** Listeners at all sub-devices of a gateway, also at those that come later. */
export class SubDeviceListeners {
  readonly #listeners = new Map<Attach, Map<Part, () => void>>();

  /** @param attach once per listener; @param present the sub-devices that there are */
  add(attach: Attach, present: Iterable<Part>): () => void {
    const stops = new Map<Part, () => void>();
    this.#listeners.set(attach, stops);
    for (const part of present) stops.set(part, attach(part));
    return () => {
      this.#listeners.delete(attach);
      for (const stop of stops.values()) stop();
      stops.clear();
    };
  }

  came(part: Part): void {
    for (const [attach, stops] of this.#listeners) stops.set(part, attach(part));
  }

  /** Its connection is over, and what listened to it with it. */
  left(part: Part): void {
    for (const stops of this.#listeners.values()) stops.delete(part);
  }
}

/** A topic of each sub-device. */
export interface SubDeviceTopic {
  filterOf: (identity: DeviceIdentity) => string;
  listener: (identity: DeviceIdentity, message: IncomingMessage) => void;
  onRefused: (identity: DeviceIdentity, error: AlinkError) => void;
  qos: 0 | 1;
}

export function topicOfEach({ filterOf, listener, onRefused, qos }: SubDeviceTopic): Attach {
  return (part) => {
    const { identity } = part;
    try {
      return part.onMessage(filterOf(identity), {
        listener: (message) => listener(identity, message),
        onRefused: (error) => onRefused(identity, error),
        qos,
      });
    } catch (thrown) {
      // A filter that one of them cannot have shall not keep the others from theirs.
      onRefused(identity, asAlinkError(thrown, 'badSettings', 'no'));
      return () => undefined;
    }
  };
}

/** Answers to reports, both of them pushed to a session with `_ss=1` (A.9); others are asked for when one is expected. */
export function answersTo({ productKey, deviceName }: DeviceIdentity): string[] {
  const events = `/sys/${productKey}/${deviceName}/thing/event`;
  return [`${events}/+/post_reply`, `${events}/property/history/post_reply`];
}
