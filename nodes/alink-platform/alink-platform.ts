import { randomBytes } from 'node:crypto';
import type { Node, NodeAPI, NodeDef } from 'node-red';
import type { EmulatorOptions } from '../../emulator';
import { type Json, openApiHost, type Platform, TRANSPORTS, type Transport, thingKey } from '../../protocol';
import { AlinkError } from '../../sdk';
import { badSettings, expandText, readNumber } from '../shared/config';
import { type EmulatorLease, leaseEmulator } from '../shared/emulators';
import { toAlinkError, toFlowError } from '../shared/flow-error';
import type { OpenApiAccess, PlatformAccess, PlatformNode } from '../shared/types';

interface PlatformDef extends NodeDef {
  kind: Platform['kind'];
  region: string;
  instanceId: string;
  host: string;
  mqttPort: string;
  httpUrl: string;
  ca: string;
  emulatorMqttPort: string;
  emulatorHttpPort: string;
  emulatorConfig: string;
  /** Address of the API, where it is not the region's. */
  openApiUrl: string;
}

/** Named in the runtime and in the dialog; never part of an exported flow. */
type PlatformCredentials = PlatformNode['credentials'];

const PORT = { min: 0, max: 65535 };
const EMULATOR_KEY = { id: randomBytes(8).toString('hex'), secret: randomBytes(24).toString('hex') };
/** Doors of the emulator by the transport that goes through them. */
const DOORS = {
  tcp: 'mqtt',
  tls: 'mqtts',
  ws: 'ws',
  wss: 'wss',
} as const satisfies Record<Transport, string>;

/** Where devices connect: the embedded emulator, a public region, an instance, or a host of one's own. */
export = function alinkPlatform(RED: NodeAPI): void {
  function platform(this: PlatformNode, def: PlatformDef) {
    RED.nodes.createNode(this, def);
    let access: Promise<PlatformAccess>;
    let lease: EmulatorLease | undefined;
    try {
      if (def.kind === 'emulator') {
        const options = emulatorOptions(RED, this, def);
        lease = leaseEmulator(this.id, options);
        access = emulatorAccess(lease, options.config);
      } else {
        access = Promise.resolve(cloudAccess(RED, this, def));
      }
    } catch (thrown) {
      access = Promise.reject(toAlinkError(thrown));
    }
    access.catch((thrown: unknown) => this.error(toFlowError(RED, thrown)));
    this.access = () => access;
    this.on('close', (done: () => void) => {
      lease?.release();
      done();
    });
  }

  RED.nodes.registerType<PlatformNode, PlatformDef, object, PlatformCredentials>('alink-platform', platform, {
    credentials: { accessKeyId: { type: 'password' }, accessKeySecret: { type: 'password' } },
  });

  // Addresses of a running emulator, for whoever wants to connect something else to it.
  RED.httpAdmin.get(
    '/alink-platform/:id/addresses',
    RED.auth.needsPermission('alink-platform.read'),
    (req, res) => {
      const node = RED.nodes.getNode(String(req.params.id)) as PlatformNode | null | undefined;
      if (typeof node?.access !== 'function') {
        res.status(404).json({ error: 'notDeployed' });
        return;
      }
      node.access().then(
        ({ platform }) => res.json(platform.kind === 'emulator' ? describe(platform) : {}),
        (thrown: unknown) => res.status(503).json({ error: toFlowError(RED, thrown).message }),
      );
    },
  );
};

function describe({ host, ports, httpUrl }: Extract<Platform, { kind: 'emulator' }>): Record<string, string> {
  const doors = TRANSPORTS.flatMap((transport): Array<[string, string]> => {
    const port = ports[transport];
    const scheme = DOORS[transport];
    return port === undefined ? [] : [[scheme, `${scheme}://${host}:${port}`]];
  });
  return { ...Object.fromEntries(doors), http: httpUrl };
}

function emulatorOptions(RED: NodeAPI, node: Node, def: PlatformDef): EmulatorOptions {
  const config = expandText(RED, node, def.emulatorConfig);
  return {
    host: '127.0.0.1',
    doors: {
      mqtt: readNumber(expandText(RED, node, def.emulatorMqttPort), 'emulatorMqttPort', PORT) ?? 0,
      ws: 0,
      mqtts: 0,
      wss: 0,
      http: readNumber(expandText(RED, node, def.emulatorHttpPort), 'emulatorHttpPort', PORT) ?? 0,
    },
    autoProvision: true,
    config: withAccessKey(config === '' ? {} : parseConfig(config)),
  };
}

/**
 * Without keys of its own an emulator takes a pair that everybody knows, and any page in a browser on this machine
 * could drive it. The pair of one process stays the same, so that a deploy does not restart the emulator.
 */
function withAccessKey(config: unknown): unknown {
  if (typeof config !== 'object' || config === null || Array.isArray(config)) return config;
  const given: unknown = Reflect.get(config, 'accessKeys');
  return given === undefined || (Array.isArray(given) && given.length === 0)
    ? { ...config, accessKeys: [EMULATOR_KEY] }
    : config;
}

function parseConfig(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw badSettings('emulatorConfig', cause instanceof Error ? cause.message : String(cause));
  }
}

/** Keys of the devices that a products file names; what else it holds is checked by the emulator. */
function configuredDevices(config: unknown): Set<string> {
  const keys = new Set<string>();
  for (const product of list(config, 'products')) {
    for (const device of list(product, 'devices')) {
      const productKey: unknown = Reflect.get(product, 'productKey');
      keys.add(
        thingKey({ productKey: String(productKey), deviceName: String(Reflect.get(device, 'deviceName')) }),
      );
    }
  }
  return keys;
}

