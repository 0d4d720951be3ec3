import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Node, NodeAPI } from 'node-red';
import { badSettings, readValue } from '../shared/config';
import { isFirmwareName, userDirOf } from '../shared/firmware-things';
import type { ThingFirmware } from '../shared/thing-firmware';

/**
 * Where the running version comes from: `none`: another node reports it; `remembered`: the one that was reported
 * last, the text as long as there is none; `file`: the first line of one.
 */
export const VERSION_SOURCES = [
  'none',
  'remembered',
  'str',
  'env',
  'file',
  'flow',
  'global',
  'jsonata',
] as const;

export type VersionSource = (typeof VERSION_SOURCES)[number];

/** Longer than any first line that is a version. */
const READ_BYTES = 4096;

/**
 * The version that runs.
 * @returns undefined when this node does not say it
 * @throws AlinkError when it cannot be learned or is none
 */
export async function runningVersion(
  RED: NodeAPI,
  node: Node,
  { version, versionType }: { version: string; versionType: VersionSource },
  firmware: ThingFirmware,
  module: string,
): Promise<string | undefined> {
  if (versionType === 'none') return undefined;
  const value = await read();
  const text = typeof value === 'number' ? String(value) : typeof value === 'string' ? value.trim() : '';
  if (text === '' && versionType === 'remembered') return undefined;
  if (isFirmwareName(text)) return text;
  throw badSettings('version', 'the running version is no text of 1–64 characters', 'badVersion');

  function read(): Promise<unknown> | unknown {
    switch (versionType) {
      case 'remembered':
        return firmware.reportedVersion(module) ?? version;
      case 'file':
        return firstLine(resolve(userDirOf(RED), version));
      case 'str':
        // `${NAME}` in it is expanded as everywhere.
        return version.includes('${') ? readValue(RED, node, version, 'env', {}) : version;
      case 'none':
        return undefined;
      default:
        return readValue(RED, node, version, versionType, {});
    }
  }
}

async function firstLine(path: string): Promise<string> {
  try {
    const handle = await open(path, 'r');
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(READ_BYTES), 0, READ_BYTES, 0);
      const [line = ''] = buffer.toString('utf8', 0, bytesRead).trimStart().split(/\r?\n/, 1);
      return line.trim();
    } finally {
      await handle.close();
    }
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? String(cause);
    throw badSettings('version', `the file with the version cannot be read: ${reason}`, 'versionFile', {
      value: `${reason}: ${path}`,
    });
  }
}
