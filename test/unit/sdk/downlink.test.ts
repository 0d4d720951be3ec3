import assert from 'node:assert/strict';
import fc from 'fast-check';
import { afterEach, describe, it } from 'mocha';
import { type Json, parseThingModel, type Sample, type ThingModel } from '../../../protocol';
import {
  type AlinkError,
  answerRequest,
  type IncomingRequest,
  openRequests,
  type RequestFilter,
  type RequestHandling,
  type ThingModelMode,
  TIMING,
} from '../../../sdk';
import { Downlink } from '../../../sdk/downlink/downlink';
import { isError, rejection } from '../../support/sdk-device';

const IDENTITY = { productKey: 'a1Test', deviceName: 'lamp-1' };
const S = '/sys/a1Test/lamp-1';
const MODEL = parseThingModel({
  profile: { productKey: 'a1Test' },
  properties: [
    property('temperature', 'r', { type: 'float', specs: { min: '-40', max: '120' } }),
    property('target', 'rw', { type: 'float', specs: { min: '0', max: '40' } }),
    property('heater', 'rw', { type: 'bool', specs: { '0': 'off', '1': 'on' } }),
  ],
  events: [],
  services: [
    {
      identifier: 'water',
      name: 'Water',
      callType: 'async',
      inputData: [{ identifier: 'litres', name: 'Litres', dataType: { type: 'float', specs: { max: '9' } } }],
      outputData: [{ identifier: 'used', name: 'Used', dataType: { type: 'float', specs: { max: '9' } } }],
    },
  ],
});

function property(identifier: string, accessMode: string, dataType: Json): Json {
  return { identifier, name: identifier, accessMode, required: false, dataType };
}

interface Sent {
  topic: string;
  qos: 0 | 1;
  body: { id?: Json; code?: number; data?: Json; message?: string };
  text: string;
}

/** A downlink without a connection: what comes is handed in, what is answered is collected. */
class Bench {
  readonly sent: Sent[] = [];
  readonly refusals = new Map<string, (error: AlinkError) => void>();
  readonly reported = new Map<string, Sample>();
  readonly asked: string[][] = [];
  readonly downlink: Downlink;
  readonly log: string[] = [];
  now = 1_000_000;
  online = true;
  desired: Json = {};
  #waiting: Array<() => void> = [];

