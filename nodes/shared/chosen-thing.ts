import type { DeviceIdentity } from '../../protocol';
import type { AlinkError, Device, Gateway } from '../../sdk';
import { invalidInput } from './invalid-input';

/** The thing that a message is for. */
export interface ChosenThing {
  device: Device;
  /** Of whom it is a sub-device, when `msg.device` chose it. */
  gateway: Gateway | undefined;
  /** Ends the use of it. */
  release(): void;
}

/** What `msg.device` says: whom it names, that it names nobody, or that it cannot be read. */
type Wanted = { deviceName: string; productKey: string | undefined } | 'nobody' | 'unreadable';

const NOTHING = () => undefined;

/**
 * Finds whom a message is for: the node's own device, or behind a gateway the sub-device that `msg.device` names by
 * `{productKey, deviceName}` or as text `productKey/deviceName`; the productKey may be left out when only one
 * sub-device has that name.
 * @throws AlinkError `invalidInput` when it names none that this node can speak for
 */
export function chosenThing(wanted: unknown, device: Device): ChosenThing {
  const own: ChosenThing = { device, gateway: undefined, release: NOTHING };
  const names = read(wanted);
  if (names === 'nobody' || isNamed(names, device.identity)) return own;
  const { gateway } = device;
  if (gateway === undefined) {
    // Other collections write other things into msg.device; only what surely is ours is worth an error.
    if (names === 'unreadable' || typeof wanted === 'string') return own;
    throw refusal(
      'otherDevice',
      'msg.device names another device, and the device of this node is no gateway',
    );
  }
  if (names === 'unreadable') throw refusal('notADevice', 'msg.device needs productKey and deviceName');
  const identity = complete(names, gateway);
  const subDevice = gateway.subDevice(identity);
  if (subDevice === undefined) throw unknown(identity);
  return { device: subDevice, gateway, release: () => void subDevice.release().catch(NOTHING) };
}

function read(wanted: unknown): Wanted {
  if (wanted === undefined || wanted === null || wanted === '') return 'nobody';
  if (typeof wanted === 'string') {
    // Neither name can hold a slash.
    const [first = '', second, ...more] = wanted.split('/');
    if (more.length > 0) return 'unreadable';
    return second === undefined
      ? { productKey: undefined, deviceName: first }
      : { productKey: first, deviceName: second };
  }
  if (typeof wanted !== 'object') return 'unreadable';
  const { productKey, deviceName } = wanted as Record<string, unknown>;
  if (typeof deviceName !== 'string' || deviceName === '') return 'unreadable';
  if (productKey === undefined || productKey === null || productKey === '')
    return { productKey: undefined, deviceName };
  return typeof productKey === 'string' ? { productKey, deviceName } : 'unreadable';
}

function isNamed(names: Wanted, { productKey, deviceName }: DeviceIdentity): boolean {
  if (typeof names === 'string') return false;
  return names.deviceName === deviceName && (names.productKey ?? productKey) === productKey;
}

function complete(
  { productKey, deviceName }: { productKey: string | undefined; deviceName: string },
  gateway: Gateway,
): DeviceIdentity {
  if (productKey !== undefined) return { productKey, deviceName };
  const found = gateway.subDevices().filter(({ identity }) => identity.deviceName === deviceName);
  const [only] = found;
  if (only === undefined) throw unknown({ productKey: '?', deviceName });
  if (found.length === 1) return only.identity;
  throw refusal('missing', 'msg.device.productKey is missing', { field: 'msg.device.productKey' });
}

function unknown({ productKey, deviceName }: DeviceIdentity): AlinkError {
  const name = `${productKey}/${deviceName}`.slice(0, 140);
  return refusal('noSubDevice', `${name} is no sub-device of this gateway that is deployed or logged in`, {
    name,
  });
}

function refusal(
  rule: 'otherDevice' | 'notADevice' | 'noSubDevice' | 'missing',
  reason: string,
  values: Readonly<Record<string, string>> = {},
): AlinkError {
  return invalidInput(rule, reason, { field: 'msg.device', ...values });
}
