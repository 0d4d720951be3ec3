import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, afterEach, before, describe, it } from 'mocha';
import type { Emulator, FaultRule, FileFault } from '../../../emulator';
import type { DeviceIdentity, Json } from '../../../protocol';
import { configPush } from '../../support/config-push-nodes';
import { catchAll, sink, statusOf } from '../../support/flows';
import { otaPlatform, startOtaEmulator, unit, unitNode } from '../../support/ota-flows';
import { serviceReply } from '../../support/request-flows';
import { type FlowMessage, type FlowNode, type Runtime, startRuntime } from '../../support/runtime';

const hit = ({ status }: FlowMessage, words: RegExp) => words.test(status?.text ?? '');

describe('alink-config-push when something goes wrong', () => {
  let red: Runtime;
  let emulator: Emulator;
  let sdk: { openRequests: () => number; closeAllDevices: () => Promise<void> };
  let identity: DeviceIdentity;
  let count = 0;
  before(async () => {
    emulator = await startOtaEmulator();
    red = await startRuntime();
    sdk = require('../../../dist/sdk') as typeof sdk;
  });
  after(async () => {
    await red.stop();
    await emulator.close();
  });
  afterEach(async () => {
    emulator.faults.goSilent(false);
    await emulator.faults.clear();
    await red.deploy([]);
    assert.equal(sdk.openRequests(), 0);
    rmSync(join(red.userDir, 'alink'), { recursive: true, force: true });
  });

  function flowOf(nodes: readonly FlowNode[]): FlowNode[] {
    const watched = nodes.filter(({ type }) => type === 'alink-config-push').map(({ id }) => id);
    return [
      otaPlatform(emulator),
      unitNode(identity),
      ...nodes,
      ...['sink', 'other'].map((id) => sink(id)),
      ...catchAll(),
      ...statusOf(...watched),
    ];
  }

  /** A device of its own for each test, so that nothing is known of it. */
  async function deploy(...nodes: FlowNode[]): Promise<void> {
    identity = unit(count++);
    const online = red.next('statuses', ({ status }) => status?.fill === 'green');
    await red.deploy(flowOf(nodes));
    await online;
  }

  const fault = (action: FileFault['action'], more: object = {}) =>
    emulator.faults.add({
      action,
      times: 1,
      ...more,
      match: { operation: 'thing.config.push' },
    } as FaultRule);

  async function push(content: Json): Promise<string> {
    emulator.configuration.set(identity.productKey, { content });
    const [pushed] = await emulator.configuration.push(identity);
    return pushed?.configId ?? '';
  }

  /** The code of the answer to the push after `since`, whose message has the words. */
  async function answered(since: number, words = /^/): Promise<number> {
    const { text } = await emulator.exchanges.waitFor(
      ({ topic, identity: from }) =>
        (topic ?? '').endsWith('/thing/config/push_reply') && from?.deviceName === identity.deviceName,
      { since, timeoutMs: 15_000 },
    );
    const { code, message = '' } = JSON.parse(text) as { code: number; message?: string };
    assert.match(message, words);
    return code;
  }

  it('a server that fails is asked again: the status says so, nothing is caught, the platform hears 200', async () => {
    await deploy(configPush());
    const since = emulator.exchanges.latest;
    fault('status', { status: 503 });
    const [waits, seen] = [
      red.next('statuses', (msg) => hit(msg, /again in \d s . the server answered 503/)),
      red.next('sink'),
    ];
    const caught: FlowMessage[] = [];
    red.events.on('test-sink:errors', (msg: FlowMessage) => caught.push(msg));
    await push({ interval: 5 });
    await waits;
    const online = red.next('statuses', ({ status }) => status?.fill === 'green');
    assert.deepEqual((await seen).payload, { interval: 5 });
    await online;
    assert.equal(await answered(since), 200);
    assert.deepEqual(caught, []);
    red.events.removeAllListeners('test-sink:errors');
  });

  for (const [action, more] of [
    ['cutAt', { offset: 3 }],
    ['urlExpired', {}],
    ['urlAltered', {}],
    ['redirect', {}],
    ['slow', { bytesPerSecond: 100 }],
  ] as const) {
    it(`${action}: the configuration comes all the same`, async () => {
      await deploy(configPush());
      const since = emulator.exchanges.latest;
      fault(action, more);
      const seen = red.next('sink');
      await push({ interval: 5, text: 'x'.repeat(60) });
      assert.equal((await seen).alink?.status, 'answered');
      assert.equal(await answered(since), 200);
    });
  }

  for (const [action, more, code, words] of [
    ['wrongDigest', {}, 460, /SHA-256 is another.*Push it again/],
    ['wrongSize', {}, 460, /has \d+ bytes instead of \d+\..*Push it again/],
    ['corrupt', { offset: 2 }, 460, /SHA-256 is another/],
    ['redirect', { to: 'http://127.0.0.1:9/x' }, 400, /127\.0\.0\.1.*https/],
    ['status', { status: 418 }, 400, /answered 418.*Push it again/],
  ] as const) {
    it(`${action} ${JSON.stringify(more)}: refused with ${code}, the catch node hears why, the flow nothing`, async () => {
      await deploy(configPush());
      const since = emulator.exchanges.latest;
      fault(action, more);
      const [caught, shown] = [
        red.next('errors'),
        red.next('statuses', ({ status }) => status?.fill === 'red'),
      ];
      let came = 0;
      red.events.on('test-sink:sink', () => came++);
      await push({ interval: 5 });
      assert.match((await caught).error?.message ?? '', words);
      await shown;
      assert.equal(await answered(since), code);
      assert.equal(came, 0);
      red.events.removeAllListeners('test-sink:sink');
      // It was not the configuration that was at fault.
      const seen = red.next('sink');
      await emulator.configuration.push(identity);
      assert.deepEqual((await seen).payload, { interval: 5 });
    });
  }

  it('a push that comes twice, by the network or by the console, is handed on once and answered', async () => {
    await deploy(configPush());
    let came = 0;
    red.events.on('test-sink:sink', () => came++);
    const match = { direction: 'down', operation: 'thing.config.push' } as const;
    emulator.faults.add({ action: 'duplicate', times: 1, match });
    const first = emulator.exchanges.latest;
    await push({ interval: 5 });
    assert.equal(await answered(first), 200);
    const second = emulator.exchanges.latest;
    await emulator.configuration.push(identity);
    assert.equal(await answered(second), 200);
    assert.equal(came, 1);
    red.events.removeAllListeners('test-sink:sink');
  });

  it('pushed while the connection is away: comes with the next one, and is answered', async () => {
    await deploy(configPush());
    const since = emulator.exchanges.latest;
    const seen = red.next('sink');
    emulator.faults.dropConnections();
    await push({ interval: 5 });
    assert.deepEqual((await seen).payload, { interval: 5 });
    assert.equal(await answered(since), 200);
  });

  it('the connection is lost before the flow answers: the platform hears it afterwards', async () => {
    await deploy(configPush({ reply: 'flow', timeLimit: '30' }), serviceReply());
    const since = emulator.exchanges.latest;
    const seen = red.next('sink');
    await push({ interval: 5 });
    const msg = await seen;
    const [away, back] = ['yellow', 'green'].map((fill) =>
      red.next('statuses', ({ status }) => status?.fill === fill),
    );
    emulator.faults.dropConnections();
    await away;
    red.send('reply', msg);
    await back;
    assert.equal(await answered(since), 200);
  });

  it('a flow that fails refuses by its catch node', async () => {
    const fails = {
      id: 'fails',
      z: 'tab',
      type: 'function',
      func: 'throw new Error("no such pin");',
      outputs: 1,
      wires: [[]],
    };
    const refuse = {
      id: 'refuse',
      z: 'tab',
      type: 'catch',
      scope: ['fails'],
      uncaught: false,
      wires: [['reply']],
    };
    const reply = serviceReply({ code: '100002', message: 'error.message', messageType: 'msg' });
    await deploy(configPush({ reply: 'flow', wires: [['fails']] }), fails, refuse, reply);
    const since = emulator.exchanges.latest;
    await push({ interval: 5 });
    assert.equal(await answered(since, /no such pin/), 100_002);
  });

  it('two nodes of one device: both get it, and it is accepted when the flow behind the one accepts it', async () => {
    await deploy(
      configPush({ guarded: false }),
      configPush({ id: 'config-2', reply: 'flow', mostSize: '1', wires: [['other']] }),
      serviceReply(),
    );
    const first = emulator.exchanges.latest;
    const [atOnce, asked] = [red.next('sink'), red.next('other')];
    await push({ interval: 5 });
    const { alink, payload } = await asked;
    assert.deepEqual([(await atOnce).payload, payload], [{ interval: 5 }, { interval: 5 }]);
    assert.equal(emulator.devices.get(identity)?.configuration?.code, undefined);
    red.send('reply', { alink, payload });
    assert.equal(await answered(first), 200);
    // The smaller limit counts for both.
    const [caught, second] = [red.next('errors'), emulator.exchanges.latest];
    await push({ text: 'x'.repeat(2000) });
    assert.match((await caught).error?.message ?? '', /at most 1024/);
    assert.equal(await answered(second), 400);
  });

  it('a member called __proto__ reaches the flow as data, and changes no object', async () => {
    await deploy(configPush());
    const seen = red.next('sink');
    await push('{"__proto__":{"polluted":true},"interval":5}');
    const { payload } = await seen;
    assert.equal(Reflect.get(payload as object, 'interval'), 5);
    assert.equal(Reflect.get({}, 'polluted'), undefined);
  });

  it('a disk that takes nothing: it works, and the catch node hears of the disk', async () => {
    const folder = join(red.userDir, 'alink', 'configurations');
    mkdirSync(dirname(folder), { recursive: true });
    writeFileSync(folder, 'in the way');
    const caught = red.next('errors', ({ error }) => /ENOTDIR.*room on the disk/.test(error?.message ?? ''));
    await deploy(configPush());
    const since = emulator.exchanges.latest;
    const seen = red.next('sink');
    await push({ interval: 5 });
    assert.deepEqual((await seen).payload, { interval: 5 });
    assert.equal(await answered(since), 200);
    await caught;
  });

  it('without a connection: the one in use is there for a message that wants it', async () => {
    await deploy(configPush());
    const none = red.next('errors');
    red.send('config', { kept: true });
    assert.match((await none).error?.message ?? '', /no configuration has been accepted yet/);
    const since = emulator.exchanges.latest;
    await push({ interval: 5 });
    await answered(since);
    emulator.faults.goSilent();
    await red.deploy([]);
    await sdk.closeAllDevices();
    await red.deploy(flowOf([configPush({ ask: true })]));
    const kept = red.next('sink');
    red.send('config', { kept: true, kind: 'mine' });
    const { payload, kind, alink } = await kept;
    assert.deepEqual(
      [payload, kind, alink?.status, alink?.confirmed],
      [{ interval: 5 }, 'mine', 'kept', true],
    );
  });

  it('a damaged file is told, and what it held comes once more', async () => {
    await deploy(configPush());
    const since = emulator.exchanges.latest;
    await push({ interval: 5 });
    await answered(since);
    await red.deploy([]);
    // As at the end of Node-RED; a deploy alone would leave the device as it is for a while.
    await sdk.closeAllDevices();
    const folder = join(red.userDir, 'alink', 'configurations', 'remote');
    const [name = ''] = readdirSync(folder);
    writeFileSync(join(folder, name), '{"good":');
    const [caught, again] = [red.next('errors'), red.next('sink')];
    await red.deploy(flowOf([configPush({ ask: true })]));
    assert.match((await caught).error?.message ?? '', /kept on disk or read from it/);
    assert.deepEqual((await again).payload, { interval: 5 });
  });

  it('guarded: a new session confirms it, and the status says until when it has to', async () => {
    await deploy(configPush({ guarded: true, guardTime: '5' }));
    const onTrial = red.next('statuses', (msg) => hit(msg, /confirmed until \d\d:\d\d:\d\d/));
    await push({ interval: 5 });
    await onTrial;
    const asked = red.next('sink');
    red.send('config', {});
    assert.equal((await asked).alink?.confirmed, false);
    const confirmed = red.next('statuses', (msg) => hit(msg, /^online$/));
    emulator.faults.dropConnections();
    await confirmed;
    const once = red.next('sink');
    red.send('config', {});
    const { alink, payload } = await once;
    assert.deepEqual([alink?.status, alink?.confirmed, payload], ['unchanged', true, { interval: 5 }]);
  });
});
