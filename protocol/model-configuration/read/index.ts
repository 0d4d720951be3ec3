import { isJsonObject, type Json, type JsonObject } from '../../envelope';
import { identityProblem, thingKey, utf8Length } from '../../identity';
import { parseThingModel, type ThingModel, ThingModelError } from '../../thing-model';
import { joinDevices } from '../join';
import type { DeviceEntry, ModelConfiguration, ModelServer } from '../types';
import { type Entry, entries, field, needText, Problems, readNumber, show, text, under } from './fields';
import { readModel } from './models';
import { readServer } from './servers';

/** 2,000 sub-devices (D) with as many products fit in easily. */
const LARGEST_BYTES = 16 * 1024 * 1024;
const MOST = { servers: 1000, devices: 5000, models: 1000, thingModels: 1000 } as const;
const LONGEST = { id: 128, path: 2048 } as const;

/** The document as a whole is none; what is wrong inside of one becomes problems instead. */
export class ModelConfigurationError extends Error {
  override readonly name = 'ModelConfigurationError';
  constructor(
    readonly problem: 'tooLarge' | 'notJson' | 'notObject' | 'noList',
    message: string,
  ) {
    super(message);
  }
}

/**
 * Reads the document behind `thing.model.config.push` (H.1) and joins device, server, model and thing model. Entries that
 * cannot be used are left out, each with a problem that names its path; all others work.
 * @param document JSON text (at most 16 MB) or the parsed value
 * @throws ModelConfigurationError when it is no JSON object or has none of the four lists
 */
export function readModelConfiguration(document: Json | string): ModelConfiguration {
  const body = modelDocument(typeof document === 'string' ? parse(document) : document);
  const problems = new Problems();
  const root: Entry = { body, path: '$' };
  const read = <T>(name: string, most: number, key: (item: T) => string, one: Reader<T>) =>
    unique(entries(root, name, most, problems), key, one, problems);

  const servers = read('serverList', MOST.servers, ({ serverId }) => serverId, readServer);
  warnOfSharedPorts(servers, problems);
  const models = read('modelList', MOST.models, ({ productKey }) => productKey, readModel);
  const thingModels = read('tslList', MOST.thingModels, ({ productKey = '' }) => productKey, readThingModel);
  const devices = read('deviceList', MOST.devices, thingKey, readDevice);
  const joined = joinDevices([...devices.values()], { servers, models, thingModels }, problems);
  return { servers, models, thingModels, devices: joined, problems: problems.all() };
}

/**
 * Whether it is a model configuration at all, whatever may be wrong inside.
 * @throws ModelConfigurationError when it is no JSON object or has none of the four lists
 */
export function modelDocument(document: Json): JsonObject {
  if (!isJsonObject(document))
    throw new ModelConfigurationError('notObject', 'the document is not a JSON object');
  const lists = ['modelList', 'serverList', 'deviceList', 'tslList'];
  if (lists.some((name) => field(document, name) !== undefined)) return document;
  throw new ModelConfigurationError('noList', `the document has none of ${lists.join(', ')}`);
}

/** Only one client can open a serial port; who describes a line twice learns why one half is silent. */
function warnOfSharedPorts(servers: ReadonlyMap<string, ModelServer>, problems: Problems): void {
  const owners = new Map<string, string>();
  for (const server of servers.values()) {
    if (server.kind !== 'rtu') continue;
    const { serialPort, serverId } = server;
    const owner = owners.get(serialPort);
    owners.set(serialPort, owner ?? serverId);
    if (owner === undefined) continue;
    problems.assumed('serverList', '"{owner}" and "{serverId}" have the port {port}; only one can open it', {
      owner,
      serverId,
      port: serialPort,
    });
  }
}

type Reader<T> = (entry: Entry, problems: Problems) => T | undefined;

function parse(document: string): Json {
  // Most texts are refused by their length alone, before their bytes are counted.
  if (document.length > LARGEST_BYTES || utf8Length(document) > LARGEST_BYTES) {
    throw new ModelConfigurationError('tooLarge', 'the document is larger than 16 MB');
  }
  try {
    return JSON.parse(document.replace(/^\uFEFF/, '')) as Json;
  } catch {
    throw new ModelConfigurationError('notJson', 'the document is not JSON');
  }
}

/** Of two with one key the first counts. */
function unique<T>(
  list: readonly Entry[],
  key: (item: T) => string,
  one: Reader<T>,
  problems: Problems,
): Map<string, T> {
  const found = new Map<string, T>();
  for (const entry of list) {
    const item = one(entry, problems);
    if (item === undefined) continue;
    const name = key(item);
    if (found.has(name))
      problems.leftOut(entry.path, '"{name}" is there twice; the first one counts', { name });
    else found.set(name, item);
  }
  return found;
}

function readThingModel({ body, path }: Entry, problems: Problems): ThingModel | undefined {
  try {
    const model = parseThingModel(body);
    if (model.productKey !== undefined && identityProblem(model.productKey) === undefined) return model;
    return problems.leftOut(under(path, 'profile.productKey'), 'is not a productKey');
  } catch (thrown) {
    if (!(thrown instanceof ThingModelError)) throw thrown;
    const inside = thrown.path.replace(/^\$\.?/, '');
    return problems.leftOut(inside === '' ? path : under(path, inside), '{reason}', {
      reason: thrown.reason,
    });
  }
}

function readDevice(entry: Entry, problems: Problems): DeviceEntry | undefined {
  const [productKey, deviceName] = (['productKey', 'deviceName'] as const).map((name) => {
    const value = field(entry.body, name);
    if (typeof value === 'string' && identityProblem(value) === undefined) return value;
    return problems.leftOut(under(entry.path, name), '{value} is not a {name}', { value: show(value), name });
  });
  const config = field(entry.body, 'deviceConfig');
  const path = under(entry.path, 'deviceConfig');
  if (!isJsonObject(config)) return problems.leftOut(path, 'is not an object');
  const from: Entry = { body: config, path };
  const serverId = needText(from, 'serverId', LONGEST.id, problems);
  if (productKey === undefined || deviceName === undefined || serverId === undefined) return undefined;
  const slaveId = readNumber(field(config, 'slaveId') ?? '');
  const displayNamePath = text(from, 'displayNamePath', LONGEST.path);
  return {
    productKey,
    deviceName,
    serverId,
    ...(slaveId === undefined ? {} : { slaveId }),
    ...(displayNamePath === undefined ? {} : { displayNamePath }),
    path: entry.path,
  };
}
