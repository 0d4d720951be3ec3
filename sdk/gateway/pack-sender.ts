import type { AlinkReply } from '../../protocol';
import type { Submission } from '../report/dispatcher';
import type { Lane, ReportPack } from './lane';
import type { ReportPart } from './packed-report';
import { halvesOf, type PackLimits } from './packs';
import { Queue } from './queue';
import { type Refusal, refusalOf } from './refusal';

const PACK_POST = 'thing.event.property.pack.post';
/** Packs without an answer; the gateway's other requests share the window of the connection. */
const MOST_SENT = 16;
/** Senders that are remembered for having spoilt a pack. */
const MOST_SUSPECTS = 2000;

export interface PackSenderOptions {
  submit: (submission: Submission) => Promise<AlinkReply>;
  /** Made smaller when the platform turns out to take less. */
  limits: PackLimits;
  /** The next pack that is to go now. */
  take: () => ReportPack | undefined;
  /** Nothing of a sender is on its way any more. */
  onFree: (lane: Lane) => void;
  now: () => number;
}

/** Sends packs, a few at once, and finds what is bad in those that are refused. */
export class PackSender {
  readonly #options: PackSenderOptions;
  /** Of packs that were refused as a whole; they go first, because later reports wait for them. */
  readonly #pieces: Queue<ReportPack> = new Queue();
  readonly #suspects = new Set<string>();
  #sent = 0;
  #next: NodeJS.Immediate | undefined;

  constructor(options: PackSenderOptions) {
    this.#options = options;
  }

  /** A sender that spoilt a pack goes alone until such a pack of its own was taken. */
  isSuspect({ key }: Lane): boolean {
    return this.#suspects.has(key);
  }

  /** There may be something to send. One pack a turn of the event loop, so that nothing else has to wait for many. */
  wake(): void {
    if (this.#sent < MOST_SENT) this.#next ??= setImmediate(() => this.#turn());
  }

  close(): void {
    clearImmediate(this.#next);
    this.#pieces.clear();
  }

  #turn(): void {
    this.#next = undefined;
    const piece = this.#pieces.shift();
    const pack = piece ?? this.#options.take();
    if (pack === undefined) return;
    this.#send(pack, piece === undefined);
    this.wake();
  }

  #send(pack: ReportPack, whole: boolean): void {
    const gone = pack.prune(({ report }) => !report.settled);
    // What comes later of the same sender is in the pack after this one.
    if (pack.then === undefined) for (const lane of gone) this.#options.onFree(lane);
    const parts = [...pack.parts()];
    if (parts.length === 0) {
      this.#done(pack);
      return;
    }
    // What goes by the door of a sub-device may wait there for its session, and must not hold up the others.
    const counts = parts[0]?.message === undefined ? 1 : 0;
    this.#sent += counts;
    this.#submit(pack, parts).then(
      ([reply, method]) => {
        this.#sent -= counts;
        // A piece may be the good half of what a sender had.
        if (whole) for (const { key } of pack.senders) this.#suspects.delete(key);
        for (const { report } of parts) report.acknowledge(reply, method);
        this.#done(pack);
      },
      (error: unknown) => {
        this.#sent -= counts;
        this.#refused(pack, parts, error);
      },
    );
  }

  async #submit(pack: ReportPack, parts: readonly ReportPart[]): Promise<[AlinkReply, string]> {
    const last = parts.reduce((latest, { report }) => Math.max(latest, report.options.deadline), 0);
    const timeoutMs = Math.max(0, last - this.#options.now());
    const options = { timeoutMs, signal: givenUp(parts) };
    const [part] = parts;
    if (part?.message === undefined) {
      const submission = { operation: PACK_POST, params: pack.params(), options };
      return [await this.#options.submit(submission), PACK_POST];
    }
    const { message, report } = part;
    const { reporter } = report.options;
    // The gateway's own goes by its own door even when nothing checks it.
    const reply = reporter
      ? await reporter.dispatch(message, options)
      : await this.#options.submit({ operation: message.operation, params: message.params, options });
    return [reply, message.method];
  }

  #refused(pack: ReportPack, parts: readonly ReportPart[], error: unknown): void {
    const refusal = refusalOf(error);
    if (refusal.of === 'size') this.#shrink(pack, refusal.limit);
    const pieces = this.#split(pack, refusal);
    if (pieces === undefined) {
      if (refusal.of === 'part' || refusal.of === 'device') this.#suspect(pack);
      for (const { report } of parts) report.fail(error);
      this.#done(pack);
    } else {
      for (const piece of pieces) this.#pieces.push(piece);
      this.wake();
    }
  }

  /** What is to be tried in place of a refused pack. */
  #split(pack: ReportPack, refusal: Refusal): ReportPack[] | undefined {
    const single = pack.size.senders === 1;
    if (refusal.of === 'all' || (refusal.of === 'device' && single)) return undefined;
    if (refusal.of === 'part' || refusal.of === 'device') return pack.halves();
    return refusal.limit === 'subDevices' && single ? undefined : pack.halves(divide);
  }

  #shrink(pack: ReportPack, limit: keyof PackLimits): void {
    const { limits } = this.#options;
    limits[limit] = Math.min(limits[limit], Math.max(1, pack.size[limit] >> 1));
  }

  #suspect(pack: ReportPack): void {
    for (const { key } of pack.senders) if (this.#suspects.size < MOST_SUSPECTS) this.#suspects.add(key);
  }

  #done(pack: ReportPack): void {
    if (pack.then !== undefined) this.#pieces.push(pack.then);
    else for (const lane of pack.senders) this.#options.onFree(lane);
    this.wake();
  }
}

/** Aborts when nobody waits for any of the parts: what has not left yet need not. */
function givenUp(parts: readonly ReportPart[]): AbortSignal {
  const controller = new AbortController();
  let wanted = parts.length;
  const one = (): void => {
    if (--wanted === 0) controller.abort();
  };
  for (const { report } of parts) report.onGivenUp = one;
  return controller.signal;
}

function divide(part: ReportPart): [ReportPart, ReportPart] | undefined {
  const halves = halvesOf(part);
  if (halves === undefined) return undefined;
  part.report.left++;
  return [
    { ...part, ...halves[0] },
    { ...part, ...halves[1] },
  ];
}
