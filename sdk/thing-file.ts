import { createHash } from 'node:crypto';
import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import type { DeviceIdentity } from '../protocol';

/**
 * Name of a file that belongs to one thing on one platform. It is there to be recognised, the digest in it to be
 * unique: file systems forbid and fold letters, and a name that was cut or folded would give one device what belongs
 * to another.
 */
export function thingFileName({ productKey, deviceName }: DeviceIdentity, platformKey: string): string {
  const digest = createHash('sha256')
    .update(JSON.stringify([platformKey, productKey, deviceName]))
    .digest('hex');
  const readable = `${productKey}~${deviceName}`.replace(/[^A-Za-z0-9~-]/g, '_').slice(0, 80);
  return `${readable}~${digest.slice(0, 32)}.json`;
}

/** Writes a file that only its owner may read; when it resolves the file survives a power cut. */
export async function writeDurably(file: string, text: string): Promise<void> {
  const folder = dirname(file);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFileAtomic(file, text, { mode: 0o600, fsync: true });
  await flushFolder(folder);
}

// The new name is durable only when the folder is, which not every file system lets one ask for.
async function flushFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code !== 'EINVAL' && code !== 'ENOTSUP' && code !== 'EPERM') throw cause;
  } finally {
    await handle.close();
  }
}
