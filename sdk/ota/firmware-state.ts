import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type DeviceIdentity, isJsonObject, type Json, parseJson } from '../../protocol';
import { thingFileName, writeDurably } from '../thing-file';
import { failure } from './failure';
import { DEFAULT_MODULE, type FirmwareOffer } from './types';

/** How far an update came (G.4); `failed`: it was applied, and another version was reported all the same. */
export type UpdatePhase = 'loading' | 'applying' | 'failed';

/** An update that was taken up, and of which the platform has not heard the end. */
export interface FirmwareUpdate {
  version: string;
  phase: UpdatePhase;
  /** How often it was applied. */
  attempts: number;
}

/** What is known of one module over restarts. */
export interface ModuleFirmware {
  module: string;
  /** The version that the platform was told last. */
  reported?: string;
  update?: FirmwareUpdate;
}

/**
 * What a reported version means. `updated`: the update took effect; `failed`: it was being applied and did not;
 * `changed`: another version than before, for other reasons; `same`: nothing happened.
 */
export interface ReportResult {
  result: 'updated' | 'failed' | 'changed' | 'same';
  /** The version that should run, of result `failed`. */
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
  (['loading', 'applying', 'failed'] as const).map((phase) => [phase, phase]),
);

const opened = new Map<string, Promise<FirmwareState>>();

/**
 * What is known of the firmware of one thing, kept in a file of its own below the folder. All users of a thing in this
 * process share one. What cannot be read counts for nothing: the version is reported at each start anyway, and an
 * update is at worst tried once more.
 * @param folder is created with the first entry
 * @param platformKey tells platforms apart, because the same names may exist on several
 */
export function openFirmwareState(
  folder: string,
  identity: DeviceIdentity,
  platformKey: string,
): Promise<FirmwareState> {
  const path = resolve(join(folder, thingFileName(identity, platformKey)));
  const known = opened.get(path);
  if (known) return known;
  const opening = FirmwareState.read(path, identity);
  opened.set(path, opening);
  return opening;
}

/**
 * State of the firmware of one thing: outlives restarts, and ends the loop of an update that never takes effect.
 * Methods that change something resolve when that is on the disk.
 */
export class FirmwareState {
  readonly #modules: Map<string, StoredModule>;
  #saving: Promise<void> = Promise.resolve();

  private constructor(
    private readonly path: string,
    private readonly identity: DeviceIdentity,
    modules: readonly StoredModule[],
  ) {
    this.#modules = new Map(modules.map((entry) => [entry.module, entry]));
  }

  static async read(path: string, identity: DeviceIdentity): Promise<FirmwareState> {
    // What keeps it from being read is told when it is written.
    const text = await readFile(path, 'utf8').catch(() => '');
    return new FirmwareState(path, identity, parseState(text));
  }

