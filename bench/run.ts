import { fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { startNodeRed } from '../test/support/node-red';
import { median, type RunResult } from './contender';
import { measureGateways } from './gateway';
import { measureOta } from './ota';
import { type BenchEmulator, type ContenderProcess, startContender, startEmulatorProcess } from './processes';
import { ANSWERING_DEVICES, measureServices } from './services';
import { row, table } from './table';

const quick = process.argv.includes('--quick');
const PARTS = ['posts', 'services', 'memory', 'startup', 'gateway', 'ota'] as const;
/** What is measured: the parts that are named, or all. */
const chosen = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const ROUNDS = quick ? 1 : 3;
const ROUND_MS = quick ? 1000 : 3000;
const DEVICES = quick ? 200 : 1000;
const LEVELS = [1, 16, 256] as const;
const CONTENDERS = {
  node: ['alink-node', 'our node in Node-RED'],
  stock: ['stock-nodes', 'stock MQTT nodes in Node-RED'],
  sdk: ['sdk', 'our SDK'],
  bare: ['bare-mqtt', 'bare MQTT.js'],
  sdk0: ['sdk', 'our SDK, QoS 0', '0'],
  official: ['official-sdk', 'official SDK, QoS 0'],
} as const;
type Name = keyof typeof CONTENDERS;
type Results = Record<Name, Record<number, RunResult>>;

async function main(): Promise<void> {
  const unknown = chosen.find((part) => !PARTS.some((name) => name === part));
  if (unknown !== undefined) throw new Error(`there is no part ${unknown}; there are ${PARTS.join(', ')}`);
  console.log(
    `${cpus().length} cores, Node.js ${process.version}, ${ROUNDS} × ${ROUND_MS / 1000} s each, one emulator process\n`,
  );
  if (wanted('posts') || wanted('services') || wanted('memory')) await measureDevices();
  if (wanted('startup')) await printStartup();
  if (wanted('gateway')) await measureGateways(quick);
  if (wanted('ota')) await measureOta(quick);
}

function wanted(part: (typeof PARTS)[number]): boolean {
  return chosen.length === 0 || chosen.includes(part);
}

async function measureDevices(): Promise<void> {
  const names = Object.keys(CONTENDERS) as Name[];
  const idle = Array.from({ length: DEVICES + 1 }, (_, i) => `idle-${String(i).padStart(4, '0')}`);
  const emulator = await startEmulatorProcess([
    ...names.map((name) => `bench-${name}`),
    ...ANSWERING_DEVICES,
    ...idle,
  ]);
  try {
    if (wanted('posts')) printThroughput(await throughput(names, emulator));
    if (wanted('services')) await measureServices(emulator, quick);
    if (wanted('memory')) await printMemory(emulator, idle);
  } finally {
    await emulator.stop();
  }
}

async function throughput(names: readonly Name[], emulator: BenchEmulator): Promise<Results> {
  const processes = new Map<Name, ContenderProcess>();
  const samples = new Map<string, RunResult[]>();
  try {
    for (const name of names) {
      const [file, , ...more] = CONTENDERS[name];
      processes.set(name, await startContender(file, { ...emulator, deviceName: `bench-${name}` }, ...more));
    }
    for (const level of LEVELS) {
      for (const contender of processes.values()) await contender.run(level, quick ? 300 : 1000); // warm-up
      // In turn, so that a change of the machine's speed strikes all alike.
      for (let round = 0; round < ROUNDS; round++) {
        for (const [name, contender] of processes) {
          const key = `${name} ${level}`;
          samples.set(key, [...(samples.get(key) ?? []), await contender.run(level, ROUND_MS)]);
        }
      }
    }
  } finally {
    for (const contender of processes.values()) await contender.stop();
  }
  const results = {} as Results;
  for (const name of names) {
    results[name] = {};
    for (const level of LEVELS) results[name][level] = median(samples.get(`${name} ${level}`) ?? []);
  }
  return results;
}

function printThroughput(results: Results): void {
  const lines = Object.entries(CONTENDERS).flatMap(([name, [, title]]) =>
    LEVELS.map((level) => {
      const { rate, p50, p99, cpu } = results[name as Name][level] ?? median([]);
      return [title, String(level), rate.toFixed(0), p50.toFixed(2), p99.toFixed(2), cpu.toFixed(1)];
    }),
  );
  table(['Property posts acknowledged', 'in flight', 'per s', 'p50 ms', 'p99 ms', 'CPU µs each'], lines);
  const ratio = (a: Name, b: Name, level: number, key: 'rate' | 'cpu') =>
    (results[a][level]?.[key] ?? Number.NaN) / (results[b][level]?.[key] ?? Number.NaN);
  const aims = { 1: 200, 16: 50, 256: 1.3 };
  table(
    ['Ratio', 'in flight', 'measured', 'aim', ''],
    [
      ...LEVELS.map((level) =>
        row('node : stock nodes, rate', level, ratio('node', 'stock', level, 'rate'), '≥', aims[level]),
      ),
      ...LEVELS.map((level) =>
        row('SDK : official SDK at QoS 0, rate', level, ratio('sdk0', 'official', level, 'rate'), '≥', 1),
      ),
      ...LEVELS.map((level) =>
        row('SDK : bare MQTT.js, CPU', level, ratio('sdk', 'bare', level, 'cpu'), '≤', 1.3),
      ),
    ],
  );
}

async function printMemory({ host, port }: BenchEmulator, names: readonly string[]): Promise<void> {
  const child = fork(join(__dirname, 'memory.ts'), [JSON.stringify({ host, port }), JSON.stringify(names)], {
    execArgv: ['--import', 'tsx'],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const { bytes, rss } = await new Promise<{ bytes: number; rss: number }>((done, fail) => {
    child.once('message', (result) => done(result as { bytes: number; rss: number }));
    child.once('exit', (code) => fail(new Error(`the memory run ended with ${code}`)));
  });
  table(
    ['Memory', 'devices', 'KB each', 'aim', ''],
    [
      row('idle device with a node, heap', names.length - 1, bytes / 1024, '≤', 60),
      ['… resident set', String(names.length - 1), (rss / 1024).toFixed(1), '', ''],
    ],
  );
}

async function printStartup(): Promise<void> {
  const once = async (withNodes: boolean) => {
    const startedAt = performance.now();
    const red = await startNodeRed(
      withNodes ? {} : { userDir: mkdtempSync(join(tmpdir(), 'alink-bench-red-')) },
    );
    const took = performance.now() - startedAt;
    await red.stop();
    rmSync(red.userDir, { recursive: true, force: true });
    return took;
  };
  const without: number[] = [];
  const withNodes: number[] = [];
  await once(true); // fills the file cache
  for (let i = 0; i < (quick ? 3 : 7); i++) {
    without.push(await once(false));
    withNodes.push(await once(true));
  }
  const middle = (list: number[]) => list.sort((a, b) => a - b)[Math.floor(list.length / 2)] ?? Number.NaN;
  const [a, b] = [middle(without), middle(withNodes)];
  table(
    ['Start-up of Node-RED', '', 'ms', 'aim', ''],
    [
      ['without the nodes', '', a.toFixed(0), '', ''],
      ['with the nodes', '', b.toFixed(0), '', ''],
      row('more with the nodes', '', b - a, '≤', 300),
    ],
  );
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
