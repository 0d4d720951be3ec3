import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { before, describe, it } from 'mocha';
import type { AlinkError, DownloadedFirmware } from '../../../../sdk';
import type { Downloads } from '../../../../sdk/ota/download/downloads';
import { certificate, type TestCertificate } from '../../../support/certificates';
import { DownloadBench } from '../../../support/download-bench';
import { type Answerer, type FirmwareServer, status } from '../../../support/firmware-server';
import { assertSaid } from '../../../support/said';

const SEEDS = Number(process.env.ALINK_TEST_SEEDS ?? 24);
const SIZE = 120_000;
const FLUSH_BYTES = 4096;
/** What each error of a download asks to report; those without a step are no failures of the firmware. */
const STEPS: Readonly<Record<string, number | undefined>> = {
  downloadFailed: -2,
  downloadExpired: -2,
  firmwareNotAllowed: -2,
  firmwareMismatch: -3,
  firmwareReplaced: undefined,
  aborted: undefined,
  closed: undefined,
};

/** Faults in any order, closed connections, two users, offers that take each other's place: all from one seed. */
describe('download of firmware with random faults', () => {
  let tls: TestCertificate;
  before(async () => {
    tls = await certificate();
  });

  for (let seed = 1; seed <= SEEDS; seed++) {
    it(`seed ${seed}`, async () => {
      const bench = await DownloadBench.start(SIZE, tls);
      try {
        await new Run(bench, seeded(seed)).go();
      } finally {
        await bench.stop();
      }
    });
  }
});

class Run {
  #own: Downloads;
  readonly #server: FirmwareServer;

  constructor(
    private readonly bench: DownloadBench,
    private readonly random: () => number,
  ) {
    this.#server = bench.server;
    this.#own = this.#connection();
  }

  async go(): Promise<void> {
    const rounds = 4 + this.#upTo(6);
    for (let round = 0; round < rounds; round++) {
      this.#server.script.length = 0;
      for (let i = this.#upTo(6); i > 0; i--) this.#server.script.push(this.#fault());
      const users = Array.from({ length: 1 + this.#upTo(3) }, () => this.#user());
      const closing = this.random() < 0.3 ? this.#closeSoon() : undefined;
      await Promise.all(users);
      await closing;
    }
    // Whatever came before: on a good day it is there, and exactly it.
    this.#server.script.length = 0;
    this.#server.asked.length = 0;
    this.#check(await this.bench.run(this.#offer('1'), { flushBytes: FLUSH_BYTES }, this.bench.downloads()));
    assert.ok(this.#server.asked.length <= 2, 'at most once from the start');
    assert.deepEqual(
      this.bench.everything().filter((path) => /\.part-|\.lock/.test(path)),
      [],
    );
    assert.doesNotMatch(this.bench.logged.join(), /listenerFailed/);
  }

  #connection(): Downloads {
    const ask = async () => {
      const { random } = this;
      if (random() < 0.2) return undefined;
      return this.#offer(random() < 0.9 ? '1' : '2');
    };
    return this.bench.downloads({ ask }, 80);
  }

  #offer(version: string) {
    return this.#server.offer({ version });
  }

  async #user(): Promise<void> {
    const giving = new AbortController();
    const giveUpAt = this.random() < 0.3 ? this.#upTo(SIZE) : Number.POSITIVE_INFINITY;
    let last = -1;
    let done: DownloadedFirmware;
    try {
      const options = {
        retries: 3,
        flushBytes: FLUSH_BYTES,
        signal: giving.signal,
        onProgress: ({ doneBytes, percent }: { doneBytes: number; percent: number }) => {
          // What it throws is logged, and looked for at the end.
          assert.ok(percent >= 0 && percent <= 100);
          last = doneBytes;
          if (doneBytes >= giveUpAt) giving.abort();
        },
      };
      const offer = this.#offer(this.random() < 0.8 ? '1' : '2');
      done = await this.bench.run(offer, options, this.#own);
    } catch (thrown) {
      const { key, details, message } = thrown as AlinkError;
      assert.ok(key in STEPS, `${key}: ${message}`);
      assert.equal(details.step, STEPS[key]);
      assert.doesNotMatch(message, /Signature|SECRET/);
      if (details.step !== undefined) assertSaid(thrown as AlinkError);
      return;
    }
    this.#check(done);
    assert.equal(last, SIZE);
  }

  /** The connection ends, and the next one is there at once. */
  async #closeSoon(): Promise<void> {
    for (let i = this.#upTo(30); i > 0; i--) await new Promise((resolve) => setImmediate(resolve));
    this.#own.close();
    this.#own = this.#connection();
    await this.#user();
  }

  #check({ files: [file] }: DownloadedFirmware): void {
    assert.ok(file);
    assert.ok(readFileSync(file.path).equals(this.#server.content), 'bit for bit');
  }

  #fault(): Answerer {
    const server = this.#server;
    const at = this.#upTo(SIZE);
    const faults: Answerer[] = [
      server.cut(at),
      server.cut(at),
      (asked, response) => server.serve({ ...asked, from: 0 }, response),
      (asked, response) => server.serve({ ...asked, from: at }, response),
      status([400, 403, 404, 416, 429, 500, 503][this.#upTo(7)] ?? 500),
      status(302, { location: '/elsewhere' }),
      status(302, { location: 'http://127.0.0.1:9/plain' }),
      () => undefined,
      (_, response) => response.destroy(),
      (_, response) => response.writeHead(206).end('x'),
      (_, response) => response.writeHead(200, { 'content-length': SIZE }).end(Buffer.alloc(SIZE, 7)),
      (_, response) => response.writeHead(200).end(server.content.subarray(0, at)),
      (_, response) => response.writeHead(200).end(Buffer.concat([server.content, Buffer.alloc(9)])),
      (_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end('x'),
      (asked, response) => {
        const range = `bytes ${asked.from}-${SIZE - 1}/${SIZE}`;
        response.writeHead(asked.from > 0 ? 206 : 200, asked.from > 0 ? { 'content-range': range } : {});
        response.write(server.content.subarray(asked.from, asked.from + at));
      },
      (_, response) => {
        response.socket?.write('HTTP/1.1 101 x\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n');
      },
      (_, response) => {
        response.socket?.end('not HTTP at all');
      },
    ];
    return faults[this.#upTo(faults.length)] ?? server.cut(at);
  }

  /** A whole number below `most`. */
  #upTo(most: number): number {
    return Math.floor(this.random() * most);
  }
}

function seeded(seed: number): () => number {
  let state = Math.imul(seed, 0x9e3779b1);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
