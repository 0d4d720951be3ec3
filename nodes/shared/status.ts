import type { Node, NodeAPI, NodeStatus } from 'node-red';
import type { AlinkError, SessionState } from '../../sdk';
import { explainReason, nameCode, nameReason, say } from './runtime-messages';

// Each status is a message to every open editor; while offline the count changes with every message.
const SHORTEST_INTERVAL_MS = 500;

/** Downloads under way at a node. */
export interface DownloadsShown {
  loading: number;
  waiting: number;
  doneBytes: number;
  totalBytes: number;
}

/** The status of a session, the same words at every node. */
export function sessionStatus(RED: NodeAPI, state: SessionState): NodeStatus {
  const reason = state.reason ? nameReason(RED, state.reason) : '';
  switch (state.name) {
    case 'online':
      return { fill: 'green', shape: 'dot', text: say(RED, 'status.online', {}, 'online') };
    case 'connecting':
      return { fill: 'yellow', shape: 'ring', text: say(RED, 'status.connecting', {}, 'connecting') };
    case 'waiting':
      return { fill: 'yellow', shape: 'ring', text: offlineText(RED, state, reason) };
    case 'refused':
      return { fill: 'red', shape: 'ring', text: refusedText(RED, state, reason) };
    case 'conflict':
      return { fill: 'red', shape: 'ring', text: say(RED, 'status.conflict', {}, 'same identity elsewhere') };
    case 'closing':
    case 'idle':
      return { fill: 'grey', shape: 'ring', text: say(RED, 'status.offline', {}, 'offline') };
  }
}

/** The status after a message could not be handled or the node cannot work at all. */
export function errorStatus(RED: NodeAPI, error: AlinkError): NodeStatus {
  if (error.key === 'credentialsMissing') {
    return {
      fill: 'red',
      shape: 'ring',
      text: say(RED, 'status.credentialsMissing', error.details, 'credentials missing'),
    };
  }
  return { fill: 'red', shape: 'ring', text: nameReason(RED, error) };
}

/**
 * Shows the state of the session, or the last error until the next success or change of state.
 * Equal statuses are not sent again, changing ones at most twice a second.
 */
export class StatusLine {
  #session: NodeStatus = {};
  #error: NodeStatus | undefined;
  #progress: NodeStatus | undefined;
  #trial: NodeStatus | undefined;
  #counts: NodeStatus | undefined;
  /** What `#counts` shall tell when it is shown next. */
  #tally: { online: number; total: number } | undefined;
  #sent = '';
  #timer: NodeJS.Timeout | undefined;
  #lastSentAt = Number.NEGATIVE_INFINITY;
  #closed = false;
  #stateName = '';

  constructor(
    private readonly RED: NodeAPI,
    private readonly node: Node,
  ) {}

