import type { DeviceIdentity } from '../../protocol';
import type { ReportPart } from './packed-report';
import type { Pack, Sender } from './packs';
import { Queue } from './queue';

export type ReportPack = Pack<Lane, ReportPart>;

/**
 * One thing's reports in their order. It is in one pack at a time, so that whatever becomes of that pack, later
 * reports come after it.
 */
export class Lane implements Sender {
  /** What is in no pack yet. */
  readonly queue: Queue<ReportPart> = new Queue();
  /** Where its first parts are. */
  pack: ReportPack | undefined;
  /** Reports that ended since the queue was last looked through. */
  #ended = 0;

  constructor(
    readonly key: string,
    readonly identity: DeviceIdentity,
    /** The gateway's. */
    readonly own: boolean,
  ) {}

  /** A report came to its end, maybe while it was in the queue: those that nobody waits for must not pile up there. */
  ended(): void {
    if (++this.#ended < 100 || this.#ended * 2 < this.queue.size) return;
    this.#ended = 0;
    this.queue.keep(({ report }) => !report.settled);
  }
}
