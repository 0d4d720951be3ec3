import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type DeviceIdentity, type Json, parseJson } from '../../protocol';
import { AlinkError } from '../errors';
import { thingFileName, writeDurably } from '../thing-file';

/** Which state of a thing: of its remote configuration, or of a gateway's model configuration. */
export type ConfigurationKind = 'remote' | 'model';

/** Keeps configurations, so that they are found again after a restart. */
export interface ConfigurationStore {
  /**
   * @param platformKey tells platforms apart, because the same names may exist on several
   * @returns undefined when nothing was stored
   * @throws AlinkError `configurationStorage` when something was stored and cannot be read
   */
  read(kind: ConfigurationKind, identity: DeviceIdentity, platformKey: string): Promise<Json | undefined>;
  /** Resolves when it is safely on disk. @throws AlinkError `configurationStorage` */
  write(kind: ConfigurationKind, identity: DeviceIdentity, platformKey: string, state: Json): Promise<void>;
}

/**
 * One file per thing and kind, readable by its owner alone, written atomically and flushed to disk.
 * @param folder is created when the first is written
 */
export function fileConfigurationStore(folder: string): ConfigurationStore {
  const fileOf = (...[kind, identity, platformKey]: Parameters<ConfigurationStore['read']>) =>
    join(folder, kind, thingFileName(identity, platformKey));
  return {
    read: async (...of) => {
      const file = fileOf(...of);
      try {
        return parseJson(await readFile(file, 'utf8'));
      } catch (cause) {
        if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw storageError('the kept configuration could not be read', file, cause);
      }
    },
    write: async (kind, identity, platformKey, state) => {
      const file = fileOf(kind, identity, platformKey);
      try {
        await writeDurably(file, JSON.stringify(state));
      } catch (cause) {
        throw storageError('the configuration could not be kept', file, cause);
      }
    },
  };
}

function storageError(message: string, file: string, cause: unknown): AlinkError {
  const reason =
    cause instanceof Error ? ((cause as NodeJS.ErrnoException).code ?? cause.message) : String(cause);
  return new AlinkError('configurationStorage', `${message}: ${file}: ${reason}`, {
    cause,
    details: { file, reason },
  });
}
