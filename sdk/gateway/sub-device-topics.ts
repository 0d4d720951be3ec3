import type { DeviceIdentity } from '../../protocol';
import type { Connection } from '../connection';
import { type AlinkError, asAlinkError } from '../errors';
import type { IncomingMessage } from '../types';

/** Somebody who listens to a topic of each sub-device. */
export interface SubDeviceListener {
  filterOf: (identity: DeviceIdentity) => string;
  listener: (identity: DeviceIdentity, message: IncomingMessage) => void;
  onRefused: (identity: DeviceIdentity, error: AlinkError) => void;
  qos: 0 | 1;
}

type Part = Pick<Connection, 'identity' | 'onMessage'>;

/** Topics that are listened to at all sub-devices of a gateway, also at those that come later. */
export class SubDeviceTopics {
  readonly #listeners = new Map<SubDeviceListener, Map<Part, () => void>>();

  /** @param present the sub-devices that there are */
  add(listener: SubDeviceListener, present: Iterable<Part>): () => void {
    const stops = new Map<Part, () => void>();
    this.#listeners.set(listener, stops);
    for (const part of present) listen(listener, part, stops);
    return () => {
      this.#listeners.delete(listener);
      for (const stop of stops.values()) stop();
      stops.clear();
    };
  }

  came(part: Part): void {
    for (const [listener, stops] of this.#listeners) listen(listener, part, stops);
  }

  /** Its connection is over, and what listened to it with it. */
  left(part: Part): void {
    for (const stops of this.#listeners.values()) stops.delete(part);
  }
}

function listen(
  { filterOf, listener, onRefused, qos }: SubDeviceListener,
  part: Part,
  stops: Map<Part, () => void>,
): void {
  const { identity } = part;
  try {
    const stop = part.onMessage(filterOf(identity), {
      listener: (message) => listener(identity, message),
      onRefused: (error) => onRefused(identity, error),
      qos,
    });
    stops.set(part, stop);
  } catch (thrown) {
    // A filter that one of them cannot have shall not keep the others from theirs.
    onRefused(identity, asAlinkError(thrown, 'badSettings', 'no'));
  }
}

/** Answers to reports, both of them pushed to a session with `_ss=1` (A.9); others are asked for when one is expected. */
export function answersTo({ productKey, deviceName }: DeviceIdentity): string[] {
  const events = `/sys/${productKey}/${deviceName}/thing/event`;
  return [`${events}/+/post_reply`, `${events}/property/history/post_reply`];
}
