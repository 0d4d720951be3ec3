import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, it } from 'mocha';
import type { DeviceIdentity, Json } from '../../../protocol';
import { AlinkError, type Outcome } from '../../../sdk';
import type { Packer } from '../../../sdk/gateway/packer';
import type { PackOptions } from '../../../sdk/gateway/types';
import { GATEWAY, meter, PackPlatform, packerOf } from '../../support/pack-platform';
import { rejection } from '../../support/sdk-device';

describe('order of packed reports', () => {
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

  it('keeps what comes later waiting, also when the half that was to go first is given up', async () => {
    const stop = new AbortController();
    const now = { packWindowMs: 0 };
    platform.judge = ({ value }) => (value === 'bad' ? 6310 : undefined);
    let third: Promise<Outcome> | undefined;
    platform.before = async () => {
      platform.before = () => pass(5);
      const refusal = turn();
      // Between the refusal and the next pack.
      setImmediate(() => {
        stop.abort();
        third = packer.properties(meter(1), { c: 3 }, now);
      });
      await refusal;
    };
    const first = packer.properties(meter(1), { a: 1 }, { ...now, signal: stop.signal });
    const [one, two] = await Promise.all([
      rejection(first),
      rejection(packer.properties(meter(1), { b: 'bad' }, now)),
    ]);
    await third;
    assert.deepEqual([one.key, two.code], ['aborted', 6310]);
    assert.deepEqual(
      platform.packs.map((values) => values.map(({ identifier }) => identifier)),
      [['a', 'b'], ['b'], ['c']],
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
      givenUpAfter: fc.oneof(
        { weight: 4, arbitrary: fc.constant(undefined) },
        { weight: 1, arbitrary: fc.nat(20) },
      ),
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
          await pass(turns[answers++ % turns.length] ?? 0);
        };
        packer = packerOf(platform);
        let next = 0;
        const sent: Array<{
          device: string;
          numbers: number[];
          bad: boolean;
          stop: AbortSignal;
          end: Promise<AlinkError | undefined>;
        }> = [];
        for (const { device, event, names, values, bad, turnAfter, givenUpAfter, packWindowMs } of reports) {
          const stop = new AbortController();
          if (givenUpAfter !== undefined) void pass(givenUpAfter).then(() => stop.abort());
          const options = { packWindowMs, signal: stop.signal };
          const identity = device === 0 ? GATEWAY : meter(device);
          const numbers: number[] = [];
          const number = () => {
            numbers.push(++next);
            return next;
          };
          let promise: Promise<Outcome>;
          if (event) promise = packer.event(identity, `e${names[0]}`, { n: number() }, options);
          else {
            const samples = Array.from({ length: values }, () =>
              Object.fromEntries(names.map((name) => [`p${name}`, number()])),
            );
            const input = samples.length === 1 ? samples[0] : samples;
            promise =
              device === 0
                ? onePack(identity, samples, options)
                : packer.properties(identity, input, options);
          }
          const one = numbers[bad === undefined ? 0 : bad % numbers.length];
          if (bad !== undefined && one !== undefined) badValues.set(one, bad);
          const badDevice = badDevices.some((entry) => entry.device === device);
          sent.push({
            device: nameOf(device),
            numbers,
            bad: bad !== undefined || badDevice,
            stop: stop.signal,
            end: promise.then(
              () => undefined,
              (error: AlinkError) => error,
            ),
          });
          if (turnAfter) await turn();
        }
        const taken = platform.taken;
        const givenUp = new Set<number>();
        for (const { numbers, bad, stop, end } of sent) {
          const error = await end;
          if (error?.key === 'aborted') {
            assert.ok(stop.aborted);
            for (const number of numbers) givenUp.add(number);
            continue;
          }
          assert.equal(error !== undefined, bad, `${numbers}: ${error}`);
          if (error === undefined) continue;
          const codes = [...badDevices.map(({ code }) => code), ...numbers.map((n) => badValues.get(n))];
          assert.ok(codes.includes(error.code), `${error.code}`);
        }
        for (const { numbers, bad } of sent) {
          for (const number of numbers) {
            const times = taken.filter(({ value }) => numberOf(value) === number).length;
            assert.ok(
              bad || givenUp.has(number) ? times <= 1 : times === 1,
              `${number} was taken ${times} times`,
            );
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
    async function onePack(identity: DeviceIdentity, samples: readonly unknown[], options: PackOptions) {
      const all = await Promise.allSettled(
        samples.map((values) => packer.properties(identity, values, options)),
      );
      for (const one of all) if (one.status === 'rejected') throw one.reason;
      return (all[0] as PromiseFulfilledResult<Outcome>).value;
    }
  }).timeout(60_000);
});

async function pass(turns: number): Promise<void> {
  for (let n = turns; n > 0; n--) await turn();
}

function numberOf(value: Json): number {
  return typeof value === 'number' ? value : (value as { n: number }).n;
}
