import { randomBytes } from 'node:crypto';
import type { DigestMethod } from '../files/content';
import type { ServedFile } from '../files/served-file';
import { OtaError } from './ota-error';

/** The module that stands for the whole device (G.2). */
export const DEFAULT_MODULE = 'default';
const VERSION = /^[\w.-]{1,64}$/;
const MODULE_NAME = /^[\w.-]{1,64}$/;
const FILE_NAME = /^[\w.-]{1,64}$/;
const MOST_FILES = 20;
const MOST_MODULES = 100;

/** Whether a batch may use it: as the API tells it. */
export const VERIFICATION = { notNeeded: -1, none: 0, done: 1, running: 2, failed: 3 } as const;
export type Verification = (typeof VERIFICATION)[keyof typeof VERIFICATION];

/** A firmware package as it is described. */
export interface FirmwareSettings {
  productKey: string;
  version: string;
  module: string;
  /** A difference package, for devices of `srcVersion` only. */
  isDiff: boolean;
  srcVersion: string | undefined;
  name: string;
  description: string;
  signMethod: DigestMethod;
  /** Text of the operator's own, for the devices; `_package_udi` of the offer. */
  udi: string | undefined;
  needsVerification: boolean;
}

/** A firmware package with its files. */
export class Firmware {
  verification: Verification;
  changedAt: number;

  constructor(
    readonly settings: FirmwareSettings,
    /** At least one. */
    readonly files: readonly ServedFile[],
    readonly createdAt: number,
    readonly firmwareId: string = randomBytes(12).toString('hex'),
  ) {
    this.verification = settings.needsVerification ? VERIFICATION.none : VERIFICATION.notNeeded;
    this.changedAt = createdAt;
  }

  get size(): number {
    return this.files.reduce((sum, { content }) => sum + content.size, 0);
  }

  verified(how: Verification, now: number): void {
    this.verification = how;
    this.changedAt = now;
  }
}

/** A part of a device with firmware of its own. */
export interface FirmwareModule {
  name: string;
  alias: string;
  description: string;
  createdAt: number;
  changedAt: number;
}

/** @throws OtaError for a description that no package can have */
export function checkFirmware(settings: FirmwareSettings, fileNames: readonly string[]): void {
  const { version, module, isDiff, srcVersion, udi = '' } = settings;
  const wrong = (message: string) => new OtaError('InvalidFirmware', message);
  if (!VERSION.test(version)) throw wrong('the version has 1 to 64 letters, digits, points, - or _');
  if (!MODULE_NAME.test(module))
    throw wrong('the name of the module has 1 to 64 letters, digits, points, - or _');
  if (isDiff && srcVersion === undefined)
    throw wrong('a difference package names the version that it is for');
  if (udi.length > 4096) throw wrong('the custom information is longer than 4,096 characters');
  if (fileNames.length === 0 || fileNames.length > MOST_FILES)
    throw wrong(`a package has 1 to ${MOST_FILES} files`);
  if (!fileNames.every((name) => FILE_NAME.test(name) && !/^\.+$/.test(name))) {
    throw wrong('a file name has 1 to 64 letters, digits, points, - or _');
  }
  if (new Set(fileNames).size < fileNames.length) throw wrong('two files have the same name');
}

/** Packages of all products, and the modules of each. */
export class FirmwareStore {
  private readonly firmwares = new Map<string, Firmware>();
  private readonly modules = new Map<string, Map<string, FirmwareModule>>();

  constructor(private readonly most: number) {}

  /** Latest first. */
  list(): Firmware[] {
    return [...this.firmwares.values()].reverse();
  }

  get(firmwareId: string): Firmware | undefined {
    return this.firmwares.get(firmwareId);
  }

  /** @throws OtaError when there are too many, or one of this version for the same module */
  add(firmware: Firmware): void {
    const { productKey, version, module, srcVersion } = firmware.settings;
    if (this.firmwares.size >= this.most)
      throw new OtaError('ExceedLimit', `more than ${this.most} packages`);
    for (const { settings } of this.firmwares.values()) {
      const same = settings.productKey === productKey && settings.module === module;
      if (same && settings.version === version && settings.srcVersion === srcVersion) {
        throw new OtaError('FirmwareExists', `there is a package of version ${version} already`);
      }
    }
    if (module !== DEFAULT_MODULE) this.module(productKey, module, firmware.createdAt);
    this.firmwares.set(firmware.firmwareId, firmware);
  }

  remove(firmware: Firmware): void {
    this.firmwares.delete(firmware.firmwareId);
  }

  modulesOf(productKey: string): FirmwareModule[] {
    return [...(this.modules.get(productKey)?.values() ?? [])];
  }

  /** A module of a product, made when it is missing. @throws OtaError when there are too many or no such name can be */
  module(productKey: string, name: string, now: number): FirmwareModule {
    const known = this.modules.get(productKey) ?? new Map<string, FirmwareModule>();
    const found = known.get(name);
    if (found !== undefined) return found;
    if (!MODULE_NAME.test(name))
      throw new OtaError('InvalidModule', 'a module has a name of 1 to 64 characters');
    if (known.size >= MOST_MODULES) throw new OtaError('ExceedLimit', `more than ${MOST_MODULES} modules`);
    const made = { name, alias: '', description: '', createdAt: now, changedAt: now };
    known.set(name, made);
    this.modules.set(productKey, known);
    return made;
  }

  forgetModules(productKey: string): void {
    this.modules.delete(productKey);
  }

  /** @throws OtaError while a package is for it */
  removeModule(productKey: string, name: string): boolean {
    for (const { settings } of this.firmwares.values()) {
      if (settings.productKey !== productKey || settings.module !== name) continue;
      throw new OtaError('ModuleInUse', 'there is a package for the module');
    }
    return this.modules.get(productKey)?.delete(name) ?? false;
  }
}
