import { createHash } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { type DeviceIdentity, isJsonObject, type Json, parseJson } from '../../protocol';
import { failure, storageError } from './failure';
import { thingFolder } from './names';
import { DEFAULT_MODULE, type DownloadedFirmware, type FirmwareOffer } from './types';

/** How far an update came (G.4); `failed`: it was applied, and another version runs all the same, or it was told so. */
export type UpdatePhase = 'offered' | 'downloaded' | 'applying' | 'failed';

/** An update that has not taken effect yet. */
export interface FirmwareUpdate {
  version: string;
  phase: UpdatePhase;
  /** How often it was applied or failed. */
  attempts: number;
  /** What was loaded, from phase `downloaded` on. */
  files: DownloadedFirmware['files'];
  /** ms since 1970. */
  changedAt: number;
}

/** What is known of one module over restarts. */
export interface ModuleFirmware {
  module: string;
  /** As it was confirmed last. */
  running?: string;
  /** The version that the platform was told last. */
  reported?: string;
  update?: FirmwareUpdate;
}

/**
 * What a start finds out about a module. `updated`: the update took effect; `failed`: it was being applied and did not;
 * `changed`: another version runs for other reasons; `same`: nothing happened.
 */
export interface StartResult {
  result: 'updated' | 'failed' | 'changed' | 'same';
  /** The version that runs. */
  version: string;
  /** The one that should run, of result `failed`. */
  expected?: string;
}

/** An update with what tells its files from others of the same version. */
interface StoredUpdate extends FirmwareUpdate {
  content: string;
}

interface StoredModule extends ModuleFirmware {
  update?: StoredUpdate;
}

const FORMAT = 1;
const MOST_MODULES = 200;
const MOST_ATTEMPTS = 3;
const PHASES: ReadonlyMap<Json | undefined, UpdatePhase> = new Map(
  (['offered', 'downloaded', 'applying', 'failed'] as const).map((phase) => [phase, phase]),
);

const opened = new Map<string, Promise<FirmwareState>>();

/**
 * What a thing knows of its firmware, kept in a file of its own below the folder. All users of a thing in this process
 * share one. A damaged file counts as none: the platform is told the version at each start anyway.
 * @throws AlinkError `firmwareStorage`
 */
export function openFirmwareState(folder: string, identity: DeviceIdentity): Promise<FirmwareState> {
  const path = resolve(join(folder, `${thingFolder(identity)}.json`));
  const known = opened.get(path);
  if (known) return known;
  const opening = FirmwareState.read(folder, path);
  opened.set(path, opening);
  opening.catch(() => opened.delete(path));
  return opening;
}

/** State of the firmware of one thing: outlives restarts, and ends the loop of an update that never takes effect. */
export class FirmwareState {
  readonly #modules: Map<string, StoredModule>;
  #saving: Promise<void> = Promise.resolve();

  private constructor(
    private readonly folder: string,
    private readonly path: string,
    modules: readonly StoredModule[],
  ) {
    this.#modules = new Map(modules.map((entry) => [entry.module, entry]));
  }

  static async read(folder: string, path: string): Promise<FirmwareState> {
    try {
      return new FirmwareState(folder, path, parseState(await readFile(path, 'utf8')));
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return new FirmwareState(folder, path, []);
      throw storageError(thrown);
    }
  }

