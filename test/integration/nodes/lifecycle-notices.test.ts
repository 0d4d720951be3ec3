import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { AlinkError, type GatewayNotice } from '../../../sdk';
import { lifecycle, sink, statusOf } from '../../support/flows';
import { MadeUpGateway, ONLINE } from '../../support/made-up-gateway';
import { type FlowMessage, type FlowNode, type Runtime, startRuntime } from '../../support/runtime';

const SUB = { productKey: 'a1Sub', deviceName: 's1' };
const OTHER = { productKey: 'a1Sub', deviceName: 's2' };
const kicked = (code: number) =>
  new AlinkError('platformRefused', `code ${code}`, { code, details: { operation: 'session.error' } });

/** The node's own part, with a gateway that does what the test says; the real one is in lifecycle-gateway.test.ts. */
describe('alink-lifecycle of a gateway', () => {
  let red: Runtime;
  before(async () => {
    red = await startRuntime();
  });
  after(() => red.stop());

  const all = { own: true, subDevices: true, notices: true };

  async function deployed(
    extra: object,
    gateway: MadeUpGateway,
    more: FlowNode[] = [],
  ): Promise<FlowMessage[]> {
    const seen: FlowMessage[] = [];
    red.events.removeAllListeners('test-sink:states');
    red.events.on('test-sink:states', (msg: FlowMessage) => seen.push(msg));
    await red.deploy([
      { id: gateway.nodeId, type: 'test-gateway' },
      lifecycle({ device: gateway.nodeId, ...extra }),
      sink('states'),
      ...statusOf('lifecycle'),
      ...more,
    ]);
    await until(() => gateway.listeners > 0);
    await settled();
    return seen;
  }

  it('tells its own state only, as flows from before gateways expect', async () => {
    const gateway = new MadeUpGateway(red.events, 'g1');
    const seen = await deployed({}, gateway);
    gateway.setSubDevice('s1', ONLINE);
    gateway.tell({ type: 'deleted', devices: [SUB] });
    gateway.setState({ name: 'waiting', waiting: 2 });
    await settled();
    assert.deepEqual(seen.map(brief), ['g1 online', 'g1 offline']);
    assert.ok(seen.every((msg) => msg.device === undefined));
  });

  it('tells states of sub-devices with msg.device, code and reason', async () => {
    const gateway = new MadeUpGateway(red.events, 'g2');
    const seen = await deployed({ subDevices: true }, gateway);
    gateway.setSubDevice('s1', { name: 'connecting', waiting: 0 });
    gateway.setSubDevice('s1', { name: 'refused', waiting: 3, reason: kicked(522), retryAt: 99 });
    await settled();
    const { alink, ...msg } = seen.at(-1) ?? {};
    assert.deepEqual([msg.payload, msg.topic, msg.device], ['refused', 'a1Sub/s1', SUB]);
    assert.match(String(alink?.message), /answered 522: .{5}/);
    const { message, time, ...rest } = alink ?? {};
    assert.equal(typeof time, 'number');
    assert.deepEqual(rest, {
      kind: 'state',
      ...SUB,
      status: 'refused',
      waiting: 3,
      retryAt: 99,
      code: 522,
    });
    // The same again, then for another reason.
    gateway.setSubDevice('s1', { name: 'refused', waiting: 3, reason: kicked(522) });
    gateway.setSubDevice('s1', { name: 'refused', waiting: 3, reason: kicked(521) });
    gateway.setSubDevice('s1', ONLINE);
    gateway.setSubDevice('s1', { name: 'idle', waiting: 0 });
    await settled();
    assert.deepEqual(seen.map(brief), [
      'g2 online',
      's1 refused 522',
      's1 refused 521',
      's1 online',
      's1 offline',
    ]);
  });

  it('without its own states tells those of sub-devices alone, and what there is only when asked', async () => {
    const gateway = new MadeUpGateway(red.events, 'g3');
    gateway.setSubDevice('s1', ONLINE);
    const seen = await deployed({ own: false, subDevices: true }, gateway);
    assert.deepEqual(seen.map(brief), ['s1 online']);
    const quiet = await deployed({ own: false, subDevices: true, initial: false }, gateway);
    assert.deepEqual(quiet, []);
    gateway.setSubDevice('s2', ONLINE);
    gateway.setSubDevice('s1', { name: 'waiting', waiting: 0 });
    await settled();
    assert.deepEqual(quiet.map(brief), ['s2 online', 's1 offline']);
  });

  it('tells 1,500 changes at once in order, and counts them in a few statuses', async () => {
    const gateway = new MadeUpGateway(red.events, 'g4');
    const seen = await deployed({ own: false, subDevices: true }, gateway);
    const statuses: string[] = [];
    red.events.on('test-sink:statuses', ({ status }: FlowMessage) => statuses.push(String(status?.text)));
    const names = Array.from({ length: 1500 }, (_, i) => `s${i}`);
    for (const name of names) {
      gateway.setSubDevice(name, { name: 'connecting', waiting: 0 });
      gateway.setSubDevice(name, ONLINE);
    }
    gateway.setSubDevice('s7', { name: 'conflict', waiting: 0, reason: kicked(427) });
    gateway.setSubDevice('s9', { name: 'waiting', waiting: 0 });
    await until(() => seen.length === 1502 && statuses.includes('1498 of 1500 online'));
    assert.deepEqual(seen.map(brief), [
      ...names.map((name) => `${name} online`),
      's7 conflict 427',
      's9 offline',
    ]);
    assert.ok(statuses.length <= 4, `${statuses.length} statuses: ${statuses}`);
    gateway.setState({ name: 'waiting', waiting: 0 });
    await until(() => statuses.at(-1) === 'offline');
  });

  const notices: Array<[Omit<GatewayNotice, 'time'>, RegExp]> = [
    [{ type: 'enabled', devices: [SUB] }, /^Enabled .*: a1Sub\/s1\./],
    [{ type: 'disabled', devices: [SUB] }, /^Disabled .*: a1Sub\/s1\./],
    [{ type: 'deleted', devices: [SUB] }, /^Deleted .*: a1Sub\/s1\./],
    [{ type: 'kicked', devices: [SUB], error: kicked(427) }, /427/],
    [{ type: 'added', devices: [SUB, OTHER] }, /Added .*: a1Sub\/s1, a1Sub\/s2\./],
    [{ type: 'removed', devices: [SUB] }, /^Removed from the topology: a1Sub\/s1/],
    [{ type: 'addRequested', devices: [SUB, OTHER] }, /asks .* add: a1Sub\/s1, a1Sub\/s2/],
    [{ type: 'permitJoin', devices: [], productKey: 'a1Sub', seconds: 60 }, /a1Sub .* 60 s/],
  ];
  for (const [notice, said] of notices) {
    it(`tells the notice ${notice.type} with all devices and a sentence`, async () => {
      const gateway = new MadeUpGateway(red.events, `n-${notice.type}`);
      const seen = await deployed({ own: false, notices: true }, gateway);
      gateway.tell(notice);
      await settled();
      assert.equal(seen.length, 1);
      const { payload, device, alink } = seen[0] ?? {};
      const only = notice.devices.length === 1 ? SUB : undefined;
      assert.equal(payload, notice.type);
      assert.deepEqual(device, only);
      assert.match(String(alink?.message), said);
      assert.equal(alink?.code, notice.error?.code);
      const { productKey, deviceName } = only ?? gateway.identity;
      assert.deepEqual(
        [alink?.kind, alink?.productKey, alink?.deviceName, alink?.devices, alink?.time],
        ['notice', productKey, deviceName, notice.devices, 1],
      );
      const permit = notice.seconds === undefined ? undefined : { productKey: 'a1Sub', seconds: 60 };
      assert.deepEqual(alink?.permit, permit);
    });
  }

  it('a node on a sub-device tells its states and what its gateway is told about it', async () => {
    const gateway = new MadeUpGateway(red.events, 'g5');
    const sub = new MadeUpGateway(red.events, 's1', false);
    const me = sub.identity;
    const subNode = { id: 's1', type: 'test-gateway', gatewayId: 'g5' };
    const seen = await deployed({ ...all, device: 's1' }, gateway, [subNode]);
    gateway.tell({ type: 'disabled', devices: [OTHER] });
    gateway.tell({ type: 'removed', devices: [OTHER, me] });
    gateway.tell({ type: 'kicked', devices: [me], error: kicked(522) });
    gateway.setSubDevice('s1', ONLINE);
    sub.setState({ name: 'refused', waiting: 0, reason: kicked(522) });
    await settled();
    assert.deepEqual(seen.map(brief), ['s1 online', 's1 removed', 's1 kicked 522', 's1 refused 522']);
    assert.deepEqual(seen[1]?.alink?.devices, [me]);
  });

  it('gives back every handle and listener with the node', async () => {
    const gateway = new MadeUpGateway(red.events, 'g6');
    const sub = new MadeUpGateway(red.events, 's6', false);
    await deployed({ ...all, device: 's6' }, gateway, [{ id: 's6', type: 'test-gateway', gatewayId: 'g6' }]);
    await deployed(all, gateway);
    assert.deepEqual([gateway.handles, gateway.listeners, sub.handles, sub.listeners], [1, 4, 0, 0]);
    await red.deploy([]);
    assert.deepEqual([gateway.handles, gateway.listeners], [0, 0]);
  });
});

function brief({ topic, payload, alink }: FlowMessage): string {
  const code = alink?.code === undefined ? '' : ` ${alink.code}`;
  return `${String(topic).split('/')[1]} ${payload}${code}`;
}

/** Until what was sent has arrived: a message takes a turn of the event loop for each node. */
async function settled(): Promise<void> {
  for (let i = 0; i < 10; i++) await new Promise((done) => setImmediate(done));
}

async function until(holds: () => boolean): Promise<void> {
  const end = Date.now() + 5000;
  while (!holds()) {
    assert.ok(Date.now() < end, 'it did not come to that');
    await new Promise((done) => setTimeout(done, 5));
  }
}
