import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { after, afterEach, before, describe, it } from 'mocha';
import { catchAll, sink } from '../../support/flows';
import { CloudSide, DOUBLE, propertySet, serviceIn, serviceReply, work } from '../../support/request-flows';
import { type FlowNode, type Runtime, startRuntime } from '../../support/runtime';

/** What the running nodes have open, from the code that they use. */
interface BuiltSdk {
  openRequests(): number;
  openConnections(): number;
}

const COUNT = 20;

describe('replies after a way through the flow', () => {
  let red: Runtime;
  let side: CloudSide;
  let sdk: BuiltSdk;
  before(async () => {
    side = await CloudSide.start();
    red = await startRuntime();
    sdk = require('../../../dist/sdk') as BuiltSdk;
  });
  after(async () => {
    await red.stop();
    await side.emulator.close();
  });
  afterEach(() => assert.equal(sdk.openRequests(), 0));

  async function deploy(nodes: FlowNode[], type: 'full' | 'nodes' = 'full'): Promise<void> {
    await red.deploy([...side.nodes(), ...nodes, ...catchAll(), sink()], type);
    await side.subscribed('/thing/service/+');
  }

  /** Many calls at the same time, each with an answer of its own. */
  async function assertCorrelated(): Promise<void> {
    await Promise.all(
      Array.from({ length: COUNT }, async (_, number) => {
        assert.deepEqual(await side.call('double', { number }, { timeout: 8 }), { result: number * 2 });
      }),
    );
  }

  const node = (id: string, type: string, fields: object): FlowNode => ({ id, z: 'tab', type, ...fields });

  const WAYS: Record<string, FlowNode[]> = {
    'a message made anew with msg.alink': [
      work('return { payload: { result: msg.payload.number * 2 }, alink: msg.alink };'),
    ],
    'JSON.parse(JSON.stringify)': [work(`msg = JSON.parse(JSON.stringify(msg)); ${DOUBLE}`)],
    'JSON nodes, msg.alink inside the payload': [
      work('return { payload: { number: msg.payload.number, alink: msg.alink } };', { wires: [['text']] }),
      node('text', 'json', { property: 'payload', action: 'str', wires: [['object']] }),
      node('object', 'json', { property: 'payload', action: 'obj', wires: [['back']] }),
      work('return { payload: { result: msg.payload.number * 2 }, alink: msg.payload.alink };', {
        id: 'back',
      }),
    ],
    'flow context and a timer': [
      work(
        `const waiting = flow.get('waiting') || [];
        waiting.push(JSON.stringify({ alink: msg.alink, number: msg.payload.number }));
        flow.set('waiting', waiting);
        setTimeout(() => {
          const next = JSON.parse(flow.get('waiting').pop());
          node.send({ payload: { result: next.number * 2 }, alink: next.alink });
        }, 20);`,
      ),
    ],
    'split and join': [
      work('msg.payload = [msg.payload.number, msg.payload.number]; return msg;', { wires: [['split']] }),
      node('split', 'split', {
        splt: '\\n',
        spltType: 'str',
        arraySplt: 1,
        arraySpltType: 'len',
        wires: [['join']],
      }),
      node('join', 'join', { mode: 'auto', wires: [['sum']] }),
      work('msg.payload = { result: msg.payload[0] + msg.payload[1] }; return msg;', { id: 'sum' }),
    ],
    'link call': [
      node('work', 'link call', { links: ['in'], linkType: 'static', timeout: '5', wires: [['reply']] }),
      node('in', 'link in', { links: [], wires: [['called']] }),
      work(DOUBLE, { id: 'called', wires: [['out']] }),
      node('out', 'link out', { mode: 'return', links: [], wires: [] }),
    ],
    'a message between two tabs': [
      node('work', 'link out', { mode: 'link', links: ['in'], wires: [] }),
      { id: 'other', type: 'tab', label: 'other' },
      { id: 'in', z: 'other', type: 'link in', links: ['work'], x: 1, y: 1, wires: [['far']] },
      { ...work(DOUBLE, { id: 'far', wires: [['far-reply']] }), z: 'other' },
      { ...serviceReply({ id: 'far-reply' }), z: 'other' },
    ],
  };
  for (const [way, nodes] of Object.entries(WAYS)) {
    it(way, async () => {
      const tab = nodes.some(({ type }) => type === 'tab') ? [{ id: 'tab', type: 'tab', label: 'test' }] : [];
      await deploy([...tab, serviceIn(), ...nodes, serviceReply()]);
      await assertCorrelated();
    });
  }

  it('the nodes inside a subflow', async () => {
    const inside = [serviceIn(), work(DOUBLE), serviceReply()].map((part) => ({ ...part, z: 'subflow' }));
    const subflow = { id: 'subflow', type: 'subflow', name: 'machine', in: [], out: [] };
    await deploy([subflow, ...inside, node('instance', 'subflow:subflow', { wires: [] })]);
    await assertCorrelated();
  });

  it('sets and services at the same time, one reply node for both', async () => {
    await deploy([
      serviceIn(),
      work(DOUBLE),
      propertySet({ reply: 'flow', wires: [['empty']] }),
      work('msg.payload = {}; return msg;', { id: 'empty' }),
      serviceReply(),
    ]);
    const sets = Array.from({ length: COUNT }, async (_, level) => {
      assert.equal((await side.set({ level })).code, 200);
    });
    await Promise.all([assertCorrelated(), ...sets]);
  });

  for (const [type, mayLose] of [
    ['nodes', false],
    // A full deploy empties the wires; what was on them is answered when its time limit has passed.
    ['full', true],
  ] as const) {
    it(`deploys of kind ${type} while calls are on their way: each is answered`, async () => {
      const nodes = (name: string) => [
        serviceIn({ name, timeLimit: '1' }),
        work(DOUBLE, { wires: [['delay']] }),
        node('delay', 'delay', {
          pauseType: 'delay',
          timeout: '5',
          timeoutUnits: 'milliseconds',
          wires: [['reply']],
        }),
        serviceReply(),
      ];
      await deploy(nodes('first'));
      const progress = new EventEmitter();
      let going = true;
      let number = 0;
      let answered = 0;
      let lost = 0;
      const caller = async () => {
        while (going) {
          const mine = number++ % 500;
          try {
            assert.deepEqual(await side.call('double', { number: mine }, { timeout: 8 }), {
              result: mine * 2,
            });
            answered++;
          } catch (thrown) {
            if (!mayLose || !(thrown instanceof Error) || !/no answer within 1 s/.test(thrown.message))
              throw thrown;
            lost++;
          }
          progress.emit('answer');
        }
      };
      const callers = Array.from({ length: 8 }, caller);
      const failed = Promise.all(callers);
      for (const name of ['second', 'third', 'fourth']) {
        const wanted = answered + 20;
        while (answered < wanted) await Promise.race([once(progress, 'answer'), failed]);
        // The in-node changes, so its handler goes and another comes.
        await red.deploy([...side.nodes(), ...nodes(name), ...catchAll(), sink()], type);
      }
      going = false;
      await failed;
      assert.ok(answered >= 60);
      assert.ok(lost <= 24, `${lost} lost`);
    });
  }

  it('twenty full deploys leave nothing behind', async () => {
    const nodes = [
      serviceIn(),
      work(DOUBLE),
      propertySet({ get: 'flow', reply: 'flow', wires: [['reply']] }),
      serviceReply(),
    ];
    const listeners = () =>
      red.events.eventNames().reduce((sum, name) => sum + red.events.listenerCount(name), 0);
    await deploy(nodes);
    await side.call('double', { number: 1 });
    const [before, connections] = [listeners(), sdk.openConnections()];
    for (let i = 0; i < 20; i++) await deploy(nodes);
    assert.deepEqual(await side.call('double', { number: 2 }), { result: 4 });
    assert.equal(listeners(), before);
    // The connection of an earlier test may have lingered at first.
    assert.ok(sdk.openConnections() <= connections, `${sdk.openConnections()} after ${connections}`);
    const view = side.emulator.devices.get({ productKey: 'a1Workshop', deviceName: 'lathe-1' });
    const subscriptions = view?.subscriptions.length;
    assert.equal(new Set(view?.subscriptions).size, subscriptions);
    // Each call is answered by one node, not by one of each deploy.
    const { latest } = side.emulator.exchanges;
    await side.call('double', { number: 3 });
    const answers = side.emulator.exchanges.list(({ kind, seq }) => kind === 'up' && seq > latest);
    assert.equal(answers.length, 1);
  });
});
