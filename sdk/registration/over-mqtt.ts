import {
  isJsonObject,
  type MqttEndpoint,
  parseJson,
  registrationConnect,
  type SignMethod,
} from '../../protocol';
import { hmac } from '../../protocol/hmac';
import { AlinkError } from '../errors';
import { openLink } from '../session/mqtt-link';
import { TIMING } from '../session/timing';
import { newRandom, type RegistrationInput } from './input';
import type { StoredSecret } from './secret-store';

/** The platform closes a registration connection after 15 s (A.5). */
const LIMIT_MS = 15_000;

export interface MqttRegistration extends RegistrationInput {
  endpoint: MqttEndpoint;
  authType: 'register' | 'regnwl';
  instanceId?: string;
  signMethod: SignMethod;
}

/**
 * Dynamic registration over MQTT (A.7): connects once, takes what the platform pushes, disconnects.
 * @throws AlinkError of the connection, or `registrationTimeout` when nothing is pushed
 */
export async function registerOverMqtt(input: MqttRegistration): Promise<StoredSecret> {
  const { identity, productSecret, signMethod, authType, instanceId } = input;
  const fields = registrationConnect(hmac, {
    ...identity,
    productSecret,
    signMethod,
    authType,
    random: newRandom(),
    ...(instanceId === undefined ? {} : { instanceId }),
  });
  const { promise, resolve, reject } = deferred<StoredSecret>();
  // It may be rejected before anybody waits for it, when the connection itself fails.
  promise.catch(() => undefined);
  const seconds = LIMIT_MS / 1000;
  const timer = setTimeout(() => {
    const message = `the platform sent no secret within ${seconds} s`;
    reject(
      new AlinkError('registrationTimeout', message, {
        retry: 'slow',
        details: { seconds, ...input.endpoint },
      }),
    );
  }, LIMIT_MS);
  try {
    const link = await openLink({
      endpoint: input.endpoint,
      fields,
      ca: input.ca,
      keepAliveSeconds: 60,
      cleanSession: true,
      handshakeMs: TIMING.handshakeMs,
      connackMs: TIMING.connackMs,
      signal: input.signal,
      onMessage: ({ topic, payload }) => {
        if (topic !== '/ext/register' && topic !== '/ext/regnwl') return;
        const secret = readPush(payload);
        if (secret) resolve(secret);
        else reject(failed('what the platform sent holds no secret'));
      },
      onClose: (error) => reject(failed(error.message)),
    });
    try {
      return await promise;
    } finally {
      await link.end();
    }
  } finally {
    clearTimeout(timer);
  }
}

// Told apart by its fields, because sources disagree about the topic (section J row 16).
function readPush(payload: Uint8Array): StoredSecret | undefined {
  try {
    const body = parseJson(payload);
    if (!isJsonObject(body)) return undefined;
    const { deviceSecret, clientId, deviceToken } = body;
    if (typeof deviceToken === 'string' && typeof clientId === 'string') return { clientId, deviceToken };
    return typeof deviceSecret === 'string' && deviceSecret !== '' ? { deviceSecret } : undefined;
  } catch {
    return undefined; // reported by the caller
  }
}

function failed(reason: string): AlinkError {
  return new AlinkError('registrationFailed', `registration failed: ${reason}`, {
    retry: 'slow',
    details: { reason },
  });
}

interface Deferred<T> {
  promise: Promise<T>;
  resolve: (value: T) => void;
  reject: (error: Error) => void;
}

function deferred<T>(): Deferred<T> {
  const result = {} as Deferred<T>;
  result.promise = new Promise<T>((resolve, reject) => {
    result.resolve = resolve;
    result.reject = reject;
  });
  return result;
}
