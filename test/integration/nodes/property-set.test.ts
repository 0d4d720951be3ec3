import assert from 'node:assert/strict';
import { SetDeviceDesiredPropertyRequest } from '@alicloud/iot20180120';
import { after, afterEach, before, describe, it } from 'mocha';
import { catchAll, device, propertyPost, sink, statusOf } from '../../support/flows';
import { CloudSide, LATHE, LOOSE, propertySet, serviceReply, work } from '../../support/request-flows';
import { type FlowMessage, type FlowNode, type Runtime, startRuntime } from '../../support/runtime';
import { answer, ScriptedBroker } from '../../support/scripted-broker';

describe('properties set through a real Node-RED', () => {
  let red: Runtime;
  let side: CloudSide;
  let openRequests: () => number;
  before(async () => {
    side = await CloudSide.start();
    red = await startRuntime();
    ({ openRequests } = require('../../../dist/sdk') as { openRequests: () => number });
  });
  after(async () => {
    await red.stop();
    await side.emulator.close();
  });
  afterEach(() => assert.equal(openRequests(), 0));

  /** The device whose thing model only it knows, so that wrong values arrive. */
  async function deploy(...nodes: FlowNode[]): Promise<void> {
    await red.deploy([...side.nodes(LOOSE), ...nodes, sink(), ...catchAll()]);
    await side.subscribed('/thing/service/property/set', LOOSE);
  }

  describe('answered at once', () => {
    it('one message per request, values as the thing model says', async () => {
      await deploy(propertySet());
      const seen = red.next('sink');
      const answer = await side.set({ level: '7', target: '30.5' }, LOOSE);
      assert.equal(answer.code, 200);
      const msg = await seen;
      assert.deepEqual(msg.payload, { level: 7, target: 30.5 });
      const { id, time, ...info } = msg.alink ?? {};
      assert.equal(typeof id, 'string');
      assert.equal(typeof time, 'number');
      assert.deepEqual(info, {
        ...LOOSE,
        status: 'answered',
        method: 'thing.service.property.set',
        sync: false,
      });
    });

    it('one message per property', async () => {
      await deploy(propertySet({ output: 'properties' }));
      const first = red.next('sink', ({ topic }) => topic === 'level');
      const second = red.next('sink', ({ topic }) => topic === 'target');
      await side.set({ level: 7, target: 30.5 }, LOOSE);
      const [level, target] = [await first, await second];
      assert.deepEqual([level.payload, target.payload], [7, 30.5]);
      assert.deepEqual(level.alink, target.alink);
    });

    it('several nodes of one device: each gets it, what one changes the other does not see', async () => {
      const spoil = work('msg.payload.level = 99; return msg;', { wires: [['other']] });
      await deploy(propertySet({ wires: [['work']] }), spoil, sink('other'), propertySet({ id: 'second' }));
      const [spoilt, clean] = [red.next('other'), red.next('sink')];
      assert.equal((await side.set({ level: 1 }, LOOSE)).code, 200);
      assert.deepEqual((await spoilt).payload, { level: 99 });
      assert.deepEqual((await clean).payload, { level: 1 });
    });

    it('wrong values, read-only and unknown properties: 460, an error, nothing for the flow', async () => {
      await deploy(propertySet(), ...statusOf('set'));
      const seen: FlowMessage[] = [];
      const listen = (msg: FlowMessage) => seen.push(msg);
      red.events.on('test-sink:sink', listen);
      const status = red.next('statuses', ({ status: shown }) => shown?.fill === 'red');
      for (const [items, words] of [
        [{ level: 5000 }, /level.*1000/],
        [{ level: 'high' }, /level/],
        [{ power: 1 }, /power.*read-only/],
        [{ colour: 'red', level: 1 }, /colour/],
        [JSON.parse('{"__proto__":{"level":1}}') as object, /__proto__/],
      ] as const) {
        const caught = red.next('errors');
        assert.equal((await side.set(items, LOOSE)).code, 460);
        const msg = await caught;
        assert.match(msg.error?.message ?? '', words);
        assert.equal(msg.error?.source.id, 'set');
        assert.equal(msg.alink?.status, 'failed');
        assert.equal(msg.alink?.code, 460);
      }
      red.events.off('test-sink:sink', listen);
      assert.deepEqual(seen, []);
      await status;
      assert.equal(({} as { level?: unknown }).level, undefined);
    });

    it('read-only and unknown properties handed on when asked', async () => {
      await deploy(propertySet({ unknown: 'pass' }));
      const seen = red.next('sink');
      assert.equal((await side.set({ power: 1, colour: 'red' }, LOOSE)).code, 200);
      const msg = await seen;
      assert.deepEqual(msg.payload, { power: 1, colour: 'red' });
      assert.match(String(msg.alink?.problems), /power.*colour/);
    });
  });

  describe('answered at once, and the connection ends before the platform has the answer', () => {
    it('the flow has the values all the same, and a catch node hears of the answer', async () => {
      const broker = await ScriptedBroker.start();
      try {
        const online = broker.next('subscribe');
        const platform = { id: 'platform', type: 'alink-platform', kind: 'custom', host: '127.0.0.1' };
        await red.deploy([
          { ...platform, mqttPort: String(broker.port) },
          {
            ...device({ ...LATHE, thingModelMode: 'off' }),
            credentials: { deviceSecret: '0123456789abcdef0123456789abcdef' },
          },
          propertySet(),
          sink(),
          ...catchAll(),
        ]);
        const [seen, caught] = [red.next('sink'), red.next('errors')];
        broker.script.packet = (peer, packet) => {
          if (packet.cmd === 'publish' && packet.topic.endsWith('/set_reply')) peer.kick();
          else answer(peer, packet);
        };
        const { peer } = await online;
        const topic = `/sys/${LATHE.productKey}/${LATHE.deviceName}/thing/service/property/set`;
        peer.push(topic, JSON.stringify({ id: '1', params: { level: 7 }, version: '1.0.0' }), 1);
        assert.deepEqual((await seen).payload, { level: 7 });
        assert.equal((await caught).alink?.code, 'disconnected');
      } finally {
        await red.deploy([sink()]);
        await broker.stop();
      }
    });
  });

  describe('answered by the flow', () => {
    it('with the code and data that the flow gives', async () => {
      await deploy(
        propertySet({ reply: 'flow', output: 'properties', wires: [['work', 'sink']] }),
        work('msg.payload = {}; return msg;'),
        serviceReply({ code: '100003', message: 'stuck' }),
      );
      const seen = red.next('sink');
      const answer = await side.set({ level: 3, target: 4 }, LOOSE);
      assert.deepEqual([answer.code, answer.message], [100_003, 'stuck']);
      // All in one, because it is answered once.
      assert.deepEqual((await seen).payload, { level: 3, target: 4 });
    });

    it('400 when it never does', async () => {
      await deploy(propertySet({ reply: 'flow', timeLimit: '0.1' }));
      const caught = red.next('errors');
      assert.equal((await side.set({ level: 3 }, LOOSE)).code, 400);
      assert.match((await caught).error?.message ?? '', /property\.set.*0\.1 s/);
    });
  });

  describe('property get', () => {
    it('from the last reported values, the flow hears nothing', async () => {
      await deploy(propertySet(), propertyPost({ wires: [['posted']] }), sink('posted'));
      const posted = red.next('posted');
      red.send('post', { payload: { level: 12, target: 5.5 } });
      await posted;
      assert.deepEqual((await side.get(['level'], 'get-1', LOOSE)).data, { level: 12 });
    });

    it('by the flow, also where sets are answered at once', async () => {
      await deploy(
        propertySet({ get: 'flow', wires: [['work', 'sink']] }),
        work(
          `if (msg.alink.method !== 'thing.service.property.get') return null;
          msg.payload = Object.fromEntries(msg.payload.map((id) => [id, id.length])); return msg;`,
        ),
        serviceReply(),
      );
      const asked = red.next('sink', ({ alink }) => alink?.method === 'thing.service.property.get');
      const { code, data } = await side.get(['level', 'target'], 'get-2', LOOSE);
      assert.equal(code, 200);
      assert.deepEqual(data, { level: 5, target: 6 });
      assert.deepEqual((await asked).payload, ['level', 'target']);
      const set = red.next('sink');
      assert.equal((await side.set({ level: 1 }, LOOSE)).code, 200);
      assert.equal((await set).alink?.status, 'answered');
    });
  });

  describe('desired values', () => {
    it('come once per version after connecting, with nobody to answer', async () => {
      // Set while the device is away.
      await red.deploy([sink()]);
      const { emulator } = side;
      await emulator.exchanges
        .waitFor(({ kind }) => kind === 'disconnect', { timeoutMs: 6000 })
        .catch(() => undefined);
      const set = async (level: number, versions: object) => {
        const { body } = await side.cloud.setDeviceDesiredProperty(
          new SetDeviceDesiredPropertyRequest({
            ...LATHE,
            items: JSON.stringify({ level }),
            versions: JSON.stringify(versions),
          }),
        );
        assert.equal(body?.success, true, JSON.stringify(body));
      };
      await set(33, { level: 0 });
      const seen: FlowMessage[] = [];
      const listen = (msg: FlowMessage) => seen.push(msg);
      red.events.on('test-sink:sink', listen);
      const errors: FlowMessage[] = [];
      const hear = (msg: FlowMessage) => errors.push(msg);
      red.events.on('test-sink:errors', hear);
      const first = red.next('sink');
      await red.deploy([
        ...side.nodes(LATHE),
        propertySet({ desired: true, reply: 'flow', wires: [['sink', 'reply']] }),
        serviceReply(),
        sink(),
        ...catchAll(),
      ]);
      const msg = await first;
      assert.deepEqual(msg.payload, { level: 33 });
      assert.equal(msg.alink?.status, 'received');
      assert.equal(msg.alink?.request, undefined);
      assert.deepEqual(msg.alink?.versions, { level: 1 });
      const { latest } = emulator.exchanges;
      emulator.faults.kick(LATHE);
      await emulator.exchanges.waitFor(
        ({ kind, operation }) => kind === 'down' && operation === 'thing.property.desired.get',
        { since: latest, timeoutMs: 10_000 },
      );
      // What comes next on the same connection is the next message.
      assert.equal((await side.set({ level: 34 })).code, 200);
      red.events.off('test-sink:sink', listen);
      assert.deepEqual(
        seen.map(({ payload }) => payload),
        [{ level: 33 }, { level: 34 }],
      );
      red.events.off('test-sink:errors', hear);
      assert.deepEqual(errors, []);
    });
  });
});
