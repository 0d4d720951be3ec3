import { type DeviceIdentity, type SignMethod, signDevice, signRegistration } from '../../protocol';
import { hmac } from '../../protocol/hmac';
import { PRODUCT } from './emulator';

/** Two gateways, sub-devices with a thing model, and products that are said to be something else. */
export const GATEWAY_PRODUCT = {
  productKey: 'a1Gateway',
  nodeType: 'gateway',
  devices: [
    { deviceName: 'gateway-1', deviceSecret: 'secret-of-gateway-1' },
    { deviceName: 'gateway-2', deviceSecret: 'secret-of-gateway-2' },
  ],
};
export const SENSOR_PRODUCT = {
  productKey: 'a1Sensor',
  productSecret: 'secret of the sensor product',
  dynamicRegistration: true,
  thingModel: { ...PRODUCT.thingModel, profile: { productKey: 'a1Sensor' } },
  devices: ['sensor-1', 'sensor-2', 'sensor-3', 'sensor-4'].map((deviceName) => ({
    deviceName,
    deviceSecret: `secret-of-${deviceName}`,
  })),
};
export const PLAIN_PRODUCT = {
  productKey: 'a1Plain',
  nodeType: 'device',
  devices: [{ deviceName: 'plain-1', deviceSecret: 'secret-of-plain-1' }],
};
/** Its registration is switched off. */
export const CLOSED_PRODUCT = {
  productKey: 'a1Closed',
  devices: [{ deviceName: 'closed-1', deviceSecret: 'secret-of-closed-1' }],
};
export const PLANT = { products: [GATEWAY_PRODUCT, SENSOR_PRODUCT, PLAIN_PRODUCT, CLOSED_PRODUCT] };

export const GATEWAY_1 = { productKey: GATEWAY_PRODUCT.productKey, deviceName: 'gateway-1' };
export const GATEWAY_2 = { productKey: GATEWAY_PRODUCT.productKey, deviceName: 'gateway-2' };
export const [SENSOR_1, SENSOR_2, SENSOR_3, SENSOR_4] = [1, 2, 3, 4].map((n) => ({
  productKey: SENSOR_PRODUCT.productKey,
  deviceName: `sensor-${n}`,
})) as [DeviceIdentity, DeviceIdentity, DeviceIdentity, DeviceIdentity];
export const PLAIN = { productKey: PLAIN_PRODUCT.productKey, deviceName: 'plain-1' };
export const CLOSED = { productKey: CLOSED_PRODUCT.productKey, deviceName: 'closed-1' };

/** Topic under `/sys/{productKey}/{deviceName}/thing/`. */
export function thingTopic({ productKey, deviceName }: DeviceIdentity, rest: string): string {
  return `/sys/${productKey}/${deviceName}/thing/${rest}`;
}

export interface Signing {
  deviceSecret?: string;
  method?: SignMethod;
  clientId?: string;
  timestamp?: string;
}

/** What a gateway presents to add a sub-device (B.4 row 50). */
export function presented(
  identity: DeviceIdentity,
  { deviceSecret, method = 'hmacsha256', ...fields }: Signing = {},
) {
  const { clientId = `${identity.productKey}&${identity.deviceName}`, timestamp = '1700000000000' } = fields;
  const signed = { ...identity, clientId, timestamp };
  const secret = deviceSecret ?? `secret-of-${identity.deviceName}`;
  return { ...signed, signmethod: method, sign: signDevice(hmac, method, secret, signed) };
}

/** What a gateway presents to register a sub-device with its product's secret (B.4 row 58). */
export function proxied(identity: DeviceIdentity, productSecret: string = SENSOR_PRODUCT.productSecret) {
  const random = 'random567';
  const sign = signRegistration(hmac, 'hmacsha256', productSecret, { ...identity, random });
  return { ...identity, random, signMethod: 'hmacsha256', sign };
}
