import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { type Json, type ThingModel, ThingModelError } from '../protocol';
import { AlinkError } from './errors';
import { sharedThingModel } from './shared-thing-models';
import type { DeviceOptions, LogLine } from './types';

/** What each cache file holds: devices of one product share it, and it need be written for one of them only. */
const cached = new Map<string, WeakRef<ThingModel>>();

/**
 * The thing model of one device: given, or fetched after connecting and kept on disk so that it is known while
 * offline (section I; B.1 row 17).
 */
export class DeviceThingModel {
  #model: ThingModel | undefined;
  readonly #cacheFile: string | undefined;
  readonly fetched: boolean;
  /** Pending while the cache is being read; reports wait for it, or the first ones would go unchecked. */
  loading: Promise<void> | undefined;

  /** @throws AlinkError `badSettings` when the document given is not a thing model */
  constructor(
    options: DeviceOptions['thingModel'],
    private readonly log: (line: LogLine) => void,
  ) {
    this.fetched = options?.fetch === true;
    this.#cacheFile = options?.cacheFile;
    if (options?.document !== undefined) this.#model = readDocument(options.document);
    else if (this.#cacheFile !== undefined) this.loading = this.#loadCache(this.#cacheFile);
  }

  get model(): ThingModel | undefined {
    return this.#model;
  }

  /** Reads what an earlier run fetched; a damaged file is only as good as none. */
  async #loadCache(file: string): Promise<void> {
    try {
      const model = sharedThingModel(await readFile(file, 'utf8'));
      cached.set(file, new WeakRef(model));
      this.#model ??= model;
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return;
      this.log({ level: 'warn', event: 'thingModelCache', details: { reason: String(cause) } });
    } finally {
      this.loading = undefined;
    }
  }

  /** Takes what the platform answered and keeps it for the next start. */
  async refresh(document: Json): Promise<void> {
    try {
      const model = sharedThingModel(document);
      this.#model = model;
      const file = this.#cacheFile;
      if (file === undefined || cached.get(file)?.deref() === model) return;
      cached.set(file, new WeakRef(model));
      await mkdir(dirname(file), { recursive: true });
      await writeFileAtomic(file, JSON.stringify(model.document), { mode: 0o600 });
    } catch (cause) {
      if (this.#cacheFile !== undefined) cached.delete(this.#cacheFile);
      this.log({ level: 'warn', event: 'thingModelRefused', details: { reason: String(cause) } });
    }
  }
}

function readDocument(document: Json): ThingModel {
  try {
    return sharedThingModel(document);
  } catch (cause) {
    const reason = cause instanceof ThingModelError ? cause.message : String(cause);
    throw new AlinkError('badSettings', `the thing model cannot be used: ${reason}`, {
      cause,
      details: { field: 'thingModel', reason },
    });
  }
}
