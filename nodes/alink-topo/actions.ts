import type { DeviceIdentity } from '../../protocol';
import type { Gateway, RequestOptions, SubDeviceCredentials, SubDeviceResult } from '../../sdk';
import type { GatewayWork } from '../shared/gateway-node';
import { invalidInput } from '../shared/invalid-input';

export const ACTIONS = ['add', 'delete', 'get', 'found', 'register', 'productRegister', 'handle'] as const;

export type TopoAction = (typeof ACTIONS)[number];

/** What the dialog says about registration. */
export interface Registration {
  /** Secret of the product that sub-devices without a product of their own belong to; empty when there is none. */
  productSecret: string;
  productKey: string;
  handOut: boolean;
}

/** What the node does with the sub-devices of a message (B.4). */
export function workOf(action: TopoAction, registration: Registration): GatewayWork {
  const { handOut } = registration;
  switch (action) {
    case 'add':
      return {
        method: 'thing.topo.add',
        devices: 'named',
        run: (gateway, devices, options) => gateway.addTopology(devices, options),
      };
    case 'delete':
      return {
        method: 'thing.topo.delete',
        devices: 'named',
        run: (gateway, devices, options) => gateway.deleteTopology(identities(devices), options),
      };
    case 'get':
      return {
        method: 'thing.topo.get',
        devices: 'none',
        run: async (gateway, _, options) =>
          (await gateway.getTopology(options)).map((identity) => ({ identity })),
      };
    case 'found':
      return { method: 'thing.list.found', devices: 'named', run: reportFound };
    case 'register':
      return {
        method: 'thing.sub.register',
        devices: 'named',
        handOut,
        run: (gateway, devices, options) =>
          gateway.register(
            devices.map(({ identity }) => ({ identity })),
            options,
          ),
      };
    case 'productRegister':
      return {
        method: 'thing.proxy.provisioning.product_register',
        devices: 'named',
        handOut,
        run: (gateway, devices, options) => registerByProduct(gateway, devices, registration, options),
      };
    case 'handle':
      return {
        method: 'session.login',
        devices: 'named',
        run: (gateway, devices, options) => gateway.login(devices, { ...options, store: true }),
      };
  }
}

function identities(devices: readonly SubDeviceCredentials[]): DeviceIdentity[] {
  return devices.map(({ identity }) => identity);
}

async function reportFound(
  gateway: Gateway,
  devices: readonly SubDeviceCredentials[],
  options: RequestOptions,
): Promise<SubDeviceResult[]> {
  await gateway.reportFound(identities(devices), options);
  return devices.map(({ identity }) => ({ identity }));
}

/** Sub-devices without a secret of their product fail without a request; the others are registered. */
async function registerByProduct(
  gateway: Gateway,
  devices: readonly SubDeviceCredentials[],
  { productKey, productSecret }: Registration,
  options: RequestOptions,
): ReturnType<GatewayWork['run']> {
  const [ready, missing]: [Array<Required<Omit<SubDeviceCredentials, 'deviceSecret'>>>, SubDeviceResult[]] = [
    [],
    [],
  ];
  for (const { identity, productSecret: own } of devices) {
    const secret = own ?? (identity.productKey === productKey ? productSecret : '');
    if (secret !== '') ready.push({ identity, productSecret: secret });
    else {
      const error = invalidInput('noProductSecret', 'the ProductSecret is missing', {
        field: 'productSecret',
      });
      missing.push({ identity, error });
    }
  }
  return [...missing, ...(ready.length > 0 ? await gateway.register(ready, options) : [])];
}
