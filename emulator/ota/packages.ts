import { createHash } from 'node:crypto';
import { type Content, digestOf } from '../files/content';
import type { Platform } from '../platform';
import { checkFirmware, Firmware, type FirmwareSettings } from './firmware';
import { OtaError } from './ota-error';

/** A file of a package that somebody adds. */
export interface PackageFile {
  name: string;
  content: Content;
  /** What whoever adds it says that its digest is. */
  statedDigest?: string | undefined;
  statedSize?: number | undefined;
}

/**
 * Adds a firmware package. Its digests are taken meanwhile, seconds for a gigabyte.
 * @throws OtaError
 */
export async function addFirmware(
  platform: Platform,
  settings: FirmwareSettings,
  files: readonly PackageFile[],
): Promise<Firmware> {
  checkFirmware(
    settings,
    files.map(({ name }) => name),
  );
  if (!platform.registry.products.has(settings.productKey)) {
    throw new OtaError('InvalidFirmware', `there is no product ${settings.productKey}`);
  }
  const most = platform.limits.firmwareFileBytes;
  for (const { name, content, statedSize } of files) {
    const { size } = content;
    if (size === 0 || size > most)
      throw new OtaError('InvalidFirmware', `${name} has ${size} bytes, not 1 to ${most}`);
    if (statedSize !== undefined && statedSize !== size) {
      throw new OtaError('InvalidFirmware', `${name} has ${size} bytes, not ${statedSize}`);
    }
  }
  const memory = files.reduce((sum, { content }) => sum + content.memoryBytes, 0);
  if (!platform.firmwareBudget.claim(memory)) {
    throw new OtaError('ExceedLimit', 'the emulator keeps no more firmware in memory');
  }
  try {
    const digested: Array<PackageFile & { digest: string }> = [];
    for (const file of files) {
      const digest = await digestOf(file.content, settings.signMethod);
      const { statedDigest } = file;
      if (statedDigest !== undefined && statedDigest.toLowerCase() !== digest) {
        throw new OtaError('InvalidFirmware', `the ${settings.signMethod} of ${file.name} is ${digest}`);
      }
      digested.push({ ...file, digest });
    }
    const served = digested.map(({ name, content, digest }) =>
      platform.files.add({ name, content, digest, purpose: 'ota.upgrade' }),
    );
    const firmware = new Firmware(settings, served, platform.clock());
    try {
      platform.ota.firmwares.add(firmware);
    } catch (thrown) {
      for (const { fileId } of served) platform.files.remove(fileId);
      throw thrown;
    }
    return firmware;
  } catch (thrown) {
    platform.firmwareBudget.release(memory);
    throw thrown;
  }
}

/** A name for the file of a package that came without one. */
export function fileNameOf(settings: { module: string; version: string }, index: number): string {
  const name = `${settings.module}-${settings.version}${index === 0 ? '' : `-${index}`}.bin`;
  if (name.length <= 64) return name;
  return `${createHash('sha256').update(name).digest('hex').slice(0, 40)}.bin`;
}
