/** HMACs that the platform knows; the names as they are sent (A.2). */
export const SIGN_METHODS = ['hmacsha256', 'hmacsha1', 'hmacmd5'] as const;
export type SignMethod = (typeof SIGN_METHODS)[number];

/** What section J row 4 says to send. */
export const DEFAULT_SIGN_METHOD: SignMethod = 'hmacsha256';
/** What the platform assumes when a message names no method (A.2). */
export const ABSENT_SIGN_METHOD: SignMethod = 'hmacmd5';

/** Computes a lower-case hex HMAC; injected so that the same code runs in Node.js and in the browser. */
export type Hmac = (method: SignMethod, secret: string, content: string) => string;

// These accompany a signed message without being part of what is signed (A.8, E.1, F).
const UNSIGNED = new Set(['version', 'sign', 'resources', 'signmethod', 'cleansession']);

/**
 * Reads a sign method in any spelling (`HmacMD5`, `hmacSha1`, …).
 * @returns undefined for anything the platform has no formula for, `Sha256` included (section J row 6)
 */
export function parseSignMethod(text: unknown): SignMethod | undefined {
  if (typeof text !== 'string') return undefined;
  const lower = text.toLowerCase();
  return SIGN_METHODS.find((method) => method === lower);
}

/**
 * The text that is signed: the submitted fields sorted by name, names and values joined with nothing between.
 * Fields that accompany a signature (`version`, `sign`, `signMethod`, …) and undefined ones are left out.
 * @param fields names in lower camel case, as submitted
 */
export function signContent(fields: Readonly<Record<string, string | undefined>>): string {
  return Object.keys(fields)
    .filter((name) => fields[name] !== undefined && !UNSIGNED.has(name.toLowerCase()))
    .sort()
    .map((name) => `${name}${fields[name]}`)
    .join('');
}

/** Fields that a device signs with its deviceSecret: CONNECT, HTTPS and CoAP auth, topo add, login. */
export interface DeviceSignFields {
  clientId?: string;
  deviceName: string;
  productKey: string;
  timestamp?: string;
}

/** Fields that are signed with the productSecret: dynamic registration of a device or a sub-device. */
export interface RegistrationSignFields {
  deviceName: string;
  productKey: string;
  random: string;
}

/** Signs with the deviceSecret (A.2, A.8, B.4 row 50, B.5 row 70). @returns lower-case hex */
export function signDevice(hmac: Hmac, method: SignMethod, secret: string, fields: DeviceSignFields): string {
  const { clientId, deviceName, productKey, timestamp } = fields;
  return hmac(method, secret, signContent({ clientId, deviceName, productKey, timestamp }));
}

/** Signs with the productSecret (A.6, A.7, B.4 row 58). @returns lower-case hex */
export function signRegistration(
  hmac: Hmac,
  method: SignMethod,
  productSecret: string,
  fields: RegistrationSignFields,
): string {
  const { deviceName, productKey, random } = fields;
  return hmac(method, productSecret, signContent({ deviceName, productKey, random }));
}