  modules(): ModuleFirmware[] {
    return [...this.#modules.values()].map(copy);
  }

  of(module = DEFAULT_MODULE): ModuleFirmware | undefined {
    const entry = this.#modules.get(module);
    return entry && copy(entry);
  }

  /** Modules with an update that was under way when the process ended, or with a version that nobody was told. */
  pending(): ModuleFirmware[] {
    return this.modules().filter(
      ({ running, reported, update }) =>
        (update !== undefined && update.phase !== 'failed') ||
        (running !== undefined && running !== reported),
    );
  }

  /**
   * An offer is about to be followed.
   * @param mostAttempts so often the same files may fail to take effect
   * @throws AlinkError `firmwareGivenUp` with the step to report for one that was tried too often; `firmwareStorage`
   */
  async offered(offer: FirmwareOffer, mostAttempts = MOST_ATTEMPTS): Promise<FirmwareUpdate> {
    const { module, version } = offer;
    const content = contentOf(offer);
    const before = this.#modules.get(module)?.update;
    const isSame = before !== undefined && before.version === version && before.content === content;
    const attempts = isSame ? before.attempts : 0;
    if (attempts >= mostAttempts) {
      const reason = `version ${version} was tried ${attempts} times and never took effect`;
      throw failure('firmwareGivenUp', -1, reason, { details: { module, version, attempts } });
    }
    const update = {
      version,
      content,
      phase: 'offered',
      attempts,
      files: [],
      changedAt: Date.now(),
    } as const;
    const kept = isSame && before.phase === 'downloaded' ? before : update;
    await this.#set(module, { update: kept });
    return copyUpdate(kept);
  }

  /** All files of an offer are there and checked. @throws AlinkError `firmwareStorage` */
  async downloaded({ offer, files }: DownloadedFirmware): Promise<void> {
    const { module, version } = offer;
    const content = contentOf(offer);
    const before = this.#modules.get(module)?.update;
    const attempts = before?.version === version && before.content === content ? before.attempts : 0;
    const update: StoredUpdate = {
      version,
      content,
      phase: 'downloaded',
      attempts,
      files,
      changedAt: Date.now(),
    };
    await this.#set(module, { update });
  }

  /**
   * The update is applied from now on, and the process may end at any moment. Resolves when that is on the disk.
   * @returns undefined when there is no update of this module
   * @throws AlinkError `firmwareStorage`
   */
  async applying(module = DEFAULT_MODULE): Promise<FirmwareUpdate | undefined> {
    return this.#advance(module, 'applying');
  }

  /** Loading or applying it failed. @throws AlinkError `firmwareStorage` */
  async failed(module = DEFAULT_MODULE): Promise<FirmwareUpdate | undefined> {
    // What was applied has been counted.
    const { phase } = this.#modules.get(module)?.update ?? {};
    return this.#advance(module, 'failed', phase === 'applying' ? 0 : 1);
  }

  /** The version that runs, told at each start. @throws AlinkError `firmwareStorage` */
  async confirm(version: string, module = DEFAULT_MODULE): Promise<StartResult> {
    const { running, update, reported } = this.#modules.get(module) ?? {};
    if (update?.version === version) {
      this.#modules.set(module, {
        module,
        running: version,
        ...(reported === undefined ? {} : { reported }),
      });
      await this.#save();
      return { result: 'updated', version };
    }
    const failed = update?.phase === 'applying';
    await this.#set(module, {
      running: version,
      ...(failed ? { update: { ...update, phase: 'failed', changedAt: Date.now() } } : {}),
    });
    if (failed) return { result: 'failed', version, expected: update.version };
    return { result: running === undefined || running === version ? 'same' : 'changed', version };
  }

  /** The platform has been told this version. @throws AlinkError `firmwareStorage` */
  async reported(version: string, module = DEFAULT_MODULE): Promise<void> {
    if (this.#modules.get(module)?.reported !== version) await this.#set(module, { reported: version });
  }

  /** Forgets updates of a module, also how often they failed. @throws AlinkError `firmwareStorage` */
  async forget(module = DEFAULT_MODULE): Promise<void> {
    if (this.#modules.delete(module)) await this.#save();
  }

  async #advance(module: string, phase: UpdatePhase, more = 1): Promise<FirmwareUpdate | undefined> {
    const before = this.#modules.get(module)?.update;
    if (before === undefined) return undefined;
    const update = { ...before, phase, attempts: before.attempts + more, changedAt: Date.now() };
    await this.#set(module, { update });
    return copyUpdate(update);
  }

  async #set(module: string, changes: Partial<StoredModule>): Promise<void> {
    const before = this.#modules.get(module);
    // Names of modules come from the network.
    const [oldest] = this.#modules.keys();
    if (before === undefined && this.#modules.size >= MOST_MODULES && oldest !== undefined) {
      this.#modules.delete(oldest);
    }
    this.#modules.set(module, { ...before, ...changes, module });
    await this.#save();
  }

  /** One after the other, each with what is known by then. */
  #save(): Promise<void> {
    const write = async () => {
      try {
        await mkdir(this.folder, { recursive: true, mode: 0o700 });
        const text = JSON.stringify({ format: FORMAT, modules: [...this.#modules.values()] });
        await writeFileAtomic(this.path, text, { mode: 0o600, fsync: true });
      } catch (thrown) {
        throw storageError(thrown);
      }
    };
    const saving = this.#saving.then(write, write);
    this.#saving = saving;
    return saving;
  }
}

function contentOf({ files }: FirmwareOffer): string {
  const all = files.map(({ name, size, digest }) => [name, size, digest.method, digest.value]);
  return createHash('sha256').update(JSON.stringify(all)).digest('hex').slice(0, 32);
}

function copy({ update, ...entry }: StoredModule): ModuleFirmware {
  return update === undefined ? entry : { ...entry, update: copyUpdate(update) };
}

function copyUpdate({ content: _, ...update }: StoredUpdate): FirmwareUpdate {
  return update;
}

function parseState(text: string): StoredModule[] {
  try {
    const body = parseJson(text);
    if (!isJsonObject(body) || body.format !== FORMAT || !Array.isArray(body.modules)) return [];
    return body.modules
      .slice(0, MOST_MODULES)
      .map(parseModule)
      .filter((entry) => entry !== undefined);
  } catch {
    return []; // damaged, see above
  }
}

function parseModule(body: Json): StoredModule | undefined {
  if (!isJsonObject(body) || typeof body.module !== 'string') return undefined;
  const update = parseUpdate(body.update);
  return {
    module: body.module,
    ...(typeof body.running === 'string' ? { running: body.running } : {}),
    ...(typeof body.reported === 'string' ? { reported: body.reported } : {}),
    ...(update === undefined ? {} : { update }),
  };
}

function parseUpdate(body: Json | undefined): StoredUpdate | undefined {
  if (!isJsonObject(body)) return undefined;
  const { version, content, attempts, files, changedAt } = body;
  const phase = PHASES.get(body.phase);
  if (typeof version !== 'string' || typeof content !== 'string' || phase === undefined) return undefined;
  if (typeof attempts !== 'number' || typeof changedAt !== 'number' || !Array.isArray(files))
    return undefined;
  const read = files.flatMap((file) => {
    if (!isJsonObject(file)) return [];
    const { path, name, size } = file;
    return typeof path === 'string' && typeof name === 'string' && typeof size === 'number'
      ? [{ path, name, size }]
      : [];
  });
  return { version, content, phase, attempts, files: read, changedAt };
}
