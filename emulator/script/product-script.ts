import { extname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { READY, type ScriptCall, type ScriptLimits, type ScriptOutcome, type WorkerStart } from './types';

interface Job {
  call: ScriptCall;
  done: (outcome: ScriptOutcome) => void;
}

const START_MS = 10_000;
// Some built-in functions go on for years without a look at the clock of the interpreter.
const GRACE_MS = 1000;

// Characters of arguments that wait; a message of the largest size is about a million.
const LONGEST_QUEUE = 16 * 1024 * 1024;

function lengthOf({ args }: ScriptCall): number {
  return args.reduce((sum, { length }) => sum + length, 0);
}

/**
 * A product's script, run in a thread of its own that starts with the first call, so that a script that hangs
 * holds up its own product only. Calls are carried out one after the other.
 */
export class ProductScript {
  private readonly queue: Job[] = [];
  private queuedLength = 0;
  private running: Job | undefined;
  private worker: Worker | undefined;
  private timer: NodeJS.Timeout | undefined;
  private closed = false;

  constructor(
    readonly text: string,
    private readonly limits: ScriptLimits,
  ) {}

  /** Never rejects: what went wrong is an outcome. @param call arguments as JSON text */
  call(call: ScriptCall): Promise<ScriptOutcome> {
    if (this.closed) return Promise.resolve({ ok: false, code: 26001, reason: 'the script was replaced' });
    const length = lengthOf(call);
    if (this.queue.length >= this.limits.scriptQueue || this.queuedLength + length > LONGEST_QUEUE) {
      return Promise.resolve({ ok: false, code: 26010, reason: 'too many calls wait for the script' });
    }
    return new Promise((done) => {
      this.queue.push({ call, done });
      this.queuedLength += length;
      this.next();
    });
  }

  /** Ends the thread; calls under way are answered with 26001. */
  close(): void {
    this.closed = true;
    this.stop();
    const outcome: ScriptOutcome = { ok: false, code: 26001, reason: 'the script was replaced' };
    this.finish(outcome);
    for (const { done } of this.queue.splice(0)) done(outcome);
  }

  private next(): void {
    if (this.running !== undefined) return;
    this.running = this.queue.shift();
    if (this.running === undefined) return;
    this.queuedLength -= lengthOf(this.running.call);
    if (this.worker === undefined) this.start();
    else this.dispatch();
  }

  private start(): void {
    const workerData: WorkerStart = { script: this.text, limits: this.limits };
    // The same kind of file as this one: compiled, or not when tests run the sources.
    const worker = new Worker(join(__dirname, `worker${extname(__filename)}`), {
      workerData,
      env: {},
      name: 'alink product script',
    });
    this.worker = worker;
    worker.unref();
    worker.on('message', (message: typeof READY | ScriptOutcome) => {
      if (this.worker !== worker) return;
      if (message === READY) this.dispatch();
      else this.settle(message);
    });
    worker.on('error', (error) => this.fail(worker, error.message));
    worker.on('exit', () => this.fail(worker, 'the thread of the script ended'));
    this.limit(worker, START_MS, 'the thread of the script did not start');
  }

  private dispatch(): void {
    if (this.running === undefined || this.worker === undefined) return;
    const { scriptMs } = this.limits;
    // Loading the script may take the time of a call, too.
    this.limit(this.worker, 2 * scriptMs + GRACE_MS, `took longer than ${scriptMs} ms`);
    this.worker.postMessage(this.running.call);
  }

  private limit(worker: Worker, ms: number, reason: string): void {
    clearTimeout(this.timer);
    const timer = setTimeout(() => {
      // A message that came while this thread was busy is read before it counts as missing.
      setImmediate(() => {
        if (this.timer === timer) this.fail(worker, reason);
      });
    }, ms);
    this.timer = timer;
  }

  private fail(worker: Worker, reason: string): void {
    if (this.worker !== worker) return;
    this.stop();
    this.settle({ ok: false, code: 26002, reason: reason.slice(0, 300) });
  }

  private settle(outcome: ScriptOutcome): void {
    this.finish(outcome);
    this.next();
  }

  private finish(outcome: ScriptOutcome): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const job = this.running;
    this.running = undefined;
    job?.done(outcome);
  }

  private stop(): void {
    const { worker } = this;
    this.worker = undefined;
    worker?.terminate().catch(() => undefined);
  }
}
