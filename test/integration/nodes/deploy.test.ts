import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { type Emulator, startEmulator } from '../../../emulator';
import {
  catchAll,
  device,
  emulatorPlatform,
  eventOut,
  lifecycle,
  propertyPost,
  sink,
} from '../../support/flows';
import { type FlowNode, type Runtime, startRuntime } from '../../support/runtime';

const SECRET = '0123456789abcdef0123456789abcdef';

describe('deploys', () => {
  let red: Runtime;
  let emulator: Emulator;
  before(async () => {
    const devices = [{ deviceName: 'house-01', deviceSecret: SECRET }];
    emulator = await startEmulator({ config: { products: [{ productKey: 'a1Greenhouse', devices }] } });
    red = await startRuntime();
  });
  after(async () => {
    await red.stop();
    await emulator.close();
  });

  const nodes = (): FlowNode[] => [
    {
      id: 'platform',
      type: 'alink-platform',
      kind: 'custom',
      host: '127.0.0.1',
      mqttPort: String(emulator.ports.mqtt),
    },
    { ...device(), credentials: { deviceSecret: SECRET } },
    propertyPost(),
    eventOut(),
    lifecycle(),
    sink(),
    sink('states'),
    ...catchAll(),
  ];
  const connects = () => emulator.exchanges.list(({ kind }) => kind === 'connect').length;

  async function post(): Promise<void> {
    const answered = red.next('sink');
    red.send('post', { payload: { temperature: 20 } });
    assert.equal((await answered).alink?.status, 'acknowledged');
  }

  it('fifty full deploys keep the one connection and leak neither listener nor timer', async () => {
    await red.deploy(nodes());
    await post();
    const listeners = () =>
      red.events
        .eventNames()
        .map((name) => red.events.listenerCount(name))
        .reduce((a, b) => a + b);
    const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const sockets = () => process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;
    await red.deploy(nodes());
    await post();
    const before = { listeners: listeners(), sockets: sockets(), connects: connects(), timers: timers() };
    for (let i = 0; i < 50; i++) await red.deploy(nodes());
    await post();
    assert.equal(connects(), before.connects, 'the connection was taken over each time');
    assert.equal(listeners(), before.listeners);
    // Those of an earlier test may have ended meanwhile.
    assert.ok(sockets() <= before.sockets, `${sockets()} sockets, ${before.sockets} before`);
    assert.ok(timers() <= before.timers + 2, `${timers()} timers, ${before.timers} before`);
  });

  it('a changed flow node does not touch the connection', async () => {
    await red.deploy(nodes());
    await post();
    const before = connects();
    const changed = nodes().map((node) => (node.id === 'post' ? { ...node, timeout: '7' } : node));
    await red.deploy(changed, 'nodes');
    await post();
    assert.equal(connects(), before);
  });

  it('changed settings of the device replace the connection', async () => {
    await red.deploy(nodes());
    await post();
    const before = connects();
    const online = red.next('states', ({ payload }) => payload === 'online');
    await red.deploy(nodes().map((node) => (node.id === 'device' ? { ...node, keepAlive: '60' } : node)));
    await online;
    await post();
    assert.equal(connects(), before + 1);
  });

  it('a removed device says goodbye', async () => {
    const again = nodes().map((node) => (node.id === 'device' ? { ...node, keepAlive: '90' } : node));
    const online = red.next('states', ({ payload }) => payload === 'online');
    await red.deploy(again);
    await online;
    const gone = emulator.exchanges.waitFor(({ kind }) => kind === 'disconnect', {
      timeoutMs: 8000,
      since: emulator.exchanges.latest,
    });
    await red.deploy([sink()]);
    await gone;
  });

  it('the same device defined twice with different settings is an error that is seen', async () => {
    const twice = [
      ...nodes(),
      { ...device({ id: 'device2', keepAlive: '77' }), credentials: { deviceSecret: SECRET } },
      propertyPost({ id: 'post2', device: 'device2' }),
    ];
    const caught = red.next(
      'errors',
      ({ alink, error }) => /different settings/.test(error?.message ?? '') || !!alink,
    );
    await red.deploy(twice);
    assert.match((await caught).error?.message ?? '', /keepAlive/);
  });

  it('one device for flows of two config nodes with equal settings', async () => {
    const two = [
      ...nodes(),
      { ...device({ id: 'device2' }), credentials: { deviceSecret: SECRET } },
      propertyPost({ id: 'post2', device: 'device2' }),
    ];
    await red.deploy(two);
    await post();
    const before = connects();
    const answered = red.next('sink');
    red.send('post2', { payload: { temperature: 1 } });
    assert.equal((await answered).alink?.status, 'acknowledged');
    assert.equal(connects(), before);
  });

  it('works inside a subflow', async () => {
    const inSubflow = [
      emulatorPlatform(),
      device(),
      {
        id: 'sub',
        type: 'subflow',
        name: 'report',
        in: [{ x: 1, y: 1, wires: [{ id: 'inner' }] }],
        out: [{ x: 9, y: 9, wires: [{ id: 'inner', port: 0 }] }],
      },
      { ...propertyPost({ id: 'inner' }), z: 'sub', wires: [[]] },
      { id: 'instance', z: 'tab', type: 'subflow:sub', wires: [['sink']] },
      sink(),
      ...catchAll(),
    ];
    await red.deploy(inSubflow);
    const answered = red.next('sink');
    red.send('instance', { payload: { temperature: 20 } });
    assert.equal((await answered).alink?.status, 'acknowledged');
  });

  it('the environment names a device', async () => {
    process.env.ALINK_TEST_NAME = 'house-77';
    await red.deploy([
      emulatorPlatform(),
      device({ deviceName: `\${ALINK_TEST_NAME}` }),
      propertyPost(),
      sink(),
      ...catchAll(),
    ]);
    const answered = red.next('sink');
    red.send('post', { payload: { temperature: 20 } });
    assert.equal((await answered).alink?.deviceName, 'house-77');
    const partly = [
      emulatorPlatform(),
      device({ deviceName: `pi-\${ALINK_TEST_NAME}-a` }),
      propertyPost(),
      sink(),
      ...catchAll(),
    ];
    await red.deploy(partly);
    const second = red.next('sink');
    red.send('post', { payload: { temperature: 20 } });
    assert.equal((await second).alink?.deviceName, 'pi-house-77-a');
  });

  it('a secret typed for the cloud does not keep an example from running on the emulator', async () => {
    const flow = [emulatorPlatform(), device(), propertyPost(), sink(), ...catchAll()];
    const typed = flow.map((node) =>
      node.id === 'device' ? { ...node, credentials: { deviceSecret: SECRET } } : node,
    );
    for (const nodes of [flow, typed]) {
      await red.deploy(nodes);
      const answered = red.next('sink');
      red.send('post', { payload: { temperature: 20 } });
      assert.equal((await answered).alink?.status, 'acknowledged');
    }
  });

  it('a device that the products file names needs its own secret', async () => {
    const devices = [{ deviceName: 'house-01', deviceSecret: 'another-secret' }];
    const emulatorConfig = JSON.stringify({ products: [{ productKey: 'a1Greenhouse', devices }] });
    const refused = red.next('states', ({ payload }) => payload === 'refused');
    await red.deploy([
      emulatorPlatform({ emulatorConfig }),
      { ...device(), credentials: { deviceSecret: SECRET } },
      propertyPost(),
      lifecycle(),
      sink(),
      sink('states'),
    ]);
    assert.equal((await refused).alink?.code, 4);
  });

  it('a port that is taken or a products file that is wrong: the setting is named', async () => {
    for (const [extra, words] of [
      [{ emulatorMqttPort: String(emulator.ports.mqtt) }, /“MQTT port”.*taken by another program/],
      [{ emulatorConfig: '{"products":[{"name":"no key"}]}' }, /“Products”.*productKey/],
      [{ emulatorConfig: '{' }, /“Products”/],
    ] as const) {
      const caught = red.next('errors', ({ error }) => error?.source.id === 'post');
      await red.deploy([emulatorPlatform(extra), device(), propertyPost(), sink(), ...catchAll()]);
      assert.match((await caught).error?.message ?? '', words);
    }
  });

  it('refuses a message for another device instead of reporting for the wrong one', async () => {
    await red.deploy([emulatorPlatform(), device(), propertyPost(), sink(), ...catchAll()]);
    const caught = red.next('errors');
    red.send('post', { payload: { temperature: 20 }, device: { productKey: 'x', deviceName: 'other' } });
    assert.match((await caught).error?.message ?? '', /msg\.device/);
  });
});
