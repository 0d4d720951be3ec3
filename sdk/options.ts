import {
  authUrl,
  filterProblem,
  identityProblem,
  KEEP_ALIVE_SECONDS,
  LONGEST_CLIENT_ID,
  mqttEndpoint,
  thingKey,
} from '../protocol';
import { AlinkError } from './errors';
import type { DeviceOptions, ThingOptions } from './types';

/** What holds for every thing. @throws AlinkError `badSettings` naming the field */
export function checkThing(options: ThingOptions): void {
  const { identity, clientId } = options;
  for (const field of ['productKey', 'deviceName'] as const) {
    const problem = identityProblem(identity[field]);
    if (problem) throw bad(field, problem);
  }
  checkNumber('requestTimeoutMs', options.requestTimeoutMs, 1, 24 * 3600_000);
  checkNumber('waitingLimit', options.waitingLimit, 0, 1_000_000);
  checkNumber('lingerMs', options.lingerMs, 0, 3600_000);
  if (
    clientId !== undefined &&
    (clientId === '' || clientId.length > LONGEST_CLIENT_ID || clientId.includes('|'))
  ) {
    throw bad('clientId', `1–${LONGEST_CLIENT_ID} characters, no |`);
  }
}

/** @throws AlinkError `badSettings` naming the field */
export function checkOptions(options: DeviceOptions): void {
  checkThing(options);
  const { identity, platform, transport, port, authentication, gateway } = options;
  const { min, max } = KEEP_ALIVE_SECONDS;
  checkNumber('keepAlive', options.keepAliveSeconds, min, max);
  checkNumber('port', port, 1, 65_535);
  checkNumber('loginsPerSecond', gateway?.loginsPerSecond, 0, 10_000);
  checkNumber('loginBatch', gateway?.loginBatch, 1, 50);
  try {
    mqttEndpoint(platform, identity.productKey, transport, port);
  } catch (cause) {
    throw bad('transport', cause instanceof Error ? cause.message : String(cause));
  }
  const asksHttps =
    authentication.kind === 'iotToken' ||
    (authentication.kind === 'productSecret' && authentication.via === 'https');
  if (asksHttps) checkDoor(options);
  const registers = authentication.kind === 'productSecret' || authentication.kind === 'noPreRegistration';
  if (registers && options.secretStore === undefined) throw bad('secretStore', 'is missing');
}

/** @throws AlinkError `badSettings` for a filter that would make the platform close the connection */
export function checkFilter(filter: string): void {
  const problem = filterProblem(filter);
  if (problem) throw bad('topic', `${filter}: ${problem}`);
}

/** Key under which one connection is shared: the thing, and where it connects. */
export function connectionKey({ identity, platform, transport, port }: DeviceOptions): string {
  switch (platform.kind) {
    case 'public':
      return `${thingKey(identity)}@${platform.region}`;
    case 'instance':
      return `${thingKey(identity)}@${platform.instanceId}`;
    case 'emulator':
      // All its doors lead to the same place.
      return `${thingKey(identity)}@${JSON.stringify([platform.host, platform.httpUrl, platform.ports])}`;
    case 'custom':
      return `${thingKey(identity)}@${mqttEndpoint(platform, identity.productKey, transport, port).url}`;
  }
}

// The door hands out secrets and tokens, so nobody may read along (A.6, A.8).
function checkDoor({ platform }: DeviceOptions): void {
  let url: URL;
  try {
    url = new URL(authUrl(platform));
  } catch {
    throw bad('httpUrl', 'is not an address');
  }
  if (url.protocol === 'https:' || (url.protocol === 'http:' && platform.kind === 'emulator')) return;
  const loopback = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname);
  if (url.protocol !== 'http:' || !loopback) throw bad('httpUrl', 'https is needed');
}

function checkNumber(field: string, value: number | undefined, min: number, max: number): void {
  if (value === undefined || (Number.isInteger(value) && value >= min && value <= max)) return;
  throw bad(field, `${min}–${max}`);
}

function bad(field: string, reason: string): AlinkError {
  return new AlinkError('badSettings', `${field}: ${reason}`, { details: { field, reason } });
}
