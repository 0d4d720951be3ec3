import type { NodeAPI } from 'node-red';
import type { DeviceIdentity, Json } from '../../protocol';
import type { SubDeviceAuthentication, SubDeviceOptions } from '../../sdk';
import { badSettings } from '../shared/config';
import type { DeviceNode, GatewaySettings, PlatformAccess } from '../shared/types';
import {
  credentialsOf,
  type DeviceDef,
  type DeviceStorage,
  needed,
  pastedModel,
  provisioned,
  thingOptions,
} from './device-options';

/**
 * Finds the gateway that a sub-device names.
 * @throws AlinkError `badSettings` when it is missing or disabled, no gateway, or the sub-device itself
 */
export function gatewayOf(RED: NodeAPI, node: DeviceNode, def: DeviceDef): DeviceNode {
  const gateway = RED.nodes.getNode(def.gateway ?? '') as DeviceNode | null | undefined;
  if (typeof gateway?.open !== 'function')
    throw badSettings('gateway', 'no gateway is chosen, or it is disabled', 'noGateway');
  const { productKey, deviceName } = gateway.identity ?? {};
  if (productKey === node.identity?.productKey && deviceName === node.identity?.deviceName)
    throw badSettings('gateway', 'a sub-device cannot be its own gateway', 'ownGateway');
  if (gateway.role === 'gateway') return gateway;
  const name = deviceName ?? gateway.id;
  throw badSettings('gateway', `${name} is no gateway`, 'notGateway', { name });
}

/**
 * Settings of a sub-device as the SDK takes them.
 * @throws AlinkError `badSettings` or `credentialsMissing` naming the field
 */
export function subDeviceOptions(
  RED: NodeAPI,
  node: DeviceNode,
  def: DeviceDef,
  identity: DeviceIdentity,
  { options: gateway, access }: GatewaySettings,
  storage: DeviceStorage,
): SubDeviceOptions {
  const document = pastedModel(def);
  return {
    ...thingOptions(RED, node, def, identity, document, storage),
    gateway,
    authentication: authentication(node, def, identity, access, document),
  };
}

function authentication(
  node: DeviceNode,
  def: DeviceDef,
  identity: DeviceIdentity,
  access: PlatformAccess,
  document: Json | undefined,
): SubDeviceAuthentication {
  const { deviceSecret, productSecret } = credentialsOf(node);
  const kind = def.authentication || 'deviceSecret';
  if (kind !== 'deviceSecret' && kind !== 'subRegister' && kind !== 'productRegister')
    throw badSettings('authentication', `${kind} is not for sub-devices`, 'notForSubDevices');
  // An emulator creates what nobody configured there, so an imported flow works as it is, whatever it registers by.
  if (access.provision !== undefined && access.isConfigured?.(identity) !== true)
    return { kind: 'deviceSecret', deviceSecret: provisioned(access, identity, document) };
  switch (kind) {
    case 'subRegister':
      return { kind };
    case 'productRegister':
      return { kind, productSecret: needed('productSecret', productSecret) };
    case 'deviceSecret': {
      const secret = deviceSecret === '' ? provisioned(access, identity, document) : deviceSecret;
      return { kind, deviceSecret: needed('deviceSecret', secret) };
    }
  }
}
