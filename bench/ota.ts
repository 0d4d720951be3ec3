import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { OtaFile } from './contenders/ota-server';
import { type BenchProcess, startProcess } from './processes';
import { row, table } from './table';

const MEGABYTE = 1024 * 1024;
/** Beside curl, which neither waits for the disk nor remembers how far it came, and a digest after it. */
const AIM = 1;

/** Throughput of a firmware download over HTTPS, digest included, beside curl and Node.js's own streams. */
export async function measureOta(quick: boolean): Promise<void> {
  const size = (quick ? 50 : 300) * MEGABYTE;
  const rounds = quick ? 2 : 11;
  const server = await startProcess('ota-server', { size });
  const processes: BenchProcess[] = [server];
  try {
    const file = await server.order<OtaFile>({ type: 'file' });
    const ways = new Map<string, () => Promise<number>>();
    for (const way of ['sdk', 'pipeline']) {
      const process = await startProcess('ota-download', { way });
      processes.push(process);
      ways.set(way, async () => (await process.order<{ ms: number }>({ ...file, type: 'run' })).ms);
    }
    if (hasCurl()) {
      ways.set('curl', async () => curl(file, 'curl "$@" --output firmware.bin && sha256sum firmware.bin'));
      ways.set('pipe', async () => curl(file, 'curl "$@" | tee firmware.bin | sha256sum'));
    }
    const samples = new Map([...ways.keys()].map((way) => [way, [] as number[]]));
    for (const way of ways.values()) await way(); // warm-up
    // In turn, so that a change of the machine's speed strikes all alike.
    for (let round = 0; round < rounds; round++) {
      for (const [way, load] of ways) samples.get(way)?.push(size / MEGABYTE / ((await load()) / 1000));
    }
    print(samples, size);
  } finally {
    for (const process of processes) await process.stop();
  }
}

function print(rates: ReadonlyMap<string, readonly number[]>, size: number): void {
  const ours = rates.get('sdk') ?? [];
  /** Round by round, so that a change of the machine's speed strikes both. */
  const beside = (others: readonly number[]) =>
    middle(ours.map((rate, round) => rate / (others[round] ?? Number.NaN)));
  console.log(`Firmware of ${size / MEGABYTE} MB over HTTPS, SHA-256 included\n`);
  table(
    ['', 'MB/s', 'slowest', 'fastest', 'ours beside it'],
    [...rates].map(([way, each]) => [
      TITLES[way] ?? way,
      ...[middle(each), Math.min(...each), Math.max(...each)].map((rate) => rate.toFixed(0)),
      beside(each).toFixed(2),
    ]),
  );
  const peer = rates.has('curl') ? 'curl' : 'pipeline';
  table(
    ['', 'of', 'measured', 'aim', ''],
    [row('download, our SDK', TITLES[peer] ?? peer, beside(rates.get(peer) ?? []), '≥', AIM)],
  );
}

const TITLES: Record<string, string> = {
  sdk: 'our SDK',
  pipeline: 'streams of Node.js',
  curl: 'curl, then sha256sum',
  pipe: 'curl, tee and sha256sum at once',
};

function middle(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

function hasCurl(): boolean {
  return ['curl', 'sha256sum', 'tee'].every((program) => spawnSync(program, ['--version']).status === 0);
}

/** @param script what a shell does with curl's arguments; it prints the digest */
function curl({ port, ca, sha256 }: OtaFile, script: string): number {
  const folder = mkdtempSync(join(tmpdir(), 'alink-bench-curl-'));
  try {
    writeFileSync(join(folder, 'ca.pem'), ca);
    const startedAt = performance.now();
    const asked = ['--silent', '--show-error', '--fail', '--noproxy', '*', '--cacert', 'ca.pem'];
    const given = ['-c', script, 'sh', ...asked, `https://127.0.0.1:${port}/firmware.bin`];
    const digest = execFileSync('sh', given, { cwd: folder, encoding: 'utf8' });
    const ms = performance.now() - startedAt;
    if (!digest.startsWith(sha256)) throw new Error('the digest is wrong');
    return ms;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