  modules(): ModuleFirmware[] {
    return [...this.#modules.values()].map(copy);
  }

  of(module = DEFAULT_MODULE): ModuleFirmware | undefined {
    const entry = this.#modules.get(module);
    return entry && copy(entry);
  }

  /** Modules of which an update is being loaded, or was when an earlier process ended: to be asked for. */
  loadingModules(): string[] {
    return this.modules().flatMap(({ module, update }) => (update?.phase === 'loading' ? [module] : []));
  }

  /**
   * An offer is taken up: its files are loaded from now on.
   * @param mostAttempts so often the same files may be applied without taking effect
   * @throws AlinkError `firmwareGivenUp` with the step to report for one that was tried too often; `firmwareStorage`
   */
  async loading(offer: FirmwareOffer, mostAttempts = MOST_ATTEMPTS): Promise<void> {
    const { module, version } = offer;
    const attempts = this.#attempts(offer);
    if (attempts >= mostAttempts) {
      const reason = `version ${version} was tried ${attempts} times and never took effect`;
      throw failure('firmwareGivenUp', -1, reason, { details: { module, version, attempts } });
    }
    await this.#update(offer, 'loading', attempts);
  }

  /**
   * The files are applied from now on, and the process may end at any moment: to be awaited before. Each call is an
   * attempt.
   * @throws AlinkError `firmwareStorage`
   */
  applying(offer: FirmwareOffer): Promise<void> {
    return this.#update(offer, 'applying', this.#attempts(offer) + 1);
  }

  /**
   * The platform has been told this version, which tells it, too, how the update ended (G.1).
   * @throws AlinkError `firmwareStorage`
   */
  async reported(version: string, module = DEFAULT_MODULE): Promise<ReportResult> {
    const { reported: before, update } = this.#modules.get(module) ?? {};
    if (update?.version === version) {
      await this.#set({ module, reported: version });
      return { result: 'updated' };
    }
    if (update?.phase === 'applying') {
      await this.#set({ module, reported: version, update: { ...update, phase: 'failed' } });
      return { result: 'failed', expected: update.version };
    }
    if (before === version) return { result: 'same' };
    await this.#set({ module, reported: version, ...(update && { update }) });
    return { result: before === undefined ? 'same' : 'changed' };
  }

  /**
   * The update failed and the platform was told so, or it shall be forgotten. The next offer is a new one, also of the
   * same files: whoever offers again what was told as failed means it.
   * @throws AlinkError `firmwareStorage`
   */
  async ended(module = DEFAULT_MODULE): Promise<void> {
    const { update, ...entry } = this.#modules.get(module) ?? {};
    if (update) await this.#set({ ...entry, module });
  }

  #attempts(offer: FirmwareOffer): number {
    const update = this.#modules.get(offer.module)?.update;
    return update?.content === contentOf(offer) ? update.attempts : 0;
  }

  #update(offer: FirmwareOffer, phase: UpdatePhase, attempts: number): Promise<void> {
    const { module, version } = offer;
    const update = { version, content: contentOf(offer), phase, attempts };
    return this.#set({ ...this.#modules.get(module), module, update });
  }

  #set(entry: StoredModule): Promise<void> {
    // Names of modules come from the network; the oldest gives way.
    this.#modules.delete(entry.module);
    this.#modules.set(entry.module, entry);
    for (const oldest of this.#modules.keys()) {
      if (this.#modules.size <= MOST_MODULES) break;
      this.#modules.delete(oldest);
    }
    // One after the other, each with what is known by then.
    const saving = this.#saving.then(() => this.#save());
    this.#saving = saving.catch(() => undefined); // told to whoever asked for it
    return saving;
  }

  async #save(): Promise<void> {
    const { productKey, deviceName } = this.identity;
    const body = { format: FORMAT, productKey, deviceName, modules: [...this.#modules.values()] };
    try {
      await writeDurably(this.path, JSON.stringify(body));
    } catch (cause) {
      const code = (cause as NodeJS.ErrnoException).code ?? String(cause);
      throw failure('firmwareStorage', -1, `the firmware state cannot be written: ${code}`, {
        cause,
        details: { reason: code },
      });
    }
  }
}

/** Two offers of the same version may still be of other files. */
function contentOf({ version, files }: FirmwareOffer): string {
  const all = files.map(({ size, digest }) => [size, digest.method, digest.value]);
  return createHash('sha256')
    .update(JSON.stringify([version, ...all]))
    .digest('hex')
    .slice(0, 32);
}

function copy({ update, ...entry }: StoredModule): ModuleFirmware {
  if (update === undefined) return entry;
  const { content: _, ...known } = update;
  return { ...entry, update: known };
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
    ...(typeof body.reported === 'string' ? { reported: body.reported } : {}),
    ...(update === undefined ? {} : { update }),
  };
}

function parseUpdate(body: Json | undefined): StoredUpdate | undefined {
  if (!isJsonObject(body)) return undefined;
  const { version, content, attempts } = body;
  const phase = PHASES.get(body.phase);
  if (typeof version !== 'string' || typeof content !== 'string' || phase === undefined) return undefined;
  return typeof attempts === 'number' ? { version, content, phase, attempts } : undefined;
}
