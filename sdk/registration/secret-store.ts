import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type DeviceIdentity, isJsonObject, type JsonObject, parseJson } from '../../protocol';
import { AlinkError } from '../errors';
import { thingFileName, writeDurably } from '../thing-file';

/** What dynamic registration gave; the platform gives it only once. */
export type StoredSecret = { deviceSecret: string } | { clientId: string; deviceToken: string };

/** Keeps what registration gave, so that it is found again after a restart. */
export interface SecretStore {
  /**
   * @param platformKey tells platforms apart, because the same names may exist on several
   * @returns undefined when nothing was stored
   * @throws AlinkError `secretStore` when something was stored and cannot be read
   */
  read(identity: DeviceIdentity, platformKey: string): Promise<StoredSecret | undefined>;
  /** Resolves when the secret is safely on disk. @throws AlinkError `secretStore` */
  write(identity: DeviceIdentity, platformKey: string, secret: StoredSecret): Promise<void>;
}

/**
 * One file per device, readable by its owner alone, written atomically and flushed to disk.
 * @param folder is created when the first secret is written
 */
export function fileSecretStore(folder: string): SecretStore {
  return {
    read: async (identity, platformKey) => {
      const file = join(folder, thingFileName(identity, platformKey));
      let text: string;
      try {
        text = await readFile(file, 'utf8');
      } catch (cause) {
        if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw storeError('the stored secret could not be read', file, cause);
      }
      const secret = parseSecret(text, identity);
      // A broken file is not taken for a missing one: registering again may be refused for good.
      if (secret === undefined) throw storeError('the file with the stored secret is damaged', file);
      return secret;
    },
    write: async (identity, platformKey, secret) => {
      const file = join(folder, thingFileName(identity, platformKey));
      const { productKey, deviceName } = identity;
      const text = JSON.stringify({ productKey, deviceName, platform: platformKey, ...secret });
      try {
        await writeDurably(file, text);
      } catch (cause) {
        throw storeError('the secret could not be stored', file, cause);
      }
    },
  };
}

/** Reads a secret or token from what the platform or a file gives. @returns undefined when there is none */
export function asSecret({ deviceSecret, clientId, deviceToken }: JsonObject): StoredSecret | undefined {
  if (isText(deviceToken) && isText(clientId) && !clientId.includes('|')) return { clientId, deviceToken };
  return isText(deviceSecret) ? { deviceSecret } : undefined;
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= 1024;
}

function parseSecret(text: string, identity: DeviceIdentity): StoredSecret | undefined {
  try {
    const body = parseJson(text);
    if (!isJsonObject(body)) return undefined;
    const same = body.productKey === identity.productKey && body.deviceName === identity.deviceName;
    return same ? asSecret(body) : undefined;
  } catch {
    return undefined; // reported as damaged by the caller
  }
}

function storeError(message: string, file: string, cause?: unknown): AlinkError {
  const reason = cause instanceof Error ? ((cause as NodeJS.ErrnoException).code ?? cause.message) : message;
  return new AlinkError('secretStore', `${message}: ${file}`, { cause, details: { file, reason } });
}
