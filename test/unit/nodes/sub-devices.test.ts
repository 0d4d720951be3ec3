import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import type { NodeAPI } from 'node-red';
import { outcomesOf, readDevices, withoutSecrets } from '../../../nodes/shared/sub-devices';
import { AlinkError } from '../../../sdk';

const RED = { _: (key: string) => key } as unknown as NodeAPI;
const METER = { productKey: 'a1Meter', deviceName: 'meter-01' };
const SECRET = 'never-shown-0123456789abcdef';

function read(value: unknown, productKey = ''): unknown {
  return readDevices(value, productKey)?.map((entry) =>
    'credentials' in entry ? entry.credentials : { ...entry.names, rule: entry.error.details.rule },
  );
}

describe('sub-devices of a message', () => {
  it('are a list, one, or names of one product', () => {
    assert.deepEqual(read(METER), [{ identity: METER }]);
    assert.deepEqual(read([METER]), [{ identity: METER }]);
    assert.deepEqual(read(['meter-01'], 'a1Meter'), [{ identity: METER }]);
    assert.deepEqual(read(['a1Meter/meter-01'], 'a1Valve'), [{ identity: METER }]);
    assert.deepEqual(read([{ deviceName: 'meter-01' }, { ...METER, productKey: 'a1Valve' }], 'a1Meter'), [
      { identity: METER },
      { identity: { ...METER, productKey: 'a1Valve' } },
    ]);
    assert.deepEqual(read([]), []);
  });

  it('come with their secrets, blank ones aside', () => {
    const identity = METER;
    assert.deepEqual(read({ ...METER, deviceSecret: SECRET, productSecret: '' }), [
      { identity, deviceSecret: SECRET },
    ]);
    assert.deepEqual(read({ ...METER, productSecret: SECRET, deviceSecret: null }), [
      { identity, productSecret: SECRET },
    ]);
  });

  for (const nothing of [undefined, null, '', 'meter-01', 7, true, {}, { temperature: 21 }]) {
    it(`are not in ${JSON.stringify(nothing)}`, () => assert.equal(read(nothing), undefined));
  }

  it('that cannot be used say why and hold up no other', () => {
    const entries: Array<[entry: unknown, found: object]> = [
      [null, { rule: 'notASubDevice' }],
      [7, { rule: 'notASubDevice' }],
      [[METER], { rule: 'notASubDevice' }],
      ['meter-01', { deviceName: 'meter-01', rule: 'missing' }],
      ['a/b/c', { productKey: 'a', deviceName: 'b/c', rule: 'badName' }],
      [{ productKey: 'a1Meter' }, { productKey: 'a1Meter', rule: 'missing' }],
      [
        { productKey: 'a1Meter', deviceName: '' },
        { productKey: 'a1Meter', rule: 'missing' },
      ],
      [
        { productKey: 'a1Meter', deviceName: 7 },
        { productKey: 'a1Meter', rule: 'badName' },
      ],
      [
        { productKey: 'a1Meter', deviceName: 'a/b' },
        { productKey: 'a1Meter', deviceName: 'a/b', rule: 'badName' },
      ],
      [
        { productKey: 'x'.repeat(1000), deviceName: 'meter-01' },
        { productKey: 'x'.repeat(64), deviceName: 'meter-01', rule: 'badName' },
      ],
      [
        { ...METER, deviceSecret: 7 },
        { ...METER, rule: 'badSecret' },
      ],
      [
        { ...METER, deviceSecret: { toString: 1 } },
        { ...METER, rule: 'badSecret' },
      ],
      [
        { ...METER, productSecret: 'x'.repeat(129) },
        { ...METER, rule: 'badSecret' },
      ],
    ];
    assert.deepEqual(read([...entries.map(([entry]) => entry), METER]), [
      ...entries.map(([, found]) => found),
      { identity: METER },
    ]);
  });

  it('are 2,000 at most', () => {
    assert.equal(readDevices(Array(2000).fill(METER), '')?.length, 2000);
    assert.throws(() => readDevices(Array(2001).fill(METER), ''), { key: 'invalidInput' });
  });

  it('may be anything at all', () => {
    fc.assert(
      fc.property(fc.anything({ withNullPrototype: true, withSparseArray: true }), (value) => {
        const entries = readDevices(value, 'a1Meter');
        if (Array.isArray(value)) assert.equal(entries?.length, value.length);
        withoutSecrets(value);
        JSON.stringify(outcomesOf(RED, entries ?? [], [], false).results);
      }),
    );
  });
});

describe('messages without secrets', () => {
  it('are copies, and keep everything else', () => {
    const given = [{ ...METER, deviceSecret: SECRET, productSecret: SECRET, room: 3 }, 'meter-02', null];
    const before = structuredClone(given);
    assert.deepEqual(withoutSecrets(given), [{ ...METER, room: 3 }, 'meter-02', null]);
    assert.deepEqual(given, before);
    assert.deepEqual(withoutSecrets({ ...METER, deviceSecret: SECRET }), METER);
  });

  it('are the same where there was none', () => {
    const date = new Date();
    assert.equal(withoutSecrets(date), date);
    assert.equal(withoutSecrets('text'), 'text');
  });
});

describe('what became of sub-devices', () => {
  const pump = { productKey: 'a1Pump', deviceName: 'pump-01' };
  const entries = readDevices([pump, 'no product', METER], '') ?? [];
  const refused = new AlinkError('platformRefused', 'no topology', { code: 6401 });

  it('stands in the order of the list, whatever order the answer has', () => {
    const { results, failures } = outcomesOf(
      RED,
      entries,
      [{ identity: METER, error: refused }, { identity: pump }],
      false,
    );
    assert.deepEqual(
      results.map(({ ok, code, deviceName }) => [deviceName, ok, code]),
      [
        ['pump-01', true, undefined],
        ['no product', false, 'invalidInput'],
        ['meter-01', false, 6401],
      ],
    );
    assert.deepEqual(
      failures.map(({ name, error }) => [name, error.key]),
      [
        ['?/no product', 'invalidInput'],
        ['a1Meter/meter-01', 'platformRefused'],
      ],
    );
  });

  it('is one error when all share it', () => {
    const { results } = outcomesOf(RED, entries, refused, false);
    assert.deepEqual(
      results.map(({ ok, code }) => [ok, code]),
      [
        [false, 6401],
        [false, 'invalidInput'],
        [false, 6401],
      ],
    );
  });

  it('is unknown where the answer leaves one out', () => {
    const { failures } = outcomesOf(RED, entries, [{ identity: pump }], false);
    assert.deepEqual(
      failures.map(({ error }) => error.key),
      ['invalidInput', 'malformedReply'],
    );
  });

  it('holds a secret only when it was asked for', () => {
    const told = [{ identity: pump, deviceSecret: SECRET }];
    const first = (handOut: boolean) => outcomesOf(RED, entries, told, handOut).results[0];
    assert.deepEqual(first(false), { ...pump, ok: true });
    assert.deepEqual(first(true), { ...pump, ok: true, deviceSecret: SECRET });
  });
});
