import { type DeviceIdentity, formatTopic, type Json, operation } from '../../protocol';
import { AlinkError, asAlinkError } from '../errors';
import type { MessageListener } from '../listeners';
import type { Answer } from '../operations';
import type { Submission } from '../report/dispatcher';
import type { Timing } from '../session/timing';
import type { IncomingMessage, LogLine, RequestOptions } from '../types';
import { Downloads } from './download/downloads';
import { failureStep } from './failure';
import { isName, readOffer } from './offer';
import { OldRequests } from './old-request';
import { ProgressReports } from './progress';
import { readPush } from './push';
import { DEFAULT_MODULE, type FirmwareOffer, type Ota, type VersionReportOptions } from './types';

/** What firmware over the air needs of a thing's connection. */
export interface OtaDoor {
  identity: DeviceIdentity;
  isOnline: () => boolean;
  nextId: () => string;
  /** At QoS 1; waits for the connection, resolves with the acknowledgement. */
  publish: (
    topic: string,
    payload: string,
    options: Pick<RequestOptions, 'timeoutMs' | 'signal'>,
  ) => Promise<void>;
  request: (submission: Submission) => Promise<Answer>;
  onMessage: (filter: string, entry: MessageListener) => () => void;
  onOnline: (listener: () => void) => () => void;
  requestTimeoutMs: number;
  /** Trusted besides Node.js's own roots. */
  ca: string | undefined;
  timing: Pick<
    Timing,
    'stallMs' | 'handshakeMs' | 'downloadBackoff' | 'blockMs' | 'blockGapMs' | 'progressMs'
  >;
  log: (line: LogLine) => void;
}

interface Listener {
  module: string | undefined;
  onOffer: (offer: FirmwareOffer) => void;
  onProblem: ((error: AlinkError) => void) | undefined;
  /** The module to ask for with each session. */
  asks: string | undefined;
}

interface RunningVersion {
  version: string;
  eachSession: boolean;
  /** Its report is on its way, was taken by the platform, or got lost with a connection. */
  report: 'sending' | 'told' | 'lost';
}

const LONGEST_DESCRIPTION = 500;
const MOST_VERSIONS = 200;
const FAILURES: ReadonlySet<number> = new Set([-1, -2, -3, -4]);

/** Firmware over the air of one thing (section G): shared by all its handles. */
export class OtaClient implements Ota {
  readonly #door: OtaDoor;
  readonly #listeners = new Set<Listener>();
  readonly #progress: ProgressReports;
  readonly #downloads: Downloads;
  readonly #oldRequests: OldRequests;
  /** Running versions by module, as they were reported. */
  readonly #versions = new Map<string, RunningVersion>();
  /** Modules that were loaded in full: another report of the old version would end the upgrade as failed (G.1). */
  readonly #aboutToChange = new Set<string>();
  /** Modules that were asked for in this session. */
  readonly #asked = new Set<string>();
  #stopListening: (() => void) | undefined;

