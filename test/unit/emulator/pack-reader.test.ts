import assert from 'node:assert/strict';
import fc from 'fast-check';
import { readPack } from '../../../emulator/handlers/pack';
import { isRefusal } from '../../../emulator/refusal';
import type { Json, JsonObject } from '../../../protocol';

const LIMITS = { packEvents: 20, packSubDevices: 20 };
const CODES = new Set([460, 6106, 6356, 6357]);

const json = fc.jsonValue({ maxDepth: 4 }) as fc.Arbitrary<Json>;
const name = fc.oneof(
  fc.constantFrom('__proto__', 'constructor', 'toString', ''),
  fc.string({ maxLength: 8 }),
);
const members = fc.oneof(json, fc.dictionary(name, json, { maxKeys: 30, noNullPrototype: true }));
const report = fc.oneof(
  json,
  fc.record({ identity: json, properties: members, events: members, extra: json }, { requiredKeys: [] }),
) as fc.Arbitrary<Json>;
const pack = fc.oneof(
  json,
  fc.record(
    {
      properties: members,
      events: members,
      identity: json,
      subDevices: fc.oneof(report, fc.array(report, { maxLength: 30 })),
    },
    { requiredKeys: [] },
  ),
) as fc.Arbitrary<Json>;

describe('reader of pack posts', () => {
  it('reads any JSON without an error of its own, within the limits or with a code', () => {
    fc.assert(
      fc.property(pack, (params) => {
        // As it comes from the wire: __proto__ is a member like any other.
        const read = readPack(JSON.parse(JSON.stringify(params)) as Json, LIMITS);
        if (isRefusal(read)) {
          assert.ok(CODES.has(read.code), String(read.code));
          return;
        }
        const counted = (of: 'properties' | 'events') => read.reduce((sum, one) => sum + one[of].length, 0);
        assert.ok(counted('properties') + counted('events') > 0);
        assert.ok(counted('properties') <= 200 && counted('events') <= 20);
        assert.ok(read.filter(({ entry }) => entry.identity !== undefined).length <= 20);
      }),
      { numRuns: 500 },
    );
  });

  it('loses nothing of what fits', () => {
    const values = fc.dictionary(name, json, {
      maxKeys: 5,
      noNullPrototype: true,
    }) as fc.Arbitrary<JsonObject>;
    const one = fc.record({
      identity: fc.constant<JsonObject>({ productKey: 'p', deviceName: 'd' }),
      properties: values,
    });
    fc.assert(
      fc.property(values, fc.array(one, { minLength: 1, maxLength: 20 }), (own, subDevices) => {
        const params = JSON.parse(
          JSON.stringify({ properties: { ...own, own: 1 }, subDevices }),
        ) as JsonObject;
        const read = readPack(params, LIMITS);
        assert.ok(!isRefusal(read));
        const given = [params, ...(params.subDevices as JsonObject[])];
        assert.deepEqual(
          read.map(({ properties }) => properties),
          given.map(({ properties }) => Object.entries(properties as JsonObject)),
        );
      }),
    );
  });

  it('knows no limit where it is 0', () => {
    const subDevices = Array.from({ length: 50 }, () => ({ identity: {}, events: { e: {} } }));
    assert.equal((readPack({ subDevices }, { packEvents: 0, packSubDevices: 0 }) as unknown[]).length, 50);
  });
});
