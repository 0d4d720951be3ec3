import { resolve } from 'node:path';
import type { Node, NodeAPI, NodeDef } from 'node-red';
import type { DownloadOptions } from '../../sdk';
import { expandText, readNumber } from '../shared/config';
import { moduleSetting, userDirOf } from '../shared/firmware-things';
import { readHosts } from '../shared/hosts';
import { VERSION_SOURCES, type VersionSource } from './version';

export interface OtaInDef extends NodeDef {
  device: string;
  /** Blank: every module; asked for is the default one. */
  module: string;
  /** `offer`: hands offers on as they are; `download`: loads and checks the files first. */
  work: 'offer' | 'download';
  /** Where files go; relative to the user directory. */
  folder: string;
  /** Blank: no limit. */
  mostMegabytes: string;
  /** Host names that files may come from; blank: any. */
  hosts: string;
  /** Versions that stay besides the newest. */
  keep: string;
  /** An offer is given to the flow so often at most. */
  attempts: string;
  askOnStart: boolean;
  /** `get`: thing/ota/firmware/get; `request`: the old topic, which wants to know the running version. */
  askBy: 'get' | 'request';
  /** The running version. */
  version: string;
  versionType: VersionSource;
  /** Messages with the progress of downloads too. */
  progressMessages: boolean;
  /** At a gateway: offers to its sub-devices too. */
  subDevices: boolean;
}

export interface OtaInSettings {
  module: string | undefined;
  work: 'offer' | 'download';
  download: Pick<DownloadOptions, 'mostBytes' | 'hosts' | 'keepVersions'> & { folder: string };
  attempts: number;
  askOnStart: boolean;
  askBy: 'get' | 'request';
  version: string;
  versionType: VersionSource;
  progressMessages: boolean;
  subDevices: boolean;
}

const DEFAULT_FOLDER = 'alink/firmware';
const DEFAULT_ATTEMPTS = 3;

/** @throws AlinkError `badSettings` naming the field */
export function readSettings(RED: NodeAPI, node: Node, def: OtaInDef): OtaInSettings {
  const text = (value: unknown) => expandText(RED, node, value);
  const megabytes = readNumber(text(def.mostMegabytes), 'mostMegabytes', { min: 0.001, max: 1_000_000 });
  const keep = readNumber(text(def.keep), 'keep', { min: 0, max: 100 });
  const attempts = readNumber(text(def.attempts), 'attempts', { min: 1, max: 100 });
  const hosts = readHosts(text(def.hosts));
  return {
    module: moduleSetting(text(def.module)),
    work: def.work === 'offer' ? 'offer' : 'download',
    download: {
      folder: resolve(userDirOf(RED), text(def.folder) || DEFAULT_FOLDER),
      ...(megabytes === undefined ? {} : { mostBytes: Math.floor(megabytes * 1_000_000) }),
      ...(hosts.length === 0 ? {} : { hosts }),
      ...(keep === undefined ? {} : { keepVersions: Math.floor(keep) }),
    },
    attempts: Math.floor(attempts ?? DEFAULT_ATTEMPTS),
    askOnStart: def.askOnStart !== false,
    askBy: def.askBy === 'request' ? 'request' : 'get',
    version: String(def.version ?? ''),
    versionType: VERSION_SOURCES.find((source) => source === def.versionType) ?? 'none',
    progressMessages: def.progressMessages === true,
    subDevices: def.subDevices === true,
  };
}
