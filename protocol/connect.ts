import { type DeviceIdentity, mqttUsername } from './identity';
import {
  type Hmac,
  type RegistrationSignFields,
  type SignMethod,
  signDevice,
  signRegistration,
} from './signing';

/** The three texts of an MQTT CONNECT that carry the identity (A.2). */
export interface ConnectFields {
  clientId: string;
  username: string;
  password: string;
}

/** Parameters between the bars of the clientId, in the order they are written (A.3). */
export type ClientIdParameters = Readonly<Record<string, string | number | undefined>>;

/** A clientId taken apart: the signed part and its parameters (names as sent). */
export interface ParsedClientId {
  clientId: string;
  parameters: Map<string, string>;
}

/** Longest part in front of the first bar (section D). */
export const LONGEST_CLIENT_ID = 64;
export const KEEP_ALIVE_SECONDS = { min: 30, max: 1200, default: 300 } as const;

/**
 * Parameters of our own CONNECT, kept here so that the editor's preview shows what the session sends: the platform
 * subscribes the system topics for the device (A.9), may call it on custom topics (A.3), and knows the language.
 */
export const SESSION_PARAMETERS: ClientIdParameters = { _ss: 1, ext: 1, lan: 'NodeJS' };

/** Writes `{clientId}|k=v,…|`; undefined values are left out. */
export function formatClientId(clientId: string, parameters: ClientIdParameters): string {
  const pairs = Object.entries(parameters).filter(([, value]) => value !== undefined);
  return `${clientId}|${pairs.map(([name, value]) => `${name}=${value}`).join(',')}|`;
}

/** Reads a clientId in any order of parameters; without bars there are none. Never throws. */
export function parseClientId(text: string): ParsedClientId {
  const bar = text.indexOf('|');
  const parameters = new Map<string, string>();
  if (bar < 0) return { clientId: text, parameters };
  const inside = text.slice(bar + 1).replace(/\|.*$/s, '');
  for (const pair of inside.split(',')) {
    const equals = pair.indexOf('=');
    if (equals > 0) parameters.set(pair.slice(0, equals).trim(), pair.slice(equals + 1).trim());
  }
  return { clientId: text.slice(0, bar), parameters };
}

export interface DeviceConnect extends DeviceIdentity {
  deviceSecret: string;
  /** Part in front of the bars, at most 64 characters; `{productKey}.{deviceName}` when absent. */
  clientId?: string;
  signMethod: SignMethod;
  /** TLS or secure WebSocket underneath (securemode 2), else 3. */
  secure: boolean;
  /** Milliseconds since 1970 as text; signed when given. */
  timestamp?: string;
  /** Further parameters, for example `_ss` or `ext`; they are not signed. */
  parameters?: ClientIdParameters;
}

/** CONNECT of a device with its own secret (A.2). */
export function deviceConnect(hmac: Hmac, input: DeviceConnect): ConnectFields {
  const { productKey, deviceName, signMethod, timestamp } = input;
  const clientId = input.clientId ?? defaultClientId(input);
  const signed = { clientId, deviceName, productKey, ...(timestamp === undefined ? {} : { timestamp }) };
  return {
    clientId: formatClientId(clientId, {
      securemode: input.secure ? 2 : 3,
      signmethod: signMethod,
      timestamp,
      ...input.parameters,
    }),
    username: mqttUsername(input),
    password: signDevice(hmac, signMethod, input.deviceSecret, signed),
  };
}

export interface RegistrationConnect extends RegistrationSignFields {
  productSecret: string;
  signMethod: SignMethod;
  /** `register`: the device exists in the console; `regnwl`: no pre-registration (A.7). */
  authType: 'register' | 'regnwl';
  clientId?: string;
  instanceId?: string;
  /** Section J row 17; by default −2 for `regnwl` with an instanceId, else 2. */
  securemode?: 2 | -2;
}

/** CONNECT whose only purpose is dynamic registration over MQTT; TLS only (A.7). */
export function registrationConnect(hmac: Hmac, input: RegistrationConnect): ConnectFields {
  const { authType, random, signMethod, instanceId } = input;
  const whitelist = authType === 'regnwl';
  return {
    clientId: formatClientId(input.clientId ?? defaultClientId(input), {
      securemode: input.securemode ?? (whitelist && instanceId ? -2 : 2),
      authType,
      random,
      signmethod: signMethod,
      instanceId: whitelist ? instanceId : undefined,
    }),
    username: mqttUsername(input),
    password: signRegistration(hmac, signMethod, input.productSecret, input),
  };
}

/** What registration without pre-registration gave; it replaces the deviceSecret (A.7). */
export interface DeviceToken {
  clientId: string;
  deviceToken: string;
}

/** CONNECT with the token of registration without pre-registration; nothing is signed (A.7). */
export function tokenConnect(
  identity: DeviceIdentity,
  token: DeviceToken,
  parameters: ClientIdParameters = {},
): ConnectFields {
  return {
    clientId: formatClientId(token.clientId, { securemode: -2, authType: 'connwl', ...parameters }),
    username: mqttUsername(identity),
    password: token.deviceToken,
  };
}

/** What HTTPS authentication gave; valid for 7 days (A.8). */
export interface IotToken {
  iotId: string;
  iotToken: string;
}

/** CONNECT after HTTPS authentication (A.8). The clientId is the device's own, without parameters needed. */
export function iotTokenConnect(
  identity: DeviceIdentity,
  token: IotToken,
  parameters: ClientIdParameters = {},
): ConnectFields {
  return {
    clientId: formatClientId(defaultClientId(identity), { securemode: 2, ...parameters }),
    username: token.iotId,
    password: token.iotToken,
  };
}

/** TLS-PSK identity and key of a device: the key is the hex text itself (A.10). */
export function tlsPsk(
  hmac: Hmac,
  identity: DeviceIdentity,
  deviceSecret: string,
  timestamp = '2524608000000',
) {
  const id = `${identity.productKey}&${identity.deviceName}`;
  return {
    identity: `devicename|hmacsha256|${id}|${timestamp}`,
    key: hmac('hmacsha256', deviceSecret, `id${id}timestamp${timestamp}`).toUpperCase(),
  };
}

/** `{productKey}.{deviceName}` as the C SDK writes it, cut to what the platform takes. */
export function defaultClientId(identity: DeviceIdentity): string {
  return `${identity.productKey}.${identity.deviceName}`.slice(0, LONGEST_CLIENT_ID);
}
