import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { type DeviceIdentity, isJsonObject, parseJson } from '../../protocol';
import { AlinkError } from '../errors';

/** What dynamic registration gave; the platform gives it only once. */
export type StoredSecret = { deviceSecret: string } | { clientId: string; deviceToken: string };

/** Keeps what registration gave, so that it is found again after a restart. */
export interface SecretStore {
  /** @param platformKey tells platforms apart, because the same names may exist on several */
  read(identity: DeviceIdentity, platformKey: string): Promise<StoredSecret | undefined>;
  /** Resolves when the secret is safely on disk. */
  write(identity: DeviceIdentity, platformKey: string, secret: StoredSecret): Promise<void>;
}

/**
 * One file per device, readable by its owner alone, written atomically and flushed to disk.
 * @param folder is created when the first secret is written
 */
export function fileSecretStore(folder: string): SecretStore {
  const fileOf = (identity: DeviceIdentity, platformKey: string) =>
    join(
      folder,
      `${[platformKey, identity.productKey, identity.deviceName].map(fileNamePart).join('~')}.json`,
    );
  return {
    read: async (identity, platformKey) => {
      const file = fileOf(identity, platformKey);
      let text: string;
      try {
        text = await readFile(file, 'utf8');
      } catch (cause) {
        if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw storeError('the stored secret could not be read', file, cause);
      }
      // A broken file is not taken for a missing one: registering again may be refused for good.
      return parseSecret(text) ?? fail(storeError('the file with the stored secret is damaged', file));
    },
    write: async (identity, platformKey, secret) => {
      const file = fileOf(identity, platformKey);
      try {
        await mkdir(folder, { recursive: true, mode: 0o700 });
        await writeFileAtomic(file, JSON.stringify(secret), { mode: 0o600, fsync: true });
      } catch (cause) {
        throw storeError('the secret could not be stored', file, cause);
      }
    },
  };
}

function parseSecret(text: string): StoredSecret | undefined {
  try {
    const body = parseJson(text);
    if (!isJsonObject(body)) return undefined;
    const { deviceSecret, clientId, deviceToken } = body;
    if (typeof deviceSecret === 'string' && deviceSecret !== '') return { deviceSecret };
    if (typeof clientId === 'string' && typeof deviceToken === 'string' && deviceToken !== '') {
      return { clientId, deviceToken };
    }
    return undefined;
  } catch {
    return undefined; // reported as damaged by the caller
  }
}

// Letters that file systems fold or forbid are written as their code, so that names cannot meet or escape.
function fileNamePart(text: string): string {
  return text.replace(/[^a-z0-9-]/g, (char) => `_${char.codePointAt(0)?.toString(16)}_`).slice(0, 120);
}

function storeError(message: string, file: string, cause?: unknown): AlinkError {
  const reason = cause instanceof Error ? ((cause as NodeJS.ErrnoException).code ?? cause.message) : message;
  return new AlinkError('secretStore', `${message}: ${file}`, { cause, details: { file, reason } });
}

function fail(error: Error): never {
  throw error;
}
