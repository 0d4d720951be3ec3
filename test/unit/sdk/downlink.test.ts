import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'mocha';
import type { Json } from '../../../protocol';
import { type AlinkError, answerRequest, openRequests } from '../../../sdk';
import { Bench, call, MODEL, S } from '../../support/downlink-bench';
import { rejection } from '../../support/sdk-device';

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
});

function used(params: Json): Json {
  return typeof params === 'object' && params !== null && !Array.isArray(params) ? (params.litres ?? 0) : 0;
}
