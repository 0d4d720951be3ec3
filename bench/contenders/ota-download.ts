import { createHash } from 'node:crypto';
import { createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Downloads } from '../../sdk/ota/download/downloads';
import { TIMING } from '../../sdk/session/timing';
import type { OtaFile } from './ota-server';

type Way = (file: OtaFile, folder: string) => Promise<void>;

const WAYS: Record<string, Way> = {
  /** Ours: digest, flushes, state. */
  sdk: async ({ port, ca, size, sha256 }, folder) => {
    const downloads = new Downloads({
      identity: { productKey: 'a1Bench', deviceName: 'ota' },
      ca,
      timing: TIMING,
      ask: async () => undefined,
      running: () => undefined,
      request: () => Promise.reject(new Error('nothing is asked over MQTT')),
      log: () => undefined,
    });
    const file = {
      name: 'firmware.bin',
      size,
      digest: { method: 'sha256', value: sha256 } as const,
      url: `https://127.0.0.1:${port}/firmware.bin`,
    };
    const offer = { version: '1', module: 'default', isDiff: false, files: [file], receivedAt: Date.now() };
    await downloads.run({ ...offer, source: 'get' }, { folder });
  },
  /** What a careful program would write with Node.js alone: streams, digest, no resuming. */
  pipeline: async ({ port, ca, sha256 }, folder) => {
    const hash = createHash('sha256');
    const digest = new PassThrough();
    digest.on('data', (chunk: Buffer) => hash.update(chunk));
    await new Promise<void>((done, fail) => {
      get(`https://127.0.0.1:${port}/firmware.bin`, { ca }, (response) => {
        pipeline(response, digest, createWriteStream(join(folder, 'firmware.bin'))).then(done, fail);
      }).on('error', fail);
    });
    if (hash.digest('hex') !== sha256) throw new Error('the digest is wrong');
  },
};

const { way } = JSON.parse(process.argv[2] ?? '{}') as { way: string };
const run = WAYS[way];

process.on('message', (order: (OtaFile & { type: 'run' }) | { type: 'stop' }) => {
  if (order.type === 'stop') process.exit(0);
  void load(order);
});
process.send?.({ type: 'ready' });

async function load(file: OtaFile): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'alink-bench-ota-'));
  try {
    const startedAt = performance.now();
    await run?.(file, folder);
    process.send?.({ type: 'result', ms: performance.now() - startedAt });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
