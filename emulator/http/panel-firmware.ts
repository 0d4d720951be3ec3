import { type DeviceIdentity, isJsonObject, type Json, type JsonObject } from '../../protocol';
import { describeFirmware, readFirmware } from '../config-firmware';
import { present, Reader } from '../config-reader';
import type { NewUpgrade } from '../ota/api';
import type { Emulator } from '../types';
import type { PanelAnswer } from './panel-answer';

const DAY_MS = 24 * 3_600_000;

/** Somebody asked for what makes no sense; the message goes to them. */
class InputError extends Error {}

/**
 * The part of the panel about firmware and configurations; it takes what the products file takes.
 * @returns undefined when the page is none of it
 * @throws Error whose message tells what is wrong
 */
export async function answerFirmwarePanel(
  emulator: Emulator,
  method: string,
  path: string,
  input: () => Json,
): Promise<PanelAnswer | undefined> {
  const { firmware, configuration, modelConfiguration } = emulator;
  const [area, ...rest] = path.split('/').map(decodeURIComponent);
  const [first = '', second = ''] = rest;
  switch (`${method} ${shapeOf(area, rest)}`) {
    case 'GET firmware':
      return ok(firmware.list());
    case 'POST firmware':
      return { status: 201, body: await addFirmware(emulator, input()) };
    case 'DELETE firmware/*':
      firmware.remove(first);
      return ok({});
    case 'POST firmware/*/upgrade':
    case 'POST firmware/*/verify': {
      const settings = readUpgrade(input());
      const verify = second === 'verify';
      return {
        status: 201,
        body: verify
          ? firmware.verify(first, settings.devices ?? [], settings)
          : firmware.upgrade(first, settings),
      };
    }
    case 'GET upgrades/*':
      return ok(firmware.tasks(first));
    case 'DELETE upgrades/*':
      return firmware.cancel(first) ? ok({}) : { status: 404, body: { error: 'there is no such upgrade' } };
    case 'POST upgrades/*/confirm':
      return ok({ confirmed: firmware.confirm(first) });
    case 'POST upgrades/*/retry':
      return ok({ retried: firmware.retry(first) });
    case 'GET downloads':
      return ok(firmware.downloads());
    case 'GET products/*/configuration':
      return ok(configuration.get(first));
    case 'POST products/*/configuration': {
      const { enabled, content } = readObject(input(), ['enabled', 'content']);
      if (enabled !== undefined && typeof enabled !== 'boolean') {
        throw new InputError('enabled must be true or false');
      }
      configuration.set(first, {
        ...(enabled === undefined ? {} : { enabled }),
        ...(content === undefined ? {} : { content }),
      });
      return ok(configuration.get(first));
    }
    case 'POST products/*/configuration/push': {
      const { deviceName } = readObject(input(), ['deviceName']);
      const target = deviceName === undefined ? first : { productKey: first, deviceName: String(deviceName) };
      const pushes = await configuration.push(target);
      const { enabled, configId } = configuration.get(first);
      if (enabled && configId !== undefined) return ok(pushes);
      const error =
        configId === undefined ? 'no configuration is stored' : 'the configuration is switched off';
      return { status: 409, body: { error } };
    }
    case 'POST devices/*/*/model-configuration':
      return ok({ delivery: modelConfiguration.push({ productKey: first, deviceName: second }, input()) });
    default:
      return undefined;
  }
}

// `firmware/*/upgrade`: the names of things become stars.
function shapeOf(area = '', rest: readonly string[]): string {
  const names = area === 'devices' ? 2 : 1;
  return [area, ...rest.map((level, i) => (i < names ? '*' : level))].join('/');
}

/**
 * Adds a package of one file, whose bytes are the body of a request.
 * @param query describes it with the fields of the products file, and `productKey` and `fileName`
 * @throws Error whose message tells what is wrong
 */
export function addUploadedFirmware(
  { firmware }: Emulator,
  query: URLSearchParams,
  content: Uint8Array,
): Promise<{ firmwareId: string }> {
  const { productKey = '', fileName, ...texts } = Object.fromEntries(query);
  const described: JsonObject = { ...texts };
  for (const name of ['isDiff', 'needsVerification']) {
    if (texts[name] !== undefined) described[name] = texts[name] === 'true';
  }
  return firmware.add({
    ...describeFirmware(described, 'firmware'),
    productKey,
    files: { content, ...present({ name: fileName }) },
  });
}

function addFirmware({ firmware }: Emulator, input: Json): Promise<{ firmwareId: string }> {
  if (!isJsonObject(input) || typeof input.productKey !== 'string') {
    throw new InputError('productKey must be a text');
  }
  const { productKey, ...described } = input;
  const read = readFirmware(described, productKey, 'firmware');
  // Whoever reaches the panel is not whoever started the emulator.
  if ([read.files].flat().some((file) => 'path' in file)) {
    throw new InputError('files on disk can be named in the products file only');
  }
  return firmware.add(read);
}

function readUpgrade(input: Json): NewUpgrade {
  const settings = new Reader(input, 'upgrade', [
    'devices',
    'needPush',
    'needConfirm',
    'protocol',
    'srcVersions',
    'overwrite',
    'multiModule',
    'timeoutMs',
    'retryCount',
    'retryMs',
    'maximumPerMinute',
    'tags',
  ]);
  const whole = (name: string, min: number, max: number): number | undefined => {
    const value = settings.value(name);
    if (value === undefined) return undefined;
    if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value;
    throw new InputError(`${name} must be a whole number of ${min} to ${max}`);
  };
  const tags = settings.value('tags');
  if (tags !== undefined && !(isJsonObject(tags) && Object.values(tags).every(isText))) {
    throw new InputError('tags must be an object of texts');
  }
  const devices = settings.value('devices') === undefined ? undefined : settings.list('devices');
  return present({
    devices: devices?.map(readIdentity),
    needPush: settings.boolean('needPush'),
    needConfirm: settings.boolean('needConfirm'),
    protocol: settings.choice('protocol', ['HTTPS', 'MQTT']),
    srcVersions: settings.list('srcVersions').filter(isText),
    overwrite: settings.boolean('overwrite'),
    multiModule: settings.boolean('multiModule'),
    timeoutMs: whole('timeoutMs', 1, DAY_MS),
    retryCount: whole('retryCount', 0, 5),
    retryMs: whole('retryMs', 0, DAY_MS),
    maximumPerMinute: whole('maximumPerMinute', 1, 10_000),
    tags: tags as Record<string, string> | undefined,
  });
}

function readIdentity(entry: Json): DeviceIdentity {
  const { productKey, deviceName } = isJsonObject(entry) ? entry : {};
  if (!isText(productKey) || !isText(deviceName)) {
    throw new InputError('a device has productKey and deviceName');
  }
  return { productKey, deviceName };
}

function readObject(input: Json, known: readonly string[]): JsonObject {
  const object = isJsonObject(input) ? input : {};
  const unknown = Object.keys(object).find((name) => !known.includes(name));
  if (unknown !== undefined) throw new InputError(`${unknown} is unknown; known are ${known.join(', ')}`);
  return object;
}

function isText(value: Json | undefined): value is string {
  return typeof value === 'string';
}

function ok(body: unknown): PanelAnswer {
  return { status: 200, body };
}