function list(value: unknown, key: string): object[] {
  const inner: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
  return Array.isArray(inner) ? inner.filter((entry) => typeof entry === 'object' && entry !== null) : [];
}

/** The first key of the emulator's configuration. */
function emulatorKey(config: unknown): { accessKeyId: string; accessKeySecret: string } {
  const [key = EMULATOR_KEY] = list(config, 'accessKeys');
  return { accessKeyId: String(Reflect.get(key, 'id')), accessKeySecret: String(Reflect.get(key, 'secret')) };
}

async function emulatorAccess(lease: EmulatorLease, config: unknown): Promise<PlatformAccess> {
  const configured = configuredDevices(config);
  const emulator = await lease.emulator.catch((cause: unknown) => {
    throw emulatorProblem(cause);
  });
  const ports: Partial<Record<Transport, number>> = {};
  for (const transport of TRANSPORTS) {
    const port = emulator.ports[DOORS[transport]];
    if (port !== undefined) ports[transport] = port;
  }
  return {
    platform: { kind: 'emulator', host: '127.0.0.1', ports, httpUrl: emulator.httpUrl },
    ...(emulator.ca === undefined ? {} : { ca: emulator.ca }),
    provision: (identity, thingModel: Json | undefined) =>
      emulator.provisionDevice(identity, thingModel).deviceSecret,
    isConfigured: (identity) => configured.has(thingKey(identity)),
    openApi: { endpoint: new URL(emulator.httpUrl).host, protocol: 'http', ...emulatorKey(config) },
  };
}

/** An emulator that could not start, as the field of the dialog that has to change. */
function emulatorProblem(cause: unknown): AlinkError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const door: unknown = typeof cause === 'object' && cause !== null ? Reflect.get(cause, 'door') : undefined;
  if (door === undefined) return badSettings('emulatorConfig', reason);
  return badSettings(door === 'http' ? 'emulatorHttpPort' : 'emulatorMqttPort', reason);
}

function cloudAccess(RED: NodeAPI, node: PlatformNode, def: PlatformDef): PlatformAccess {
  const ca = def.ca?.trim();
  const platform = cloudPlatform(RED, node, def);
  const openApi = openApiAccess(node, platform, expandText(RED, node, def.openApiUrl));
  // A platform of one's own has its whole certificate chain of its own; the cloud's API needs no further root.
  const trusted = ca && platform.kind === 'custom' ? { ca } : {};
  return { platform, ...(ca ? { ca } : {}), ...(openApi ? { openApi: { ...openApi, ...trusted } } : {}) };
}

/** @returns undefined without a key or an address: then nothing can be called, and only that */
function openApiAccess(node: PlatformNode, platform: Platform, url: string): OpenApiAccess | undefined {
  const credentials = node.credentials as Partial<PlatformCredentials> | undefined;
  const accessKeyId = credentials?.accessKeyId?.trim() ?? '';
  const accessKeySecret = credentials?.accessKeySecret?.trim() ?? '';
  if (accessKeyId === '' || accessKeySecret === '') return undefined;
  const key = { accessKeyId, accessKeySecret };
  const instance = platform.kind === 'instance' ? { iotInstanceId: platform.instanceId } : {};
  if (url !== '') {
    const { protocol, host } = openApiUrl(url);
    return { endpoint: host, protocol, ...key, ...instance };
  }
  if (platform.kind !== 'public' && platform.kind !== 'instance') return undefined;
  return { endpoint: openApiHost(platform.region), protocol: 'https', ...key, ...instance };
}

function openApiUrl(text: string): { protocol: 'http' | 'https'; host: string } {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw badSettings('openApiUrl', 'is not an address');
  }
  const { protocol, host, hostname } = url;
  if (protocol === 'https:') return { protocol: 'https', host };
  // The signature protects the request, but not what the answer holds.
  if (protocol === 'http:' && /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname))
    return { protocol: 'http', host };
  throw badSettings('openApiUrl', 'https is needed');
}

function cloudPlatform(RED: NodeAPI, node: Node, def: PlatformDef): Platform {
  const text = (field: 'region' | 'instanceId' | 'host' | 'httpUrl') => expandText(RED, node, def[field]);
  const needed = (field: 'region' | 'instanceId' | 'host') => {
    const value = text(field);
    if (/^[A-Za-z0-9.:-]+$/.test(value)) return value;
    throw badSettings(field, value === '' ? 'is empty' : 'is not a host name');
  };
  switch (def.kind) {
    case 'public':
      return { kind: 'public', region: needed('region') };
    case 'instance':
      return { kind: 'instance', region: needed('region'), instanceId: needed('instanceId') };
    case 'custom': {
      const port = readNumber(expandText(RED, node, def.mqttPort), 'mqttPort', { min: 1, max: 65535 });
      const httpUrl = text('httpUrl');
      return {
        kind: 'custom',
        host: needed('host'),
        ...(port === undefined ? {} : { ports: { tcp: port, tls: port, ws: port, wss: port } }),
        ...(httpUrl === '' ? {} : { httpUrl }),
      };
    }
    default:
      throw new AlinkError('badSettings', 'kind: unknown', {
        details: { field: 'kind', reason: String(def.kind) },
      });
  }
}
