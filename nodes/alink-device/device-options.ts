import { join } from 'node:path';
import type { NodeAPI, NodeDef } from 'node-red';
import {
  type DeviceIdentity,
  identityProblem,
  isJsonObject,
  type Json,
  KEEP_ALIVE_SECONDS,
  LONGEST_CLIENT_ID,
  parseSignMethod,
  TRANSPORTS,
  type Transport,
} from '../../protocol';
import { Recent } from '../../protocol/recent';
import {
  AlinkError,
  type Authentication,
  type ConfigurationStore,
  type DeviceOptions,
  type GatewayOptions,
  machineName,
  type SecretStore,
  type ThingModelMode,
  type ThingOptions,
} from '../../sdk';
import { badSettings, expandText, readNumber } from '../shared/config';
import type { DeviceNode, PlatformAccess } from '../shared/types';

export const MACHINE_NAMES = ['mac', 'hostname', 'serial'] as const;

/** What a gateway's dialog and the SDK let through; 0: no limit. */
const LOGINS_PER_SECOND = { min: 0, max: 10_000 };
const LOGIN_BATCH = { min: 1, max: 50 };

export const ROLES = ['device', 'gateway', 'subDevice'] as const;
export type Role = (typeof ROLES)[number];

export interface DeviceDef extends NodeDef {
  /** Absent in flows from before there were gateways: a device. */
  role?: Role;
  platform: string;
  /** Of a sub-device: id of the `alink-device` that is its gateway. */
  gateway?: string;
  productKey: string;
  deviceName: string;
  deviceNameFrom: 'text' | (typeof MACHINE_NAMES)[number];
  authentication:
    | 'deviceSecret'
    | 'productSecretHttps'
    | 'productSecretMqtt'
    | 'noPreRegistration'
    | 'iotToken'
    | 'subRegister'
    | 'productRegister';
  transport: Transport;
  port: string;
  signMethod: string;
  clientId: string;
  keepAlive: string;
  cleanSession: boolean;
  correctTime: boolean;
  /** Seconds. */
  requestTimeout: string;
  thingModelMode: ThingModelMode;
  thingModelSource: 'none' | 'paste' | 'fetch';
  thingModel: string;
  /** Of a gateway, as are the next two; text, empty for the SDK's own. */
  loginsPerSecond?: string;
  loginBatch?: string;
  subscribeEach?: boolean;
}

/** Named in the runtime and in the dialog; never part of an exported flow. */
export type DeviceCredentials = DeviceNode['credentials'];

/** Where things that outlive a deploy are kept. */
export interface DeviceStorage {
  secretStore: SecretStore;
  modelFolder: string;
  configurationStore: ConfigurationStore;
}

/** Who the settings say this is. @throws AlinkError `badSettings` naming the field */
export function deviceIdentity(RED: NodeAPI, node: DeviceNode, def: DeviceDef): DeviceIdentity {
  const productKey = checked('productKey', expandText(RED, node, def.productKey));
  const kind = MACHINE_NAMES.find((name) => name === def.deviceNameFrom);
  if (kind === undefined)
    return { productKey, deviceName: checked('deviceName', expandText(RED, node, def.deviceName)) };
  const deviceName = machineName(kind);
  if (deviceName === undefined) throw badSettings('deviceName', `this machine has no ${kind}`);
  return { productKey, deviceName };
}

function checked(field: 'productKey' | 'deviceName', text: string): string {
  const problem = identityProblem(text);
  if (problem !== undefined) throw badSettings(field, problem);
  return text;
}

/**
 * Settings of a device or gateway as the SDK takes them.
 * @throws AlinkError `badSettings` or `credentialsMissing` naming the field
 */
export function deviceOptions(
  RED: NodeAPI,
  node: DeviceNode,
  def: DeviceDef,
  identity: DeviceIdentity,
  access: PlatformAccess,
  storage: DeviceStorage,
): DeviceOptions {
  const document = pastedModel(def);
  const port = readNumber(expandText(RED, node, def.port), 'port', { min: 1, max: 65535 });
  const keepAlive = readNumber(expandText(RED, node, def.keepAlive), 'keepAlive', KEEP_ALIVE_SECONDS);
  const embedded = access.provision !== undefined;
  return {
    ...thingOptions(RED, node, def, identity, document, storage),
    platform: access.platform,
    transport: chosenTransport(def.transport, access),
    // The emulator's doors are where it says; a port of the cloud's means nothing there.
    ...(port === undefined || embedded ? {} : { port }),
    ...(access.ca === undefined ? {} : { ca: access.ca }),
    authentication: authentication(def, credentialsOf(node), identity, access, document),
    ...(keepAlive === undefined ? {} : { keepAliveSeconds: keepAlive }),
    correctTime: def.correctTime === true,
    ...(def.role === 'gateway' ? { gateway: gatewayOptions(RED, node, def) } : {}),
  };
}

