import { type DeviceIdentity, identityProblem, type JsonObject, newDeviceNameProblem } from '../../protocol';
import { isSigned, type SubDeviceProof } from '../auth/sub-device';
import { foundMessage } from '../forwarding/messages';
import type { Ground } from '../ground';
import { isRefusal, type Refusal, refusalOf } from '../refusal';
import type { Device } from '../registry/device';
import type { Registry } from '../registry/registry';
import { EntryError, identityList, readEntries, readIdentity, readProof, subDevicesOf } from './device-list';
import { alink } from './types';

/**
 * B.4 row 50: all or nothing, as the guide of the API's BatchAddThingTopo says of the same thing. It says as well that a
 * sub-device of another gateway changes over; whoever has its secret may have it. One that is there already stays.
 */
export const topoAdd = alink(({ params }, { device: gateway, platform, limits }) => {
  const additions = readEntries(params, readAddition, limits.topoAddBatch);
  if (isRefusal(additions)) return additions;
  const subDevices = judgeAdditions(platform, gateway, additions);
  if (isRefusal(subDevices)) return subDevices;
  platform.topology.add(gateway, subDevices);
  return { code: 200, data: identityList(subDevices) };
});

/** B.4 row 51, all or nothing. */
export const topoDelete = alink(({ params }, call) => {
  const subDevices = subDevicesOf(call, params);
  if (isRefusal(subDevices)) return subDevices;
  call.platform.topology.remove(subDevices);
  return { code: 200 };
});

/** B.4 row 52; whatever the params are, the answer is the whole topology. */
export const topoGet = alink((_, { device, platform }) => ({
  code: 200,
  data: identityList(platform.registry.topology.subDevicesOf(device)),
}));

/** B.4 row 53: only tells applications. Names of devices that exist are taken as they are. */
export const listFound = alink(({ params }, call) => {
  const { registry } = call.platform;
  const identities = readEntries(params, readFound, 0);
  if (isRefusal(identities)) return identities;
  const found = [];
  for (const identity of identities) {
    const { productKey, deviceName } = identity;
    const device = registry.find(identity);
    const known =
      registry.products.has(productKey) ||
      (registry.autoProvision && identityProblem(productKey) === undefined);
    if (!known) return refusalOf(6250, identity, 'there is no such product');
    if (device === undefined && newDeviceNameProblem(deviceName) !== undefined) {
      return refusalOf(6280, identity, 'the name breaks the rule');
    }
    found.push(device === undefined ? identity : { iotId: device.iotId, ...identity });
  }
  call.forward(call.device, foundMessage(call.device, found));
  return { code: 200 };
});

/** What is wrong with the names has codes of its own here. */
function readFound({ productKey, deviceName }: JsonObject): DeviceIdentity {
  if (typeof productKey === 'string' && typeof deviceName === 'string') return { productKey, deviceName };
  throw new EntryError(460, 'productKey or deviceName is missing');
}

/** A sub-device that is to be added, with what proves it. */
type Addition = DeviceIdentity & SubDeviceProof;

/** The sub-devices that may be added to the topology of the gateway: all, or why not. */
export function judgeAdditions(
  { registry, limits }: Ground,
  gateway: Device,
  additions: readonly Addition[],
): Device[] | Refusal {
  const subDevices: Device[] = [];
  for (const addition of additions) {
    const subDevice = provedDevice(registry, gateway, addition);
    if (isRefusal(subDevice)) return subDevice;
    subDevices.push(subDevice);
  }
  const present = registry.topology.subDevicesOf(gateway);
  const added = subDevices.filter((subDevice) => !present.has(subDevice)).length;
  const most = limits.subDevicesPerGateway;
  if (most > 0 && added > 0 && present.size + added > most) {
    return { code: 6400, note: `${present.size + added} sub-devices, at most ${most}` };
  }
  return subDevices;
}

function readAddition(entry: JsonObject): Addition {
  return { ...readIdentity(entry), ...readProof(entry, 401) };
}

function provedDevice(
  registry: Registry,
  gateway: Device,
  { productKey, deviceName, ...proof }: Addition,
): Device | Refusal {
  const identity = { productKey, deviceName };
  const subDevice = registry.connectable(identity);
  if (subDevice === undefined) return refusalOf(6100, identity, 'there is no such device');
  if (subDevice === gateway) return refusalOf(6402, identity, 'a gateway cannot be its own sub-device');
  if (!subDevice.enabled) return refusalOf(6204, identity, 'is disabled');
  if (!subDevice.product.mayBeSubDevice) return refusalOf(401, identity, 'its product is one of gateways');
  if (!isSigned(subDevice, proof)) return refusalOf(401, identity, 'the signature is wrong');
  return subDevice;
}
