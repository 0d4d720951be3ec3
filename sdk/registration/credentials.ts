import {
  authUrl,
  type ConnectFields,
  DEFAULT_SIGN_METHOD,
  type DeviceSignFields,
  defaultClientId,
  deviceConnect,
  type IotToken,
  iotTokenConnect,
  type MqttEndpoint,
  mqttEndpoint,
  type Platform,
  SESSION_PARAMETERS,
  type SignMethod,
  signDevice,
  signRegistration,
  tokenConnect,
} from '../../protocol';
import { hmac } from '../../protocol/hmac';
import { AlinkError } from '../errors';
import { TIMING, type Timing } from '../session/timing';
import type { DeviceOptions } from '../types';
import { postForm } from './https-door';
import { newRandom } from './input';
import { registerOverMqtt } from './over-mqtt';
import type { StoredSecret } from './secret-store';

/**
 * Makes CONNECT's fields for one device, fresh for every attempt; registers or authenticates first when the
 * settings ask for it. What registration gave is on disk before it is used.
 */
export class Credentials {
  readonly #options: DeviceOptions;
  readonly #signMethod: SignMethod;
  readonly #timing: Timing;
  #stored: StoredSecret | undefined;
  #storedIsOld = false;
  #token: { token: IotToken; endpoint: MqttEndpoint } | undefined;

  constructor(options: DeviceOptions) {
    this.#options = options;
    this.#signMethod = options.signMethod ?? DEFAULT_SIGN_METHOD;
    this.#timing = { ...TIMING, ...options.timing };
  }

  /** Where the next connection goes: HTTPS authentication may name another host. */
  endpoint(): MqttEndpoint {
    const { platform, identity, transport, port } = this.#options;
    return this.#token?.endpoint ?? mqttEndpoint(platform, identity.productKey, transport, port);
  }

  /**
   * The device secret, given or registered.
   * @throws AlinkError `credentialsMissing` when the device has none, or none yet; `secretStore`
   */
  async deviceSecret(): Promise<string> {
    const { authentication, identity, secretStore, platform } = this.#options;
    if ('deviceSecret' in authentication) {
      const { deviceSecret } = authentication;
      return typeof deviceSecret === 'function' ? deviceSecret() : deviceSecret;
    }
    const known = this.#stored ?? (await secretStore?.read(identity, platformKey(platform)));
    if (known && 'deviceSecret' in known) return known.deviceSecret;
    throw missing('deviceSecret');
  }

  /**
   * @param onSent told when registration itself sends a CONNECT, which counts like any other
   * @throws AlinkError when registration, authentication or the store fail
   */
  async fields(signal: AbortSignal, onSent: () => void): Promise<ConnectFields> {
    const { authentication, identity } = this.#options;
    switch (authentication.kind) {
      case 'deviceSecret': {
        const { deviceSecret } = authentication;
        return this.#signed(typeof deviceSecret === 'function' ? await deviceSecret() : deviceSecret);
      }
      case 'iotToken': {
        this.#token ??= await this.#authenticate(authentication.deviceSecret, signal);
        return iotTokenConnect(identity, this.#token.token, SESSION_PARAMETERS);
      }
      default: {
        this.#stored ??= await this.#registered(signal, onSent);
        return 'deviceToken' in this.#stored
          ? tokenConnect(identity, this.#stored, SESSION_PARAMETERS)
          : this.#signed(this.#stored.deviceSecret);
      }
    }
  }

  /**
   * The platform refused: a token is asked for anew; a secret stays where it is stored, because it is given only
   * once, and is read again in case somebody removed it.
   */
  refused(error: AlinkError): AlinkError {
    const registered = this.#stored !== undefined;
    this.#token = undefined;
    this.#stored = undefined;
    if (!registered) return error;
    if (this.#options.platform.kind === 'emulator') {
      // It forgets its devices when it ends, and gives a secret as often as it is asked.
      this.#storedIsOld = true;
      return error;
    }
    const remedy =
      'the secret in use was stored by dynamic registration; when the device was deleted on the platform and ' +
      'created again, remove the stored secret so that it registers anew';
    return new AlinkError(error.key, `${error.message}; ${remedy}`, {
      ...(error.code === undefined ? {} : { code: error.code }),
      retry: error.retry,
      details: { ...error.details, storedSecret: 1 },
      cause: error,
    });
  }

  #signed(deviceSecret: string): ConnectFields {
    const { identity, clientId, transport } = this.#options;
    if (deviceSecret === '') throw missing('deviceSecret');
    return deviceConnect(hmac, {
      ...identity,
      deviceSecret,
      signMethod: this.#signMethod,
      secure: transport === 'tls' || transport === 'wss',
      timestamp: String(Date.now()),
      parameters: SESSION_PARAMETERS,
      ...(clientId === undefined ? {} : { clientId }),
    });
  }

  async #registered(signal: AbortSignal, onSent: () => void): Promise<StoredSecret> {
    const { identity, secretStore } = this.#options;
    if (secretStore === undefined) {
      throw new AlinkError('badSettings', 'dynamic registration needs a place to store the secret', {
        details: { field: 'secretStore', reason: 'is missing' },
      });
    }
    const key = platformKey(this.#options.platform);
    const known = this.#storedIsOld ? undefined : await secretStore.read(identity, key);
    if (known) return known;
    const secret = await this.#register(signal, onSent);
    await stored(secretStore.write(identity, key, secret));
    this.#storedIsOld = false;
    return secret;
  }

  async #register(signal: AbortSignal, onSent: () => void): Promise<StoredSecret> {
    const { authentication, identity, ca } = this.#options;
    if (authentication.kind !== 'productSecret' && authentication.kind !== 'noPreRegistration') {
      throw new AlinkError('badSettings', 'this authentication registers nothing');
    }
    const { productSecret } = authentication;
    if (productSecret === '') throw missing('productSecret');
    if (authentication.kind === 'productSecret' && authentication.via === 'https') {
      return this.#registerOverHttps(productSecret, signal);
    }
    const whitelist = authentication.kind === 'noPreRegistration';
    return registerOverMqtt({
      identity,
      productSecret,
      ca,
      signal,
      onSent,
      timing: this.#timing,
      endpoint: this.#registrationEndpoint(),
      signMethod: this.#signMethod,
      authType: whitelist ? 'regnwl' : 'register',
      ...(whitelist && authentication.instanceId ? { instanceId: authentication.instanceId } : {}),
    });
  }

