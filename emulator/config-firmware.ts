import { statSync } from 'node:fs';
import type { Json } from '../protocol';
import { ConfigError, present, Reader } from './config-reader';
import type { NewFirmware, NewFirmwareFile } from './ota/api';

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/** A product's remote configuration at the start. */
export interface ConfiguredContent {
  enabled?: boolean;
  content?: Json;
}

const DESCRIPTION = [
  'version',
  'module',
  'isDiff',
  'srcVersion',
  'name',
  'description',
  'signMethod',
  'udi',
  'needsVerification',
];

/** A firmware package of a configuration file. @throws ConfigError */
export function readFirmware(entry: Json, productKey: string, path: string): NewFirmware {
  const firmware = new Reader(entry, path, [...DESCRIPTION, 'files']);
  const files = firmware.list('files').map((file, i) => readFile(file, `${path}.files[${i}]`));
  if (files.length === 0) throw new ConfigError(`${path}.files`, 'must have a file');
  return { ...describe(firmware), productKey, files };
}

/** The same without its files. @throws ConfigError */
export function describeFirmware(entry: Json, path: string): Omit<NewFirmware, 'productKey' | 'files'> {
  return describe(new Reader(entry, path, DESCRIPTION));
}

function describe(firmware: Reader): Omit<NewFirmware, 'productKey' | 'files'> {
  return {
    version: firmware.text('version'),
    ...present({
      module: firmware.optionalText('module'),
      isDiff: firmware.boolean('isDiff'),
      srcVersion: firmware.optionalText('srcVersion'),
      name: firmware.optionalText('name'),
      description: firmware.optionalText('description'),
      signMethod: firmware.choice('signMethod', ['MD5', 'SHA256']),
      udi: firmware.optionalText('udi'),
      needsVerification: firmware.boolean('needsVerification'),
    }),
  };
}

/** The remote configuration of a product; what its content is, is judged when it is stored. @throws ConfigError */
export function readConfiguration(entry: Json | undefined, path: string): ConfiguredContent | undefined {
  if (entry === undefined) return undefined;
  const configuration = new Reader(entry, path, ['enabled', 'content']);
  return present({
    enabled: configuration.boolean('enabled'),
    content: configuration.value('content'),
  });
}

function readFile(entry: Json, path: string): NewFirmwareFile {
  const file = new Reader(entry, path, ['name', 'path', 'text', 'base64', 'size', 'seed']);
  const name = present({ name: file.optionalText('name') });
  const given = ['path', 'text', 'base64', 'size'].filter((field) => file.value(field) !== undefined);
  switch (given.length === 1 ? given[0] : undefined) {
    case 'path': {
      const where = file.text('path');
      try {
        if (!statSync(where).isFile()) throw new Error('is no file');
      } catch (thrown) {
        throw new ConfigError(`${path}.path`, thrown instanceof Error ? thrown.message : 'cannot be read');
      }
      return { ...name, path: where };
    }
    case 'text':
      return { ...name, content: file.text('text') };
    case 'base64': {
      const text = file.text('base64');
      if (!BASE64.test(text)) throw new ConfigError(`${path}.base64`, 'must be Base64');
      return { ...name, content: Buffer.from(text, 'base64') };
    }
    case 'size':
      return { ...name, size: whole(file, 'size', path), ...seedOf(file, path) };
    default:
      throw new ConfigError(path, 'must have one of path, text, base64 and size');
  }
}

function seedOf(file: Reader, path: string): { seed?: number } {
  return file.value('seed') === undefined ? {} : { seed: whole(file, 'seed', path) };
}

function whole(file: Reader, name: string, path: string): number {
  const value = file.value(name);
  if (typeof value === 'number' && Number.isSafeInteger(value) && value > 0) return value;
  throw new ConfigError(`${path}.${name}`, 'must be a whole number above 0');
}
