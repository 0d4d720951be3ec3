import { type AlinkReply, type DeviceIdentity, thingKey } from '../../protocol';
import { AlinkError } from '../errors';
import type { Submission } from '../report/dispatcher';
import {
  messageOf,
  type PreparedReport,
  prepareEvent,
  prepareProperties,
  type ReportMessage,
  type ReportRules,
  type WriteTime,
} from '../report/prepare';
import type { Reporter } from '../report/reporter';
import { Sweep } from '../sweep';
import type { Outcome } from '../types';
import { assertIdentity } from './admission';
import { Lane, type ReportPack } from './lane';
import { PackSender } from './pack-sender';
import { PackedReport } from './packed-report';
import { PACK_LIMITS, Pack, type PackLimits, partsOf } from './packs';
import { Queue } from './queue';
import type { PackOptions } from './types';

const WINDOW = { default: 50, max: 10_000 };
/** Reports without outcome. */
const MOST_REPORTS = 20_000;
/** What they hold together, in bytes; a thousand large ones must not take the memory of a small board. */
const MOST_BYTES = 32 * 1024 * 1024;
/** What a part costs besides its text. */
const PART_BYTES = 200;

export interface PackerOptions {
  /** The gateway itself: its own reports go into `properties` and `events` of the pack. */
  identity: DeviceIdentity;
  /** Sends a request of the gateway. */
  submit: (submission: Submission) => Promise<AlinkReply>;
  /**
   * That of an open sub-device, or of the gateway itself: its thing model checks, and it remembers the values. Things
   * without one are not checked.
   */
  reporterOf: (identity: DeviceIdentity) => Reporter | undefined;
  defaultTimeoutMs: number;
  /** Whether there is a connection; decides what a report is told whose time is over. */
  online?: () => boolean;
  /** Why there is no connection, as far as it is known. */
  offlineReason?: () => AlinkError | undefined;
  /** Writes times in packs as the platform has them, as the gateway's clock knows it; absent: as they are. */
  writeTime?: WriteTime;
  /** Milliseconds on a clock that never jumps. */
  now?: () => number;
}

const UNCHECKED: ReportRules = { mode: 'off', model: undefined };

type ReportOptions = PackOptions & { time?: number };

/**
 * Gathers reports of a gateway and its sub-devices into packs (B.1 row 3). A pack goes when one of those that wait may
 * wait no longer, or when it is full; while too many are on their way it takes in more. Reports of one thing keep
 * their order: it is in one pack at a time. A report with many values of one property goes as a batch of its own where
 * the thing has a door of its own, else as one pack after the other because a pack has one value of each.
 */
export class Packer {
  readonly #options: PackerOptions;
  readonly #now: () => number;
  /** The platform's, or smaller where it turned out so. */
  readonly #limits: PackLimits = { ...PACK_LIMITS };
  readonly #sender: PackSender;
  readonly #lanes = new Map<string, Lane>();
  readonly #reports = new Set<PackedReport>();
  #bytes = 0;
  readonly #sweep = new Sweep(() => this.#expire());
  /** Takes reports in until it is full or due. */
  #open: ReportPack | undefined;
  #due = Number.POSITIVE_INFINITY;
  #timer: { due: number; handle: NodeJS.Timeout } | undefined;
  /** Packs that take in no more. */
  readonly #ready: Queue<ReportPack> = new Queue();
  #closed: AlinkError | undefined;

