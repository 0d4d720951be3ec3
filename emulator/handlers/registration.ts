import {
  ABSENT_SIGN_METHOD,
  type DeviceIdentity,
  isJsonObject,
  type Json,
  type JsonObject,
  parseSignMethod,
  signRegistration,
} from '../../protocol';
import { hmac, sameSign } from '../../protocol/hmac';
import { grantSecret } from '../auth/registration';
import { isRefusal, type Refusal, refusalOf } from '../refusal';
import type { Device } from '../registry/device';
import { EntryError, isItself, listOf, readEntries, readIdentity, subDevicesOf } from './device-list';
import { alink, type Call } from './types';

const REASONS: Readonly<Record<number, string>> = {
  5005: 'there is no such product',
  6100: 'there is no such device',
  6280: 'the name breaks the rule',
  6288: 'dynamic registration is switched off',
  6600: 'the signature is wrong',
};

/**
 * B.4 row 56, all or nothing. A sub-device is told its secret as often as it asks: the code that would forbid it, 6289,
 * is not among those of this row, and a gateway that lost the answer could not go on. Only what is behind another
 * gateway is not given out (6619), because nothing here proves that it may be.
 */
export const subRegister = alink(({ params }, call) => {
  const identities = readEntries(params, readIdentity, call.limits.subRegisterBatch);
  if (isRefusal(identities)) return identities;
  const registered: JsonObject[] = [];
  for (const identity of identities) {
    const subDevice = registrable(call, identity, undefined);
    if (isRefusal(subDevice)) return subDevice;
    const gateway = call.platform.registry.topology.gatewayOf(subDevice);
    if (gateway !== undefined && gateway !== call.device) {
      return refusalOf(6619, identity, 'is behind another gateway');
    }
    const { iotId, deviceSecret = '' } = subDevice;
    registered.push({ iotId, ...identity, deviceSecret });
  }
  return { code: 200, data: registered };
});

/**
 * B.4 row 57, which only an old SDK has: the reverse of a registration. The sub-device leaves the topology and counts as
 * never activated; deleting it is left to whoever owns the product.
 */
export const subUnregister = alink(({ params }, call) => {
  const subDevices = subDevicesOf(call, params);
  if (isRefusal(subDevices)) return subDevices;
  call.platform.topology.remove(subDevices);
  for (const subDevice of subDevices) subDevice.activatedAt = undefined;
  return { code: 200 };
});

/**
 * B.4 row 58: each for itself. The productSecret proves more than a gateway's word, so a sub-device is taken away from
 * another gateway; into the topology of this one it comes only by topo add, because no source says that it is there.
 */
export const productRegister = alink(({ params }, call) => {
  const entries = listOf(proxiedsOf(params));
  const most = call.limits.subRegisterBatch;
  if (entries === undefined || entries.length === 0) return { code: 460, note: 'there is no device in it' };
  if (most > 0 && entries.length > most)
    return { code: 460, note: `${entries.length} devices, at most ${most}` };
  const successes: JsonObject[] = [];
  const failures: JsonObject[] = [];
  const notes: string[] = [];
  for (const entry of entries) {
    const subDevice = proxied(call, entry);
    if (isRefusal(subDevice)) {
      const { code, note } = subDevice;
      failures.push({ ...namesIn(entry), errorDetail: { code } });
      notes.push(`${code} ${note}`);
      continue;
    }
    const { registry, topology } = call.platform;
    if (registry.topology.gatewayOf(subDevice) !== call.device) topology.remove([subDevice]);
    successes.push({ ...subDevice.identity, deviceSecret: subDevice.deviceSecret ?? '' });
  }
  return {
    code: 200,
    data: { successes, failures },
    note: notes.length === 0 ? undefined : notes.join('; '),
  };
});

// As for the other lists: an object of one device, and a list without the name around it.
function proxiedsOf(params: Json): Json {
  return isJsonObject(params) && Object.hasOwn(params, 'proxieds') ? (params.proxieds ?? null) : params;
}

function proxied(call: Call, entry: Json): Device | Refusal {
  try {
    if (!isJsonObject(entry)) throw new EntryError(460, 'not an object');
    const identity = readIdentity(entry);
    const { random, sign } = entry;
    if (!isText(random) || !isText(sign)) throw new EntryError(460, 'random or sign is missing or malformed');
    const method = parseSignMethod(entry.signMethod ?? entry.signmethod ?? ABSENT_SIGN_METHOD);
    if (method === undefined) return refusalOf(6292, identity, 'the sign method is not supported');
    return registrable(call, identity, (productSecret) =>
      sameSign(sign, signRegistration(hmac, method, productSecret, { ...identity, random })),
    );
  } catch (thrown) {
    if (!(thrown instanceof EntryError)) throw thrown;
    return { code: thrown.code, note: thrown.message };
  }
}

/** As much of the names as there is, so that the gateway knows what was refused. */
function namesIn(entry: Json): JsonObject {
  const { productKey = '', deviceName = '' } = isJsonObject(entry) ? entry : {};
  return { productKey, deviceName };
}

function registrable(
  call: Call,
  identity: DeviceIdentity,
  isSigned: ((productSecret: string) => boolean) | undefined,
): Device | Refusal {
  if (isItself(call, identity)) return refusalOf(6402, identity, 'a gateway cannot be its own sub-device');
  if (call.platform.registry.products.get(identity.productKey)?.mayBeSubDevice === false) {
    return refusalOf(401, identity, 'its product is one of gateways');
  }
  const granted = grantSecret(call.platform.registry, identity, isSigned, { again: true });
  return 'code' in granted
    ? refusalOf(granted.code, identity, REASONS[granted.code] ?? 'refused')
    : granted.device;
}

function isText(value: Json | undefined): value is string {
  return typeof value === 'string' && value !== '' && value.length <= 256;
}
