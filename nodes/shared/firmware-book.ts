import { createHash } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { type DeviceIdentity, isJsonObject, type Json, parseJson } from '../../protocol';
import { AlinkError, type FirmwareOffer } from '../../sdk';

const MOST_MODULES = 200;

/** An offer that was taken up and of which the platform has not heard the end. */
interface Update {
  /** Tells offers of different content apart. */
  offer: string;
  version: string;
  /** So often the flow was given it. */
  times: number;
  stage: 'loading' | 'handedOn';
}

interface ModuleRecord {
  /** As it was last told to the platform. */
  version?: string;
  update?: Update;
}

/**
 * What is known of the firmware of one thing: kept on disk, because most updates end with a restart.
 * Nodes of one thing share it.
 */
export class FirmwarePage {
  /** Offers that nodes gave to the flow since this process started, by module: it may be at work on them. */
  readonly #atWork = new Map<string, { offer: string; by: Set<string> }>();
  /** Versions that were told since this process started, by module. */
  readonly #running = new Map<string, string>();
  #writing: Promise<void> = Promise.resolve();

  constructor(
    private readonly file: string,
    private readonly identity: DeviceIdentity,
    private readonly records: Map<string, ModuleRecord>,
  ) {}

  /** The version that was last told, also by an earlier process. */
  toldVersion(module: string): string | undefined {
    return this.records.get(module)?.version;
  }

  /** The version that this process has told. */
  runningVersion(module: string): string | undefined {
    return this.#running.get(module);
  }

  /** An update is being loaded, or the flow is at work on it. */
  isUnderWay(module: string): boolean {
    const update = this.records.get(module)?.update;
    return update !== undefined && (update.stage === 'loading' || this.#atWork.has(module));
  }

  /** Modules of which an update is being loaded, or was when an earlier process ended. */
  loadingModules(): string[] {
    return [...this.records].flatMap(([module, { update }]) => (update?.stage === 'loading' ? [module] : []));
  }

  /**
   * The flow was given this offer since this process started, and has not said what became of it.
   * @param node by this one; by any when absent
   */
  isAtWork(offer: FirmwareOffer, node?: string): boolean {
    const given = this.#atWork.get(offer.module);
    return given?.offer === contentOf(offer) && (node === undefined || given.by.has(node));
  }

  /** How often the flow was given this offer, counting earlier processes. */
  timesGiven(offer: FirmwareOffer): number {
    const update = this.records.get(offer.module)?.update;
    return update?.offer === contentOf(offer) ? update.times : 0;
  }

  /** Its files are being loaded. @throws AlinkError `firmwareStorage` */
  loading(offer: FirmwareOffer): Promise<void> {
    return this.#update(offer, 'loading', this.timesGiven(offer));
  }

  /**
   * The flow gets it now: to be said before, so that a flow which ends the process counts.
   * @param node who gives it
   * @param isAnother it is another try, not the same one by a second node
   * @throws AlinkError `firmwareStorage`
   */
  givenToFlow(offer: FirmwareOffer, node: string, isAnother: boolean): Promise<void> {
    const by = this.isAtWork(offer) ? this.#atWork.get(offer.module)?.by : undefined;
    this.#atWork.set(offer.module, { offer: contentOf(offer), by: new Set(by).add(node) });
    return this.#update(offer, 'handedOn', this.timesGiven(offer) + (isAnother ? 1 : 0));
  }

  /** The platform was told this version. @throws AlinkError `firmwareStorage` */
  told(module: string, version: string): Promise<void> {
    this.#running.set(module, version);
    const { version: before, update } = this.records.get(module) ?? {};
    const took = update?.version === version;
    if (took) this.#atWork.delete(module);
    if (before === version && !took) return Promise.resolve();
    return this.#set(module, { version, ...(update === undefined || took ? {} : { update }) });
  }

  /** The update is over, or shall be forgotten: the next offer is a new one. @throws AlinkError `firmwareStorage` */
  ended(module: string): Promise<void> {
    this.#atWork.delete(module);
    const { version, update } = this.records.get(module) ?? {};
    if (update === undefined) return Promise.resolve();
    return this.#set(module, version === undefined ? {} : { version });
  }

  #update(offer: FirmwareOffer, stage: Update['stage'], times: number): Promise<void> {
    const update = { offer: contentOf(offer), version: offer.version, times, stage };
    return this.#set(offer.module, { ...this.records.get(offer.module), update });
  }

