import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, it } from 'mocha';
import type { Json } from '../../../protocol';
import { parseThingModel } from '../../../protocol';
import { AlinkError, type Outcome } from '../../../sdk';
import type { Packer } from '../../../sdk/gateway/packer';
import { Reporter } from '../../../sdk/report/reporter';
import { GATEWAY, meter, PackPlatform, packerOf, refused } from '../../support/pack-platform';
import { rejection } from '../../support/sdk-device';

describe('packer', () => {
  let platform: PackPlatform;
  let packer: Packer;

  beforeEach(() => {
    platform = new PackPlatform();
    packer = packerOf(platform);
  });

  afterEach(() => {
    packer.close(new AlinkError('closed', 'end of the test'));
    assert.deepEqual(platform.faults, []);
  });

  const now = { packWindowMs: 0 };
  const post = (i: number, values: unknown = { a: i }, options = {}) =>
    packer.properties(meter(i), values, { ...now, ...options });

  it('writes reports of the gateway and of sub-devices into one message, as B.1 row 3 has it', async () => {
    const outcomes = await Promise.all([
      packer.properties(GATEWAY, { load: 0.5 }, { ...now, time: 1 }),
      packer.event(GATEWAY, 'hot', { at: 90 }, { ...now, time: 2 }),
      packer.properties(meter(1), { a: 1, 'm:b': 'x' }, { ...now, time: 3 }),
      packer.event(meter(1), 'low', {}, { ...now, time: 4 }),
      packer.properties(meter(2), { a: { value: 2, time: 5 } }, now),
    ]);
    assert.equal(platform.sent.length, 1);
    assert.deepEqual(JSON.parse(platform.sent[0]?.params ?? ''), {
      properties: { load: { value: 0.5, time: 1 } },
      events: { hot: { value: { at: 90 }, time: 2 } },
      subDevices: [
        {
          identity: meter(1),
          properties: { a: { value: 1, time: 3 }, 'm:b': { value: 'x', time: 3 } },
          events: { low: { value: {}, time: 4 } },
        },
        { identity: meter(2), properties: { a: { value: 2, time: 5 } } },
      ],
    });
    for (const { status, method, reply } of outcomes)
      assert.deepEqual([status, method, reply.code], ['acknowledged', 'thing.event.property.pack.post', 200]);
  });

  it('waits for company as long as the shortest wish says, and keeps the time of measurement', async () => {
    const before = Date.now();
    const patient = post(1, { a: 1 }, { packWindowMs: 10_000 });
    await turn();
    const measured = Date.now();
    assert.equal(platform.sent.length, 0);
    await Promise.all([patient, post(2, { a: 1 }, { packWindowMs: 20 })]);
    assert.equal(platform.sent.length, 1);
    const [first] = platform.taken;
    assert.ok(Number(first?.time) >= before && Number(first?.time) <= measured);
    await Promise.all([post(3, { a: 1 }, { packWindowMs: 10_000 }), post(3, { a: 2 }, { packWindowMs: 5 })]);
    for (const packWindowMs of [-1, 10_001, Number.NaN, '5' as unknown as number, null as unknown as number])
      assert.equal((await rejection(post(1, { a: 1 }, { packWindowMs }))).key, 'badSettings');
  });

  it('does not wait when a limit is reached', async () => {
    const window = { packWindowMs: 10_000 };
    const wide = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`p${i}`, i]));
    await Promise.all(Array.from({ length: 20 }, (_, i) => post(i, { a: 1 }, window)));
    await Promise.all([post(1, wide, window), post(2, wide, window)]);
    await Promise.all(Array.from({ length: 20 }, (_, i) => packer.event(meter(i % 4), `e${i}`, {}, window)));
    assert.deepEqual(
      platform.packs.map(({ length }) => length),
      [20, 200, 20],
    );
    const text = 'ü'.repeat(5000);
    const large = Array.from({ length: 30 }, (_, i) => post(i % 3, { [`t${i}`]: text }, window));
    await Promise.all(large.slice(0, 25));
    assert.deepEqual(
      platform.packs
        .slice(3)
        .map(({ length }) => length)
        .slice(0, 1),
      [25],
    );
    packer.close(new AlinkError('closed', 'end of the test'));
    await Promise.allSettled(large);
  });

  it('puts a second value of the same property into the next pack, in order', async () => {
    await Promise.all([
      ...[1, 2, 3].map((value) => post(1, { a: value })),
      post(1, { b: 4 }),
      post(2, { a: 5 }),
      packer.event(meter(2), 'a', {}, now),
      packer.event(meter(2), 'a', { again: 1 }, now),
    ]);
    assert.deepEqual(
      platform.packs.map((values) => values.map(({ value }) => value)),
      [
        [1, 5, {}],
        [2, { again: 1 }],
        [3, 4],
      ],
    );
  });

  it('sends many values of one property as packs in order, or as a batch by the door of the thing', async () => {
    const samples = [1, 2, 3].map((value) => ({ a: value, ...(value < 3 ? { b: value } : {}), time: value }));
    const outcome = await post(1, samples);
    assert.equal(outcome.method, 'thing.event.property.pack.post');
    assert.deepEqual(
      platform.packs.map((values) => values.map(({ identifier, value, time }) => [identifier, value, time])),
      [
        [
          ['a', 1, 1],
          ['b', 1, 1],
        ],
        [
          ['a', 2, 2],
          ['b', 2, 2],
        ],
        [['a', 3, 3]],
      ],
    );
    const order: string[] = [];
    platform.before = (values) => void order.push(...values.map(({ value }) => `pack ${value}`));
    const reporter = new Reporter({
      dispatcher: {
        submit: async ({ operation, params }) => {
          await turn();
          order.push(`${operation} ${params}`);
          return { id: '1', code: 200, data: {} };
        },
      },
      mode: 'off',
      thingModel: { model: undefined, loading: undefined },
      online: () => true,
    });
    packer = packerOf(platform, { reporterOf: () => reporter });
    const outcomes = await Promise.all([
      post(1, { a: 0 }),
      post(
        1,
        samples.map(({ a, time }) => ({ a, time })),
      ),
      post(1, { a: 4 }),
    ]);
    assert.deepEqual(order, [
      'pack 0',
      'thing.event.property.batch.post {"properties":{"a":[{"value":1,"time":1},{"value":2,"time":2},{"value":3,"time":3}]}}',
      'pack 4',
    ]);
    assert.equal(outcomes[1]?.method, 'thing.event.property.batch.post');
    assert.equal(reporter.lastReported.get('a')?.value, 4);
  });

  it('checks with the thing model of an open sub-device, which remembers what was taken', async () => {
    const model = parseThingModel({
      properties: [{ identifier: 'a', dataType: { type: 'float', specs: { min: '0', max: '9' } } }],
      events: [{ identifier: 'e', outputData: [{ identifier: 'x', dataType: { type: 'double' } }] }],
    } as unknown as Json);
    const reporterOf = (mode: 'strict' | 'warn') =>
      new Reporter({
        dispatcher: { submit: () => Promise.reject(new Error('not by this door')) },
        mode,
        thingModel: { model, loading: Promise.resolve() },
        online: () => true,
      });
    const strict = reporterOf('strict');
    const warn = reporterOf('warn');
    packer = packerOf(platform, {
      reporterOf: ({ deviceName }) => [strict, warn][Number(deviceName.slice(-1))],
    });
    platform.judge = ({ value }) => (value === 10 ? 6307 : undefined);
    const [bad, good, warned, unchecked] = await Promise.allSettled([
      post(0, { a: 10 }),
      post(0, { a: 1, b: 2 }).catch(() => post(0, { a: 2 })),
      post(1, { a: 3, b: 1 }),
      post(2, { a: 'anything' }),
      packer.event(meter(0), 'e', { x: 1 }, now),
    ]);
    assert.equal(bad.status === 'rejected' && (bad.reason as AlinkError).key, 'thingModel');
    assert.ok(good.status === 'fulfilled' && unchecked.status === 'fulfilled');
    assert.deepEqual(warned.status === 'fulfilled' && warned.value.warnings.map(({ code }) => code), [6320]);
    assert.equal(strict.lastReported.get('a')?.value, 2);
    assert.equal(warn.lastReported.get('a')?.value, 3);
    const texts = platform.sent.map(({ params }) => params).join();
    assert.match(texts, /"a":\{"value":2\.0,"time":\d+\}/);
    assert.match(texts, /"e":\{"value":\{"x":1\.0\},"time":\d+\}/);
  });

  it('writes times as the gateway’s clock knows them, whatever clock a sub-device has', async () => {
    const sent: string[] = [];
    const reporter = new Reporter({
      dispatcher: {
        submit: async ({ params }) => {
          sent.push(params);
          return { id: '1', code: 200, data: {} };
        },
      },
      mode: 'off',
      thingModel: { model: undefined, loading: undefined },
      online: () => true,
      writeTime: (time) => String(time + 1),
    });
    packer = packerOf(platform, { reporterOf: () => reporter, writeTime: (time) => String(time + 2) });
    await post(1, { a: 1 }, { time: 10 });
    await post(1, [{ a: 1 }, { a: 2 }], { time: 10 });
    assert.equal(platform.taken[0]?.time, 12);
    assert.deepEqual(sent, ['{"properties":{"a":[{"value":1,"time":11},{"value":2,"time":11}]}}']);
  });

  it('tells each its own outcome when one of them spoils the pack, and the spoiler goes alone until it is good', async () => {
    platform.judge = ({ device, value }) =>
      device.endsWith('-7') ? 6401 : value === 'bad' ? 6310 : undefined;
    const all = Array.from({ length: 20 }, (_, i) => post(i, { a: i === 12 ? 'bad' : i }));
    const results = await Promise.allSettled([...all, post(12, { a: 'later' })]);
    const codes = results.map((result) =>
      result.status === 'rejected' ? (result.reason as AlinkError).code : 200,
    );
    assert.deepEqual(
      codes.map((code, i) => [i, code]).filter(([, code]) => code !== 200),
      [
        [7, 6401],
        [12, 6310],
      ],
    );
    assert.ok(platform.sent.length <= 20, `${platform.sent.length} messages`);
    assert.equal(platform.taken.length, 19);
    // Those known to spoil packs have one to themselves.
    const before = platform.sent.length;
    await Promise.allSettled(Array.from({ length: 20 }, (_, i) => post(i)));
    assert.equal(platform.sent.length - before, 2);
    platform.judge = () => undefined;
    await Promise.all(Array.from({ length: 20 }, (_, i) => post(i)));
    await Promise.all(Array.from({ length: 20 }, (_, i) => post(i)));
    assert.equal(platform.sent.length - before, 5);
  });

  it('does not look for the bad one among reports of a device that is bad itself', async () => {
    platform.judge = () => 6401;
    const all = Array.from({ length: 8 }, (_, i) => rejection(post(1, { [`p${i}`]: i })));
    for (const { code } of await Promise.all(all)) assert.equal(code, 6401);
    assert.equal(platform.sent.length, 1);
  });

  it('fails a whole pack for what is wrong with the moment or with the connection, without another try', async () => {
    const errors = [429, 500, 6313, 6760, 5159, 400, 403].map(refused);
    errors.push(
      new AlinkError('timeout', ''),
      new AlinkError('disconnected', ''),
      new AlinkError('malformedReply', ''),
    );
    for (const error of errors) {
      platform.before = () => Promise.reject(error);
      const before = platform.sent.length;
      const results = await Promise.allSettled([post(1), post(2), packer.event(meter(2), 'e', {}, now)]);
      for (const result of results) assert.equal(result.status === 'rejected' && result.reason, error);
      assert.equal(platform.sent.length - before, 1, error.message);
    }
  });

  it('refuses what cannot be sent, before anybody else is harmed', async () => {
    const bad: Array<[Promise<Outcome>, string]> = [
      [packer.properties({ productKey: 'a/b', deviceName: 'x' }, { a: 1 }, now), 'invalidInput'],
      [packer.properties({ productKey: 'a', deviceName: '' }, { a: 1 }, now), 'invalidInput'],
      [packer.properties({ productKey: 1, deviceName: {} } as never, { a: 1 }, now), 'invalidInput'],
      [post(1, {}), 'invalidInput'],
      [post(1, { 'not an identifier': 1 }), 'invalidInput'],
      [packer.event(meter(1), '__proto__ x', {}, now), 'invalidInput'],
    ];
    for (const [promise, key] of bad) assert.equal((await rejection(promise)).key, key);
    await packer.properties(meter(1), JSON.parse('{"__proto__":{"value":1}}'), now);
    assert.deepEqual(
      platform.taken.map(({ identifier }) => identifier),
      ['__proto__'],
    );
  });
});
