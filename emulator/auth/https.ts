import {
  ABSENT_SIGN_METHOD,
  explainCode,
  type Json,
  parseSignMethod,
  signContent,
  signRegistration,
} from '../../protocol';
import { hmac, sameSign } from '../../protocol/hmac';
import type { Platform } from '../platform';
import { grantSecret } from './registration';

/** Answer of the HTTPS authentication service; the HTTP status is always 200. */
export interface HttpsAnswer {
  code: number;
  message: string;
  data?: Json;
}

// Fields that take part in a signature; others could make the text ambiguous (A.8).
const SIGNED = ['clientId', 'deviceName', 'productKey', 'timestamp'] as const;

/** `POST /auth/register/device`: a device that knows its productSecret gets its deviceSecret (A.6). */
export function registerDevice(platform: Platform, fields: ReadonlyMap<string, string>): HttpsAnswer {
  const [productKey, deviceName, random, sign] = ['productKey', 'deviceName', 'random', 'sign'].map((name) =>
    fields.get(name),
  );
  if (!productKey || !deviceName || !random || !sign) return failed(460);
  const method = signMethodOf(fields);
  if (method === undefined) return failed(6292);
  const identity = { productKey, deviceName };
  const granted = grantSecret(
    platform.registry,
    identity,
    (productSecret) => sameSign(sign, signRegistration(hmac, method, productSecret, { ...identity, random })),
    { create: false },
  );
  if ('code' in granted) return failed(granted.code);
  return success({ ...identity, deviceSecret: granted.device.deviceSecret ?? '' });
}

/** `POST /auth/devicename`: iotId and iotToken for MQTT, and where to connect (A.8). */
export function authenticateDevice(
  platform: Platform,
  fields: ReadonlyMap<string, string>,
  mqtt: { host: string; port: number } | undefined,
): HttpsAnswer {
  const [productKey, deviceName, clientId, sign] = ['productKey', 'deviceName', 'clientId', 'sign'].map(
    (name) => fields.get(name),
  );
  if (!productKey || !deviceName || !clientId || !sign) return failed(460);
  const method = signMethodOf(fields);
  if (method === undefined) return failed(460);
  const device = platform.registry.connectable({ productKey, deviceName });
  if (device === undefined) return failed(5001);
  if (device.deviceSecret !== undefined) {
    const signed = Object.fromEntries(SIGNED.map((name) => [name, fields.get(name)]));
    const expected = hmac(method, device.deviceSecret, signContent(signed));
    if (!sameSign(sign, expected)) return failed(401);
  }
  if (!device.enabled) return failed(6204);
  const wanted = (fields.get('resources') ?? fields.get('resouces') ?? '').split(',');
  const resources: Json = wanted.includes('mqtt') && mqtt !== undefined ? { mqtt: { ...mqtt } } : {};
  return success({ ...platform.tokens.issue(device), resources });
}

// Section J row 5: both spellings everywhere.
function signMethodOf(fields: ReadonlyMap<string, string>) {
  return parseSignMethod(fields.get('signMethod') ?? fields.get('signmethod') ?? ABSENT_SIGN_METHOD);
}

function success(data: Json): HttpsAnswer {
  return { code: 200, data, message: 'success' };
}

function failed(code: number): HttpsAnswer {
  return { code, message: explainCode(code)?.en ?? 'failed' };
}