  // Registration is for TLS only (A.7), whatever the device uses afterwards.
  #registrationEndpoint(): MqttEndpoint {
    const { platform, identity, transport, port } = this.#options;
    if (transport === 'tls' || transport === 'wss')
      return mqttEndpoint(platform, identity.productKey, transport, port);
    if (platform.kind === 'emulator' && platform.ports.tls === undefined) return this.endpoint();
    return mqttEndpoint(platform, identity.productKey, 'tls');
  }

  async #registerOverHttps(productSecret: string, signal: AbortSignal): Promise<StoredSecret> {
    const { identity, platform, ca } = this.#options;
    const random = newRandom();
    const signMethod = this.#signMethod;
    const data = await postForm({
      url: `${authUrl(platform)}/auth/register/device`,
      form: {
        ...identity,
        random,
        signMethod,
        sign: signRegistration(hmac, signMethod, productSecret, { ...identity, random }),
      },
      ca,
      signal,
      limitMs: this.#timing.httpsMs,
      errorKey: 'registrationFailed',
    });
    if (typeof data.deviceSecret === 'string' && data.deviceSecret !== '')
      return { deviceSecret: data.deviceSecret };
    const reason = 'the answer holds no deviceSecret';
    throw new AlinkError('registrationFailed', reason, { retry: 'slow', details: { reason } });
  }

  async #authenticate(
    deviceSecret: string,
    signal: AbortSignal,
  ): Promise<{ token: IotToken; endpoint: MqttEndpoint }> {
    if (deviceSecret === '') throw missing('deviceSecret');
    const { identity, platform, ca } = this.#options;
    const signmethod = this.#signMethod;
    const signed: DeviceSignFields = {
      ...identity,
      clientId: this.#options.clientId ?? defaultClientId(identity),
      timestamp: String(Date.now()),
    };
    const data = await postForm({
      url: `${authUrl(platform)}/auth/devicename`,
      form: {
        ...(signed as unknown as Record<string, string>),
        version: 'default',
        resources: 'mqtt',
        signmethod,
        sign: signDevice(hmac, signmethod, deviceSecret, signed),
      },
      ca,
      signal,
      limitMs: this.#timing.httpsMs,
      errorKey: 'authenticationFailed',
    });
    const { iotId, iotToken } = data;
    if (typeof iotId === 'string' && typeof iotToken === 'string') {
      return { token: { iotId, iotToken }, endpoint: this.#endpointOf(data.resources) };
    }
    const reason = 'the answer holds no iotId and iotToken';
    throw new AlinkError('authenticationFailed', reason, { retry: 'slow', details: { reason } });
  }

  // The answer names host and port for MQTT over TLS (A.8); an emulator's transport stays as chosen.
  #endpointOf(resources: unknown): MqttEndpoint {
    const { platform, identity, transport, port } = this.#options;
    const usual = mqttEndpoint(platform, identity.productKey, transport, port);
    const mqtt: unknown =
      typeof resources === 'object' && resources !== null ? Reflect.get(resources, 'mqtt') : undefined;
    if (platform.kind === 'emulator' || transport !== 'tls' || typeof mqtt !== 'object' || mqtt === null)
      return usual;
    const host: unknown = Reflect.get(mqtt, 'host');
    const named = Number(Reflect.get(mqtt, 'port'));
    if (typeof host !== 'string' || !/^[A-Za-z0-9.-]+$/.test(host)) return usual;
    return mqttEndpoint(
      { kind: 'custom', host },
      identity.productKey,
      'tls',
      named > 0 && named < 65536 ? named : usual.port,
    );
  }
}

/** Tells platforms apart where secrets are kept: the same names may exist on several. */
export function platformKey(platform: Platform): string {
  switch (platform.kind) {
    case 'public':
      return platform.region;
    case 'instance':
      return platform.instanceId;
    case 'custom':
      return platform.host;
    case 'emulator':
      return 'emulator';
  }
}

function missing(field: 'deviceSecret' | 'productSecret'): AlinkError {
  return new AlinkError('credentialsMissing', `the ${field} is missing`, { details: { field } });
}

/** Waits for a secret to be stored. @throws AlinkError `secretStore` */
export async function stored(writing: Promise<void>): Promise<void> {
  try {
    await writing;
  } catch (cause) {
    if (cause instanceof AlinkError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new AlinkError('secretStore', `the secret could not be stored: ${reason}`, {
      cause,
      details: { reason },
    });
  }
}
