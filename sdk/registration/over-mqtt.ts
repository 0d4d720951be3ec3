import {
  type DeviceIdentity,
  isJsonObject,
  type MqttEndpoint,
  parseJson,
  registrationConnect,
  type SignMethod,
} from '../../protocol';
import { hmac } from '../../protocol/hmac';
import { AlinkError } from '../errors';
import { openLink } from '../session/mqtt-link';
import { newRandom, type RegistrationInput } from './input';
import { asSecret, type StoredSecret } from './secret-store';

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
  const { timing } = input;
  const seconds = timing.registrationMs / 1000;
  const timer = setTimeout(() => {
    const message = `the platform sent no secret within ${seconds} s`;
    reject(
      new AlinkError('registrationTimeout', message, {
        retry: 'slow',
        details: { seconds, host: input.endpoint.host, port: input.endpoint.port },
      }),
    );
  }, timing.registrationMs);
  try {
    const link = await openLink({
      endpoint: input.endpoint,
      fields,
      ca: input.ca,
      keepAliveSeconds: 60,
      cleanSession: true,
      handshakeMs: timing.handshakeMs,
      connackMs: timing.connackMs,
      endMs: timing.endMs,
      signal: input.signal,
      onSent: input.onSent,
      onMessage: ({ topic, payload }) => {
        if (topic !== '/ext/register' && topic !== '/ext/regnwl') return;
        const secret = readPush(payload, identity);
        if (secret) resolve(secret);
        else reject(failed('what the platform sent holds no secret'));
      },
      onClose: (error) => reject(failed(error.message)),
    }).catch((thrown: unknown) => {
      throw thrown instanceof AlinkError && thrown.code !== undefined ? refused(thrown) : thrown;
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
function readPush(payload: Uint8Array, identity: DeviceIdentity): StoredSecret | undefined {
  try {
    const body = parseJson(payload);
    if (!isJsonObject(body)) return undefined;
    const { productKey = identity.productKey, deviceName = identity.deviceName } = body;
    if (productKey !== identity.productKey || deviceName !== identity.deviceName) return undefined;
    return asSecret(body);
  } catch {
    return undefined; // reported by the caller
  }
}

// Codes mean something else here than on a usual connection (A.7).
const REFUSALS: Record<number, string> = {
  2: 'parameters are missing or wrong, or the connection is not encrypted',
  3: 'the platform cannot register devices now',
  4: 'the signature is wrong: check the productSecret',
};

function refused(error: AlinkError): AlinkError {
  const reason = REFUSALS[error.code ?? 0] ?? error.message;
  return new AlinkError('registrationFailed', `registration was refused: ${reason}`, {
    ...(error.code === undefined ? {} : { code: error.code }),
    retry: 'slow',
    details: { reason },
    cause: error,
  });
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
