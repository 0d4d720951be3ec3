import { TIMING } from '../session/timing';
import type { ThingConnection } from '../thing-connection';
import type { ThingOptions } from '../types';
import { OtaClient } from './client';

/** Firmware over the air on a thing's connection. @param ca trusted besides Node.js's own roots */
export function otaOf(
  connection: ThingConnection,
  { timing, requestTimeoutMs = 10_000 }: Pick<ThingOptions, 'requestTimeoutMs' | 'timing'>,
  ca: string | undefined,
): OtaClient {
  return new OtaClient({
    identity: connection.identity,
    isOnline: () => connection.isOnline,
    nextId: () => connection.dispatcher.nextId(),
    publish: (topic, payload, options) => connection.publish(topic, payload, 1, options),
    request: (submission) => connection.request(submission),
    onMessage: (filter, entry) => connection.onMessage(filter, entry),
    onOnline: (listener) => connection.onOnline(listener),
    requestTimeoutMs,
    ca,
    timing: { ...TIMING, ...timing },
    log: (line) => connection.log(line),
  });
}
