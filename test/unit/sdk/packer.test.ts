import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, it } from 'mocha';
import type { DeviceIdentity, Json } from '../../../protocol';
import { parseThingModel } from '../../../protocol';
import { AlinkError, type Outcome } from '../../../sdk';
import { Packer, type PackerOptions } from '../../../sdk/gateway/packer';
import { Reporter } from '../../../sdk/report/reporter';
import { GATEWAY, PackPlatform, refused } from '../../support/pack-platform';
import { rejection } from '../../support/sdk-device';

const sub = (i: number): DeviceIdentity => ({ productKey: 'a1Sub', deviceName: `meter-${i}` });

describe('packer', () => {
  let platform: PackPlatform;
  let packer: Packer;

  beforeEach(() => {
    platform = new PackPlatform();
    packer = make();
  });

  afterEach(() => {
    packer.close(new AlinkError('closed', 'end of the test'));
    assert.deepEqual(platform.faults, []);
  });

  function make(more: Partial<PackerOptions> = {}): Packer {
    return new Packer({
      identity: GATEWAY,
      submit: platform.submit,
      reporterOf: () => undefined,
      defaultTimeoutMs: 10_000,
      ...more,
    });
  }

  const now = { packWindowMs: 0 };
  const post = (i: number, values: unknown = { a: i }, options = {}) =>
    packer.properties(sub(i), values, { ...now, ...options });

  it('writes reports of the gateway and of sub-devices into one message, as B.1 row 3 has it', async () => {
    const outcomes = await Promise.all([
      packer.properties(GATEWAY, { load: 0.5 }, { ...now, time: 1 }),
      packer.event(GATEWAY, 'hot', { at: 90 }, { ...now, time: 2 }),
      packer.properties(sub(1), { a: 1, 'm:b': 'x' }, { ...now, time: 3 }),
      packer.event(sub(1), 'low', {}, { ...now, time: 4 }),
      packer.properties(sub(2), { a: { value: 2, time: 5 } }, now),
    ]);
    assert.equal(platform.sent.length, 1);
    assert.deepEqual(JSON.parse(platform.sent[0]?.params ?? ''), {
      properties: { load: { value: 0.5, time: 1 } },
      events: { hot: { value: { at: 90 }, time: 2 } },
      subDevices: [
        {
          identity: sub(1),
          properties: { a: { value: 1, time: 3 }, 'm:b': { value: 'x', time: 3 } },
          events: { low: { value: {}, time: 4 } },
        },
        { identity: sub(2), properties: { a: { value: 2, time: 5 } } },
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
    for (const packWindowMs of [-1, 10_001, Number.NaN, '5' as unknown as number, null as unknown as number])
      assert.equal((await rejection(post(1, { a: 1 }, { packWindowMs }))).key, 'badSettings');
  });

  it('does not wait when a limit is reached', async () => {
    const window = { packWindowMs: 10_000 };
    const wide = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`p${i}`, i]));
    await Promise.all(Array.from({ length: 20 }, (_, i) => post(i, { a: 1 }, window)));
    await Promise.all([post(1, wide, window), post(2, wide, window)]);
    await Promise.all(Array.from({ length: 20 }, (_, i) => packer.event(sub(i % 4), `e${i}`, {}, window)));
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
      packer.event(sub(2), 'a', {}, now),
      packer.event(sub(2), 'a', { again: 1 }, now),
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
    packer = make({ reporterOf: () => reporter });
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
    packer = make({ reporterOf: ({ deviceName }) => [strict, warn][Number(deviceName.slice(-1))] });
    platform.judge = ({ value }) => (value === 10 ? 6307 : undefined);
    const [bad, good, warned, unchecked] = await Promise.allSettled([
      post(0, { a: 10 }),
      post(0, { a: 1, b: 2 }).catch(() => post(0, { a: 2 })),
      post(1, { a: 3, b: 1 }),
      post(2, { a: 'anything' }),
      packer.event(sub(0), 'e', { x: 1 }, now),
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
      const results = await Promise.allSettled([post(1), post(2), packer.event(sub(2), 'e', {}, now)]);
      for (const result of results) assert.equal(result.status === 'rejected' && result.reason, error);
      assert.equal(platform.sent.length - before, 1, error.message);
    }
  });

  it('learns smaller limits from the platform and goes on with them', async () => {
    platform.limits = { properties: 30, events: 5, subDevices: 6 };
    const wide = (from: number) =>
      Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`p${from + i}`, i]));
    await post(1, wide(0));
    await Promise.all(Array.from({ length: 40 }, (_, i) => post(i, { a: i, b: i })));
    await Promise.all(Array.from({ length: 40 }, (_, i) => packer.event(sub(i % 3), `e${i}`, {}, now)));
    const { length } = platform.sent;
    await Promise.all(Array.from({ length: 20 }, (_, i) => post(i)));
    assert.ok(platform.sent.length - length <= 7, 'no pack is refused any more');
    assert.equal(platform.taken.length, 50 + 80 + 40 + 20);
  });

  it('gives up what takes too long, is aborted, or comes when too much waits; all of it ends at close', async () => {
    let release = () => {};
    platform.before = () => new Promise((resolve) => (release = resolve));
    let online = true;
    packer = make({ online: () => online, defaultTimeoutMs: 1 });
    const stop = new AbortController();
    const waiting = { ...now, timeoutMs: 10_000 };
    const first = post(1, { a: 1 }, waiting);
    const late = rejection(post(1, { a: 2 }, { packWindowMs: 10_000 }));
    const aborted = rejection(post(1, { a: 3 }, { ...waiting, signal: stop.signal }));
    const last = rejection(post(1, { a: 4 }, waiting));
    stop.abort();
    assert.equal((await aborted).key, 'aborted');
    assert.equal((await rejection(post(3, { a: 3 }, { ...waiting, signal: stop.signal }))).key, 'aborted');
    assert.equal((await late).key, 'timeout');
    online = false;
    assert.deepEqual((await rejection(post(1, { a: 5 }))).key, 'waitingTimeout');
    assert.equal(packer.size, 2);
    const held = Array.from({ length: 19_998 }, (_, i) => rejection(post(i, { a: i }, waiting)));
    assert.equal(packer.size, 20_000);
    assert.equal((await rejection(post(1, { a: 5 }))).key, 'waitingFull');
    release();
    assert.equal((await first).status, 'acknowledged');
    packer.close(new AlinkError('closed', 'it is over'));
    for (const error of await Promise.all([last, ...held])) assert.equal(error.key, 'closed');
    assert.equal(packer.size, 0);
    assert.equal((await rejection(post(1))).key, 'closed');
    assert.ok(platform.mostUnanswered <= 16);
    assert.deepEqual(
      platform.taken.map(({ value }) => value),
      [1],
    );
  });

  it('refuses what cannot be sent, before anybody else is harmed', async () => {
    const bad: Array<[Promise<Outcome>, string]> = [
      [packer.properties({ productKey: 'a/b', deviceName: 'x' }, { a: 1 }, now), 'invalidInput'],
      [packer.properties({ productKey: 'a', deviceName: '' }, { a: 1 }, now), 'invalidInput'],
      [packer.properties({ productKey: 1, deviceName: {} } as never, { a: 1 }, now), 'invalidInput'],
      [post(1, {}), 'invalidInput'],
      [post(1, { 'not an identifier': 1 }), 'invalidInput'],
      [packer.event(sub(1), '__proto__ x', {}, now), 'invalidInput'],
    ];
    for (const [promise, key] of bad) assert.equal((await rejection(promise)).key, key);
    await packer.properties(sub(1), JSON.parse('{"__proto__":{"value":1}}'), now);
    assert.deepEqual(
      platform.taken.map(({ identifier }) => identifier),
      ['__proto__'],
    );
  });

  it('loses none, doubles none, keeps the order of each thing and the limits, whatever is bad', async () => {
    const report = fc.record({
      device: fc.nat(6),
      event: fc.boolean(),
      // How many values of how many properties.
      names: fc.uniqueArray(fc.nat(4), { minLength: 1, maxLength: 4 }),
      values: fc.integer({ min: 1, max: 3 }),
      bad: fc.oneof(
        { weight: 5, arbitrary: fc.constant(undefined) },
        { weight: 1, arbitrary: fc.constantFrom(6306, 460, 6320) },
      ),
      turnAfter: fc.boolean(),
      packWindowMs: fc.constantFrom(0, 0, 1),
    });
    const world = fc.record({
      reports: fc.array(report, { minLength: 1, maxLength: 40 }),
      badDevices: fc.uniqueArray(
        fc.record({ device: fc.nat(6), code: fc.constantFrom(6401, 6100, 522, 6310) }),
        {
          selector: ({ device }) => device,
          maxLength: 2,
        },
      ),
      limits: fc.record({
        properties: fc.integer({ min: 1, max: 12 }),
        events: fc.integer({ min: 1, max: 4 }),
        subDevices: fc.integer({ min: 1, max: 6 }),
      }),
      turns: fc.array(fc.nat(4), { minLength: 1, maxLength: 10 }),
    });
    await fc.assert(
      fc.asyncProperty(world, async ({ reports, badDevices, limits, turns }) => {
        platform = new PackPlatform();
        platform.limits = limits;
        const badValues = new Map<number, number>();
        const nameOf = (device: number) => (device === 0 ? 'own' : `a1Sub/meter-${device}`);
        platform.judge = ({ device, value }) =>
          badDevices.find((bad) => nameOf(bad.device) === device)?.code ?? badValues.get(numberOf(value));
        let answers = 0;
        platform.before = async () => {
          for (let n = turns[answers++ % turns.length] ?? 0; n > 0; n--) await turn();
        };
        packer = make();
        let next = 0;
        const sent: Array<{
          device: string;
          numbers: number[];
          bad: boolean;
          end: Promise<AlinkError | undefined>;
        }> = [];
        for (const { device, event, names, values, bad, turnAfter, packWindowMs } of reports) {
          const identity = device === 0 ? GATEWAY : sub(device);
          const numbers: number[] = [];
          const number = () => {
            numbers.push(++next);
            return next;
          };
          let promise: Promise<Outcome>;
          if (event) promise = packer.event(identity, `e${names[0]}`, { n: number() }, { packWindowMs });
          else {
            const samples = Array.from({ length: values }, () =>
              Object.fromEntries(names.map((name) => [`p${name}`, number()])),
            );
            const input = samples.length === 1 ? samples[0] : samples;
            promise =
              device === 0
                ? onePack(identity, samples, packWindowMs)
                : packer.properties(identity, input, { packWindowMs });
          }
          const one = numbers[bad === undefined ? 0 : bad % numbers.length];
          if (bad !== undefined && one !== undefined) badValues.set(one, bad);
          const badDevice = badDevices.some((entry) => entry.device === device);
          sent.push({
            device: nameOf(device),
            numbers,
            bad: bad !== undefined || badDevice,
            end: promise.then(
              () => undefined,
              (error: AlinkError) => error,
            ),
          });
          if (turnAfter) await turn();
        }
        const taken = platform.taken;
        for (const { numbers, bad, end } of sent) {
          const error = await end;
          assert.equal(error !== undefined, bad, `${numbers}: ${error}`);
          if (error === undefined) continue;
          const codes = [...badDevices.map(({ code }) => code), ...numbers.map((n) => badValues.get(n))];
          assert.ok(codes.includes(error.code), `${error.code}`);
        }
        for (const { numbers, bad } of sent) {
          for (const number of numbers) {
            const times = taken.filter(({ value }) => numberOf(value) === number).length;
            assert.ok(bad ? times <= 1 : times === 1, `${number} was taken ${times} times`);
          }
        }
        for (const device of new Set(sent.map((one) => one.device))) {
          // Within a pack properties stand before events, and only packs come one after the other.
          let latest = 0;
          for (const values of platform.packs) {
            const numbers = values
              .filter((value) => value.device === device)
              .map(({ value }) => numberOf(value));
            const accepted = numbers.filter((n) => taken.some((value) => numberOf(value.value) === n));
            if (accepted.length === 0 || !values.every((value) => taken.includes(value))) continue;
            assert.ok(Math.min(...accepted) > latest, `${device}: ${accepted} after ${latest}`);
            latest = Math.max(...accepted);
          }
        }
        assert.deepEqual(platform.faults, []);
        assert.equal(packer.size, 0);
      }),
      { numRuns: 300 },
    );

    // The gateway's own lists would go as a batch, which this platform does not know.
    async function onePack(identity: DeviceIdentity, samples: readonly unknown[], packWindowMs: number) {
      const all = await Promise.allSettled(
        samples.map((values) => packer.properties(identity, values, { packWindowMs })),
      );
      for (const one of all) if (one.status === 'rejected') throw one.reason;
      return (all[0] as PromiseFulfilledResult<Outcome>).value;
    }
  }).timeout(60_000);

  it('packs 1,500 sub-devices that report at once into 75 messages without holding up the event loop', async () => {
    let longest = 0;
    let last = performance.now();
    let running = true;
    const watch = (): void => {
      const at = performance.now();
      longest = Math.max(longest, at - last);
      last = at;
      if (running) setImmediate(watch);
    };
    setImmediate(watch);
    const start = performance.now();
    const all = Array.from({ length: 1500 }, (_, i) => post(i, { a: i, b: i / 2, c: `text ${i}` }));
    const handedOver = performance.now() - start;
    last = performance.now();
    await Promise.all(all);
    running = false;
    assert.equal(platform.sent.length, 75);
    assert.ok(platform.mostUnanswered <= 16);
    assert.ok(handedOver < 500 && longest < 50, `${handedOver.toFixed(1)} ms, then ${longest.toFixed(1)} ms`);
  });
});

function numberOf(value: Json): number {
  return typeof value === 'number' ? value : (value as { n: number }).n;
}
