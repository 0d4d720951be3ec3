import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'mocha';
import { configPush, Panel, platformWith } from '../../support/config-push-nodes';
import { catchAll, device, sink, statusOf } from '../../support/flows';
import { type FlowMessage, type FlowNode, type Runtime, startRuntime } from '../../support/runtime';
import { example } from '../../unit/protocol/model-configuration/documents';

const GATE = { productKey: 'a1Hub', deviceName: 'hub-01' };
/** What the guide prints, with a password in clear text, which the platform encrypts. */
const DOCUMENT = (() => {
  const document = example();
  const [, , first, second] = document.serverList as Array<Record<string, unknown>>;
  if (first) first.password = 'test123';
  if (second) second.password = 'other456';
  return document;
})();

describe('alink-config-push of a gateway', () => {
  let red: Runtime;
  before(async () => {
    red = await startRuntime();
  });
  after(() => red.stop());
  beforeEach(() => rmSync(join(red.userDir, 'alink'), { recursive: true, force: true }));
  afterEach(() => red.deploy([]));

  function flowOf(extra: object): FlowNode[] {
    return [
      platformWith([{ productKey: GATE.productKey, nodeType: 'gateway' }]),
      device({ id: 'gate', role: 'gateway', ...GATE, thingModelSource: 'none', transport: 'tcp' }),
      configPush({ device: 'gate', ...extra }),
      sink(),
      ...catchAll(),
      ...statusOf('config'),
    ];
  }

  async function deploy(extra: object): Promise<Panel> {
    const online = red.next('statuses', ({ status }) => status?.fill === 'green');
    await red.deploy(flowOf(extra));
    await online;
    return Panel.of(red);
  }

  const push = (panel: Panel, document: unknown = DOCUMENT) =>
    panel.post(`devices/${GATE.productKey}/${GATE.deviceName}/model-configuration`, document);

  /** All messages that one configuration becomes. */
  async function pushed(panel: Panel): Promise<FlowMessage[]> {
    const messages: FlowMessage[] = [];
    const all = red.next('sink', (msg) => {
      messages.push(msg);
      const { count = 1 } = (msg.parts ?? {}) as { count?: number };
      return messages.length === count;
    });
    await push(panel);
    await all;
    return messages;
  }

  it('the document, with how many devices can be used and what was left out', async () => {
    const panel = await deploy({ output: 'document' });
    const [msg] = await pushed(panel);
    const { payload, alink } = msg ?? {};
    assert.deepEqual(
      (payload as { deviceList: unknown }).deviceList,
      JSON.parse(JSON.stringify(DOCUMENT.deviceList)),
    );
    assert.equal(alink?.status, 'pushed');
    assert.equal(alink?.method, 'thing.model.config.push');
    assert.equal(alink?.devices, 4);
    assert.doesNotMatch(JSON.stringify(payload), /test123/);
  });

  it('what was left out is under the node, until a document comes of which everything is used', async () => {
    const panel = await deploy({ output: 'plans' });
    const spoiled = structuredClone(DOCUMENT);
    const [lost] = spoiled.deviceList as Array<{ deviceConfig: { serverId: string } }>;
    if (lost) lost.deviceConfig.serverId = 'NOWHERE';
    const yellow = red.next('statuses', ({ status }) => status?.fill === 'yellow');
    await push(panel, spoiled);
    assert.equal((await yellow).status?.text, 'in use, left out: 1');
    const green = red.next('statuses', ({ status }) => status?.fill === 'green');
    await pushed(panel);
    await green;
  });

  it('plans, one message per device, with passwords only when they are wanted', async () => {
    for (const passwords of [true, false]) {
      const messages = await pushed(await deploy({ output: 'plans', passwords }));
      assert.deepEqual(
        messages.map(({ topic }) => topic),
        ['test01/test_02', 'test01/test_03', 'test02/test01', 'test02/test02'],
      );
      const [first, , third] = messages;
      assert.deepEqual(third?.device, { productKey: 'test02', deviceName: 'test01' });
      const plan = Object(third?.payload) as { kind: string; unitId: number; reads: unknown[] };
      assert.deepEqual([plan.kind, plan.unitId, plan.reads.length], ['modbus', 1, 2]);
      const { server } = Object(first?.payload) as { server: Record<string, unknown> };
      assert.equal(server.password, passwords ? 'other456' : undefined);
      assert.equal(server.encryptedPassword, undefined);
    }
  });

  it('Modbus messages: a connector for each server, then its reads', async () => {
    const messages = await pushed(await deploy({ output: 'modbus' }));
    const parts = messages.map(({ alink }) => `${alink?.part} ${alink?.serverId}`);
    assert.deepEqual(parts, [
      'connector D73251B4277742D',
      'read D73251B4277742D',
      'read D73251B4277742D',
      'connector 586CB066D6A34E',
      'read 586CB066D6A34E',
      'read 586CB066D6A34E',
    ]);
    const { payload } = messages[3] ?? {};
    assert.equal((payload as { tcpHost: string }).tcpHost, '192.168.0.1');
  });

  it('OPC UA messages: a connect for each server, and the browse of a device when it is asked for', async () => {
    const messages = await pushed(await deploy({ output: 'opcua', passwords: true }));
    assert.deepEqual(
      messages.map(({ alink, devices }) => [alink?.part, devices]),
      [
        ['connect', [{ productKey: 'test01', deviceName: 'test_02' }]],
        ['connect', [{ productKey: 'test01', deviceName: 'test_03' }]],
      ],
    );
    const { password } = Object(messages[1]?.OpcUaEndpoint) as { password: string };
    assert.equal(password, 'test123');
    for (const { alink, devices } of messages) {
      const [named] = devices as object[];
      const browse = red.next('sink');
      red.send('config', { device: named, kind: 'mine' });
      const { action, device: whose, OpcUaEndpoint, kind, parts, ...rest } = await browse;
      assert.deepEqual([action, whose, kind, parts], ['browse', named, 'mine', undefined]);
      assert.deepEqual([rest.alink?.part, rest.alink?.serverId], ['browse', alink?.serverId]);
      assert.equal(OpcUaEndpoint, undefined);
    }
  });

  it('a message that names a device gets its part alone; one that names the gateway gets all', async () => {
    const wanted = { productKey: 'test02', deviceName: 'test02' };
    for (const [output, part] of [
      ['plans', undefined],
      ['modbus', 'read'],
    ] as const) {
      const all = await pushed(await deploy({ output }));
      const first = red.next('sink');
      red.send('config', { device: wanted });
      const { device: whose, alink, topic } = await first;
      assert.deepEqual([whose, alink?.part], [wanted, part]);
      assert.match(String(topic), /^test02\/test02/);
      const again = red.next('sink', ({ parts }) => (parts as { count: number })?.count === all.length);
      red.send('config', { device: GATE });
      await again;
      const refused = red.next('errors');
      red.send('config', { device: { productKey: 'test02', deviceName: 'nobody' } });
      assert.match((await refused).error?.message ?? '', /no device test02\/nobody/);
    }
  });

  it('a flow as nodes or text, which uses the gateway of this node', async () => {
    const [asArray] = await pushed(await deploy({ output: 'flow' }));
    const nodes = asArray?.payload as FlowNode[];
    assert.ok(nodes.some(({ type, device: gate }) => type === 'alink-subdevice-login' && gate === 'gate'));
    assert.doesNotMatch(JSON.stringify(nodes), /test123/);
    const [asText] = await pushed(await deploy({ output: 'flow', flowAs: 'text' }));
    assert.deepEqual(JSON.parse(String(asText?.payload)), nodes);
  });

  it('the one that is kept comes at the next start and on a message', async () => {
    const panel = await deploy({ output: 'document' });
    const none = red.next('errors');
    red.send('config', {});
    assert.match((await none).error?.message ?? '', /no model configuration/i);
    await pushed(panel);
    const asked = red.next('sink');
    red.send('config', { kind: 'mine' });
    const { kind, alink } = await asked;
    assert.deepEqual([kind, alink?.status], ['mine', 'kept']);
    const start = red.next('sink');
    await red.deploy(flowOf({ output: 'document', ask: true }));
    assert.equal((await start).alink?.status, 'kept');
  });

  it('a sub-device gets the configuration of its own product, answers for itself, and has a guard of its own', async () => {
    const sub = { productKey: 'a1Sub25', deviceName: 'sub-01' };
    const role = { role: 'subDevice', gateway: 'gate', transport: 'tcp', thingModelSource: 'none' };
    const online = red.next('statuses', ({ status }) => status?.fill === 'green');
    await red.deploy([
      platformWith([{ productKey: GATE.productKey, nodeType: 'gateway' }, { productKey: sub.productKey }]),
      device({ id: 'gate', role: 'gateway', ...GATE, thingModelSource: 'none', transport: 'tcp' }),
      device({ id: 'sub', ...role, ...sub }),
      configPush({ device: 'sub', guarded: true, guardTime: '5' }),
      sink(),
      ...catchAll(),
      ...statusOf('config'),
    ]);
    await online;
    const panel = await Panel.of(red);
    const seen = red.next('sink');
    await panel.push(sub.productKey, sub.deviceName, { rate: 5 });
    const { payload, alink } = await seen;
    assert.deepEqual([payload, alink?.deviceName], [{ rate: 5 }, 'sub-01']);
    while ((await panel.answer(sub.productKey, sub.deviceName)) !== 200) await Promise.resolve();
    const confirmed = red.next('statuses', ({ status }) => status?.text === 'online');
    await panel.post('faults', { command: 'dropConnections' });
    await confirmed;
    const asked = red.next('sink');
    red.send('config', {});
    const { alink: now } = await asked;
    assert.deepEqual([now?.deviceName, now?.confirmed], ['sub-01', true]);
  });

  it('a document that is none, and a wrong digest, are errors', async () => {
    const panel = await deploy({ output: 'plans' });
    const none = red.next('errors');
    await push(panel, { hello: 1 });
    assert.match((await none).error?.message ?? '', /modelList/);
    await panel.post('faults', { action: 'wrongDigest', ...GATE, times: 1 });
    const wrong = red.next('errors');
    await push(panel);
    assert.match((await wrong).error?.message ?? '', /SHA-256/);
  });
});
