import type { Target } from './model';

/** One way of reporting a property. */
export interface Contender {
  /** Reports once; `done` when the platform has answered. */
  post(count: number, done: () => void): void;
  stop(): Promise<void>;
}

export interface RunOrder {
  type: 'run';
  inFlight: number;
  ms: number;
}

export interface RunResult {
  type: 'result';
  /** Acknowledged reports a second. */
  rate: number;
  p50: number;
  p99: number;
  /** CPU of this process, microseconds a report. */
  cpu: number;
}

/** Runs in the contender's own process: tells the parent when ready, then measures as often as it is told to. */
export async function serve(start: (target: Target) => Promise<Contender>): Promise<void> {
  const target = JSON.parse(process.argv[2] ?? '{}') as Target;
  const contender = await start(target);
  process.on('message', (order: RunOrder | { type: 'stop' }) => {
    if (order.type === 'stop') {
      void contender.stop().finally(() => process.exit(0));
      return;
    }
    void measure(contender, order).then((result) => process.send?.(result));
  });
  process.send?.({ type: 'ready' });
}

/** A device that answers the platform's calls, in a process of its own; the calls are counted where they come from. */
export async function serveAnswers(start: (target: Target) => Promise<() => Promise<void>>): Promise<void> {
  const target = JSON.parse(process.argv[2] ?? '{}') as Target;
  const stop = await start(target);
  process.on('message', () => void stop().finally(() => process.exit(0)));
  process.send?.({ type: 'ready' });
}

let count = 0;

/** Keeps so many on their way for so long. */
export async function measure(
  contender: Pick<Contender, 'post'>,
  { inFlight, ms }: Pick<RunOrder, 'inFlight' | 'ms'>,
): Promise<RunResult> {
  const latencies: number[] = [];
  const cpuBefore = process.cpuUsage();
  const startedAt = performance.now();
  const endsAt = startedAt + ms;
  await new Promise<void>((finished) => {
    let open = 0;
    const next = () => {
      open++;
      const sentAt = performance.now();
      contender.post(count++, () => {
        const now = performance.now();
        latencies.push(now - sentAt);
        open--;
        if (now < endsAt) next();
        else if (open === 0) finished();
      });
    };
    for (let i = 0; i < inFlight; i++) next();
  });
  const seconds = (performance.now() - startedAt) / 1000;
  const { user, system } = process.cpuUsage(cpuBefore);
  latencies.sort((a, b) => a - b);
  const at = (share: number) =>
    latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? 0;
  return {
    type: 'result',
    rate: latencies.length / seconds,
    p50: at(0.5),
    p99: at(0.99),
    cpu: (user + system) / latencies.length,
  };
}

/** The middle of several runs, each number by itself. */
export function median(results: readonly RunResult[]): RunResult {
  const of = (key: 'rate' | 'p50' | 'p99' | 'cpu') => {
    const sorted = results.map((result) => result[key]).sort((a, b) => a - b);
    return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  };
  return { type: 'result', rate: of('rate'), p50: of('p50'), p99: of('p99'), cpu: of('cpu') };
}
