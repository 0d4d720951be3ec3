import assert from 'node:assert/strict';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, describe, it } from 'mocha';
import { AlinkError } from '../../../sdk';
import { Dispatcher } from '../../../sdk/report/dispatcher';
import { MemoryOutbox, type OutboxItem } from '../../../sdk/report/outbox';
import { DeviceIdentityTopics } from '../../../sdk/topics';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;
const POST = 'thing.event.property.post';

/** A link in memory: `publish` gives every message to the test. */
class Harness {
  online = true;
  now = 0;
  sent: Array<{ topic: string; id: string }> = [];
  onPublish: (topic: string, payload: string) => void = () => undefined;
  readonly dispatcher: Dispatcher;

  constructor(waitingLimit = 1000) {
    const link = {
      publish: (topic: string, payload: string | Uint8Array) => {
        const text = String(payload);
        this.onPublish(topic, text);
      },
    };
    this.dispatcher = new Dispatcher({
      topics: new DeviceIdentityTopics({ productKey: 'pk', deviceName: 'dn' }),
      link: () => (this.online ? link : undefined),
      waitingLimit,
      defaultTimeoutMs: 1000,
      onWaiting: () => undefined,
      now: () => this.now,
    });
  }

  post(params = '{}') {
    return this.dispatcher.submit({ operation: POST, params, options: {} });
  }

  answer(topic: string, payload: string, code = 200) {
    const id = /"id":"(\d+)"/.exec(payload)?.[1];
    return this.dispatcher.receive(`${topic}_reply`, Buffer.from(`{"id":"${id}","code":${code}}`));
  }
}

describe('dispatcher', () => {
  let harness: Harness;

  afterEach(() => harness.dispatcher.close(new AlinkError('closed', 'end of the test')));

  it('keeps nothing of a million answered requests', async () => {
    harness = new Harness();
    const queue: Array<[string, string]> = [];
    harness.onPublish = (topic, payload) => queue.push([topic, payload]);
    const round = async () => {
      for (let i = 0; i < 1000; i++) {
        const batch = Array.from({ length: 100 }, () => harness.post());
        for (const [topic, payload] of queue.splice(0))
          assert.equal(harness.answer(topic, payload), 'answered');
        await Promise.all(batch);
      }
    };
    await round();
    collectGarbage();
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < 9; i++) await round();
    collectGarbage();
    assert.equal(harness.dispatcher.unanswered, 0);
    assert.equal(harness.dispatcher.waiting, 0);
    // Each kept request would take 300 bytes and more: 270 MB.
    const grown = (process.memoryUsage().heapUsed - before) / 1e6;
    assert.ok(grown < 5, `${grown.toFixed(1)} MB more`);
  }).timeout(20_000);

  it('answers each request once and says so of the rest', async () => {
    harness = new Harness();
    let last: [string, string] = ['', ''];
    harness.onPublish = (topic, payload) => {
      last = [topic, payload];
    };
    const post = harness.post();
    assert.equal(harness.answer(...last), 'answered');
    assert.equal(harness.answer(...last), 'unknownId');
    assert.equal((await post).code, 200);
    assert.equal(harness.dispatcher.receive('/elsewhere', Buffer.from('{}')), undefined);
  });

  it('matches on topic and id, not on id alone', async () => {
    harness = new Harness();
    const sent: Array<[string, string]> = [];
    harness.onPublish = (topic, payload) => sent.push([topic, payload]);
    const post = harness.post();
    const event = harness.dispatcher.submit({
      operation: 'thing.event.post',
      params: '{}',
      options: { variables: { event: 'alarm' } },
    });
    const [first, second] = sent;
    assert.ok(first && second);
    assert.equal(harness.answer(second[0], first[1]), 'unknownId');
    harness.answer(...first);
    harness.answer(...second);
    assert.deepEqual([(await post).code, (await event).code], [200, 200]);
  });

  it('hands over what waits in order, and drops what came last when the connection is lost', async () => {
    harness = new Harness(10);
    const sent: string[] = [];
    harness.onPublish = (_, payload) => sent.push(/"params":(\d+)/.exec(payload)?.[1] ?? '');
    const ends = Array.from({ length: 200 }, (_, i) =>
      harness.post(String(i)).then(
        () => 'answered',
        (error: AlinkError) => error.key,
      ),
    );
    assert.equal(sent.length, 150);
    harness.online = false;
    harness.dispatcher.disconnected(new AlinkError('connectionClosed', 'gone'));
    assert.equal(harness.dispatcher.waiting, 10);
    assert.deepEqual(new Set(await Promise.all(ends.slice(0, 150))), new Set(['disconnected']));
    assert.deepEqual(new Set(await Promise.all(ends.slice(160))), new Set(['waitingFull']));
    harness.online = true;
    harness.dispatcher.drain();
    assert.deepEqual(
      sent,
      Array.from({ length: 160 }, (_, i) => String(i)),
    );
  });

  it('lets a request end with its message when it cannot be written', async () => {
    harness = new Harness();
    const dispatcher = new Dispatcher({
      topics: new DeviceIdentityTopics({ productKey: 'pk', deviceName: 'dn' }),
      link: () => ({ publish: (_topic, _payload, _qos, done) => done(new Error('no')) }),
      waitingLimit: 1,
      defaultTimeoutMs: 1000,
      onWaiting: () => undefined,
    });
    await assert.rejects(dispatcher.submit({ operation: POST, params: '{}', options: {} }), {
      key: 'disconnected',
    });
    assert.equal(dispatcher.unanswered, 0);
    dispatcher.close(new AlinkError('closed', 'end of the test'));
  });

  it('leaves no listener on a signal that outlives its messages', async () => {
    harness = new Harness();
    harness.onPublish = (topic, payload) => queueMicrotask(() => harness.answer(topic, payload));
    const controller = new AbortController();
    let listeners = 0;
    const { signal } = controller;
    const [add, remove] = [signal.addEventListener, signal.removeEventListener];
    signal.addEventListener = (...all: Parameters<typeof add>) => {
      listeners++;
      add.apply(signal, all);
    };
    signal.removeEventListener = (...all: Parameters<typeof remove>) => {
      listeners--;
      remove.apply(signal, all);
    };
    const options = { signal };
    await Promise.all(
      Array.from({ length: 5 }, () => harness.dispatcher.submit({ operation: POST, params: '{}', options })),
    );
    assert.equal(listeners, 0);
  });
});

