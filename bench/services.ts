import { type Contender, measure, median, type RunResult } from './contender';
import { openApiCaller } from './open-api';
import { type BenchEmulator, type ContenderProcess, startContender } from './processes';
import { table } from './table';

const LEVELS = [1, 16, 128] as const;
const CONTENDERS = {
  node: ['answer-node', 'our nodes in Node-RED'],
  stock: ['answer-stock', 'stock MQTT nodes in Node-RED'],
  official: ['answer-official', 'official SDK'],
} as const;
type Name = keyof typeof CONTENDERS;
const NAMES = Object.keys(CONTENDERS) as Name[];
const deviceOf = (name: Name) => `answer-${name}`;

/** Devices that answer services, for the emulator's products file. */
export const ANSWERING_DEVICES = NAMES.map(deviceOf);

/**
 * Round trips of a synchronous service: a cloud call over the OpenAPI, RRPC to the device, its flow, the answer, and
 * back to the caller. Everything but the device is the same for all.
 */
export async function measureServices(emulator: BenchEmulator, quick: boolean): Promise<void> {
  const processes = new Map<Name, ContenderProcess>();
  const callers = new Map<Name, Contender>();
  const samples = new Map<string, RunResult[]>();
  try {
    for (const name of NAMES) {
      const deviceName = deviceOf(name);
      processes.set(name, await startContender(CONTENDERS[name][0], { ...emulator, deviceName }));
      callers.set(name, openApiCaller(emulator.http, deviceName));
    }
    for (const inFlight of LEVELS) {
      for (const caller of callers.values()) await measure(caller, { inFlight, ms: quick ? 300 : 1000 });
      for (let round = 0; round < (quick ? 1 : 3); round++) {
        for (const [name, caller] of callers) {
          const key = `${name} ${inFlight}`;
          const result = await measure(caller, { inFlight, ms: quick ? 1000 : 3000 });
          samples.set(key, [...(samples.get(key) ?? []), result]);
        }
      }
    }
  } finally {
    for (const caller of callers.values()) await caller.stop();
    for (const contender of processes.values()) await contender.stop();
  }
  print((name, level) => median(samples.get(`${name} ${level}`) ?? []));
}

function print(of: (name: Name, level: number) => RunResult): void {
  table(
    ['Service round trips, cloud call to answer', 'in flight', 'per s', 'p50 ms', 'p99 ms'],
    NAMES.flatMap((name) =>
      LEVELS.map((level) => {
        const { rate, p50, p99 } = of(name, level);
        return [CONTENDERS[name][1], String(level), rate.toFixed(0), p50.toFixed(2), p99.toFixed(2)];
      }),
    ),
  );
  const ratio = (a: Name, b: Name, level: number, key: 'rate' | 'p99') =>
    (of(a, level)[key] / of(b, level)[key]).toFixed(2);
  table(
    ['Ratio', 'in flight', 'measured'],
    LEVELS.flatMap((level) => [
      ['nodes : stock nodes, rate', String(level), ratio('node', 'stock', level, 'rate')],
      ['nodes : stock nodes, p99', String(level), ratio('node', 'stock', level, 'p99')],
      ['nodes : official SDK, rate', String(level), ratio('node', 'official', level, 'rate')],
    ]),
  );
}
