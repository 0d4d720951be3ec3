import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'mocha';
import { catchAll, sink, statusOf } from '../../support/flows';
import { CloudSide, DOUBLE, LOOSE, serviceIn, serviceReply, work } from '../../support/request-flows';
import { type FlowMessage, type FlowNode, type Runtime, startRuntime } from '../../support/runtime';
import { answer as acknowledge, ScriptedBroker } from '../../support/scripted-broker';

/** What the running nodes have open, from the code that they use. */
interface BuiltSdk {
  openRequests(): number;
  openConnections(): unknown;
}

describe('services through a real Node-RED', () => {
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

  describe('answered by the flow', () => {
    it('synchronous: the caller gets the output, the flow everything about the call', async () => {
      await deploy([serviceIn({ wires: [['work', 'sink']] }), work(DOUBLE), serviceReply()]);
      const seen = red.next('sink');
      assert.deepEqual(await side.call('double', { number: 21 }), { result: 42 });
      const msg = await seen;
      assert.equal(msg.topic, 'double');
      assert.deepEqual(msg.payload, { number: 21 });
      const { request, time, id, ...info } = msg.alink ?? {};
      assert.equal(typeof request, 'string');
      assert.equal(typeof id, 'string');
      assert.ok(Math.abs(Date.now() - Number(time)) < 10_000);
      assert.deepEqual(info, {
        status: 'pending',
        method: 'thing.service.double',
        identifier: 'double',
        productKey: 'a1Workshop',
        deviceName: 'lathe-1',
        sync: true,
      });
    });

    it('asynchronous: applications are told the output', async () => {
      await deploy([serviceIn({ identifier: 'slowly' }), work(DOUBLE), serviceReply()]);
      const answer = await side.invoke('slowly', { number: 4 });
      assert.equal(answer.code, 200);
      assert.deepEqual(answer.data, { result: 8 });
    });

    it('two hundred in flight, each answered on its own id whatever the order', async () => {
      const delay = {
        id: 'delay',
        z: 'tab',
        type: 'delay',
        pauseType: 'random',
        randomFirst: '1',
        randomLast: '300',
        randomUnits: 'milliseconds',
        timeout: '1',
        timeoutUnits: 'seconds',
        rate: '1',
        nbRateUnits: '1',
        rateUnits: 'second',
        wires: [['reply']],
      };
      await deploy([serviceIn(), work(DOUBLE, { wires: [['delay']] }), delay, serviceReply()]);
      const order: number[] = [];
      const numbers = Array.from({ length: 200 }, (_, i) => i);
      await Promise.all(
        numbers.map(async (number) => {
          // Both kinds at the same time: RRPC has a topic of its own per call, the others share one.
          const result =
            number % 2 === 0
              ? await side.call('double', { number }, { timeout: 8 })
              : (await side.invoke('slowly', { number })).data;
          order.push(number);
          assert.deepEqual(result, { result: number * 2 });
        }),
      );
      assert.equal(order.length, 200);
      assert.notDeepEqual(order, numbers);
    });

    for (const [code, message] of [
      ['400', 'jammed'],
      ['429', 'busy'],
      ['460', 'wrong'],
      ['100001', 'no material'],
    ] as const) {
      it(`code ${code} and a message from the dialog`, async () => {
        await deploy([serviceIn(), work('return msg;'), serviceReply({ code, message })]);
        const answer = await side.invoke('slowly', { number: 1 });
        assert.deepEqual([answer.code, answer.message], [Number(code), message]);
      });
    }

    it('code, message and data from the message', async () => {
      const func = `const { number } = msg.payload;
        return { alink: msg.alink, code: number === 1 ? undefined : '100' + '002', why: 'of ' + number, out: { result: 7 } };`;
      const from = { code: 'code', codeType: 'msg', message: 'why', messageType: 'msg', value: 'out' };
      await deploy([serviceIn(), work(func), serviceReply(from)]);
      const good = await side.invoke('slowly', { number: 1 });
      assert.deepEqual([good.code, good.message, good.data], [200, 'of 1', { result: 7 }]);
      const bad = await side.invoke('slowly', { number: 2 });
      assert.deepEqual([bad.code, bad.message], [100_002, 'of 2']);
    });

    it('another code is refused with a sentence, and the request can still be answered', async () => {
      await deploy([
        serviceIn(),
        work(`node.send({ ...msg, code: 500 }); msg.payload = { result: 1 }; msg.code = 200; return msg;`),
        serviceReply({ code: 'code', codeType: 'msg' }),
      ]);
      const caught = red.next('errors');
      assert.deepEqual(await side.call('double', { number: 1 }), { result: 1 });
      assert.match((await caught).error?.message ?? '', /500.*100000/);
    });

    it('output that breaks the thing model is refused to the flow, not sent', async () => {
      await deploy([
        serviceIn(),
        work(`node.send({ ...msg, payload: { result: 'many' } }); msg.payload = { result: 2 }; return msg;`),
        serviceReply(),
      ]);
      const caught = red.next('errors');
      assert.deepEqual(await side.call('double', { number: 1 }), { result: 2 });
      assert.match((await caught).error?.message ?? '', /result.*many/);
    });

    it('output that is no JSON is refused to the flow, with the place', async () => {
      await deploy([
        serviceIn(),
        work(`node.send({ ...msg, payload: { result: 0 / 0 } }); msg.payload = { result: 2 }; return msg;`),
        serviceReply(),
      ]);
      const caught = red.next('errors');
      assert.deepEqual(await side.call('double', { number: 1 }), { result: 2 });
      assert.match((await caught).error?.message ?? '', /data\.result cannot be sent: NaN/);
    });
  });

  describe('what goes wrong', () => {
    it('a flow that never answers: the platform is told 400 in time, a catch node why', async () => {
      await deploy([serviceIn({ timeLimit: '0.2' }), work('return null;'), ...statusOf('service')]);
      const caught = red.next('errors');
      const status = red.next('statuses', ({ status: shown }) => shown?.fill === 'red');
      const answer = await side.invoke('slowly', { number: 9 });
      assert.equal(answer.code, 400);
      const msg = await caught;
      assert.match(msg.error?.message ?? '', /slowly.*0\.2 s/);
      assert.deepEqual(msg.payload, { number: 9 });
      assert.equal(msg.alink?.status, 'failed');
      assert.equal(msg.alink?.identifier, 'slowly');
      assert.equal(msg.alink?.request, undefined);
      assert.match((await status).status?.text ?? '', /not answered in time/);
    });

    it('a flow that throws: a reply node behind catch tells the platform at once', async () => {
      const rescue = serviceReply({
        id: 'rescue',
        code: '400',
        message: 'error.message',
        messageType: 'msg',
      });
      const catchNode = { id: 'rescuer', z: 'tab', type: 'catch', scope: ['work'], wires: [['rescue']] };
      await deploy([serviceIn(), work('throw new Error("no power");'), catchNode, rescue]);
      const answer = await side.invoke('slowly', { number: 1 });
      assert.equal(answer.code, 400);
      assert.match(answer.message, /no power/);
    });

    it('answered twice: the first counts, the second is an error', async () => {
      await deploy([
        serviceIn(),
        work(
          'msg.payload = { result: 1 }; return [[msg, { ...RED.util.cloneMessage(msg), payload: { result: 2 } }]];',
        ),
        serviceReply(),
      ]);
      const caught = red.next('errors');
      assert.deepEqual(await side.call('double', { number: 1 }), { result: 1 });
      const { error } = await caught;
      assert.match(error?.message ?? '', /answered already/);
      assert.equal(error?.source.id, 'reply');
    });

    it('too late: an error of the reply node', async () => {
      await deploy([serviceIn({ timeLimit: '0.1', wires: [['sink']] }), serviceReply()]);
      const pending = red.next('sink');
      const expired = red.next('errors');
      assert.equal((await side.invoke('slowly', { number: 1 })).code, 400);
      await expired;
      const late = red.next('errors');
      red.send('reply', { ...(await pending), payload: { result: 1 } });
      assert.match((await late).error?.message ?? '', /too late/);
    });

    it('a message of no request: a sentence that says what to do', async () => {
      await deploy([serviceReply()]);
      for (const alink of [undefined, null, 'text', {}, { request: 7 }, { request: 'unheard-of' }]) {
        const caught = red.next('errors');
        red.send('reply', { payload: {}, alink });
        assert.match((await caught).error?.message ?? '', /Keep msg\.alink/, JSON.stringify(alink));
      }
    });

    it('parameters that break the model: 460, an error with the rule, nothing for the flow', async () => {
      await red.deploy([...side.nodes(LOOSE), serviceIn({ wires: [['sink']] }), sink(), ...catchAll()]);
      await side.subscribed('/thing/service/+', LOOSE);
      const seen: FlowMessage[] = [];
      const listen = (msg: FlowMessage) => seen.push(msg);
      red.events.on('test-sink:sink', listen);
      for (const [params, words] of [
        [{ number: 5000 }, /number.*1000/],
        [{ number: 'many' }, /number/],
        [{}, /number/],
      ] as const) {
        const caught = red.next('errors');
        const answer = await side.invoke('slowly', params, LOOSE);
        assert.equal(answer.code, 460);
        const msg = await caught;
        assert.match(msg.error?.message ?? '', words);
        assert.equal(msg.error?.code ?? 460, 460);
        assert.deepEqual(msg.payload, params);
      }
      red.events.off('test-sink:sink', listen);
      assert.deepEqual(seen, []);
      assert.equal((await side.invoke('nothing', {}, LOOSE)).code, 460);
    });

    it('values as text are numbers when they arrive', async () => {
      await red.deploy([...side.nodes(LOOSE), serviceIn(), work(DOUBLE), serviceReply(), ...catchAll()]);
      await side.subscribed('/thing/service/+', LOOSE);
      assert.deepEqual((await side.invoke('slowly', { number: '21' }, LOOSE)).data, { result: 42 });
    });

    it('a service that no node takes is answered once no deploy can bring one any more', async () => {
      await deploy([serviceIn({ identifier: 'beep' }), work('return null;')]);
      const answer = await side.invoke('slowly', { number: 1 });
      assert.equal(answer.code, 400);
      assert.match(answer.message, /no flow takes slowly/);
    });

    it('a refused subscription is shown and told', async () => {
      const broker = await ScriptedBroker.start();
      broker.script.packet = (peer, packet) => {
        if (packet.cmd !== 'subscribe') return acknowledge(peer, packet);
        const granted = packet.subscriptions.map(({ topic }) =>
          topic.endsWith('/thing/service/+') ? 128 : 1,
        );
        peer.send({ cmd: 'suback', messageId: packet.messageId ?? 0, granted });
      };
      const [platform, ...others] = side.nodes();
      const caught = red.next('errors');
      const shown = red.next('statuses', ({ status }) => status?.fill === 'red');
      await red.deploy([
        { ...(platform ?? sink()), id: 'scripted', mqttPort: String(broker.port) },
        ...others.map((node) => ({ ...node, platform: 'scripted', deviceName: 'lathe-9' })),
        serviceIn(),
        ...statusOf('service'),
        ...catchAll(),
      ]);
      assert.match((await caught).error?.message ?? '', /subscription of \/sys\/a1Workshop\/lathe-9/);
      assert.match((await shown).status?.text ?? '', /subscription refused/);
      await red.deploy([sink()]);
      await broker.stop();
    });

    it('settings that cannot work are told', async () => {
      for (const [extra, words] of [
        [{ timeLimit: '0' }, /“Time limit \(s\)”/],
        [{ timeLimit: 'soon' }, /“Time limit \(s\)”/],
        [{ identifier: 'a/b' }, /service/],
        [{ device: '' }, /device/],
      ] as const) {
        const caught = red.next('errors');
        await red.deploy([...side.nodes(), serviceIn(extra), ...catchAll()]);
        assert.match((await caught).error?.message ?? '', words);
      }
    });
  });

  describe('answered at once', () => {
    it('before the flow has it, with nothing left to answer', async () => {
      await deploy([serviceIn({ reply: 'now', wires: [['sink', 'reply']] }), serviceReply()]);
      const seen = red.next('sink');
      const refused = red.next('errors');
      const answer = await side.invoke('beep', { number: 1 });
      assert.equal(answer.code, 200);
      const msg = await seen;
      assert.equal(msg.alink?.status, 'answered');
      assert.equal(msg.alink?.request, undefined);
      assert.match((await refused).error?.message ?? '', /answered already/);
    });

    it('not with outputs: 400 at once, and an error that names the remedy', async () => {
      await deploy([serviceIn({ reply: 'now', wires: [['sink']] })]);
      const caught = red.next('errors');
      const answer = await side.invoke('slowly', { number: 1 });
      assert.equal(answer.code, 400);
      assert.match(answer.message, /result/);
      assert.match((await caught).error?.message ?? '', /by the flow/);
    });
  });
});
