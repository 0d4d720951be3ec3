import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import manifest from '../../../package.json';
import { cloud } from '../../support/cloud-node';
import { configPush } from '../../support/config-push-nodes';
import { catchAll, eventOut, lifecycle, propertyPost, sink } from '../../support/flows';
import {
  GATEWAY,
  gateway,
  meter,
  meterIdentity,
  plantProducts,
  platformOf,
} from '../../support/gateway-flows';
import { otaIn, otaProgress } from '../../support/ota-nodes';
import { CloudSide, propertySet, serviceIn, serviceReply } from '../../support/request-flows';
import { type FlowMessage, type FlowNode, type Runtime, startRuntime } from '../../support/runtime';
import { rawIn, rawOut, topicIn, topicOut } from '../../support/topic-nodes';
import { subDeviceLogin, topo } from '../../support/topo-nodes';

const TYPES = Object.keys(manifest['node-red'].nodes);

/** One of each, all at one gateway with a sub-device. */
function everyNode({ emulator }: CloudSide): FlowNode[] {
  const ofGateway = [
    propertyPost(),
    eventOut(),
    propertySet({ subDevices: true, desired: true }),
    serviceIn({ subDevices: true }),
    serviceReply(),
    topicIn({ subDevices: true }),
    topicOut(),
    rawIn(),
    rawOut(),
    { id: 'request', z: 'tab', type: 'alink-request', operation: 'thing.deviceinfo.get', wires: [['sink']] },
    otaIn({ subDevices: true }),
    otaProgress(),
    configPush({ ask: true }),
    configPush({ id: 'model', output: 'flow' }),
    topo({ action: 'handle', notify: 'admit' }),
    subDeviceLogin(),
    lifecycle({ own: true, subDevices: true }),
  ].map((node) => ({ ...node, device: 'gate' }));
  return [
    platformOf(emulator),
    gateway(),
    meter(0, { thingModelSource: 'none' }),
    ...ofGateway,
    { ...cloud('QueryDeviceDetail'), platform: 'platform' },
    sink(),
    sink('states'),
    ...catchAll(),
  ];
}

describe('deploys of every node', () => {
  let red: Runtime;
  let plant: CloudSide;
  before(async () => {
    plant = await CloudSide.start(plantProducts(1), { loginsPerMinute: 0 });
    red = await startRuntime();
  });
  after(async () => {
    await red.stop();
    await plant.emulator.close();
  });

  const connects = () => plant.emulator.exchanges.list(({ kind }) => kind === 'connect').length;
  const resources = (name: string) => process.getActiveResourcesInfo().filter((one) => one === name).length;
  const listeners = () =>
    red.events
      .eventNames()
      .filter((name) => !String(name).startsWith('test-sink:'))
      .reduce((sum, name) => sum + red.events.listenerCount(name), 0);

  async function post(): Promise<void> {
    const mine = ({ sent }: FlowMessage) => sent === true;
    const answered = Promise.race([red.next('sink', mine), red.next('errors', mine)]);
    red.send('post', { payload: { level: 1 }, device: meterIdentity(0), sent: true });
    const { alink, error } = await answered;
    assert.equal(alink?.status, 'acknowledged', error?.message);
  }

  it('has all of them', () => {
    const types = new Set(everyNode(plant).map(({ type }) => type));
    assert.deepEqual(
      TYPES.filter((type) => !types.has(type)),
      [],
    );
  });

  for (const type of ['full', 'flows', 'nodes'] as const) {
    it(`twenty deploys (${type}) keep the connection and leave nothing behind`, async () => {
      const nodes = everyNode(plant);
      // Something is different each time, so that every way of deploying has something to do.
      const changed = (n: number) =>
        nodes.map((node) => (node.z === 'tab' ? { ...node, info: `deploy ${n}` } : node));
      await red.deploy(changed(0), 'full');
      await post();
      await red.deploy(changed(1), type);
      await post();
      const first = { connects: connects(), listeners: listeners(), sockets: resources('TCPSocketWrap') };
      const timers = resources('Timeout');
      for (let n = 2; n < 22; n++) await red.deploy(changed(n), type);
      await post();
      assert.equal(connects(), first.connects);
      assert.equal(listeners(), first.listeners);
      assert.ok(resources('TCPSocketWrap') <= first.sockets);
      assert.ok(resources('Timeout') <= timers + 3, `${resources('Timeout')} timers, ${timers} before`);
      assert.equal(plant.emulator.devices.get(GATEWAY)?.status, 'ONLINE');
    });
  }

  it('nobody holds the connection when all of them are gone', async () => {
    const gone = plant.emulator.exchanges.waitFor(({ kind }) => kind === 'disconnect', {
      timeoutMs: 8000,
      since: plant.emulator.exchanges.latest,
    });
    await red.deploy([sink()]);
    await gone;
    assert.equal(plant.emulator.devices.get(GATEWAY)?.status, 'OFFLINE');
  });
});
