import {
  type DeviceIdentity,
  isJsonObject,
  type Json,
  parseThingModel,
  type ThingModel,
  ThingModelError,
} from '../protocol';
import { type ConfiguredContent, readConfiguration, readFirmware } from './config-firmware';
import { ConfigError, present, Reader, refuse, unique } from './config-reader';
import { routeDestinationProblem, routeSourceProblem, type TopicRoute } from './forwarding/routes';
import { DEFAULT_LIMITS, type EmulatorLimits } from './options';
import type { NewFirmware } from './ota/api';
import type { ProductSettings, TopicClass } from './registry/product';
import { scriptProblem } from './script/types';

export interface AccessKey {
  id: string;
  secret: string;
}

export interface DeviceSettings {
  deviceName: string;
  deviceSecret?: string;
  tags?: Record<string, string>;
  /** Behind which it stands from the start. */
  gateway?: DeviceIdentity;
}

/** A configuration file after reading. */
export interface EmulatorConfig {
  accessKeys: AccessKey[];
  products: Array<
    ProductSettings & {
      devices: DeviceSettings[];
      firmware: NewFirmware[];
      configuration?: ConfiguredContent;
    }
  >;
  routes: TopicRoute[];
  autoProvision: boolean | undefined;
  limits: Partial<EmulatorLimits>;
}

/**
 * Reads the object of a configuration file:
 * `{"accessKeys":[{"id","secret"}],"products":[{"productKey","name?","productSecret?","dynamicRegistration?",
 * "nodeType?","dataFormat?","thingModel?","topics?":[{"topic","operation"}],"script?",
 * "firmware?":[{"version","module?","isDiff?","srcVersion?","signMethod?","udi?","needsVerification?","files":[{"name?",
 * "path" | "text" | "base64" | "size","seed?"}]}],"configuration?":{"enabled?","content"},"devices?":[{"deviceName",
 * "deviceSecret?","tags?","gateway?":{"productKey","deviceName"}}]}],"routes?":[{"from","to"}],"autoProvision?","limits?"}`.
 * @throws ConfigError that names the path of the first fault
 */
export function readConfig(config: unknown): EmulatorConfig {
  const root = new Reader(config as Json, 'config', [
    'accessKeys',
    'products',
    'routes',
    'autoProvision',
    'limits',
  ]);
  const products = root.list('products').map((entry, i) => readProduct(entry, `products[${i}]`));
  unique(
    products.map(({ productKey }) => productKey),
    (i) => `products[${i}].productKey`,
  );
  products.forEach((product, i) => {
    product.devices.forEach((device, j) => {
      refuse(`products[${i}].devices[${j}].gateway`, gatewayProblem(products, product, device));
    });
  });
  return {
    accessKeys: root.list('accessKeys').map((entry, i) => {
      const key = new Reader(entry, `accessKeys[${i}]`, ['id', 'secret']);
      return { id: key.text('id'), secret: key.text('secret') };
    }),
    products,
    routes: readRoutes(root),
    autoProvision: root.boolean('autoProvision'),
    limits: readLimits(root.value('limits')),
  };
}

function readProduct(entry: Json, path: string): EmulatorConfig['products'][number] {
  const product = new Reader(entry, path, [
    'productKey',
    'name',
    'productSecret',
    'dynamicRegistration',
    'nodeType',
    'dataFormat',
    'thingModel',
    'topics',
    'script',
    'firmware',
    'configuration',
    'devices',
  ]);
  const productKey = product.name('productKey');
  const devices = product.list('devices').map((device, i) => readDevice(device, `${path}.devices[${i}]`));
  unique(
    devices.map(({ deviceName }) => deviceName),
    (i) => `${path}.devices[${i}].deviceName`,
  );
  return present({
    productKey,
    name: product.optionalText('name'),
    productSecret: product.optionalText('productSecret'),
    dynamicRegistration: product.boolean('dynamicRegistration'),
    nodeType: product.choice('nodeType', ['device', 'gateway']),
    dataFormat: product.choice('dataFormat', ['alink', 'custom']),
    thingModel: readThingModel(product.value('thingModel'), `${path}.thingModel`),
    topics:
      product.value('topics') === undefined
        ? undefined
        : product.list('topics').map((topic, i) => readTopicClass(topic, `${path}.topics[${i}]`)),
    script: readScript(product, path),
    firmware: product
      .list('firmware')
      .map((firmware, i) => readFirmware(firmware, productKey, `${path}.firmware[${i}]`)),
    configuration: readConfiguration(product.value('configuration'), `${path}.configuration`),
    devices,
  });
}

