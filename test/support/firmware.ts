import { createHash, randomBytes } from 'node:crypto';
import type { MqttClient } from 'mqtt';
import type { Emulator, UpgradeView } from '../../emulator';
import type { DeviceIdentity } from '../../protocol';
import { LAMP_1, PRODUCT } from './emulator';

/** `data` of an offer (G.2). */
export interface Offer {
  version: string;
  size: number;
  url: string;
  sign: string;
  signMethod: string;
  md5?: string;
  isDiff: number;
  module?: string;
  extData?: Record<string, string>;
  dProtocol?: string;
  streamId?: number;
  streamFileId?: number;
  files?: Array<{
    fileName: string;
    fileSize: number;
    fileUrl: string;
    fileMd5?: string;
    fileSign: string;
  }>;
}

export const IMAGE = randomBytes(300_000);

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

export function md5(bytes: Uint8Array): string {
  return createHash('md5').update(bytes).digest('hex');
}

export function upgradeTopic({ productKey, deviceName }: DeviceIdentity = LAMP_1): string {
  return `/ota/device/upgrade/${productKey}/${deviceName}`;
}

/** Adds a package of the greenhouse lamp. */
export async function addImage(emulator: Emulator, version = '2.0.0', more = {}): Promise<string> {
  const { firmwareId } = await emulator.firmware.add({
    productKey: PRODUCT.productKey,
    version,
    files: { content: IMAGE },
    ...more,
  });
  return firmwareId;
}

/** Offers that are pushed to a client, one after the other. */
export function offers(client: MqttClient, identity: DeviceIdentity = LAMP_1): () => Promise<Offer> {
  const came: Offer[] = [];
  const waiting: Array<(offer: Offer) => void> = [];
  client.on('message', (topic, payload) => {
    if (topic !== upgradeTopic(identity)) return;
    const { data } = JSON.parse(payload.toString());
    const next = waiting.shift();
    if (next === undefined) came.push(data);
    else next(data);
  });
  return () => {
    const [first] = came.splice(0, 1);
    return first === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(first);
  };
}

export async function inform(client: MqttClient, version: string, module?: string, identity = LAMP_1) {
  const { productKey, deviceName } = identity;
  const params = { version, ...(module === undefined ? {} : { module }) };
  await client.publishAsync(
    `/ota/device/inform/${productKey}/${deviceName}`,
    JSON.stringify({ id: 1, params }),
    { qos: 1 },
  );
}

export async function progress(
  client: MqttClient,
  step: string | number,
  desc = '',
  module?: string,
  identity = LAMP_1,
) {
  const { productKey, deviceName } = identity;
  const params = { step, desc, ...(module === undefined ? {} : { module }) };
  await client.publishAsync(
    `/ota/device/progress/${productKey}/${deviceName}`,
    JSON.stringify({ id: 2, params }),
    { qos: 1 },
  );
}

/** The latest upgrade of a device. */
export function upgrade(emulator: Emulator, identity: DeviceIdentity = LAMP_1): UpgradeView | undefined {
  return emulator.devices.get(identity)?.upgrades.at(-1);
}
