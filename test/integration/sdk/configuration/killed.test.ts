import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { fileConfigurationStore } from '../../../../sdk';
import { ConfigurationPlatform } from '../../../support/configuration-platform';

const CHILD = join(__dirname, '..', '..', '..', 'support', 'configuration-child.cjs');
const IDENTITY = { productKey: 'a1Test', deviceName: 'lamp-1' };
const KILLS = 10;

interface ChildEvent {
  online?: boolean;
  answered?: boolean;
  confirmed?: string;
  source?: string;
  document?: unknown;
  reason?: object;
}

/** A device in a process of its own. */
class Child {
  readonly events: ChildEvent[] = [];
  readonly #process: ChildProcess;
  readonly #closed: Promise<unknown>;
  #news: () => void = () => undefined;

  constructor(options: object) {
    const stdio = ['ignore', 'pipe', 'inherit'] as ['ignore', 'pipe', 'inherit'];
    const child = spawn(process.execPath, [CHILD, JSON.stringify(options)], { stdio });
    this.#process = child;
    this.#closed = once(child, 'close');
    createInterface({ input: child.stdout }).on('line', (line) => {
      this.events.push(JSON.parse(line) as ChildEvent);
      this.#news();
    });
  }

  async next(fits: (event: ChildEvent) => boolean): Promise<ChildEvent> {
    for (;;) {
      const found = this.events.find(fits);
      if (found) return found;
      await new Promise<void>((resolve) => {
        this.#news = resolve;
      });
    }
  }

  async closed(): Promise<void> {
    await this.#closed;
  }

  async kill(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#closed;
  }
}

describe('configuration in a process that is killed', () => {
  let platform: ConfigurationPlatform;
  let folder: string;
  let child: Child;

  beforeEach(async () => {
    platform = await ConfigurationPlatform.start();
    folder = mkdtempSync(join(tmpdir(), 'alink-killed-'));
  });

  afterEach(async () => {
    await child.kill();
    await platform.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  function start(options: object = {}): Child {
    child = new Child({ port: platform.broker.port, folder, ...options });
    return child;
  }

  async function good(): Promise<unknown> {
    const state = await fileConfigurationStore(folder).read('remote', IDENTITY, 'emulator');
    return (state as { good?: { configId?: string } } | undefined)?.good?.configId;
  }

  it('before the flow has answered: comes again, and is accepted then', async () => {
    await start({ answer: 'dieBefore' }).next(({ online }) => online === true);
    const pushed = platform.describe({ rate: 5 });
    platform.push(pushed);
    await child.closed();
    assert.equal(await good(), undefined);
    await start().next(({ answered }) => answered === true);
    assert.equal(await good(), pushed.configId);
  });

  it('guarded, right after the flow has accepted it: the last good one comes again when nobody is reached', async () => {
    await start().next(({ online }) => online === true);
    platform.push(platform.describe({ rate: 5 }));
    await child.next(({ answered }) => answered === true);
    await child.kill();
    await start({ guardMs: 5000, answer: 'dieAfter' }).next(({ online }) => online === true);
    const bad = platform.describe({ rate: 6 });
    platform.push(bad);
    await child.closed();
    // Again, so that hardly any time is left: a restart in the last moment is given a little more.
    await start({ guardMs: 5000, offline: true }).kill();
    const { document, reason } = await start({ offline: true }).next(({ source }) => source === 'rollback');
    assert.deepEqual(document, { rate: 5 });
    assert.deepEqual(reason, { configId: bad.configId, problem: 'noContact' });
  }).timeout(30_000);

  it('guarded, and reached again after the kill: stands', async () => {
    await start({ guardMs: 20_000, answer: 'dieAfter' }).next(({ online }) => online === true);
    const pushed = platform.describe({ rate: 5 });
    platform.push(pushed);
    await child.closed();
    const { confirmed } = await start().next(({ confirmed: id }) => id !== undefined);
    assert.equal(confirmed, pushed.configId);
    assert.equal(await good(), pushed.configId);
  });

  it(`at any moment, ${KILLS} times: each is accepted once in the end`, async () => {
    const random = seeded(20261121);
    for (let run = 0; run < KILLS; run++) {
      await start().next(({ online }) => online === true);
      const pushed = platform.describe({ run });
      platform.push(pushed);
      await setTimeout(random() * 60);
      await child.kill();
      const wasAccepted = (await good()) === pushed.configId;
      await start().next(({ online }) => online === true);
      const id = platform.push(pushed);
      const { code } = await platform.replyTo(id);
      assert.equal(code, 200);
      assert.equal(await good(), pushed.configId);
      const again = child.events.filter(({ source }) => source !== undefined).length;
      assert.equal(again, wasAccepted ? 0 : 1, `run ${run}`);
      await child.kill();
    }
  }).timeout(60_000);
});

function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