  constructor({ model, mode = 'strict' }: { model?: ThingModel; mode?: ThingModelMode } = {}) {
    this.downlink = new Downlink({
      identity: IDENTITY,
      mode,
      thingModel: { model, loading: undefined },
      lastReported: () => this.reported,
      online: () => this.online,
      publish: async (topic, payload, qos) => {
        const text = typeof payload === 'string' ? payload : Buffer.from(payload).toString();
        this.sent.push({ topic, qos, text, body: text.startsWith('{') ? JSON.parse(text) : {} });
        for (const resolve of this.#waiting.splice(0)) resolve();
      },
      subscribe: (filter, onRefused) => {
        this.refusals.set(filter, onRefused);
        return () => this.refusals.delete(filter);
      },
      askDesired: async (identifiers) => {
        this.asked.push([...identifiers]);
        return this.desired;
      },
      log: ({ event }) => this.log.push(event),
      takeoverMs: TIMING.takeoverMs,
      now: () => this.now,
    });
  }

  /** Takes requests into a list. */
  take(filter: RequestFilter, handling: RequestHandling = {}): { requests: IncomingRequest[]; stop(): void } {
    const requests: IncomingRequest[] = [];
    const stop = this.downlink.add(filter, (request) => requests.push(request), handling);
    return { requests, stop };
  }

  receive(topic: string, payload: Json | Buffer, duplicate = false): boolean {
    const bytes = Buffer.isBuffer(payload) ? payload : Buffer.from(JSON.stringify(payload));
    return this.downlink.receive({ topic, payload: bytes, qos: 1, duplicate });
  }

  async answered(): Promise<void> {
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}

function call(service: string, params: Json = {}, id: string | number = '1'): [string, Json] {
  return [
    `${S}/thing/service/${service}`,
    { id, version: '1.0.0', method: `thing.service.${service}`, params },
  ];
}

describe('requests of the platform', () => {
  let bench: Bench;

  afterEach(() => {
    bench.downlink.close();
    assert.equal(openRequests(), 0, 'nothing may wait after the device is closed');
  });

  it('come coerced by the thing model and are answered on their own topic and id', async () => {
    bench = new Bench({ model: MODEL });
    const { requests } = bench.take({ kind: 'propertySet' });
    bench.receive(`${S}/thing/service/property/set`, {
      id: 77,
      method: 'thing.service.property.set',
      params: { target: '30.5', heater: true },
    });
    const [request] = requests;
    assert.deepEqual(request?.params, { target: 30.5, heater: 1 });
    assert.equal(request.sync, false);
    await answerRequest(request.token, {});
    assert.deepEqual(bench.sent, [
      {
        topic: `${S}/thing/service/property/set_reply`,
        qos: 1,
        text: '{"id":77,"code":200,"data":{}}',
        body: { id: 77, code: 200, data: {} },
      },
    ]);
  });

  it('of read-only and unknown properties are answered 460, or handed on by choice', () => {
    bench = new Bench({ model: MODEL });
    const problems: AlinkError[] = [];
    const strict = bench.take({ kind: 'propertySet' }, { onProblem: (error) => problems.push(error) });
    const set = (params: Json, id: string) =>
      bench.receive(`${S}/thing/service/property/set`, { id, params });
    set({ temperature: 3 }, '1');
    set({ colour: 'red' }, '2');
    assert.deepEqual(
      bench.sent.map(({ body }) => [body.id, body.code, body.message]),
      [
        ['1', 460, 'temperature: is read-only'],
        ['2', 460, 'colour: is not in the thing model'],
      ],
    );
    assert.deepEqual(
      problems.map(({ key, code }) => [key, code]),
      [
        ['thingModel', 460],
        ['thingModel', 460],
      ],
    );
    assert.equal(strict.requests.length, 0);
    const lenient = bench.take({ kind: 'propertySet' }, { unknown: 'pass' });
    set({ temperature: '3', colour: 'red' }, '3');
    assert.deepEqual(lenient.requests[0]?.params, { temperature: 3, colour: 'red' });
    assert.equal(strict.requests.length, 0);
  });

  it('with values that break the thing model: refused when strict, passed with a warning else', () => {
    for (const [mode, taken] of [
      ['strict', 0],
      ['warn', 1],
      ['off', 1],
    ] as const) {
      bench = new Bench({ model: MODEL, mode });
      const { requests } = bench.take({ kind: 'service' });
      bench.receive(...call('water', { litres: '99' }));
      assert.equal(requests.length, taken, mode);
      assert.equal(bench.sent[0]?.body.code, taken === 0 ? 460 : undefined, mode);
      assert.equal(requests[0]?.problems.length ?? 0, mode === 'warn' ? 1 : 0, mode);
      bench.downlink.close();
    }
  });

  it('over RRPC are answered at QoS 0 on the topic of the call, in both forms', async () => {
    bench = new Bench({ model: MODEL });
    const { requests } = bench.take({ kind: 'service', identifier: 'water' });
    bench.receive(`${S}/rrpc/request/901`, {
      id: '5',
      method: 'thing.service.water',
      params: { litres: 2 },
    });
    const extended = `/ext/rrpc/902${S}/thing/service/water`;
    bench.receive(extended, { id: '5', params: { litres: 3 } });
    assert.deepEqual(
      requests.map(({ sync, identifier, params }) => [sync, identifier, params]),
      [
        [true, 'water', { litres: 2 }],
        [true, 'water', { litres: 3 }],
      ],
    );
    for (const { token } of requests.reverse()) await answerRequest(token, { data: { used: 1 } });
    assert.deepEqual(
      bench.sent.map(({ topic, qos, text }) => [topic, qos, text]),
      [
        [extended, 0, '{"id":"5","code":200,"data":{"used":1.0}}'],
        [`${S}/rrpc/response/901`, 0, '{"id":"5","code":200,"data":{"used":1.0}}'],
      ],
    );
  });

  it('with a payload of one’s own are answered with bytes', async () => {
    bench = new Bench();
    const custom = bench.take({ kind: 'rrpc', topic: `/a1Test/lamp-1/user/+` });
    const plain = bench.take({ kind: 'rrpc' });
    const topic = '/ext/rrpc/7/a1Test/lamp-1/user/ask';
    bench.receive(topic, Buffer.from([1, 2]));
    bench.receive('/ext/rrpc/8/a1Test/lamp-1/other/ask', Buffer.from([1]));
    bench.receive(`${S}/rrpc/request/9`, Buffer.from('hello'));
    assert.deepEqual([custom.requests.length, plain.requests.length], [1, 1]);
    const error = await rejection(custom.requests[0]?.answer({ code: 200 }) ?? Promise.resolve());
    assert.equal(error.key, 'invalidInput');
    await custom.requests[0]?.answer({ payload: 'pong' });
    await plain.requests[0]?.answer({ payload: Buffer.from('world') });
    assert.deepEqual(
      bench.sent.map(({ topic: on, text }) => [on, text]),
      [
        [topic, 'pong'],
        [`${S}/rrpc/response/9`, 'world'],
      ],
    );
  });

  it('two hundred at once are each answered on their own id, in any order', async () => {
    bench = new Bench({ model: MODEL });
    const { requests } = bench.take({ kind: 'service' });
    for (let i = 0; i < 200; i++) bench.receive(...call('water', { litres: i % 9 }, String(i)));
    const shuffled = [...requests].sort(() => 0.5 - Math.random());
    await Promise.all(
      shuffled.map(({ token, params }) => answerRequest(token, { data: { used: used(params) } })),
    );
    assert.equal(bench.sent.length, 200);
    for (const { body } of bench.sent) assert.deepEqual(body.data, { used: Number(body.id) % 9 });
  });

  it('that nobody answers are told 400 in time, and the handler hears of it', async () => {
    bench = new Bench({ model: MODEL });
    const problems: Array<[string, string | undefined]> = [];
    const { requests } = bench.take(
      { kind: 'service' },
      { timeLimitMs: 5, onProblem: (error, request) => problems.push([error.key, request?.identifier]) },
    );
    bench.receive(...call('water', { litres: 1 }));
    await bench.answered();
    assert.deepEqual(bench.sent[0]?.body, {
      id: '1',
      code: 400,
      data: {},
      message: 'no answer within 0.005 s',
    });
    assert.deepEqual(problems, [['notAnswered', 'water']]);
    assert.equal((await rejection(answerRequest(requests[0]?.token ?? '', {}))).key, 'tooLate');
    assert.equal(bench.sent.length, 1);
  });

  it('are answered once: the second answer is an error, and so is one to no request', async () => {
    bench = new Bench({ model: MODEL });
    const { requests } = bench.take({ kind: 'service' });
    bench.receive(...call('water', { litres: 1 }));
    const token = requests[0]?.token ?? '';
    await answerRequest(token, { data: { used: 1 } });
    assert.equal((await rejection(answerRequest(token, {}))).key, 'alreadyAnswered');
    assert.equal((await rejection(answerRequest('no such', {}))).key, 'unknownRequest');
    assert.equal(bench.sent.length, 1);
  });

  it('keep waiting when the output breaks the thing model or the code is none of a device', async () => {
    bench = new Bench({ model: MODEL });
    const { requests } = bench.take({ kind: 'service' });
    bench.receive(...call('water', { litres: 1 }));
    const token = requests[0]?.token ?? '';
    for (const code of [0, 201, 99_999, 110_001, 460.5, Number.NaN]) {
      assert.equal((await rejection(answerRequest(token, { code }))).key, 'invalidInput', String(code));
    }
    for (const data of [{ used: 99 }, { usde: 1 }]) {
      assert.equal((await rejection(answerRequest(token, { data }))).key, 'thingModel');
    }
    await answerRequest(token, { code: 100_001, message: 'tank empty', data: { anything: 1 } });
    assert.deepEqual(
      bench.sent.map(({ body }) => body),
      [{ id: '1', code: 100_001, data: { anything: 1 }, message: 'tank empty' }],
    );
  });

  it('that no handler takes: 400, or 460 for a service that does not exist', () => {
    bench = new Bench({ model: MODEL });
    bench.receive(...call('water', { litres: 1 }, '1'));
    bench.receive(...call('dance', {}, '2'));
    bench.receive(`${S}/thing/service/property/set`, { id: '3', params: { heater: 1 } });
    bench.receive(`${S}/thing/service/property/set`, { id: '4', params: { nothing: 1 } });
    assert.deepEqual(
      bench.sent.map(({ body }) => [body.id, body.code]),
      [
        ['1', 400],
        ['2', 460],
        ['3', 400],
        ['4', 460],
      ],
    );
  });

  it('to read properties are answered from the last reported values', () => {
    bench = new Bench({ model: MODEL });
    bench.reported.set('temperature', { value: 21.5 });
    bench.receive(`${S}/thing/service/property/get`, { id: '1', params: ['temperature', 'target'] });
    bench.receive(`${S}/thing/service/property/get`, { id: '2', params: [] });
    assert.deepEqual(
      bench.sent.map(({ body }) => body.data),
      [{ temperature: 21.5 }, { temperature: 21.5 }],
    );
  });

  it('that come between two deploys wait for the next handler', async () => {
    bench = new Bench({ model: MODEL });
    bench.take({ kind: 'service' }).stop();
    bench.receive(...call('water', { litres: 1 }));
    assert.deepEqual(bench.sent, []);
    // Both nodes of the deploy, as without it.
    const both = [bench.take({ kind: 'service' }), bench.take({ kind: 'service', identifier: 'water' })];
    await Promise.resolve();
    const [token = '', other] = both.map(({ requests }) => requests[0]?.token);
    assert.equal(token, other);
    await answerRequest(token, { data: { used: 1 } });
    assert.equal(bench.sent.length, 1);
    assert.equal(bench.downlink.waiting, 0);
  });

  it('that come between two deploys do not fill the memory', () => {
    bench = new Bench();
    bench.take({ kind: 'service' }).stop();
    const params = { text: 'x'.repeat(1_000_000) };
    for (let i = 0; i < 40; i++) bench.receive(...call('water', params, String(i)));
    assert.ok(bench.downlink.waiting < 40, `${bench.downlink.waiting} are held`);
    assert.equal(bench.sent.length, 40 - bench.downlink.waiting);
    bench.downlink.close();
    assert.equal(bench.sent.length, 40);
  });

  it('are not held any longer when no handler came for a while', () => {
    bench = new Bench({ model: MODEL });
    bench.take({ kind: 'service' }).stop();
    bench.now += TIMING.takeoverMs + 1;
    bench.receive(...call('water', { litres: 1 }));
    assert.equal(bench.sent[0]?.body.code, 400);
  });

  it('twice with the same id are one request; a day later it is another', () => {
    bench = new Bench({ model: MODEL });
    const { requests } = bench.take({ kind: 'service' });
    const again = (duplicate: boolean) => bench.receive(...call('water', { litres: 1 }), duplicate);
    again(false);
    again(false);
    bench.now += 3_600_000;
    again(true);
    assert.equal(requests.length, 1);
    bench.now += 3_600_000;
    again(false);
    assert.equal(requests.length, 2);
  });

  it('that a plain broker echoes are not answered again', async () => {
    bench = new Bench({ model: MODEL });
    const { requests } = bench.take({ kind: 'service' });
    bench.take({ kind: 'rrpc', topic: 'own' });
    bench.receive(...call('water', { litres: 1 }));
    bench.receive('/ext/rrpc/1/own', Buffer.from('ping'));
    bench.receive(`/ext/rrpc/2${S}/thing/service/water`, { id: '2', params: { litres: 1 } });
    for (const { token } of requests) await answerRequest(token, { data: { used: 1 } });
    for (const { topic, text } of [...bench.sent]) bench.receive(topic, Buffer.from(text));
    bench.receive('/ext/rrpc/1/own', Buffer.from('pong'));
    assert.equal(bench.sent.length, 2);
    assert.equal(requests.length, 2);
    // The refusal of what cannot be read cannot be read either.
    bench.receive(`/ext/rrpc/3${S}/thing/service/water`, Buffer.from('nonsense'));
    bench.receive(bench.sent.at(-1)?.topic ?? '', Buffer.from(bench.sent.at(-1)?.text ?? ''));
    assert.equal(bench.sent.length, 3);
  });

  it('to another device, answers and malformed ones do no harm', () => {
    bench = new Bench();
    const { requests } = bench.take({ kind: 'service' });
    assert.equal(bench.receive('/sys/a1Test/lamp-2/thing/service/water', { id: '1', params: {} }), false);
    assert.equal(bench.receive(`${S}/thing/event/property/post_reply`, { id: '1', code: 200 }), false);
    bench.receive(`${S}/thing/service/water`, Buffer.from('{"id":'));
    bench.receive(`${S}/thing/service/water`, { params: {} });
    bench.receive(`${S}/thing/service/water`, { id: '3', params: [1] });
    bench.receive(`/ext/rrpc/4${S}/thing/service/water`, Buffer.from('nonsense'));
    bench.receive(`${S}/thing/service/water`, Buffer.from(`{"id":"5","params":${'['.repeat(5000)}`));
    assert.equal(requests.length, 0);
    assert.deepEqual(
      bench.sent.map(({ topic, body }) => [topic, body.id, body.code]),
      [
        [`${S}/thing/service/water_reply`, '3', 460],
        [`/ext/rrpc/4${S}/thing/service/water`, '', 460],
      ],
    );
  });

  it('never pollute a prototype and never throw, whatever comes', () => {
    bench = new Bench({ model: MODEL, mode: 'warn' });
    const { requests } = bench.take({ kind: 'service' });
    const sets = bench.take({ kind: 'propertySet' }, { unknown: 'pass' });
    bench.receive(`${S}/thing/service/water`, Buffer.from('{"id":"1","params":{"__proto__":{"evil":1}}}'));
    assert.equal(Reflect.get({}, 'evil'), undefined);
    bench.receive(`${S}/thing/service/property/set`, { id: '2', params: { heater: { toString: 1 } } });
    assert.equal(sets.requests[0]?.problems[0]?.details.value, 'an object');
    assert.equal(Object.getPrototypeOf(requests[0]?.params), Object.prototype);
    const topics = fc.constantFrom(
      `${S}/thing/service/water`,
      `${S}/thing/service/property/set`,
      `${S}/thing/service/property/get`,
      `${S}/rrpc/request/1`,
      `/ext/rrpc/1${S}/thing/service/water`,
      `/ext/rrpc/1/own`,
      `${S}/thing/model/down_raw`,
      `${S}/thing/job/notify`,
      '/shadow/get/a1Test/lamp-1',
    );
    const payloads = fc.oneof(
      fc.uint8Array().map((bytes) => Buffer.from(bytes)),
      fc.json().map((text) => Buffer.from(text)),
      fc
        .record({
          id: fc.jsonValue(),
          params: fc.jsonValue(),
          method: fc.jsonValue(),
          payload: fc.jsonValue(),
        })
        .map((value) => Buffer.from(JSON.stringify(value))),
    );
    fc.assert(
      fc.property(topics, payloads, (topic, payload) => {
        bench.receive(topic, payload);
      }),
    );
  });

  it('are refused as too many before they fill the memory', () => {
    bench = new Bench();
    bench.take({ kind: 'service' });
    for (let i = 0; i <= 10_000; i++) bench.receive(...call('water', {}, String(i)));
    assert.equal(bench.downlink.waiting, 10_000);
    assert.deepEqual(
      bench.sent.map(({ body }) => [body.id, body.code]),
      [['10000', 429]],
    );
  });

  it('of bytes reach the flow however many others could still be answered', () => {
    bench = new Bench();
    const { requests } = bench.take({ kind: 'raw' }, { timeLimitMs: 3_600_000 });
    for (let i = 0; i < 10_100; i++) bench.receive(`${S}/thing/model/down_raw`, Buffer.from([i % 256]));
    assert.equal(requests.length, 10_100);
    assert.equal(bench.downlink.waiting, 10_000);
    assert.equal(requests.at(-1)?.wantsAnswer, false);
  });

  it('are told 400 when the device closes', () => {
    bench = new Bench();
    bench.take({ kind: 'service' });
    bench.receive(...call('water'));
    bench.downlink.close();
    assert.equal(bench.sent[0]?.body.code, 400);
  });

  it('that only tell something get their receipt at once', async () => {
    bench = new Bench();
    const jobs = bench.take({ kind: 'notice', operation: 'thing.job.notify' });
    const shadow = bench.take({ kind: 'notice', operation: 'shadow.control' });
    bench.receive(`${S}/thing/job/notify`, { id: '1', params: { task: { taskId: 'a' } } });
    bench.receive('/shadow/get/a1Test/lamp-1', { method: 'reply', payload: { status: 'success' } });
    bench.receive('/shadow/get/a1Test/lamp-1', {
      method: 'control',
      version: 3,
      payload: { state: { desired: { a: 1 } } },
    });
    assert.deepEqual(
      bench.sent.map(({ topic }) => topic),
      [`${S}/thing/job/notify_reply`],
    );
    assert.deepEqual(
      shadow.requests.map(({ params }) => params),
      [{ state: { desired: { a: 1 } }, version: 3 }],
    );
    const error = await rejection(jobs.requests[0]?.answer({}) ?? Promise.resolve());
    assert.equal(error.key, 'noAnswerWanted');
  });

  it('refuse filters and time limits that cannot be', () => {
    bench = new Bench();
    const add =
      (filter: RequestFilter, handling: RequestHandling = {}) =>
      () =>
        bench.take(filter, handling);
    assert.throws(add({ kind: 'service', identifier: 'a/b' }), isError('badSettings'));
    assert.throws(add({ kind: 'rrpc', topic: '' }), isError('badSettings'));
    assert.throws(add({ kind: 'rrpc', topic: 'a/#/b' }), isError('badSettings'));
    assert.throws(add({ kind: 'service' }, { timeLimitMs: 0 }), isError('badSettings'));
  });

  it('tell the handler of a refused subscription, of the first topic only', () => {
    bench = new Bench();
    const problems: string[] = [];
    bench.take({ kind: 'service' }, { onProblem: ({ key }) => problems.push(key) });
    const [first, second] = [...bench.refusals.values()];
    const refused = { key: 'subscriptionRefused' } as AlinkError;
    second?.(refused);
    assert.deepEqual(problems, []);
    first?.(refused);
    assert.deepEqual(problems, ['subscriptionRefused']);
  });
});

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('desired values', () => {
  it('come once per version, after each connect, and not again when they were pushed already', async () => {
    const bench = new Bench({ model: MODEL });
    bench.desired = { target: { value: '22', version: 3 } };
    const { requests } = bench.take({ kind: 'propertySet' }, { desired: true });
    await settled();
    assert.deepEqual(bench.asked, [['target', 'heater']]);
    assert.deepEqual(
      requests.map(({ params, versions, wantsAnswer }) => [params, versions, wantsAnswer]),
      [[{ target: 22 }, { target: 3 }, false]],
    );
    bench.downlink.online();
    await settled();
    assert.equal(requests.length, 1);
    // Pushed while online, then asked for after a reconnect.
    bench.receive(`${S}/thing/service/property/set`, { id: '1', params: { heater: 1 } });
    bench.desired = { target: { value: 23, version: 4 }, heater: { value: 1, version: 1 } };
    bench.downlink.online();
    await settled();
    assert.deepEqual(
      requests.map(({ params }) => params),
      [{ target: 22 }, { heater: 1 }, { target: 23 }],
    );
    bench.downlink.close();
  });

  it('reach the nodes that a deploy starts while they are on their way', async () => {
    const bench = new Bench({ model: MODEL });
    bench.desired = { target: { value: 22, version: 3 } };
    bench.take({ kind: 'propertySet' }, { desired: true }).stop();
    await settled();
    const { requests } = bench.take({ kind: 'propertySet' }, { desired: true });
    await settled();
    assert.deepEqual(
      requests.map(({ params }) => params),
      [{ target: 22 }],
    );
    // Whoever comes in the middle is asked for too.
    bench.asked.length = 0;
    for (let i = 0; i < 3; i++) bench.take({ kind: 'propertySet' }, { desired: true });
    await settled();
    assert.equal(bench.asked.length, 2);
    bench.take({ kind: 'propertyGet' }, { desired: true });
    await settled();
    assert.equal(bench.asked.length, 2, 'a node that takes gets too asks once');
    bench.downlink.close();
  });

  it('come although they were pushed before, when the device has changed since', async () => {
    const bench = new Bench({ model: MODEL });
    const { requests } = bench.take({ kind: 'propertySet' }, { desired: true });
    await settled();
    bench.receive(`${S}/thing/service/property/set`, { id: '1', params: { heater: '1', target: 20 } });
    // Somebody at the device has switched it off; what is wanted now was asked for while it was offline.
    bench.reported.set('heater', { value: 0 });
    bench.reported.set('target', { value: 20 });
    bench.desired = { heater: { value: '1', version: 7 }, target: { value: '20', version: 7 } };
    bench.downlink.online();
    await settled();
    assert.deepEqual(requests.at(-1)?.params, { heater: 1 });
    assert.deepEqual(requests.at(-1)?.versions, { heater: 7 });
    bench.downlink.close();
  });

  it('that break the thing model reach no flow when strict, and the handler hears of it', async () => {
    const desired: Json = { target: { value: 99, version: 1 }, heater: { value: '1', version: 1 } };
    for (const [mode, expected] of [
      ['strict', { heater: 1 }],
      ['warn', { target: 99, heater: 1 }],
    ] as const) {
      const bench = new Bench({ model: MODEL, mode });
      bench.desired = desired;
      const problems: AlinkError[] = [];
      const onProblem = (error: AlinkError) => problems.push(error);
      const { requests } = bench.take({ kind: 'propertySet' }, { desired: true, onProblem });
      await settled();
      assert.deepEqual(requests[0]?.params, expected);
      assert.equal(requests[0]?.problems.length, mode === 'warn' ? 1 : 0);
      assert.deepEqual(
        problems.map(({ key, details }) => [key, details.field]),
        mode === 'strict' ? [['thingModel', 'target']] : [],
      );
      bench.downlink.close();
    }
  });

  it('that nobody asked for are none, whatever the platform answers', async () => {
    const bench = new Bench({ model: MODEL });
    bench.desired = JSON.parse(
      '{"__proto__":{"value":1,"version":1},"other":{"value":1,"version":1},"target":7,"heater":{"value":1}}',
    );
    const { requests } = bench.take({ kind: 'propertySet' }, { desired: true });
    await settled();
    assert.deepEqual(requests, []);
    bench.downlink.close();
  });

  it('are not asked for unless a handler wants them, and need a thing model', async () => {
    const bench = new Bench();
    bench.take({ kind: 'propertySet' });
    assert.deepEqual(bench.asked, []);
    const problem = new Promise<AlinkError>((resolve) => {
      bench.take({ kind: 'propertySet' }, { desired: true, onProblem: resolve });
    });
    assert.equal((await problem).details.field, 'thingModel');
    bench.downlink.close();
  });
});

function used(params: Json): Json {
  return typeof params === 'object' && params !== null && !Array.isArray(params) ? (params.litres ?? 0) : 0;
}