  constructor(door: OtaDoor) {
    this.#door = door;
    this.#progress = new ProgressReports({
      send: (module, step, desc) => this.#tell('ota.progress', module, { step: String(step), desc }, {}),
      gapMs: door.timing.progressMs,
      now: () => performance.now(),
    });
    this.#downloads = new Downloads({
      identity: door.identity,
      ca: door.ca,
      timing: door.timing,
      ask: (module) => this.ask(module),
      running: (module) => this.#versions.get(module)?.version,
      request: door.request,
      log: door.log,
    });
    this.#oldRequests = new OldRequests({
      topic: this.#topic('ota.request'),
      upgradeTopic: this.#topic('ota.upgrade'),
      publish: door.publish,
      onMessage: door.onMessage,
      nextId: door.nextId,
      defaultTimeoutMs: door.requestTimeoutMs,
    });
    door.onOnline(() => this.#online());
  }

  onOffer(...[module, onOffer, onProblem, { ask = true } = {}]: Parameters<Ota['onOffer']>): () => void {
    if (module !== undefined) assertName('module', module);
    const asks = ask ? (module ?? DEFAULT_MODULE) : undefined;
    const listener: Listener = { module, onOffer, onProblem, asks };
    this.#listeners.add(listener);
    this.#stopListening ??= this.#door.onMessage(this.#topic('ota.upgrade'), {
      listener: (message) => this.#pushed(message),
      onRefused: (error) => this.#problem(undefined, error),
    });
    // Others of the same deploy come in the same turn; they shall be told as well.
    queueMicrotask(() => {
      if (asks !== undefined && this.#listeners.has(listener) && this.#door.isOnline())
        void this.#askOnce(asks);
    });
    return () => {
      if (!this.#listeners.delete(listener)) return;
      if (asks !== undefined && !this.#wanted().has(asks)) this.#asked.delete(asks);
      if (this.#listeners.size > 0) return;
      this.#stopListening?.();
      this.#stopListening = undefined;
    };
  }

  async ask(module = DEFAULT_MODULE, options: RequestOptions = {}): Promise<FirmwareOffer | undefined> {
    assertName('module', module);
    const params = JSON.stringify(module === DEFAULT_MODULE ? {} : { module });
    const { data } = await this.#door.request({ operation: 'thing.ota.firmware.get', params, options });
    return this.#read(data, 'get');
  }

  async request(version: string, options: RequestOptions = {}): Promise<FirmwareOffer | undefined> {
    assertName('version', version);
    return this.#read(await this.#oldRequests.ask(version, options), 'request');
  }

  async reportVersion(
    version: string,
    module = DEFAULT_MODULE,
    { eachSession = false, ...options }: VersionReportOptions = {},
  ): Promise<void> {
    assertName('version', version);
    assertName('module', module);
    const entry: RunningVersion = { version, eachSession, report: 'sending' };
    if (this.#versions.size < MOST_VERSIONS || this.#versions.has(module)) this.#versions.set(module, entry);
    this.#aboutToChange.delete(module);
    await this.#tellVersion(module, entry, options);
  }

  async reportProgress(step: number, description?: string, module = DEFAULT_MODULE): Promise<void> {
    assertName('module', module);
    const isStep = Number.isInteger(step) && ((step >= 1 && step <= 100) || FAILURES.has(step));
    if (!isStep) throw invalid('step', `${step} is neither 1–100 nor −1 to −4`);
    if (step < 0) this.#aboutToChange.delete(module);
    else if (step === 100 && this.#versions.has(module)) this.#aboutToChange.add(module);
    await this.#progress.report(module, step, description?.slice(0, LONGEST_DESCRIPTION));
  }

  download: Ota['download'] = (offer, options) => this.#downloads.run(offer, options);

  close(): void {
    this.#progress.close();
    this.#oldRequests.close();
    this.#downloads.close();
    this.#listeners.clear();
  }

  #online(): void {
    this.#asked.clear();
    for (const [module, entry] of this.#versions) {
      const again = entry.report === 'lost' || (entry.report === 'told' && entry.eachSession);
      if (!again || this.#aboutToChange.has(module)) continue;
      this.#tellVersion(module, entry, {}).catch((error) =>
        this.#failed('versionNotReported', module, error),
      );
    }
    for (const module of this.#wanted()) void this.#askOnce(module);
  }

  /** Modules to ask for. */
  #wanted(): Set<string> {
    return new Set([...this.#listeners].flatMap(({ asks }) => (asks === undefined ? [] : [asks])));
  }

  async #askOnce(module: string): Promise<void> {
    if (this.#asked.has(module)) return;
    this.#asked.add(module);
    try {
      const offer = await this.ask(module);
      if (offer) this.#offer(offer);
    } catch (thrown) {
      // Of an offer that cannot be used the listeners know.
      if (!(thrown instanceof AlinkError) || thrown.key !== 'firmwareOffer')
        this.#failed('firmwareNotAsked', module, thrown);
    }
  }

  #pushed({ topic, payload }: IncomingMessage): void {
    const push = readPush(payload);
    if (push.is !== 'offer') {
      this.#door.log({
        level: 'debug',
        event: 'firmwareNotOffered',
        details: { topic, reason: push.reason },
      });
      return;
    }
    try {
      const offer = this.#read(push.data, 'push');
      if (offer) this.#offer(offer);
    } catch (thrown) {
      if (!(thrown instanceof AlinkError)) throw thrown; // the listeners know
    }
  }

  /** @returns undefined also for the version that runs already @throws AlinkError `firmwareOffer` */
  #read(data: Json | undefined, source: FirmwareOffer['source']): FirmwareOffer | undefined {
    try {
      const offer = readOffer(data, source, Date.now());
      if (offer === undefined || this.#versions.get(offer.module)?.version !== offer.version) return offer;
      const { module, version } = offer;
      this.#door.log({ level: 'debug', event: 'firmwareRunsAlready', details: { module, version } });
      return undefined;
    } catch (thrown) {
      if (thrown instanceof AlinkError) this.#unusable(thrown);
      throw thrown;
    }
  }

  #unusable(error: AlinkError): void {
    const module = String(error.details.module ?? DEFAULT_MODULE);
    this.reportProgress(failureStep(error), error.message, module).catch((thrown) =>
      this.#failed('progressNotReported', module, thrown),
    );
    this.#problem(module, error);
  }

  #offer(offer: FirmwareOffer): void {
    for (const { module, onOffer } of [...this.#listeners]) {
      if (module === undefined || module === offer.module) this.#call(() => onOffer(offer));
    }
  }

  #problem(about: string | undefined, error: AlinkError): void {
    for (const { module, onProblem } of [...this.#listeners]) {
      const concerned = module === undefined || about === undefined || module === about;
      if (onProblem && concerned) this.#call(() => onProblem(error));
    }
  }

  async #tellVersion(
    module: string,
    entry: RunningVersion,
    options: Pick<RequestOptions, 'timeoutMs' | 'signal'>,
  ): Promise<void> {
    entry.report = 'sending';
    try {
      await this.#tell('ota.inform', module, { version: entry.version }, options);
      entry.report = 'told';
    } catch (thrown) {
      entry.report = 'lost';
      throw thrown;
    }
  }

  /** One of the messages that nobody answers (rows 80, 82). */
  #tell(
    name: 'ota.inform' | 'ota.progress',
    module: string,
    params: { [name: string]: string | undefined },
    options: Pick<RequestOptions, 'timeoutMs' | 'signal'>,
  ): Promise<void> {
    const named = module === DEFAULT_MODULE ? params : { ...params, module };
    const payload = JSON.stringify({ id: this.#door.nextId(), params: named });
    return this.#door.publish(this.#topic(name), payload, options);
  }

  #topic(name: 'ota.inform' | 'ota.progress' | 'ota.request' | 'ota.upgrade'): string {
    return formatTopic(operation(name).topic, { ...this.#door.identity });
  }

  #failed(event: string, module: string, thrown: unknown): void {
    const error = asAlinkError(thrown, 'malformedReply');
    const { key, message } = error;
    // The end of the connection is told elsewhere.
    const level = key === 'closed' || key === 'disconnected' ? 'debug' : 'warn';
    this.#door.log({ level, event, details: { module, reason: message }, error });
  }

  // A listener is somebody else's code; its fault must not reach the connection or the other listeners.
  #call(listener: () => void): void {
    try {
      listener();
    } catch (thrown) {
      const reason = thrown instanceof Error ? thrown.message : String(thrown);
      this.#door.log({ level: 'warn', event: 'listenerFailed', details: { reason } });
    }
  }
}

function assertName(field: 'module' | 'version', value: unknown): void {
  if (typeof value !== 'string' || !isName(value)) {
    throw invalid(field, 'a text of 1–64 characters without control characters');
  }
}

function invalid(field: string, reason: string): AlinkError {
  return new AlinkError('invalidInput', `${field}: ${reason}`, { details: { field, reason } });
}