  #set(module: string, record: ModuleRecord): Promise<void> {
    // Names of modules come from messages; the oldest gives way.
    this.records.delete(module);
    this.records.set(module, record);
    for (const oldest of this.records.keys()) {
      if (this.records.size <= MOST_MODULES) break;
      this.records.delete(oldest);
    }
    const written = this.#writing.then(() => this.#write());
    this.#writing = written.catch(() => undefined); // told to whoever asked for it
    return written;
  }

  async #write(): Promise<void> {
    const { productKey, deviceName } = this.identity;
    const modules = [...this.records].map(([module, record]) => ({ module, ...record }));
    try {
      await mkdir(join(this.file, '..'), { recursive: true, mode: 0o700 });
      const text = JSON.stringify({ productKey, deviceName, modules });
      await writeFileAtomic(this.file, text, { mode: 0o600, fsync: true });
    } catch (cause) {
      const reason = (cause as NodeJS.ErrnoException).code ?? String(cause);
      const details = { reason, step: -1 };
      throw new AlinkError('firmwareStorage', `the firmware state cannot be written: ${reason}`, {
        cause,
        details,
      });
    }
  }
}

const pages = new Map<string, Promise<FirmwarePage>>();

/** @param platform tells platforms apart, because the same names may exist on several */
export function firmwarePage(
  userDir: string,
  platform: string,
  identity: DeviceIdentity,
): Promise<FirmwarePage> {
  const { productKey, deviceName } = identity;
  const digest = digestOf([platform, productKey, deviceName]).slice(0, 32);
  const readable = `${productKey}~${deviceName}`.replace(/[^A-Za-z0-9~-]/g, '_').slice(0, 80);
  const file = join(userDir, 'alink', 'firmware-state', `${readable}~${digest}.json`);
  const known = pages.get(file);
  if (known) return known;
  const page = readRecords(file).then((records) => new FirmwarePage(file, identity, records));
  pages.set(file, page);
  return page;
}

/** Two offers of the same version may still be of other files. */
function contentOf({ version, files }: FirmwareOffer): string {
  return digestOf([version, ...files.map(({ size, digest }) => [size, digest.method, digest.value])]);
}

function digestOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex');
}

// What cannot be read counts for nothing: an update is at worst tried once more.
async function readRecords(file: string): Promise<Map<string, ModuleRecord>> {
  try {
    const body = parseJson(await readFile(file, 'utf8'));
    const modules = isJsonObject(body) && Array.isArray(body.modules) ? body.modules : [];
    return new Map(modules.slice(0, MOST_MODULES).flatMap(readRecord));
  } catch {
    return new Map();
  }
}

function readRecord(entry: Json): Array<[string, ModuleRecord]> {
  if (!isJsonObject(entry) || typeof entry.module !== 'string') return [];
  const { module, version } = entry;
  const update = readUpdate(entry.update);
  const record = {
    ...(typeof version === 'string' ? { version } : {}),
    ...(update === undefined ? {} : { update }),
  };
  return [[module, record]];
}

function readUpdate(value: Json | undefined): Update | undefined {
  if (value === undefined || !isJsonObject(value)) return undefined;
  const { offer, version, times, stage } = value;
  if (typeof offer !== 'string' || typeof version !== 'string' || typeof times !== 'number') return undefined;
  return { offer, version, times, stage: stage === 'loading' ? 'loading' : 'handedOn' };
}
