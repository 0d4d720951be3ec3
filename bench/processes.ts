import { type ChildProcess, fork, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { RunResult } from './contender';
import { ACCESS_KEY, PRODUCT_KEY, SECRET, type Target, THING_MODEL } from './model';

const ROOT = resolve(__dirname, '..');

export interface BenchEmulator {
  host: string;
  port: number;
  /** Address of the OpenAPI. */
  http: string;
  stop(): Promise<void>;
}

/** An emulator by its own command. @param limits where they differ from its own (`EmulatorLimits`) */
export async function startEmulatorProcess(
  deviceNames: readonly string[],
  limits: Readonly<Record<string, number>> = {},
): Promise<BenchEmulator> {
  const folder = mkdtempSync(join(tmpdir(), 'alink-bench-'));
  const file = join(folder, 'products.json');
  const devices = deviceNames.map((deviceName) => ({ deviceName, deviceSecret: SECRET }));
  writeFileSync(
    file,
    JSON.stringify({
      accessKeys: [ACCESS_KEY],
      limits,
      products: [{ productKey: PRODUCT_KEY, thingModel: THING_MODEL, devices }],
    }),
  );
  const command = ['--config', file, '--host', '127.0.0.1', '--mqtt-port', '0', '--http-port', '0'];
  const child = spawn(process.execPath, [join(ROOT, 'dist/emulator/cli.js'), ...command], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const lines = createInterface({ input: child.stdout });
  const line = await new Promise<string>((done, fail) => {
    lines.once('line', done);
    child.once('exit', (code) => fail(new Error(`the emulator ended with ${code}`)));
  });
  const { mqtt, http } = JSON.parse(line) as { mqtt: string; http: string };
  const { hostname, port } = new URL(mqtt);
  return {
    host: hostname,
    port: Number(port),
    http,
    stop: async () => {
      child.kill('SIGTERM');
      await ended(child);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A process that does what it is told, one order at a time. */
export interface BenchProcess {
  /** @returns what the process answers with a message of type `result` */
  order<T>(order: { type: string; [field: string]: unknown }): Promise<T>;
  stop(): Promise<void>;
}

export interface ContenderProcess {
  run(inFlight: number, ms: number): Promise<RunResult>;
  stop(): Promise<void>;
}

/** A contender in a process of its own. @param file in `bench/contenders/`, without ending */
export async function startContender(
  file: string,
  target: Target,
  ...more: string[]
): Promise<ContenderProcess> {
  const { order, stop } = await startProcess(file, target, ...more);
  return { run: (inFlight, ms) => order<RunResult>({ type: 'run', inFlight, ms }), stop };
}

/** Starts a file of `bench/contenders/` (without ending) and waits until it is ready. */
export async function startProcess(file: string, target: object, ...more: string[]): Promise<BenchProcess> {
  const child = fork(join(__dirname, 'contenders', `${file}.ts`), [JSON.stringify(target), ...more], {
    execArgv: ['--import', 'tsx'],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  await message(child, 'ready');
  return {
    order: async (order) => {
      const result = message(child, 'result');
      child.send(order);
      return result as Promise<never>;
    },
    stop: async () => {
      if (child.exitCode !== null) return;
      child.send({ type: 'stop' });
      await ended(child);
    },
  };
}

function message<T>(child: ChildProcess, type: string): Promise<T> {
  return new Promise((done, fail) => {
    const leave = () => {
      child.off('message', listen);
      child.off('exit', exit);
    };
    const listen = (value: unknown) => {
      if ((value as { type?: string }).type !== type) return;
      leave();
      done(value as T);
    };
    const exit = (code: number | null) => {
      leave();
      fail(new Error(`${child.spawnargs.slice(-3).join(' ')} ended with ${code}`));
    };
    child.on('message', listen);
    child.on('exit', exit);
  });
}

/** Resolves when the process is gone; at the latest after 5 s, by force. */
export function ended(child: ChildProcess): Promise<void> {
  return new Promise((done) => {
    if (child.exitCode !== null || child.signalCode !== null) return done();
    const forced = setTimeout(() => child.kill('SIGKILL'), 5000);
    child.once('exit', () => {
      clearTimeout(forced);
      done();
    });
  });
}
