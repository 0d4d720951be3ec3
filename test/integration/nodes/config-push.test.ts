import assert from 'node:assert/strict';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'mocha';
import { configPush, Panel, platformWith } from '../../support/config-push-nodes';
import { catchAll, device, sink, statusOf } from '../../support/flows';
import { serviceReply } from '../../support/request-flows';
import { type FlowMessage, type FlowNode, type Runtime, startRuntime } from '../../support/runtime';

const PRODUCT = 'a1Config';
const NAME = 'box-01';

describe('alink-config-push through a real Node-RED', () => {
  let red: Runtime;
  let openRequests: () => number;
  before(async () => {
    red = await startRuntime();
    ({ openRequests } = require('../../../dist/sdk') as { openRequests: () => number });
  });
  after(() => red.stop());
  beforeEach(() => rmSync(join(red.userDir, 'alink'), { recursive: true, force: true }));
  afterEach(async () => {
    await red.deploy([]);
    assert.equal(openRequests(), 0);
  });

  // A new platform for each test: what one stores the next must not find.
  let run = 0;
  async function deploy(nodes: FlowNode[], product: object = {}): Promise<Panel> {
    const online = red.next('statuses', ({ status }) => status?.fill === 'green');
    run++;
    await red.deploy(flowOf(nodes, product));
    await online;
    return Panel.of(red);
  }

  function flowOf(nodes: FlowNode[], product: object = {}): FlowNode[] {
    return [
      platformWith([{ productKey: PRODUCT, name: `run ${run}`, ...product }]),
      device({ productKey: PRODUCT, deviceName: NAME, thingModelSource: 'none', transport: 'tcp' }),
      ...nodes,
      sink(),
      ...catchAll(),
      ...statusOf('config'),
    ];
  }

  /** The device's answer, which the emulator has a moment after the flow gave it. */
  async function answered(panel: Panel): Promise<number> {
    for (;;) {
      const code = await panel.answer(PRODUCT, NAME);
      if (code !== undefined) return code;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  it('hands on a pushed configuration and accepts it at once', async () => {
    const panel = await deploy([configPush()]);
    const seen = red.next('sink');
    const configId = await panel.push(PRODUCT, NAME, { interval: 5 });
    const msg = await seen;
    assert.deepEqual(msg.payload, { interval: 5 });
    const { time, digest, size, ...info } = msg.alink ?? {};
    assert.equal(typeof time, 'number');
    assert.match(String(digest), /^[0-9a-f]{64}$/);
    assert.ok(Number(size) > 10);
    assert.deepEqual(info, {
      status: 'answered',
      id: configId,
      method: 'thing.config.push',
      productKey: PRODUCT,
      deviceName: NAME,
      configId,
      source: 'push',
    });
    assert.equal(await answered(panel), 200);
    const [folder] = readdirSync(join(red.userDir, 'alink', 'configurations'));
    assert.equal(folder, 'remote');
  });

  it('lets the flow accept and refuse, without sending the payload back', async () => {
    const reply = serviceReply({ code: 'code', codeType: 'msg', message: 'why', messageType: 'msg' });
    const check = {
      id: 'check',
      z: 'tab',
      type: 'function',
      func: 'msg.code = msg.payload.interval > 9 ? 100001 : 200; msg.why = "too slow"; return msg;',
      outputs: 1,
      wires: [['reply', 'sink']],
    };
    const panel = await deploy([configPush({ reply: 'flow', wires: [['check']] }), check, reply]);
    const pending = red.next('sink');
    await panel.push(PRODUCT, NAME, { interval: 5 });
    const { alink } = await pending;
    assert.equal(alink?.status, 'pending');
    assert.equal(typeof alink?.request, 'string');
    assert.equal(await answered(panel), 200);
    await panel.push(PRODUCT, NAME, { interval: 10 });
    assert.equal(await answered(panel), 100_001);
    const log = await panel.get<unknown[]>('exchanges?topic=push_reply');
    assert.doesNotMatch(JSON.stringify(log), /interval/);
    // Nested deeper than the data of an answer may be; it is not in the answer.
    const deep = JSON.parse(`${'{"a":'.repeat(30)}{}${'}'.repeat(30)}`) as object;
    await panel.push(PRODUCT, NAME, { interval: 6, ...deep });
    assert.equal(await answered(panel), 200);
  });

  it('a flow that does not answer: 400 and an error at the catch node', async () => {
    const panel = await deploy([configPush({ reply: 'flow', timeLimit: '0.1' })]);
    const caught = red.next('errors');
    await panel.push(PRODUCT, NAME, { interval: 5 });
    const { error, alink } = await caught;
    assert.equal(error?.source.id, 'config');
    assert.equal(alink?.code, 400);
    assert.match(error?.message ?? '', /configuration .* counts as refused.*service reply/);
    assert.equal(await answered(panel), 400);
  });

  it('what cannot be used is an error that names the reason, and the flow gets nothing', async () => {
    const panel = await deploy([configPush({ mostSize: '1' })]);
    const seen: FlowMessage[] = [];
    const listen = (msg: FlowMessage) => {
      seen.push(msg);
    };
    red.events.on('test-sink:sink', listen);
    const large = red.next('errors');
    await panel.push(PRODUCT, NAME, { text: 'x'.repeat(2000) });
    assert.match((await large).error?.message ?? '', /at most 1024/);
    await panel.post('faults', { action: 'wrongDigest', productKey: PRODUCT, deviceName: NAME, times: 1 });
    const wrong = red.next('errors');
    await panel.push(PRODUCT, NAME, { interval: 5 });
    assert.match((await wrong).error?.message ?? '', /SHA-256/);
    assert.equal(await answered(panel), 460);
    red.events.off('test-sink:sink', listen);
    assert.deepEqual(seen, []);
  });

  it('asks after the connect, and on a message', async () => {
    const panel = await deploy([configPush({ ask: true })], {
      configuration: { enabled: true, content: { interval: 1 } },
    });
    // It may have come while the flow was started; then it is there.
    const first = red.next('sink');
    red.send('config', { kind: 'mine' });
    const msg = await first;
    assert.deepEqual(msg.payload, { interval: 1 });
    await panel.store(PRODUCT, { interval: 2 });
    const second = red.next('sink', ({ payload }) => JSON.stringify(payload) === '{"interval":2}');
    red.send('config', {});
    assert.equal((await second).alink?.source, 'get');
    const same = red.next('sink');
    red.send('config', { kind: 'mine' });
    const { alink, payload, kind } = await same;
    assert.deepEqual([alink?.status, payload, kind], ['unchanged', { interval: 2 }, 'mine']);
    const again = red.next('sink');
    red.send('config', { again: true });
    assert.equal((await again).alink?.status, 'answered');
  });

  it('says in words why there is none', async () => {
    await deploy([configPush()]);
    const none = red.next('errors');
    red.send('config', {});
    const { error, alink } = await none;
    assert.equal(error?.code, 6710);
    assert.equal(alink?.status, 'refused');
  });

  it('what a deploy interrupts comes again to the new node, which answers the platform', async () => {
    const panel = await deploy([configPush({ reply: 'flow' })]);
    const first = red.next('sink');
    await panel.push(PRODUCT, NAME, { interval: 5 });
    await first;
    const again = red.next('sink');
    const nodes = [
      configPush({ reply: 'flow', name: 'renamed', wires: [['sink', 'reply']] }),
      serviceReply(),
    ];
    await red.deploy(flowOf(nodes), 'nodes');
    assert.deepEqual((await again).payload, { interval: 5 });
    assert.equal(await answered(panel), 200);
  });

  it('guarded: takes back what cuts the device off, and says so', async () => {
    const panel = await deploy([configPush()]);
    const first = red.next('sink');
    await panel.push(PRODUCT, NAME, { interval: 5 });
    await first;
    await answered(panel);
    await red.deploy(flowOf([configPush({ guarded: true, guardTime: '0.05' })]), 'nodes');
    const second = red.next('sink');
    const badId = await panel.push(PRODUCT, NAME, { interval: 6 });
    assert.equal((await second).alink?.guard, 3);
    const [back, caught] = [red.next('sink'), red.next('errors')];
    const statuses: FlowMessage[] = [];
    const note = (msg: FlowMessage) => statuses.push(msg);
    red.events.on('test-sink:statuses', note);
    await panel.post('faults', { command: 'goSilent' });
    const { payload, alink } = await back;
    await panel.post('faults', { command: 'goSilent', silent: false });
    assert.deepEqual([payload, alink?.source], [{ interval: 5 }, 'rollback']);
    assert.deepEqual(alink?.rolledBack, { configId: badId, problem: 'noContact' });
    red.events.off('test-sink:statuses', note);
    assert.equal(statuses.at(-1)?.status?.fill, 'red', 'that it was taken back is still to be seen');
    const message = (await caught).error?.message ?? '';
    assert.match(message, /not reached within 3 s/);
    assert.ok(message.includes(badId));
  });

  it('names settings that cannot work', async () => {
    const caught = red.next('errors');
    await red.deploy([
      platformWith([{ productKey: PRODUCT }]),
      device({ productKey: PRODUCT, deviceName: NAME, thingModelSource: 'none' }),
      configPush({ output: 'flow' }),
      ...catchAll(),
    ]);
    assert.match((await caught).error?.message ?? '', /gateway/);
  });
});
