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

interface Names {
  productKey: string | undefined;
  deviceName: string;
}

/** What `msg.device` says: whom it names, that it names nobody, or that it cannot be read. */
type Wanted = Names | 'nobody' | 'unreadable';

const NOTHING = () => undefined;

/**
 * Finds whom a message is for: the node's own device, or behind a gateway the sub-device that `msg.device` names by
 * `{productKey, deviceName}` or as text `productKey/deviceName`; the productKey may be left out when only one
 * sub-device has that name.
 * @param allOpened resolves when each sub-device of a deploy is open; messages may come before that
 * @throws AlinkError `invalidInput` when it names none that this node can speak for
 */
export async function chosenThing(
  wanted: unknown,
  device: Device,
  allOpened: () => Promise<void>,
): Promise<ChosenThing> {
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
  const subDevice = find(names, gateway) ?? (await allOpened().then(() => find(names, gateway)));
  if (subDevice === undefined) throw unknown(names);
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

function find({ productKey, deviceName }: Names, gateway: Gateway): Device | undefined {
  if (productKey !== undefined) return gateway.subDevice({ productKey, deviceName });
  const [only, ...others] = gateway.subDevices(deviceName);
  if (others.length > 0)
    throw refusal('missing', 'msg.device.productKey is missing', { field: 'msg.device.productKey' });
  return only && gateway.subDevice(only.identity);
}

function unknown({ productKey, deviceName }: Names): AlinkError {
  const name = (productKey === undefined ? deviceName : `${productKey}/${deviceName}`).slice(0, 140);
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