describe('outbox in memory', () => {
  const item = (name: string, rejected: string[] = [], deadline = 1e9): OutboxItem => ({
    message: {
      operation: name,
      topic: '',
      replyTopic: '',
      format: 'alink',
      method: undefined,
      params: name,
      qos: 1,
    },
    deadline,
    timeoutMs: 1000,
    unacknowledged: false,
    resolve: () => undefined,
    reject: ({ key }) => rejected.push(`${name} ${key}`),
  });
  const names = (outbox: MemoryOutbox) => {
    const taken: string[] = [];
    for (let next = outbox.take(); next; next = outbox.take()) taken.push(next.message.operation);
    return taken;
  };
  let outbox: MemoryOutbox;
  const sizes: number[] = [];

  afterEach(() => outbox.close(new AlinkError('closed', 'end of the test')));

  it('gives back in order what was not taken out', () => {
    outbox = new MemoryOutbox(
      (size) => sizes.push(size),
      () => 0,
    );
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((name) => item(name));
    assert.ok(a && b && c && d);
    for (const one of [a, b, c]) outbox.put(one, 10);
    assert.equal(outbox.take(), a);
    outbox.remove(b);
    outbox.remove(b);
    outbox.put(d, 10);
    assert.deepEqual(names(outbox), ['c', 'd']);
    assert.equal(outbox.size, 0);
    outbox.put(a, 10);
    assert.deepEqual(names(outbox), ['a'], 'also after it was empty');
    assert.deepEqual(sizes, [1, 2, 3, 2, 1, 2, 1, 0, 1, 0]);
  });

  it('is bounded by number and by size', () => {
    outbox = new MemoryOutbox(
      () => undefined,
      () => 0,
    );
    outbox.put(item('a'), 1);
    assert.throws(() => outbox.put(item('b'), 1), { key: 'waitingFull' });
    const large = item('x'.repeat(20 * 1024 * 1024));
    outbox.put(large, 10);
    assert.throws(() => outbox.put(large, 10), { key: 'waitingFull' });
  });

  it('gives up what waits too long, on its own clock, and only that', async () => {
    let now = 0;
    const rejected: string[] = [];
    await new Promise<void>((resolve) => {
      outbox = new MemoryOutbox(
        (size) => size === 1 && now === 1000 && resolve(),
        () => now,
      );
      outbox.put(item('early', rejected, 1000), 10);
      outbox.put(item('late', rejected, 2000), 10);
      now = 1000;
    });
    await Promise.resolve();
    assert.deepEqual(rejected, ['early waitingTimeout']);
    assert.deepEqual(names(outbox), ['late']);
  });
});
