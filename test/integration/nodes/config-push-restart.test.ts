import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setInterval as every } from 'node:timers/promises';
import { after, afterEach, before, beforeEach, describe, it } from 'mocha';
import type { Emulator } from '../../../emulator';
import type { Json } from '../../../protocol';
import { configPush } from '../../support/config-push-nodes';
import { type NodeRed, startNodeRed } from '../../support/node-red';
import { otaPlatform, startOtaEmulator, unit, unitNode } from '../../support/ota-flows';
import { serviceReply } from '../../support/request-flows';
import type { FlowNode } from '../../support/runtime';
import { newUserDir } from '../../support/user-dir';

/** What the flow is given becomes a line of a file each. */
const GIVEN: readonly FlowNode[] = [
  {
    id: 'line',
    z: 'tab',
    type: 'change',
    rules: [
      {
        t: 'set',
        p: 'payload',
        pt: 'msg',
        to: '{"payload": payload, "alink": alink, "error": error}',
        tot: 'jsonata',
      },
    ],
    wires: [['file']],
  },
  {
    id: 'file',
    z: 'tab',
    type: 'file',
    filenameType: 'str',
    appendNewline: true,
    overwriteFile: 'false',
    encoding: 'none',
    wires: [[]],
  },
  { id: 'catch', z: 'tab', type: 'catch', scope: null, uncaught: false, wires: [['line']] },
];

interface Line {
  payload: unknown;
  alink: { source?: string; status?: string; configId?: string; rolledBack?: object };
  error?: { message: string };
}

describe('alink-config-push over restarts of Node-RED', () => {
  let emulator: Emulator;
  let red: NodeRed | undefined;
  let userDir = '';
  let count = 0;
  let identity = unit(0);
  before(async () => {
    emulator = await startOtaEmulator();
  });
  beforeEach(() => {
    identity = unit(count++);
    userDir = newUserDir();
  });
  afterEach(async () => {
    await red?.kill();
    red = undefined;
    rmSync(userDir, { recursive: true, force: true });
    emulator.faults.goSilent(false);
  });
  after(() => emulator.close());

  async function start(nodes: readonly FlowNode[], isReachable = true): Promise<void> {
    const since = emulator.exchanges.latest;
    const placed = [...nodes, ...GIVEN].map((node) => ({
      ...node,
      x: 100,
      y: 100,
      ...(node.type === 'file' ? { filename: join(userDir, 'given.txt') } : {}),
    }));
    const flows = [
      { id: 'tab', type: 'tab', label: 'configuration' },
      otaPlatform(emulator),
      unitNode(identity),
      ...placed,
    ];
    const { credentials = {} } = unitNode(identity) as { credentials?: object };
    red = await startNodeRed({ flows, credentials: { device: credentials }, userDir });
    if (!isReachable) return;
    await emulator.exchanges.waitFor(
      ({ topic, identity: from }) =>
        (topic ?? '').endsWith('/thing/config/get') && from?.deviceName === identity.deviceName,
      { since, timeoutMs: 15_000 },
    );
  }

  async function restart(nodes: readonly FlowNode[], isReachable = true): Promise<void> {
    await red?.kill();
    await start(nodes, isReachable);
  }

  const lines = (): Line[] => {
    const path = join(userDir, 'given.txt');
    const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
    return text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Line);
  };
  const given = () => lines().filter(({ error }) => error === undefined);
  const failed = () => lines().filter(({ error }) => error !== undefined);

  /** Looks until it is so. */
  async function until(isSo: () => boolean): Promise<void> {
    const limit = AbortSignal.timeout(15_000);
    for await (const _ of every(5, undefined, { signal: limit })) if (isSo()) return;
  }

  async function push(content?: Json): Promise<string> {
    if (content !== undefined) emulator.configuration.set(identity.productKey, { content });
    const [pushed] = await emulator.configuration.push(identity);
    return pushed?.configId ?? '';
  }

  /** What is on disk. */
  function kept(): { good?: { configId: string }; rollback?: object } {
    const folder = join(userDir, 'alink', 'configurations', 'remote');
    const [name = ''] = existsSync(folder) ? readdirSync(folder).filter((one) => one.endsWith('.json')) : [];
    return name === '' ? {} : (JSON.parse(readFileSync(join(folder, name), 'utf8')) as object);
  }

  const code = () => emulator.devices.get(identity)?.configuration?.code;
  const config = (extra: object = {}) => configPush({ ask: true, wires: [['line']], ...extra });

  it('gives each configuration once, whoever names it after the restart', async () => {
    await start([config()]);
    const configId = await push({ interval: 5 });
    await until(() => code() === 200);
    // It asks for it at the start, and the same one is pushed once more.
    await restart([config()]);
    assert.equal(await push(), configId);
    await until(() => code() === 200);
    await push({ interval: 6 });
    await until(() => given().length > 1);
    assert.deepEqual(
      given().map(({ payload }) => payload),
      [{ interval: 5 }, { interval: 6 }],
    );
    assert.deepEqual(failed(), []);
  }).timeout(60_000);

  it('killed before the flow answered: gives it again, and the platform hears of it with the next push', async () => {
    await start([config({ reply: 'flow', timeLimit: '600' }), serviceReply()]);
    await push({ interval: 5 });
    await until(() => given().length === 1);
    assert.equal(code(), undefined);
    await restart([config({ reply: 'flow', wires: [['line', 'reply']] }), serviceReply()]);
    await until(() => given().length === 2);
    await push();
    await until(() => code() === 200);
    const [first, again] = given();
    assert.deepEqual(again?.payload, first?.payload);
    assert.equal(given().length, 2);
  }).timeout(60_000);

  it('guarded: stands when the platform is reached after a restart; when it is not, the last good one comes once', async () => {
    const guarded = config({ guarded: true, guardTime: '0.05' });
    await start([guarded]);
    const goodId = await push({ interval: 5 });
    await until(() => code() === 200);
    // Within its time as well, but the platform is reached.
    await restart([guarded]);
    await until(() => kept().good?.configId === goodId);
    const badId = await push({ interval: 6 });
    await until(() => given().length === 2 && code() === 200);
    emulator.faults.goSilent();
    await restart([guarded], false);
    await until(() => given().length === 3);
    await until(() => failed().length === 1);
    // A kill in the moment in which the flow gets it would be one more reason to give it.
    await until(() => kept().rollback === undefined);
    const { payload, alink } = given()[2] as Line;
    assert.deepEqual([payload, alink.source], [{ interval: 5 }, 'rollback']);
    assert.deepEqual(alink.rolledBack, { configId: badId, problem: 'noContact' });
    assert.match(failed()[0]?.error?.message ?? '', /not reached within 3 s; the last good one/);

    // The platform still has it: it is not taken again, and the good one not given again.
    emulator.faults.goSilent(false);
    await restart([guarded]);
    await push();
    await until(() => code() === 400);
    await push({ interval: 7 });
    await until(() => given().length === 4);
    assert.deepEqual(given()[3]?.payload, { interval: 7 });
  }).timeout(90_000);
});