/** Text, or a list of its lines. */
function readScript(product: Reader, path: string): string | undefined {
  const value = product.value('script');
  if (value === undefined) return undefined;
  const lines = Array.isArray(value) ? value : [value];
  if (!lines.every((line) => typeof line === 'string')) {
    throw new ConfigError(`${path}.script`, 'must be a text or a list of lines');
  }
  const script = lines.join('\n');
  refuse(`${path}.script`, scriptProblem(script));
  return script;
}

function readTopicClass(entry: Json, path: string): TopicClass {
  const topicClass = new Reader(entry, path, ['topic', 'operation']);
  const topic = topicClass.text('topic');
  if (!topic.startsWith('/')) throw new ConfigError(`${path}.topic`, 'starts with / behind the device name');
  return { topic, operation: topicClass.choice('operation', ['publish', 'subscribe', 'all']) ?? 'all' };
}

function readDevice(entry: Json, path: string): DeviceSettings {
  const device = new Reader(entry, path, ['deviceName', 'deviceSecret', 'tags', 'gateway']);
  const tags = device.value('tags');
  if (tags !== undefined && !isTextMap(tags))
    throw new ConfigError(`${path}.tags`, 'must be an object of texts');
  return present({
    deviceName: device.name('deviceName'),
    deviceSecret: device.optionalText('deviceSecret'),
    tags,
    gateway: readGateway(device.value('gateway'), `${path}.gateway`),
  });
}

function readGateway(value: Json | undefined, path: string): DeviceIdentity | undefined {
  if (value === undefined) return undefined;
  const gateway = new Reader(value, path, ['productKey', 'deviceName']);
  return { productKey: gateway.name('productKey'), deviceName: gateway.name('deviceName') };
}

/** Why a device cannot stand behind the gateway that it names. */
function gatewayProblem(
  products: EmulatorConfig['products'],
  product: ProductSettings,
  { deviceName, gateway }: DeviceSettings,
): string | undefined {
  if (gateway === undefined) return undefined;
  if (gateway.productKey === product.productKey && gateway.deviceName === deviceName) {
    return 'is the device itself';
  }
  if (product.nodeType === 'gateway') return 'a gateway stands behind none';
  const other = products.find(({ productKey }) => productKey === gateway.productKey);
  if (other?.devices.some((device) => device.deviceName === gateway.deviceName) !== true) {
    return 'is none of the devices';
  }
  return other.nodeType === 'device' ? 'is of a product that is no gateway' : undefined;
}

function readRoutes(root: Reader): TopicRoute[] {
  const routes = root.list('routes').map((entry, i) => {
    const path = `routes[${i}]`;
    const reader = new Reader(entry, path, ['from', 'to']);
    const route = { from: reader.text('from'), to: reader.text('to') };
    refuse(`${path}.from`, routeSourceProblem(route.from));
    refuse(`${path}.to`, routeDestinationProblem(route.to));
    return route;
  });
  unique(
    routes.map(({ from, to }) => `${from} → ${to}`),
    (i) => `routes[${i}]`,
  );
  return routes;
}

function readThingModel(document: Json | undefined, path: string): ThingModel | undefined {
  if (document === undefined) return undefined;
  try {
    return parseThingModel(document);
  } catch (thrown) {
    if (thrown instanceof ThingModelError) throw new ConfigError(path, thrown.message);
    throw thrown;
  }
}

function readLimits(limits: Json | undefined): Partial<EmulatorLimits> {
  if (limits === undefined) return {};
  const reader = new Reader(limits, 'limits', Object.keys(DEFAULT_LIMITS));
  const entries = Object.entries(DEFAULT_LIMITS).flatMap(
    ([name, standard]): Array<[string, number | boolean]> => {
      const value = reader.value(name);
      if (value === undefined) return [];
      const fits =
        typeof standard === 'number'
          ? typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
          : typeof value === 'boolean';
      if (!fits) {
        throw new ConfigError(
          `limits.${name}`,
          typeof standard === 'number' ? 'must be a whole number' : 'must be true or false',
        );
      }
      return [[name, value as number | boolean]];
    },
  );
  return Object.fromEntries(entries) as Partial<EmulatorLimits>;
}

function isTextMap(value: Json): value is Record<string, string> {
  return isJsonObject(value) && Object.values(value).every((entry) => typeof entry === 'string');
}
