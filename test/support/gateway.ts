import type { MqttClient } from 'mqtt';
import type { Emulator } from '../../emulator';
import { type DeviceIdentity, formatClientId, type SignMethod, signDevice } from '../../protocol';
import { hmac } from '../../protocol/hmac';
import { onlineLamp, request } from './emulator';

/** A product of gateways, and one of what stands behind them. */
export const GATEWAYS = {
  productKey: 'a1Gateways',
  nodeType: 'gateway',
  devices: [
    { deviceName: 'gate-1', deviceSecret: 'secret-of-gate-1' },
    { deviceName: 'gate-2', deviceSecret: 'secret-of-gate-2' },
  ],
} as const;
export const GATE_1 = { productKey: GATEWAYS.productKey, deviceName: 'gate-1' };
export const GATE_2 = { productKey: GATEWAYS.productKey, deviceName: 'gate-2' };

/** Puts sub-devices behind a gateway, past the protocol. */
export function stand(
  emulator: Emulator,
  gateway: DeviceIdentity,
  subDevices: readonly DeviceIdentity[],
): void {
  emulator.topology.add(gateway, subDevices);
}

export function leave(emulator: Emulator, subDevice: DeviceIdentity): void {
  emulator.topology.remove([subDevice]);
}

export interface LoginSettings {
  /** Whole text, with or without bars. */
  clientId?: string;
  /** What is signed of it. */
  signed?: string;
  signMethod?: SignMethod;
  deviceSecret?: string;
  timestamp?: string;
  cleanSession?: string;
  parameters?: Record<string, string | number>;
}

/** What a login says about one sub-device. */
export function loginOf(identity: DeviceIdentity, settings: LoginSettings = {}): Record<string, string> {
  const { productKey, deviceName } = identity;
  const plain = `${productKey}.${deviceName}`;
  const { clientId = formatClientId(plain, settings.parameters ?? { _ss: 1 }), signed = clientId } = settings;
  const {
    signMethod = 'hmacsha256',
    deviceSecret = `secret-of-${deviceName}`,
    timestamp = '1700000000000',
  } = settings;
  const sign = signDevice(hmac, signMethod, deviceSecret, {
    productKey,
    deviceName,
    clientId: signed,
    timestamp,
  });
  return {
    productKey,
    deviceName,
    clientId,
    timestamp,
    signMethod,
    sign,
    cleanSession: settings.cleanSession ?? 'true',
  };
}

export function combine(gateway: DeviceIdentity, name: string): string {
  return `/ext/session/${gateway.productKey}/${gateway.deviceName}/combine/${name}`;
}

export function login(client: MqttClient, gateway: DeviceIdentity, params: unknown) {
  return request(client, combine(gateway, 'login'), params, { qos: 0 });
}

export function batchLogin(client: MqttClient, gateway: DeviceIdentity, params: unknown) {
  return request(client, combine(gateway, 'batch_login'), params, { qos: 0 });
}

export function logout(client: MqttClient, gateway: DeviceIdentity, params: unknown) {
  return request(client, combine(gateway, 'logout'), params, { qos: 0 });
}

export function batchLogout(client: MqttClient, gateway: DeviceIdentity, params: unknown) {
  return request(client, combine(gateway, 'batch_logout'), params, { qos: 0 });
}

/** A connected gateway that hears of its sub-devices. */
export async function onlineGateway(
  emulator: Emulator,
  gateway: DeviceIdentity = GATE_1,
): Promise<MqttClient> {
  const client = await onlineLamp(emulator, gateway, { parameters: { _ss: 1 } });
  await client.subscribeAsync(`/ext/error/${gateway.productKey}/${gateway.deviceName}`, { qos: 0 });
  return client;
}

/** The next message on a topic. */
export function messageOn(client: MqttClient, topic: string): Promise<string> {
  return new Promise((resolve) => {
    const listener = (from: string, payload: Buffer) => {
      if (from !== topic) return;
      client.off('message', listener);
      resolve(payload.toString());
    };
    client.on('message', listener);
  });
}