  constructor(options: PackerOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#sender = new PackSender({
      submit: options.submit,
      limits: this.#limits,
      take: () => this.#take(),
      onFree: (lane) => this.#free(lane),
      now: this.#now,
    });
  }

  /** Reports that have no outcome yet. */
  get size(): number {
    return this.#reports.size;
  }

  /** @throws AlinkError what became of this report, whatever the others in the pack did */
  properties(identity: DeviceIdentity, input: unknown, options: ReportOptions): Promise<Outcome> {
    return this.#report(identity, options, (rules, times) => prepareProperties(input, rules, times));
  }

  /** @throws AlinkError what became of this report, whatever the others in the pack did */
  event(identity: DeviceIdentity, event: string, values: unknown, options: ReportOptions): Promise<Outcome> {
    return this.#report(identity, options, (rules, times) => prepareEvent(event, values, rules, times));
  }

  /** Fails all that has no outcome, and whatever comes after. */
  close(error: AlinkError): void {
    this.#closed = error;
    this.#sender.close();
    this.#sweep.stop();
    clearTimeout(this.#timer?.handle);
    this.#open = undefined;
    this.#ready.clear();
    this.#lanes.clear();
    for (const report of [...this.#reports]) report.fail(error);
  }

  async #report(
    identity: DeviceIdentity,
    options: ReportOptions,
    prepare: (rules: ReportRules, times: { now: number; time: number }) => PreparedReport,
  ): Promise<Outcome> {
    const arrived = this.#now();
    const now = Date.now();
    assertIdentity(identity);
    const due = arrived + windowOf(options);
    const reporter = this.#options.reporterOf(identity);
    if (reporter?.loading) await reporter.loading;
    const rules = reporter?.rules ?? UNCHECKED;
    // While it waits for company it keeps the time at which it was measured.
    const prepared = prepare(rules, { now, time: options.time ?? now });
    return new Promise((resolve, reject) => {
      if (this.#closed) throw this.#closed;
      if (options.signal?.aborted) throw new AlinkError('aborted', 'the request was given up');
      const lane = this.#lane(identity);
      const message = isBatch(prepared) ? this.#messageOf(prepared, lane, reporter, now) : undefined;
      const parts = message
        ? [{ kind: 'properties' as const, members: [], bytes: Buffer.byteLength(message.params) }]
        : partsOf(prepared, this.#limits, this.#options.writeTime);
      const bytes = parts.reduce((sum, part) => sum + part.bytes + PART_BYTES, 0);
      // Things whose reports were given up stay until their pack had its turn.
      const most = Math.max(this.#reports.size, this.#lanes.size);
      if (most >= MOST_REPORTS || this.#bytes + bytes > MOST_BYTES) throw full(most);
      const { timeoutMs = this.#options.defaultTimeoutMs, signal } = options;
      const report = new PackedReport({
        prepared,
        reporter,
        parts: parts.length,
        deadline: arrived + timeoutMs,
        timeoutMs,
        signal,
        onSettled: () => {
          this.#reports.delete(report);
          this.#bytes -= bytes;
          lane.ended();
        },
        resolve,
        reject,
      });
      this.#reports.add(report);
      this.#bytes += bytes;
      this.#sweep.wake();
      this.#lanes.set(lane.key, lane);
      for (const part of parts) lane.queue.push({ ...part, report, due, message });
      // What waits for its turn behind others of the same thing wants them to hurry.
      if (lane.pack !== undefined && lane.pack === this.#open) this.#hurry(due);
      this.#gather(lane);
    });
  }

  /** What goes by the door of its thing. */
  #messageOf(
    report: PreparedReport,
    lane: Lane,
    reporter: Reporter | undefined,
    now: number,
  ): ReportMessage | undefined {
    if (reporter) return reporter.messageOf(report, now);
    return lane.own ? messageOf(report, now, this.#options.writeTime) : undefined;
  }

  #lane(identity: DeviceIdentity): Lane {
    const key = thingKey(identity);
    const { productKey, deviceName } = identity;
    const own = key === thingKey(this.#options.identity);
    return this.#lanes.get(key) ?? new Lane(key, { productKey, deviceName }, own);
  }

  /** Moves as much as may go from the queue of a lane into a pack. */
  #gather(lane: Lane): void {
    for (let part = lane.queue.first(); part !== undefined; part = lane.queue.first()) {
      if (part.report.settled) {
        lane.queue.shift();
        continue;
      }
      // Until that pack has come to its end the rest waits.
      if (lane.pack !== undefined && lane.pack !== this.#open) return;
      if (part.message !== undefined || this.#sender.isSuspect(lane)) {
        if (lane.pack === undefined) this.#gatherAlone(lane);
        return;
      }
      this.#open ??= new Pack();
      const pack = this.#open;
      const added = pack.add(lane, part, this.#limits);
      if (added === 'twice') return;
      if (added === 'taken') {
        lane.queue.shift();
        lane.pack = pack;
        this.#hurry(part.due);
      }
      if (added === 'full' || pack.isFull(this.#limits)) this.#shut();
    }
    if (lane.pack === undefined) this.#lanes.delete(lane.key);
  }

  /** One message of its own, or a pack for itself. */
  #gatherAlone(lane: Lane): void {
    const pack: ReportPack = new Pack();
    for (let part = lane.queue.first(); part !== undefined; part = lane.queue.first()) {
      if (part.message !== undefined && pack.size.senders > 0) break;
      if (!part.report.settled && pack.add(lane, part, this.#limits) !== 'taken') break;
      lane.queue.shift();
      if (part.message !== undefined) break;
    }
    lane.pack = pack;
    this.#ready.push(pack);
    this.#sender.wake();
  }

  #free(lane: Lane): void {
    lane.pack = undefined;
    this.#gather(lane);
  }

  /** The open pack takes in no more. */
  #shut(): void {
    if (this.#open === undefined) return;
    this.#ready.push(this.#open);
    this.#open = undefined;
    this.#due = Number.POSITIVE_INFINITY;
    this.#sender.wake();
  }

  #take(): ReportPack | undefined {
    if (this.#ready.size === 0 && this.#due <= this.#now()) this.#shut();
    return this.#ready.shift();
  }

  /** The open pack must go by then. */
  #hurry(due: number): void {
    this.#due = Math.min(this.#due, due);
    const now = this.#now();
    if (this.#due <= now) {
      this.#sender.wake();
      return;
    }
    if (this.#timer !== undefined && this.#timer.due <= this.#due) return;
    clearTimeout(this.#timer?.handle);
    const handle = setTimeout(() => {
      this.#timer = undefined;
      // It may have been for a pack that went earlier because it was full.
      if (this.#open !== undefined) this.#hurry(this.#due);
    }, this.#due - now);
    this.#timer = { due: this.#due, handle };
  }

  #expire(): boolean {
    const now = this.#now();
    // What was sent failed when the connection ended, so without one it was not.
    const sent = this.#options.online?.() ?? true;
    const why = this.#options.offlineReason?.();
    for (const report of this.#reports) if (report.options.deadline <= now) report.expire(sent, why);
    return this.#reports.size > 0;
  }
}

function isBatch(report: PreparedReport): boolean {
  if (report.kind === 'event') return false;
  for (const list of report.samples.values()) if (list.length > 1) return true;
  return false;
}

function windowOf({ packWindowMs = WINDOW.default }: PackOptions): number {
  // It may come from a message, as text or null.
  if (typeof packWindowMs === 'number' && packWindowMs >= 0 && packWindowMs <= WINDOW.max)
    return packWindowMs;
  const [field, reason] = ['packWindowMs', `0–${WINDOW.max}`];
  throw new AlinkError('badSettings', `${field}: ${reason}`, { details: { field, reason } });
}

function full(limit: number): AlinkError {
  return new AlinkError('waitingFull', `${limit} reports are waiting already`, {
    retry: 'slow',
    details: { limit },
  });
}