  session(state: SessionState): void {
    if (state.name !== this.#stateName) this.#error = undefined;
    this.#stateName = state.name;
    this.#session = sessionStatus(this.RED, state);
    this.#refresh();
  }

  error(error: AlinkError): void {
    this.#error = errorStatus(this.RED, error);
    this.#progress = undefined;
    this.#refresh();
  }

  success(): void {
    if (this.#error === undefined && this.#progress === undefined) return;
    this.#error = undefined;
    this.#progress = undefined;
    this.#refresh();
  }

  /** Something went well and something did not, which the message names; until the next success or change of state. */
  partly(failed: number, total: number): void {
    const text = say(this.RED, 'status.partly', { failed, total }, `${failed} of ${total} failed`);
    this.#error = { fill: 'yellow', shape: 'dot', text };
    this.#progress = undefined;
    this.#refresh();
  }

  /** A document is in use, but for entries that the log names; until the next success or change of state. */
  leftOut(count: number): void {
    const text = say(this.RED, 'status.leftOut', { count }, `left out: ${count}`);
    this.#error = { fill: 'yellow', shape: 'dot', text };
    this.#refresh();
  }

  /** How far something that takes long has come; `success` or `error` ends it. */
  progress(done: number, total: number): void {
    const percent = percentOf(done, total);
    this.#showProgress(say(this.RED, 'status.uploading', { percent }, `uploading, ${percent} %`));
  }

  /** How far downloads have come, some of which may wait for their turn; `success` or `error` ends it. */
  downloads({ loading, waiting, doneBytes, totalBytes }: DownloadsShown): void {
    const values = { loading, waiting, percent: percentOf(doneBytes, totalBytes) };
    const text =
      loading + waiting > 1
        ? say(this.RED, 'status.downloadingSeveral', values, `${loading} downloading, ${waiting} waiting`)
        : say(this.RED, 'status.downloading', values, `downloading, ${values.percent} %`);
    this.#showProgress(text);
  }

  #showProgress(text: string): void {
    this.#error = undefined;
    this.#progress = { fill: 'blue', shape: 'ring', text };
    this.#refresh();
  }

  /** Somebody asked for firmware, and there is none; until something else is to be said. */
  nothingOffered(): void {
    const text = say(this.RED, 'status.nothingOffered', {}, 'online, no firmware offered');
    this.#error = undefined;
    this.#progress = { fill: 'green', shape: 'dot', text };
    this.#refresh();
  }

  /** A document or file could not be loaded yet; `success` or `error` ends it. */
  loadingAgain(error: AlinkError, waitMs: number): void {
    const values = { seconds: Math.ceil(waitMs / 1000), reason: explainReason(this.RED, error.details) };
    const text = say(this.RED, 'status.loadingAgain', values, `loading again in ${values.seconds} s`);
    this.#error = undefined;
    this.#progress = { fill: 'yellow', shape: 'ring', text };
    this.#refresh();
  }

  /**
   * A guarded configuration was accepted and has to be confirmed, which the status says whatever else goes well.
   * @param until ms since 1970; undefined when that is over
   */
  trial(until: number | undefined): void {
    this.#trial = until === undefined ? undefined : trialStatus(this.RED, until);
    this.#refresh();
  }

  /** How many sub-devices are online, shown while the gateway itself is; none: the gateway's state alone. */
  counts(online: number, total: number): void {
    this.#tally = { online, total };
    // Thousands come online in a moment, and each sentence has its price; one that waits to be sent is made then.
    if (this.#timer === undefined) this.#refresh();
  }

  /** What ends late says nothing any more: under the node's id a new one may speak already. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #shown(): NodeStatus {
    if (this.#tally) this.#counts = countsStatus(this.RED, this.#tally);
    this.#tally = undefined;
    return (
      this.#error ??
      (this.#stateName === 'online' ? (this.#progress ?? this.#trial ?? this.#counts) : undefined) ??
      this.#session
    );
  }

  #refresh(): void {
    if (this.#closed) return;
    const wait = this.#lastSentAt + SHORTEST_INTERVAL_MS - performance.now();
    const shown = this.#shown();
    // A change of colour is news at once; a change of words alone, progress, or counts can wait their turn.
    const isNews = shown.fill !== 'blue' && shown !== this.#counts && !this.#sent.startsWith(`${shown.fill}`);
    if (wait <= 0 || isNews) this.#send();
    else if (this.#timer === undefined) {
      this.#timer = setTimeout(() => this.#send(), wait);
      this.#timer.unref();
    }
  }

  #send(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const status = this.#shown();
    const text = `${status.fill}|${status.shape}|${status.text}`;
    if (text === this.#sent) return;
    this.#sent = text;
    this.#lastSentAt = performance.now();
    this.node.status(status);
  }
}

function percentOf(done: number, total: number): number {
  return total > 0 ? Math.floor((done / total) * 100) : 0;
}

function refusedText(RED: NodeAPI, { reason: error }: SessionState, reason: string): string {
  // A code that has no name is "refused" by its own words already.
  if (error?.key === 'platformRefused' && nameCode(RED, error) === undefined) return reason;
  return say(RED, 'status.refused', { reason }, `refused: ${reason}`);
}

function countsStatus(RED: NodeAPI, tally: { online: number; total: number }): NodeStatus | undefined {
  const { online, total } = tally;
  if (total === 0) return undefined;
  const text = say(RED, 'status.counts', tally, `${online} of ${total} online`);
  return { fill: online === total ? 'green' : 'yellow', shape: 'dot', text };
}

function trialStatus(RED: NodeAPI, until: number): NodeStatus {
  const time = new Date(until).toTimeString().slice(0, 8);
  const text = say(RED, 'status.onTrial', { time }, `to be confirmed until ${time}`);
  return { fill: 'blue', shape: 'dot', text };
}

function offlineText(RED: NodeAPI, state: SessionState, reason: string): string {
  const count = state.waiting;
  const base =
    count > 0
      ? say(RED, 'status.offlineWaiting', { count }, `offline, ${count} waiting`)
      : say(RED, 'status.offline', {}, 'offline');
  return reason ? `${base} – ${reason}` : base;
}
