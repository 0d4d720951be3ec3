import { Socket } from 'node:net';
import { connect, type IClientOptions, type MqttClient, type Packet } from 'mqtt';
import type { Door, Emulator } from '../../emulator';
import { type DeviceIdentity, deviceConnect, type SignMethod } from '../../protocol';
import { hmac } from '../../protocol/hmac';

/** A product with a thing model, for tests that need to see values checked. */
export const PRODUCT = {
  productKey: 'a1Greenhouse',
  name: 'Greenhouse lamp',
  productSecret: 'productSecret1',
  dynamicRegistration: true,
  thingModel: {
    profile: { productKey: 'a1Greenhouse' },
    properties: [
      {
        identifier: 'temperature',
        name: 'Temperature',
        accessMode: 'r',
        required: true,
        dataType: { type: 'float', specs: { min: '-40', max: '120', unit: '°C', step: '0.1' } },
      },
      {
        identifier: 'light',
        name: 'Light',
        accessMode: 'rw',
        required: false,
        dataType: { type: 'bool', specs: { '0': 'off', '1': 'on' } },
      },
    ],
    events: [
      {
        identifier: 'overheated',
        name: 'Overheated',
        type: 'alert',
        required: false,
        method: 'thing.event.overheated.post',
        outputData: [
          { identifier: 'temperature', name: 'Temperature', dataType: { type: 'float', specs: {} } },
        ],
      },
    ],
    services: [],
  },
  devices: [
    { deviceName: 'lamp-1', deviceSecret: 'secret-of-lamp-1' },
    { deviceName: 'lamp-2', deviceSecret: 'secret-of-lamp-2' },
  ],
};

export const LAMP_1 = { productKey: PRODUCT.productKey, deviceName: 'lamp-1' };
export const LAMP_2 = { productKey: PRODUCT.productKey, deviceName: 'lamp-2' };

export interface ClientSettings extends IClientOptions {
  door?: Door;
  deviceSecret?: string;
  signMethod?: SignMethod;
  /** Part of the clientId in front of the bars. */
  signedClientId?: string;
  timestamp?: string;
  parameters?: Record<string, string | number>;
}

/** A plain MQTT.js client of one of the lamps; it does not reconnect. */
export function lampClient(
  emulator: Emulator,
  identity: DeviceIdentity = LAMP_1,
  settings: ClientSettings = {},
): MqttClient {
  const {
    door = 'mqtt',
    deviceSecret,
    signMethod = 'hmacsha256',
    signedClientId,
    timestamp,
    parameters,
    ...rest
  } = settings;
  const fields = deviceConnect(hmac, {
    ...identity,
    deviceSecret: deviceSecret ?? `secret-of-${identity.deviceName}`,
    signMethod,
    secure: door === 'mqtts' || door === 'wss',
    ...(signedClientId === undefined ? {} : { clientId: signedClientId }),
    ...(timestamp === undefined ? {} : { timestamp }),
    ...(parameters === undefined ? {} : { parameters }),
  });
  return rawClient(emulator, { ...fields, ...rest }, door);
}

export function rawClient(emulator: Emulator, options: IClientOptions, door: Door = 'mqtt'): MqttClient {
  const address = emulator.addresses[door];
  if (address === undefined) throw new Error(`the ${door} door is closed`);
  const ca = emulator.ca === undefined ? {} : { ca: emulator.ca };
  const client = connect(address, { keepalive: 60, reconnectPeriod: 0, ...ca, ...options });
  // MQTT.js leaves Nagle's algorithm on: each acknowledged message would take 40 ms.
  if (client.stream instanceof Socket) client.stream.setNoDelay(true);
  return client;
}

/** Waits for CONNACK. @returns 0, or the code of the refusal */
export async function connack(client: MqttClient): Promise<number> {
  const refused = new Promise<number>((resolve) => {
    client.once('error', (error) => resolve(Number((error as Error & { code?: number }).code)));
  });
  const accepted = new Promise<number>((resolve) => client.once('connect', () => resolve(0)));
  return Promise.race([accepted, refused]);
}

/** The next message that arrives. */
export function nextMessage(client: MqttClient): Promise<{ topic: string; text: string; qos: number }> {
  return new Promise((resolve) => {
    client.once('message', (topic, payload, { qos }) => resolve({ topic, text: payload.toString(), qos }));
  });
}

/** Subscribes and tells what SUBACK says; MQTT.js's own callback hides refusals. */
export function suback(client: MqttClient, filters: Record<string, 0 | 1 | 2>): Promise<number[]> {
  return new Promise((resolve) => {
    const listener = (packet: Packet) => {
      if (packet.cmd !== 'suback') return;
      client.off('packetreceive', listener);
      resolve(packet.granted as number[]);
    };
    client.on('packetreceive', listener);
    const wanted = Object.entries(filters).map(([filter, qos]): [string, { qos: 0 | 1 | 2 }] => [
      filter,
      { qos },
    ]);
    client.subscribe(Object.fromEntries(wanted), () => undefined);
  });
}

/** Resolves when the connection is gone. */
export function closed(client: MqttClient): Promise<void> {
  return new Promise((resolve) => {
    // A connection may be reset instead of being closed.
    client.on('error', () => undefined);
    client.once('close', () => resolve());
  });
}

/** A connected lamp. */
export async function onlineLamp(
  emulator: Emulator,
  identity: DeviceIdentity = LAMP_1,
  settings: ClientSettings = {},
): Promise<MqttClient> {
  const client = lampClient(emulator, identity, settings);
  const code = await connack(client);
  if (code !== 0) throw new Error(`refused with ${code}`);
  return client;
}

let requests = 0;

/** Sends a request in the envelope. @returns the answer as JSON */
export async function request(
  client: MqttClient,
  topic: string,
  params: unknown,
  { qos = 1, id = `r${++requests}` as string | number } = {},
): Promise<{ id: unknown; code: number; data: unknown; message: string }> {
  const answered = new Promise<string>((resolve) => {
    const listener = (from: string, payload: Buffer) => {
      const text = payload.toString();
      // Answers to earlier messages may still be on their way.
      if (from !== `${topic}_reply` || !text.includes(`"id":${JSON.stringify(id)},`)) return;
      client.off('message', listener);
      resolve(text);
    };
    client.on('message', listener);
  });
  client.publish(topic, JSON.stringify({ id, version: '1.0', params }), { qos: qos as 0 | 1 });
  return JSON.parse(await answered);
}
