import assert from 'node:assert/strict';
import type Iot from '@alicloud/iot20180120';
import * as models from '@alicloud/iot20180120';
import { after, afterEach, before, describe, it } from 'mocha';
import { type Emulator, startEmulator } from '../../../emulator';
import { cloudClient } from '../../support/cloud';
import { catchAll, device, lifecycle, sink, statusOf } from '../../support/flows';
import { type FlowMessage, type FlowNode, type Runtime, startRuntime } from '../../support/runtime';
import { topicIn, topicOut } from '../../support/topic-nodes';

const PRODUCT_KEY = 'a1Greenhouse';
const SECRET = '0123456789abcdef0123456789abcdef';
const NAMES = Array.from({ length: 30 }, (_, i) => `house-${String(i + 1).padStart(2, '0')}`);
const TOPICS = [
  { topic: '/user/#', operation: 'all' },
  { topic: '/private/secret', operation: 'publish' },
] as const;

describe('topics', () => {
  let red: Runtime;
  let emulator: Emulator;
  let cloud: Iot;
  let used = 0;
  let name = '';

  before(async () => {
    const devices = NAMES.map((deviceName) => ({ deviceName, deviceSecret: SECRET }));
    emulator = await startEmulator({
      doors: { mqtt: 0, http: 0 },
      config: { products: [{ productKey: PRODUCT_KEY, topics: [...TOPICS], devices }] },
    });
    cloud = cloudClient(emulator);
    red = await startRuntime();
  });
  afterEach(() => emulator.faults.clear());
  after(async () => {
    await red.stop();
    await emulator.close();
  });

  const platform = (): FlowNode => ({
    id: 'platform',
    type: 'alink-platform',
    kind: 'custom',
    host: '127.0.0.1',
    mqttPort: String(emulator.ports.mqtt),
    httpUrl: emulator.httpUrl,
  });

  /** Deploys with a device that no test used before. */
  async function deploy(nodes: FlowNode[], settings: object = {}): Promise<void> {
    name = NAMES[used++] ?? 'none';
    const online = red.next('states', (msg) => msg.payload === 'online' && msg.alink?.deviceName === name);
    await red.deploy(flow(nodes, settings));
    await online;
  }

  function flow(nodes: FlowNode[], settings: object = {}): FlowNode[] {
    return [
      platform(),
      {
        ...device({ deviceName: name, thingModelSource: 'none', requestTimeout: '2', ...settings }),
        credentials: { deviceSecret: SECRET },
      },
      ...nodes,
      lifecycle(),
      ...['sink', 'published', 'states'].map((id) => sink(id)),
      ...catchAll(),
      ...statusOf('in', 'out'),
    ];
  }

  const own = (rest: string) => `/${PRODUCT_KEY}/${name}/${rest}`;

  async function pub(topic: string, content: string | Uint8Array, qos: 0 | 1 = 1): Promise<void> {
    const messageContent = Buffer.from(content).toString('base64');
    const { body } = await cloud.pub(
      new models.PubRequest({ productKey: PRODUCT_KEY, topicFullName: topic, messageContent, qos }),
    );
    assert.equal(body?.success, true, body?.errorMessage);
  }

  /** Calls the device. @returns code and bytes of the answer */
  async function rrpc(
    content: string | Uint8Array,
    topic?: string,
  ): Promise<{ code: string; answer: Buffer }> {
    const { body } = await cloud.rRpc(
      new models.RRpcRequest({
        productKey: PRODUCT_KEY,
        deviceName: name,
        requestBase64Byte: Buffer.from(content).toString('base64'),
        timeout: 8000,
        ...(topic === undefined ? {} : { topic }),
      }),
    );
    return {
      code: body?.rrpcCode ?? body?.code ?? '',
      answer: Buffer.from(body?.payloadBase64Byte ?? '', 'base64'),
    };
  }

  /** What arrives at a sink from now on. */
  function collect(id: string): {
    messages: FlowMessage[];
    until(count: number): Promise<void>;
    stop(): void;
  } {
    const messages: FlowMessage[] = [];
    let check = () => {};
    const listen = (msg: FlowMessage) => {
      messages.push(msg);
      check();
    };
    red.events.on(`test-sink:${id}`, listen);
    return {
      messages,
      until: (count) =>
        new Promise((resolve) => {
          check = () => {
            if (messages.length >= count) resolve();
          };
          check();
        }),
      stop: () => red.events.off(`test-sink:${id}`, listen),
    };
  }

  const CONTENTS: Array<[output: string, content: string | Uint8Array, expected: unknown]> = [
    ['auto', '{"a":[1,2]}', { a: [1, 2] }],
    ['auto', 'plain 文本', 'plain 文本'],
    ['auto', '42', '42'],
    ['auto', '{broken', '{broken'],
    ['auto', Uint8Array.of(0xff, 0, 1), Buffer.from([0xff, 0, 1])],
    ['auto', `${'['.repeat(100)}${']'.repeat(100)}`, `${'['.repeat(100)}${']'.repeat(100)}`],
    ['buffer', 'abc', Buffer.from('abc')],
    ['text', '{"a":1}', '{"a":1}'],
    ['json', '42', 42],
  ];
  it('hands on what the cloud publishes, in the form that was chosen', async () => {
    const outputs = ['auto', 'buffer', 'text', 'json'];
    await deploy([
      ...outputs.map((output) =>
        topicIn({ id: `in-${output}`, output, topic: `user/${output}`, wires: [[output]] }),
      ),
      ...outputs.map((output) => sink(output)),
    ]);
    for (const [output, content, expected] of CONTENTS) {
      const got = red.next(output);
      await pub(own(`user/${output}`), content);
      const { payload, topic, qos, alink } = await got;
      assert.deepEqual(payload, expected);
      assert.deepEqual([topic, qos], [own(`user/${output}`), 1]);
      const { time, ...rest } = alink ?? {};
      assert.ok(Math.abs(Number(time) - Date.now()) < 5000);
      assert.deepEqual(rest, {
        productKey: PRODUCT_KEY,
        deviceName: name,
        topic: own(`user/${output}`),
        status: 'received',
      });
    }
    const caught = red.next('errors');
    await pub(own('user/json'), 'no json');
    const { error, alink } = await caught;
    assert.match(error?.message ?? '', /not JSON/);
    assert.deepEqual(
      [error?.source.id, alink?.topic, alink?.status],
      ['in-json', own('user/json'), 'failed'],
    );
  });

  it('takes short and full topics, placeholders and wildcards', async () => {
    await deploy([
      topicIn({ id: 'in-a', topic: 'user/+/state', wires: [['a']] }),
      topicIn({
        id: 'in-b',
        topic: `/\${productKey}/\${deviceName}/user/b/#`,
        wires: [['b']],
      }),
      sink('a'),
      sink('b'),
    ]);
    const a = red.next('a');
    const b = red.next('b');
    await pub(own('user/pump/state'), 'on');
    await pub(own('user/b/c/d'), 'deep');
    assert.deepEqual([(await a).topic, (await b).topic], [own('user/pump/state'), own('user/b/c/d')]);
  });

  it('subscribes with the QoS that was chosen', async () => {
    await deploy([
      topicIn({ id: 'in-zero', topic: 'user/zero', qos: '0', wires: [['zero']] }),
      topicIn({ id: 'in-one', topic: 'user/one' }),
      sink('zero'),
    ]);
    const granted = emulator.exchanges
      .list(({ kind, identity }) => kind === 'subscribe' && identity?.deviceName === name)
      .map(({ topic, qos }) => [topic, qos]);
    assert.deepEqual(
      granted.filter(([topic]) => String(topic).includes('/user/')),
      [
        [own('user/one'), 1],
        [own('user/zero'), 0],
      ],
    );
    const got = red.next('zero');
    await pub(own('user/zero'), 'x', 1);
    assert.equal((await got).qos, 0);
  });

  it('receives broadcasts, with a topic and without', async () => {
    await deploy([
      topicIn({ id: 'in-all', source: 'broadcast', topic: '', wires: [['all']] }),
      topicIn({ id: 'in-news', source: 'broadcast', topic: 'news', wires: [['news']] }),
      sink('all'),
      sink('news'),
    ]);
    const all = red.next('all');
    const news = red.next('news');
    const messageContent = Buffer.from('{"stop":true}').toString('base64');
    const topicFullName = `/broadcast/${PRODUCT_KEY}/news`;
    await cloud.pubBroadcast(new models.PubBroadcastRequest({ productKey: PRODUCT_KEY, messageContent }));
    await cloud.pubBroadcast(
      new models.PubBroadcastRequest({ productKey: PRODUCT_KEY, messageContent, topicFullName }),
    );
    assert.deepEqual((await all).payload, { stop: true });
    assert.equal((await news).topic, topicFullName);
  });

  it('shows a refused subscription and tells a catch node', async () => {
    const caught = red.next('errors');
    const shown = red.next('statuses', ({ status }) => /subscription refused/.test(status?.text ?? ''));
    await deploy([topicIn({ topic: 'private/secret' })]);
    const { error, alink } = await caught;
    assert.match(error?.message ?? '', new RegExp(`refused the subscription of ${own('private/secret')}`));
    assert.deepEqual([error?.code, alink?.topic], ['subscriptionRefused', own('private/secret')]);
    assert.equal((await shown).status?.fill, 'red');
  });

  for (const [topic, words] of [
    ['/a1Other/house/user/get', /not a topic of this device/],
    ['user/a+', /stand alone/],
    ['', /Name a topic/],
    ['a/b/c/d/e/f', /7 levels/],
    [`user/${'x'.repeat(120)}`, /128 bytes/],
    ['/+/+/user/get', /not a topic of this device/],
  ] as const) {
    it(`refuses to subscribe ${topic.slice(0, 30)}`, async () => {
      const caught = red.next('errors', ({ error }) => error?.source.id === 'in');
      await deploy([topicIn({ topic })]);
      const { error } = await caught;
      assert.match(error?.message ?? '', words);
      assert.equal(error?.code, 'badSettings');
    });
  }

  const PAYLOADS: Array<[format: string, payload: unknown, text: string]> = [
    ['auto', { a: 1 }, '{"a":1}'],
    ['auto', 'text', 'text'],
    ['auto', 21.5, '21.5'],
    ['auto', Buffer.from('bytes'), 'bytes'],
    ['auto', JSON.parse(JSON.stringify(Buffer.from('revived'))), 'revived'],
    ['buffer', [104, 105], 'hi'],
    ['text', Buffer.from('as text'), 'as text'],
    ['json', 'quoted', '"quoted"'],
    ['auto', null, 'null'],
  ];
  it('publishes every kind of value and tells when the platform has it', async () => {
    const formats = ['auto', 'buffer', 'text', 'json'];
    await deploy(formats.map((format) => topicOut({ id: format, format })));
    for (const [format, payload, text] of PAYLOADS) {
      const since = emulator.exchanges.latest;
      const published = red.next('published');
      red.send(format, { payload, topic: 'user/update', keep: 7 });
      const msg = await published;
      assert.deepEqual(msg.alink, {
        status: 'acknowledged',
        productKey: PRODUCT_KEY,
        deviceName: name,
        topic: own('user/update'),
      });
      assert.deepEqual([msg.keep, msg.topic], [7, 'user/update']);
      const seen = emulator.exchanges.list(
        ({ seq, topic, kind }) => seq > since && kind === 'up' && topic === own('user/update'),
      );
      assert.deepEqual(
        seen.map((exchange) => exchange.text),
        [text],
      );
    }
  });

  it('says that nobody confirms QoS 0', async () => {
    await deploy([topicOut({ qos: '0', topic: 'user/update' })]);
    const published = red.next('published');
    red.send('out', { payload: 'x' });
    assert.equal((await published).alink?.status, 'sent');
  });

  for (const [what, msg, words] of [
    ['foreign topics', { topic: '/a1Other/x/user/update', payload: 1 }, /not a topic of this device/],
    [
      'system topics',
      { topic: `/sys/${PRODUCT_KEY}/x/thing/event/property/post`, payload: 1 },
      /not a topic of/,
    ],
    ['wildcards', { topic: 'user/#', payload: 1 }, /a topic to publish to has none/],
    ['no topic', { payload: 1 }, /no topic is named/],
    ['nothing', { topic: 'user/update' }, /nothing to send/],
    ['functions', { topic: 'user/update', payload: { f: () => 1 } }, /cannot be sent/],
    ['256 KB and a byte', { topic: 'user/update', payload: 'x'.repeat(262_145) }, /larger than 262144/],
  ] as const) {
    it(`refuses to publish: ${what}`, async () => {
      await deploy([topicOut()]);
      const caught = red.next('errors');
      red.send('out', { ...msg });
      const { error, alink } = await caught;
      assert.match(error?.message ?? '', words);
      assert.equal(alink?.status, 'failed');
    });
  }

  it('keeps a message while offline and publishes it when the connection is back', async () => {
    await deploy([topicOut({ topic: 'user/update', timeout: '10' })]);
    const offline = red.next('states', ({ payload }) => payload === 'offline');
    await emulator.faults.stopListening();
    emulator.faults.dropConnections();
    await offline;
    const published = collect('published');
    const waiting = red.next('statuses', ({ status }) => /2 waiting/.test(status?.text ?? ''));
    const since = emulator.exchanges.latest;
    for (const payload of ['first', 'second']) red.send('out', { payload });
    await waiting;
    assert.equal(published.messages.length, 0);
    await emulator.faults.startListening();
    await published.until(2);
    published.stop();
    assert.deepEqual(
      published.messages.map(({ payload, alink }) => [payload, alink?.status]),
      [
        ['first', 'acknowledged'],
        ['second', 'acknowledged'],
      ],
    );
    assert.deepEqual(
      emulator.exchanges
        .list(({ seq, kind, topic }) => seq > since && kind === 'up' && topic === own('user/update'))
        .map(({ text }) => text),
      ['first', 'second'],
    );
  });

  it('says when it was offline for too long', async () => {
    await deploy([topicOut({ topic: 'user/update', timeout: '1' })]);
    const offline = red.next('states', ({ payload }) => payload === 'offline');
    await emulator.faults.stopListening();
    emulator.faults.dropConnections();
    await offline;
    const caught = red.next('errors');
    red.send('out', { payload: 'late' });
    assert.equal((await caught).error?.code, 'waitingTimeout');
    await emulator.faults.startListening();
  });

  it('says when no acknowledgement comes', async () => {
    await deploy([topicOut({ topic: 'user/update', timeout: '1' })]);
    emulator.faults.goSilent();
    const caught = red.next('errors');
    red.send('out', { payload: 'x' });
    const { error, alink } = await caught;
    emulator.faults.goSilent(false);
    assert.deepEqual([error?.code, alink?.status, alink?.topic], ['timeout', 'failed', own('user/update')]);
  });

  it('a thousand messages each way keep their order', async () => {
    await deploy([topicIn({ topic: 'user/many' }), topicOut({ topic: 'user/many' })]);
    const received = collect('sink');
    for (let i = 0; i < 1000; i++) await pub(own('user/many'), String(i));
    await received.until(1000);
    received.stop();
    assert.deepEqual(
      received.messages.map(({ payload }) => payload),
      Array.from({ length: 1000 }, (_, i) => String(i)),
    );
    const published = collect('published');
    const since = emulator.exchanges.latest;
    for (let i = 0; i < 1000; i++) red.send('out', { payload: String(i) });
    await published.until(1000);
    published.stop();
    const arrived = emulator.exchanges
      .list(({ seq, kind }) => seq > since && kind === 'up')
      .filter(({ topic }) => topic === own('user/many'))
      .map(({ text }) => text);
    assert.deepEqual(arrived, Array.from({ length: 1000 }, (_, i) => String(i)).slice(-arrived.length));
    assert.ok(arrived.length > 200);
  });

  it('a deploy while messages arrive loses none and doubles none', async () => {
    const nodes = [topicIn({ topic: 'user/flow' })];
    await deploy(nodes);
    const received = collect('sink');
    // What is on Node-RED's own wires when a full deploy stops the flows is lost whatever a node does; so the messages
    // come when the old nodes are gone and the new ones are not there.
    let count = 0;
    const published: Promise<unknown>[] = [];
    const inBetween = () => {
      for (let i = 0; i < 5; i++) published.push(pub(own('user/flow'), String(count++)));
    };
    red.events.on('flows:stopped', inBetween);
    for (let i = 0; i < 5; i++) {
      await red.deploy(flow(nodes));
      await Promise.all(published);
      await received.until(count);
    }
    red.events.off('flows:stopped', inBetween);
    assert.equal(count, 25);
    await pub(own('user/flow'), 'last');
    await received.until(count + 1);
    received.stop();
    // Calls that go out at the same time may be carried out in any order.
    assert.deepEqual(
      received.messages.map(({ payload }) => String(payload)).sort(),
      [...Array.from({ length: count }, (_, i) => String(i)), 'last'].sort(),
    );
  });

  it('two nodes whose topics overlap get each message once', async () => {
    await deploy([
      topicIn({ id: 'in-one', topic: 'user/both', wires: [['one']] }),
      topicIn({ id: 'in-two', topic: 'user/+', wires: [['two']] }),
      sink('one'),
      sink('two'),
    ]);
    const [one, two] = [collect('one'), collect('two')];
    for (const text of ['1', '2', '3']) await pub(own('user/both'), text);
    await Promise.all([one.until(3), two.until(3)]);
    await pub(own('user/last'), 'end');
    await two.until(4);
    for (const { stop } of [one, two]) stop();
    assert.deepEqual(
      [one, two].map(({ messages }) => messages.map(({ payload }) => payload)),
      [
        ['1', '2', '3'],
        ['1', '2', '3', 'end'],
      ],
    );
  });

  describe('RRPC', () => {
    const reply = (extra: object = {}): FlowNode => ({
      id: 'reply',
      z: 'tab',
      type: 'alink-service-reply',
      value: 'payload',
      valueType: 'msg',
      wires: [],
      ...extra,
    });

    it('with and without a topic is answered by the flow', async () => {
      await deploy([
        topicIn({ id: 'custom', source: 'rrpc', topic: 'user/call/+', wires: [['reply', 'sink']] }),
        topicIn({ id: 'plain', source: 'rrpc', topic: '', output: 'buffer', wires: [['reply', 'sink']] }),
        reply(),
      ]);
      const first = red.next('sink');
      assert.deepEqual(await rrpc('{"n":1}', own('user/call/door')), {
        code: 'SUCCESS',
        answer: Buffer.from('{"n":1}'),
      });
      const { topic, payload, alink } = await first;
      assert.deepEqual(
        [topic, payload, alink?.status, alink?.sync],
        [own('user/call/door'), { n: 1 }, 'pending', true],
      );
      assert.deepEqual(await rrpc(Uint8Array.of(1, 0xff)), {
        code: 'SUCCESS',
        answer: Buffer.from([1, 0xff]),
      });
    });

    it('two hundred at the same time each get their own answer', async () => {
      await deploy([
        topicIn({ source: 'rrpc', topic: 'user/call', output: 'json', wires: [['delay']] }),
        {
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
          wires: [['double']],
        },
        {
          id: 'double',
          z: 'tab',
          type: 'function',
          func: 'msg.payload = { n: msg.payload.n * 2 }; return msg;',
          outputs: 1,
          wires: [['reply']],
        },
        reply(),
      ]);
      const answers = await Promise.all(
        Array.from({ length: 200 }, (_, n) => rrpc(JSON.stringify({ n }), own('user/call'))),
      );
      assert.deepEqual(
        answers.map(({ answer }) => answer.toString()),
        Array.from({ length: 200 }, (_, n) => JSON.stringify({ n: n * 2 })),
      );
    });

    it('without an answer in time an error is caught', async () => {
      await deploy([topicIn({ source: 'rrpc', topic: 'user/call', timeLimit: '0.2' })]);
      const caught = red.next('errors');
      const call = cloud.rRpc(
        new models.RRpcRequest({
          productKey: PRODUCT_KEY,
          deviceName: name,
          requestBase64Byte: 'eA==',
          timeout: 1000,
          topic: own('user/call'),
        }),
      );
      assert.equal((await caught).error?.code, 400);
      assert.equal((await call).body?.rrpcCode, 'TIMEOUT');
    });
  });
});
