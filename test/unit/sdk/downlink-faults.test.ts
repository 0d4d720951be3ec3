import assert from 'node:assert/strict';
import fc from 'fast-check';
import { afterEach, describe, it } from 'mocha';
import {
  type AlinkError,
  answerRequest,
  openRequests,
  type RequestFilter,
  type RequestHandling,
  TIMING,
} from '../../../sdk';
import { Bench, call, MODEL, S } from '../../support/downlink-bench';
import { isError, rejection } from '../../support/sdk-device';

describe('requests of the platform, when something goes wrong', () => {
  let bench: Bench;

  afterEach(() => {
    bench.downlink.close();
    assert.equal(openRequests(), 0, 'nothing may wait after the device is closed');
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