/** What devices and sub-devices have in common. @throws AlinkError `badSettings` naming the field */
export function thingOptions(
  RED: NodeAPI,
  node: DeviceNode,
  def: DeviceDef,
  identity: DeviceIdentity,
  document: Json | undefined,
  storage: DeviceStorage,
): ThingOptions {
  const timeout = readNumber(expandText(RED, node, def.requestTimeout), 'requestTimeout', {
    min: 1,
    max: 3600,
  });
  const clientId = expandText(RED, node, def.clientId);
  if (clientId.length > LONGEST_CLIENT_ID || clientId.includes('|')) {
    throw badSettings('clientId', `at most ${LONGEST_CLIENT_ID} characters, no |`);
  }
  const signMethod = parseSignMethod(def.signMethod || 'hmacsha256');
  if (signMethod === undefined) throw badSettings('signMethod', def.signMethod);
  return {
    identity,
    signMethod,
    ...(clientId === '' ? {} : { clientId }),
    cleanSession: def.cleanSession === true,
    ...(timeout === undefined ? {} : { requestTimeoutMs: timeout * 1000 }),
    ...thingModelOptions(def, identity, document, storage),
    secretStore: storage.secretStore,
    configurationStore: storage.configurationStore,
  };
}

function gatewayOptions(RED: NodeAPI, node: DeviceNode, def: DeviceDef): GatewayOptions {
  const read = (field: 'loginsPerSecond' | 'loginBatch', range: { min: number; max: number }) =>
    readNumber(expandText(RED, node, def[field]), field, range);
  const loginsPerSecond = read('loginsPerSecond', LOGINS_PER_SECOND);
  const loginBatch = read('loginBatch', LOGIN_BATCH);
  return {
    ...(loginsPerSecond === undefined ? {} : { loginsPerSecond }),
    ...(loginBatch === undefined ? {} : { loginBatch }),
    subscribeEach: def.subscribeEach === true,
  };
}

/** A dialog set for the cloud works on the emulator as it is: a closed door falls back to plain TCP. */
function chosenTransport(wanted: Transport | undefined, { platform }: PlatformAccess): Transport {
  const transport = TRANSPORTS.find((name) => name === wanted) ?? 'tls';
  return platform.kind === 'emulator' && platform.ports[transport] === undefined ? 'tcp' : transport;
}

/** Secrets as they were typed; empty text for those that were not. */
export function credentialsOf(node: DeviceNode): DeviceCredentials {
  const { deviceSecret = '', productSecret = '' }: Partial<DeviceCredentials> = node.credentials ?? {};
  return { deviceSecret: deviceSecret.trim(), productSecret: productSecret.trim() };
}

function authentication(
  def: DeviceDef,
  { deviceSecret, productSecret }: DeviceCredentials,
  identity: DeviceIdentity,
  access: PlatformAccess,
  document: Json | undefined,
): Authentication {
  switch (def.authentication) {
    case 'productSecretHttps':
      return { kind: 'productSecret', productSecret: needed('productSecret', productSecret), via: 'https' };
    case 'productSecretMqtt':
      return { kind: 'productSecret', productSecret: needed('productSecret', productSecret), via: 'mqtt' };
    case 'noPreRegistration':
      return {
        kind: 'noPreRegistration',
        productSecret: needed('productSecret', productSecret),
        ...(access.platform.kind === 'instance' ? { instanceId: access.platform.instanceId } : {}),
      };
    case 'subRegister':
    case 'productRegister':
      throw badSettings('authentication', 'only a gateway registers in this way', 'onlySubDevices');
    default: {
      const kind = def.authentication === 'iotToken' ? 'iotToken' : 'deviceSecret';
      const typed =
        deviceSecret !== '' && (access.provision === undefined || access.isConfigured?.(identity));
      const secret = typed ? deviceSecret : provisioned(access, identity, document);
      return { kind, deviceSecret: needed('deviceSecret', secret) };
    }
  }
}

/**
 * The secret that the embedded emulator gives: exported flows carry no credentials, and a secret typed for the cloud
 * means nothing to an emulator that has never heard of the device.
 */
export function provisioned(
  access: PlatformAccess,
  identity: DeviceIdentity,
  document: Json | undefined,
): string {
  if (access.provision === undefined) return '';
  try {
    return access.provision(identity, document);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw badSettings(cause instanceof RangeError ? 'deviceName' : 'thingModel', reason);
  }
}

/** @throws AlinkError `credentialsMissing` naming the field */
export function needed(field: keyof DeviceCredentials, secret: string): string {
  if (secret !== '') return secret;
  throw new AlinkError('credentialsMissing', `${field} is missing`, { details: { field } });
}

/** The thing model in the dialog, if that is where it comes from. @throws AlinkError `badSettings` */
export function pastedModel(def: DeviceDef): Json | undefined {
  return def.thingModelSource === 'paste' ? parseModel(def.thingModel) : undefined;
}

/** Documents that were read: the hundreds of sub-devices of a plant carry the texts of a few products. */
const models = new Recent<Json>(10);

function parseModel(text: string): Json {
  const known = models.get(text);
  if (known !== undefined) return known;
  try {
    const document: Json = JSON.parse(text);
    if (isJsonObject(document)) {
      models.set(text, document);
      return document;
    }
  } catch (cause) {
    throw badSettings('thingModel', cause instanceof Error ? cause.message : String(cause));
  }
  throw badSettings('thingModel', 'is not a JSON object');
}

function thingModelOptions(
  def: DeviceDef,
  identity: DeviceIdentity,
  document: Json | undefined,
  storage: DeviceStorage,
): Pick<DeviceOptions, 'thingModel'> {
  const mode = def.thingModelMode ?? 'off';
  if (document !== undefined) return { thingModel: { mode, document } };
  if (def.thingModelSource !== 'fetch') return {};
  // Neither part can hold a separator, but names may hold dots and colons that some file systems refuse.
  const file = `${encodeURIComponent(identity.productKey)}.json`.replaceAll('%', '_');
  return { thingModel: { mode, fetch: true, cacheFile: join(storage.modelFolder, file) } };
}
