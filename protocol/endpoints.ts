/** How MQTT is carried: plain TCP, TLS, WebSocket, secure WebSocket. */
export const TRANSPORTS = ['tls', 'tcp', 'wss', 'ws'] as const;
export type Transport = (typeof TRANSPORTS)[number];

/** Regions named by the sources (A.4); others can be typed. */
export const REGIONS = [
  'cn-shanghai',
  'cn-beijing',
  'cn-shenzhen',
  'ap-southeast-1',
  'ap-northeast-1',
  'us-east-1',
  'us-west-1',
  'eu-central-1',
] as const;

/** Where the platform is; `emulator` and `custom` are reached at the address given. */
export type Platform =
  | { kind: 'public'; region: string }
  | { kind: 'instance'; region: string; instanceId: string }
  | { kind: 'custom'; host: string; ports?: Partial<Record<Transport, number>>; httpUrl?: string }
  | { kind: 'emulator'; host: string; ports: Partial<Record<Transport, number>>; httpUrl: string };

export interface MqttEndpoint {
  protocol: 'mqtt' | 'mqtts' | 'ws' | 'wss';
  host: string;
  port: number;
  /** Path of the WebSocket upgrade; absent for TCP and TLS. */
  path?: string;
  /** `protocol://host:port`, as shown to people and used in vectors. */
  url: string;
}

const PROTOCOLS = { tcp: 'mqtt', tls: 'mqtts', ws: 'ws', wss: 'wss' } as const;
const PUBLIC_PORTS: Record<Transport, number> = { tcp: 1883, tls: 1883, ws: 443, wss: 443 };
// Section J row 25: instance hosts take TLS at 8883, the platform's own root certificate is needed there.
const INSTANCE_PORTS: Record<Transport, number> = { ...PUBLIC_PORTS, tls: 8883 };
const CUSTOM_PORTS: Record<Transport, number> = { tcp: 1883, tls: 8883, ws: 80, wss: 443 };

/**
 * The MQTT address of a product's devices (A.4).
 * @param port overrides the port that the platform kind and transport give
 * @throws RangeError when an emulator has no open door for the transport
 */
export function mqttEndpoint(
  platform: Platform,
  productKey: string,
  transport: Transport,
  port?: number,
): MqttEndpoint {
  const { host, ports } = mqttHost(platform, productKey);
  const chosen = port ?? ports[transport];
  if (chosen === undefined) throw new RangeError(`the emulator has no ${transport} door open`);
  const protocol = PROTOCOLS[transport];
  const url = `${protocol}://${urlHost(host)}:${chosen}`;
  const webSocket = transport === 'ws' || transport === 'wss';
  return { protocol, host, port: chosen, url, ...(webSocket ? { path: '/mqtt' } : {}) };
}

function mqttHost(
  platform: Platform,
  productKey: string,
): { host: string; ports: Partial<Record<Transport, number>> } {
  switch (platform.kind) {
    case 'public':
      return { host: `${productKey}.iot-as-mqtt.${platform.region}.aliyuncs.com`, ports: PUBLIC_PORTS };
    case 'instance':
      return { host: `${platform.instanceId}.mqtt.iothub.aliyuncs.com`, ports: INSTANCE_PORTS };
    case 'custom':
      return { host: platform.host, ports: { ...CUSTOM_PORTS, ...platform.ports } };
    case 'emulator':
      return { host: platform.host, ports: platform.ports };
  }
}

/** Base address of HTTPS authentication and registration, without a trailing slash (A.4, A.6, A.8). */
export function authUrl(platform: Platform): string {
  switch (platform.kind) {
    case 'public':
    case 'instance':
      return `https://iot-auth.${platform.region}.aliyuncs.com`;
    case 'custom':
      return (platform.httpUrl ?? `https://${urlHost(platform.host)}`).replace(/\/+$/, '');
    case 'emulator':
      return platform.httpUrl.replace(/\/+$/, '');
  }
}

/** Host of the platform's OpenAPI in a region, or the emulator's address (host and port). */
export function openApiEndpoint(platform: Platform): { protocol: 'http' | 'https'; endpoint: string } {
  if (platform.kind === 'public' || platform.kind === 'instance') {
    return { protocol: 'https', endpoint: `iot.${platform.region}.aliyuncs.com` };
  }
  const url = new URL(authUrl(platform));
  return { protocol: url.protocol === 'http:' ? 'http' : 'https', endpoint: url.host };
}

/** IPv6 addresses stand in brackets in a URL. */
function urlHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

/** Host of the platform's API for applications (version 2018-01-20), over HTTPS. */
export function openApiHost(region: string): string {
  return `iot.${region}.aliyuncs.com`;
}
