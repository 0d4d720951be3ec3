import { randomBytes } from 'node:crypto';
import {
  ABSENT_SIGN_METHOD,
  type DeviceIdentity,
  LONGEST_CLIENT_ID,
  type ParsedClientId,
  parseMqttUsername,
  parseSignMethod,
  signDevice,
  signRegistration,
} from '../../protocol';
import { hmac, sameSign } from '../../protocol/hmac';
import type { EmulatorLimits } from '../options';
import type { Device } from '../registry/device';
import type { Registry } from '../registry/registry';
import { grantSecret } from './registration';
import type { TokenStore } from './tokens';

/** What a CONNECT says, as far as authentication needs it. */
export interface ConnectRequest {
  parsed: ParsedClientId;
  username: string;
  password: string;
  keepAlive: number;
  hasWill: boolean;
  /** TLS or secure WebSocket underneath. */
  secure: boolean;
}

/** Return codes that the platform uses (A.5, section J row 23). */
export type RefusalCode = 2 | 3 | 4 | 5;

export type Verdict =
  | { kind: 'device'; device: Device; autoSubscribe: boolean; ext: number }
  /** Only to be told the secret: this is pushed, then the connection ends (A.7). */
  | { kind: 'registration'; topic: string; payload: string }
  | { kind: 'refused'; returnCode: RefusalCode; reason: string };

export interface ConnectContext {
  registry: Registry;
  tokens: TokenStore;
  limits: EmulatorLimits;
}

/**
 * Decides about a CONNECT (A.2, A.5, A.7, A.8). Return codes: 2 for malformed or unsupported parameters, 3 for
 * an unknown device or a bad iotToken, 4 for a wrong signature or token, 5 for a disabled device.
 */
export function judgeConnect(context: ConnectContext, request: ConnectRequest): Verdict {
  const { limits } = context;
  const { parsed, keepAlive } = request;
  const authType = parsed.parameters.get('authType') ?? parsed.parameters.get('authtype');
  const registers = authType === 'register' || authType === 'regnwl';
  if (request.hasWill) return refuse(2, 'a will is not supported');
  if (parsed.clientId.length > LONGEST_CLIENT_ID)
    return refuse(2, 'the clientId is longer than 64 characters');
  const { keepAliveMinSeconds: min, keepAliveMaxSeconds: max } = limits;
  if (limits.checkKeepAlive && !registers && (keepAlive < min || keepAlive > max)) {
    return refuse(2, `keep-alive ${keepAlive} s is outside ${min}–${max} s`);
  }
  const identity = parseMqttUsername(request.username);
  if (identity === undefined) return judgeIotToken(context, request);
  if (registers) return judgeRegistration(context, request, identity, authType);
  if (authType === 'connwl') return judgeDeviceToken(context, request, identity);
  return judgeSignature(context, request, identity);
}

function judgeSignature(context: ConnectContext, request: ConnectRequest, identity: DeviceIdentity): Verdict {
  const { parsed } = request;
  const stated = parsed.parameters.get('signmethod') ?? parsed.parameters.get('signMethod');
  const method = stated === undefined ? ABSENT_SIGN_METHOD : parseSignMethod(stated);
  if (method === undefined) return refuse(2, 'the signmethod is not supported');
  const device = context.registry.connectable(identity);
  if (device === undefined) return refuse(3, 'there is no such device');
  if (device.deviceSecret !== undefined) {
    const timestamp = parsed.parameters.get('timestamp');
    const fields = {
      clientId: parsed.clientId,
      ...identity,
      ...(timestamp === undefined ? {} : { timestamp }),
    };
    const expected = signDevice(hmac, method, device.deviceSecret, fields);
    if (!sameSign(request.password, expected)) return refuse(4, 'the signature is wrong');
  }
  return accept(device, request);
}

function judgeDeviceToken(
  context: ConnectContext,
  request: ConnectRequest,
  identity: DeviceIdentity,
): Verdict {
  const device = context.registry.find(identity);
  if (device === undefined) return refuse(3, 'there is no such device');
  const { deviceToken } = device;
  const fits =
    deviceToken !== undefined &&
    deviceToken.clientId === request.parsed.clientId &&
    sameSecret(request.password, deviceToken.token);
  return fits ? accept(device, request) : refuse(4, 'the deviceToken is wrong');
}

function judgeIotToken(context: ConnectContext, request: ConnectRequest): Verdict {
  const device = context.tokens.find(request.username, request.password);
  return device === undefined ? refuse(3, 'user name or iotToken is wrong') : accept(device, request);
}

function judgeRegistration(
  context: ConnectContext,
  request: ConnectRequest,
  identity: DeviceIdentity,
  authType: 'register' | 'regnwl',
): Verdict {
  const { parameters } = request.parsed;
  if (!request.secure && !context.limits.registrationOverPlainTcp) {
    return refuse(2, 'registration needs TLS');
  }
  const random = parameters.get('random');
  const method = parseSignMethod(
    parameters.get('signmethod') ?? parameters.get('signMethod') ?? ABSENT_SIGN_METHOD,
  );
  if (random === undefined || method === undefined)
    return refuse(2, 'random or signmethod is missing or wrong');
  const isSigned = (productSecret: string) =>
    sameSign(request.password, signRegistration(hmac, method, productSecret, { ...identity, random }));
  const granted = grantSecret(context.registry, identity, isSigned, { create: authType === 'regnwl' });
  if ('code' in granted) {
    const returnCode = granted.code === 6600 ? 4 : granted.code === 6288 || granted.code === 6289 ? 5 : 3;
    return refuse(returnCode, `registration refused with code ${granted.code}`);
  }
  const { device } = granted;
  if (authType === 'register') {
    return {
      kind: 'registration',
      topic: '/ext/register',
      payload: JSON.stringify({ ...identity, deviceSecret: device.deviceSecret }),
    };
  }
  device.deviceToken = {
    clientId: randomBytes(12).toString('hex'),
    token: `^1^${randomBytes(24).toString('hex')}`,
  };
  const { clientId, token } = device.deviceToken;
  return {
    kind: 'registration',
    topic: '/ext/regnwl',
    payload: JSON.stringify({ clientId, ...identity, deviceToken: token }),
  };
}

function accept(device: Device, { parsed }: ConnectRequest): Verdict {
  if (!device.enabled) return refuse(5, 'the device is disabled');
  const ext = Number(parsed.parameters.get('ext') ?? 0);
  return {
    kind: 'device',
    device,
    autoSubscribe: parsed.parameters.get('_ss') === '1',
    ext: Number.isInteger(ext) ? ext : 0,
  };
}

// Tokens are exact texts, unlike hex signatures.
function sameSecret(given: string, expected: string): boolean {
  return sameSign(Buffer.from(given).toString('hex'), Buffer.from(expected).toString('hex'));
}

function refuse(returnCode: RefusalCode, reason: string): Verdict {
  return { kind: 'refused', returnCode, reason };
}
