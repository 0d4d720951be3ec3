/** Who speaks: product and device, or a sub-device behind a gateway (A.1 of the protocol reference). */
export interface DeviceIdentity {
  productKey: string;
  deviceName: string;
}

/** A thing's identity with the secret that proves it ("one device, one secret"). */
export interface DeviceTriple extends DeviceIdentity {
  deviceSecret: string;
}

/** Why a text cannot be a productKey or deviceName; each is a key of the locales. */
export type IdentityProblem = 'empty' | 'tooLong' | 'tooShort' | 'badCharacter';

/** What the platform's console accepts as the name of a new device (section D). */
const CREATED_DEVICE_NAME = /^[A-Za-z0-9\-_@.:]{4,32}$/;
// These separate fields in user names, client ids and topics, so no identity can hold them.
const SEPARATORS = /[&|/+#\s,=\p{Cc}]/u;
const LONGEST_NAME_BYTES = 64;

/**
 * Checks a productKey or deviceName that is about to be used (section J row 38: existing names are
 * accepted freely, only what would break a topic or a signature is refused).
 * @returns undefined when usable
 */
export function identityProblem(text: string): IdentityProblem | undefined {
  if (text.length === 0) return 'empty';
  if (SEPARATORS.test(text)) return 'badCharacter';
  return utf8Length(text) > LONGEST_NAME_BYTES ? 'tooLong' : undefined;
}

/** Checks the name of a device that is about to be created: 4–32 of `[A-Za-z0-9-_@.:]` (section D). */
export function newDeviceNameProblem(deviceName: string): IdentityProblem | undefined {
  if (deviceName.length === 0) return 'empty';
  if (CREATED_DEVICE_NAME.test(deviceName)) return undefined;
  if (deviceName.length < 4) return 'tooShort';
  return deviceName.length > 32 ? 'tooLong' : 'badCharacter';
}

/** One text per thing, usable as a map key; neither part can hold a slash. */
export function thingKey(identity: DeviceIdentity): string {
  return `${identity.productKey}/${identity.deviceName}`;
}

/** MQTT user name of a device: deviceName first (A.2). */
export function mqttUsername(identity: DeviceIdentity): string {
  return `${identity.deviceName}&${identity.productKey}`;
}

/**
 * Reads an MQTT user name back. A deviceName cannot hold `&`, so the first one separates.
 * @returns undefined when it is not of the form `{deviceName}&{productKey}`
 */
export function parseMqttUsername(username: string): DeviceIdentity | undefined {
  const at = username.indexOf('&');
  if (at <= 0 || at === username.length - 1) return undefined;
  return { deviceName: username.slice(0, at), productKey: username.slice(at + 1) };
}

/** Length in UTF-8 bytes, without Buffer so that the editor can use it too. */
export function utf8Length(text: string): number {
  let bytes = 0;
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return bytes;
}
