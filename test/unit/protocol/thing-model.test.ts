import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import {
  checkValue,
  coerceValue,
  type DataType,
  encodePack,
  encodePackedEvent,
  encodePackedProperty,
  encodePropertyReport,
  encodeValue,
  type Json,
  parseThingModel,
  problemMessage,
  readEventReport,
  readPropertyReport,
  ThingModelError,
} from '../../../protocol';
import { GREENHOUSE_MODEL } from '../../support/flows';

const model = parseThingModel(GREENHOUSE_MODEL as Json);
const NOW = Date.UTC(2026, 0, 1);
const read = (input: unknown, time?: number) => readPropertyReport(input, { model, now: NOW, time });
const rules = (input: unknown) => {
  const { problems, modelProblems } = read(input);
  return [...problems, ...modelProblems].map(({ rule }) => rule);
};

describe('thing model', () => {
  const cases: Array<[DataType, Json, number | undefined]> = [
    [{ type: 'int', min: 0, max: 10 }, 10, undefined],
    [{ type: 'int', min: 0, max: 10 }, 11, 6306],
    [{ type: 'int' }, 1.5, 6306],
    [{ type: 'int' }, 2 ** 31, 6306],
    [{ type: 'int' }, '1', 6306],
    [{ type: 'float' }, 1e39, 6307],
    [{ type: 'double', max: 1 }, 1.01, 6322],
    [{ type: 'double' }, 1e39, undefined],
    [{ type: 'bool', labels: {} }, 1, undefined],
    [{ type: 'bool', labels: {} }, true, 6308],
    [{ type: 'enum', labels: { 1: 'a' } }, 1, undefined],
    [{ type: 'enum', labels: { 1: 'a' } }, 2, 6309],
    [{ type: 'text', length: 3 }, '温度计', undefined],
    [{ type: 'text', length: 3 }, 'four', 6310],
    [{ type: 'text' }, 1, 6310],
    [{ type: 'date' }, '1700000000000', undefined],
    [{ type: 'date' }, 1700000000000, 6311],
    [{ type: 'array', size: 2, item: { type: 'int' } }, [1, 2], undefined],
    [{ type: 'array', size: 2, item: { type: 'int' } }, [1, 2, 3], 6324],
    [{ type: 'array', item: { type: 'int' } }, [1, 'x'], 6324],
    [{ type: 'array', item: { type: 'int' } }, 1, 6328],
    [{ type: 'struct', members: [] }, 1, 6312],
    [{ type: 'struct', members: [] }, { a: 1 }, 6304],
  ];
  for (const [dataType, value, code] of cases) {
    it(`${dataType.type} ${JSON.stringify(value)} → ${code ?? 'fits'}`, () => {
      assert.equal(checkValue(dataType, value, 'x')[0]?.code, code);
    });
  }

  it('coerces what has a plain meaning and leaves the rest', () => {
    assert.equal(coerceValue({ type: 'double' }, '30.5'), 30.5);
    assert.equal(coerceValue({ type: 'int' }, 'warm'), 'warm');
    assert.equal(coerceValue({ type: 'int' }, ''), '');
    assert.equal(coerceValue({ type: 'double' }, '1e999'), '1e999');
    assert.equal(coerceValue({ type: 'enum', labels: {} }, '1'), 1);
    const item = {
      type: 'struct',
      members: [{ identifier: 'a', name: '', required: true, dataType: { type: 'int' } }],
    } as const;
    assert.deepEqual(coerceValue({ type: 'array', item }, [{ a: '1', b: '2' }]), [{ a: 1, b: '2' }]);
    assert.equal(coerceValue({ type: 'bool', labels: {} }, true), 1);
    assert.equal(coerceValue({ type: 'bool', labels: {} }, 'false'), 0);
    assert.equal(coerceValue({ type: 'bool', labels: {} }, 2), 2);
    assert.equal(coerceValue({ type: 'date' }, '2026-01-01T00:00:00Z'), String(NOW));
    assert.equal(coerceValue({ type: 'text' }, 5), '5');
  });

  it('keeps the decimal point of float and double, and nothing else changes', () => {
    assert.equal(encodeValue({ type: 'double' }, 10), '10.0');
    assert.equal(encodeValue({ type: 'int' }, 10), '10');
    assert.equal(encodeValue({ type: 'double' }, 1e21), '1e+21');
    assert.equal(encodeValue({ type: 'array', item: { type: 'float' } }, [1, 2.5]), '[1.0,2.5]');
    const members = [{ identifier: 'a', name: '', required: true, dataType: { type: 'double' } }] as const;
    assert.equal(encodeValue({ type: 'struct', members }, { a: 1, b: 1 }), '{"a":1.0,"b":1}');
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        const text = encodeValue({ type: 'float' }, value);
        assert.match(text, /[.e]/);
        assert.equal(JSON.parse(text), value === 0 ? 0 : value);
      }),
    );
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        assert.deepEqual(
          JSON.parse(encodeValue(undefined, value as Json)),
          JSON.parse(JSON.stringify(value)),
        );
      }),
    );
  });

  it('writes packs: the gateway’s own beside the list of sub-devices, types by each model', () => {
    const model = parseThingModel({
      properties: [{ identifier: 'm', dataType: { type: 'double' } }],
      events: [{ identifier: 'e', outputData: [{ identifier: 'x', dataType: { type: 'float' } }] }],
    } as unknown as Json);
    const property = encodePackedProperty(model, 'm', { value: 1, time: 5 }, (time) => `<${time}>`);
    assert.equal(property, '"m":{"value":1.0,"time":<5>}');
    const event = encodePackedEvent(model, 'e', { x: 2 }, 6);
    assert.equal(event, '"e":{"value":{"x":2.0},"time":6}');
    const identity = { productKey: 'pk', deviceName: 'dn', deviceSecret: 'not this' };
    assert.equal(
      encodePack([{ identity, properties: ['"a":1', '"b":2'], events: [] }]),
      '{"subDevices":[{"identity":{"productKey":"pk","deviceName":"dn"},"properties":{"a":1,"b":2}}]}',
    );
    assert.equal(
      encodePack([
        { identity, properties: [], events: ['"e":3'] },
        { properties: ['"a":1'], events: ['"e":2'] },
      ]),
      '{"properties":{"a":1},"events":{"e":2},"subDevices":[{"identity":{"productKey":"pk","deviceName":"dn"},"events":{"e":3}}]}',
    );
    assert.equal(encodePack([{ properties: ['"a":1'], events: [] }]), '{"properties":{"a":1}}');
  });

  it('encodes any fitting value of any type so that it reads back the same and still fits', () => {
    fc.assert(
      fc.property(typedValue(), ({ dataType, value }) => {
        assert.deepEqual(checkValue(dataType, value, 'x'), []);
        const back = JSON.parse(encodeValue(dataType, value)) as Json;
        assert.deepEqual(back, value);
        assert.deepEqual(coerceValue(dataType, back), value);
      }),
    );
  });

  it('reads the console’s document: modules, generated features, text numbers', () => {
    const document = {
      properties: [{ identifier: 'a', dataType: { type: 'int', specs: { min: '0', max: '9' } } }],
      services: [
        { identifier: 'get', inputData: ['a'], outputData: [] },
        { identifier: 'reboot', inputData: '' },
      ],
      events: [{ identifier: 'post', outputData: [] }],
      functionBlocks: [
        {
          functionBlockId: 'pump',
          properties: [{ identifier: 'a', dataType: { type: 'text', specs: { length: '4' } } }],
        },
      ],
    };
    const read2 = parseThingModel(JSON.stringify(document));
    assert.deepEqual([...read2.properties.keys()], ['a', 'pump:a']);
    assert.deepEqual([...read2.services.keys()], ['reboot']);
    assert.equal(read2.events.size, 0);
    assert.deepEqual(read2.properties.get('a')?.dataType, { type: 'int', min: 0, max: 9 });
  });

  it('refuses what section D and I.2 do not allow, with its path', () => {
    const property = (identifier: string, dataType: unknown) =>
      ({ properties: [{ identifier, dataType }] }) as unknown as Json;
    const int = { type: 'int' };
    const members = (count: number, dataType: unknown = int) =>
      Array.from({ length: count }, (_, i) => ({ identifier: `m${i}`, dataType }));
    const labels = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [i, 'x']));
    const good: unknown[] = [
      { type: 'struct', specs: members(50) },
      { type: 'enum', specs: labels(100) },
      { type: 'array', specs: { size: '512', item: int } },
      { type: 'array', specs: { size: '2', item: { type: 'struct', specs: members(2) } } },
    ];
    for (const dataType of good) assert.equal(parseThingModel(property('x', dataType)).properties.size, 1);
    const at = '$.properties[0]';
    const bad: Array<[Json, string]> = [
      [property('time', int), `${at}.identifier`],
      [property('a-b', int), `${at}.identifier`],
      [property('x'.repeat(51), int), `${at}.identifier`],
      [property('x', undefined), `${at}.dataType`],
      [property('x', { type: 'constructor' }), `${at}.dataType.type`],
      [property('x', { type: '__proto__' }), `${at}.dataType.type`],
      [property('x', { type: 'int', specs: { min: 'low' } }), `${at}.dataType.specs.min`],
      [property('x', { type: 'struct', specs: members(51) }), `${at}.dataType`],
      [
        property('x', { type: 'struct', specs: members(1, { type: 'struct', specs: members(1) }) }),
        `${at}.dataType.specs[0].dataType.type`,
      ],
      [property('x', { type: 'enum', specs: labels(101) }), `${at}.dataType.specs`],
      [property('x', { type: 'enum', specs: { on: 'x' } }), `${at}.dataType.specs`],
      [property('x', { type: 'array', specs: { size: '513', item: int } }), `${at}.dataType.specs.size`],
      [property('x', { type: 'array', specs: { item: { type: 'bool' } } }), `${at}.dataType.specs.item.type`],
      [{ events: [{ identifier: 'value' }] }, '$.events[0].identifier'],
      [{ services: 5 }, '$.services'],
      [property('x', { type: 'int', specs: { max: { toString: 1 } } }), '$.properties[0].dataType.specs.max'],
      [property('x', { type: { toString: 1 } }), '$.properties[0].dataType.type'],
    ];
    for (const [document, path] of bad) {
      assert.throws(
        () => parseThingModel(document),
        (error) => error instanceof ThingModelError && error.path === path,
        `${path}: ${JSON.stringify(document).slice(0, 80)}`,
      );
    }
    assert.throws(() => parseThingModel(`"${'x'.repeat(512 * 1024)}"`), /512 KB/);
    let nested: unknown = int;
    for (let i = 0; i < 10_000; i++) nested = { type: 'array', specs: { item: nested } };
    assert.throws(() => parseThingModel(property('x', nested)), ThingModelError);
  });

  it('names path and reason of a document that is none, and throws nothing else', () => {
    assert.throws(
      () => parseThingModel({ properties: [{ identifier: 'x', dataType: { type: 'lnt' } }] }),
      (error) =>
        error instanceof ThingModelError &&
        error.path === 'properties[0].dataType.type'.replace('properties', '$.properties'),
    );
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
        for (const document of [
          a,
          { properties: a, events: b },
          { properties: [{ identifier: 'x', dataType: a }] },
        ]) {
          try {
            parseThingModel(document as Json);
          } catch (error) {
            assert.ok(error instanceof ThingModelError, String(error));
          }
        }
      }),
    );
  });
});

describe('property report', () => {
  it('takes values, values with times, lists and arrays of samples', () => {
    assert.deepEqual(
      [...read({ temperature: '20', heater: true }).samples],
      [
        ['temperature', [{ value: 20 }]],
        ['heater', [{ value: 1 }]],
      ],
    );
    assert.deepEqual(read({ temperature: { value: 20, time: NOW } }).samples.get('temperature'), [
      { value: 20, time: NOW },
    ]);
    assert.equal(
      read({
        temperature: [
          { value: 1, time: 1 },
          { value: 2, time: 2 },
        ],
      }).samples.get('temperature')?.length,
      2,
    );
    const list = read([
      { temperature: 1, time: 5 },
      { temperature: 2, heater: 0, time: 6 },
      { identifier: 'count', value: 3, time: 7 },
    ]);
    assert.deepEqual(list.samples.get('temperature'), [
      { value: 1, time: 5 },
      { value: 2, time: 6 },
    ]);
    assert.deepEqual(list.samples.get('count'), [{ value: 3, time: 7 }]);
    assert.equal(encodePropertyReport(model, list.samples, NOW).operation, 'thing.event.property.batch.post');
    assert.deepEqual(list.problems, []);
  });

  it('tells samples from values that look alike by the thing model, else by their times', () => {
    const struct = (...names: string[]) => ({
      type: 'struct',
      specs: names.map((identifier) => ({ identifier, dataType: { type: 'int' } })),
    });
    const shapes = parseThingModel({
      properties: [
        { identifier: 'reading', dataType: struct('value', 'time') },
        { identifier: 'place', dataType: struct('x') },
        {
          identifier: 'list',
          dataType: { type: 'array', specs: { size: '4', item: struct('value', 'time') } },
        },
        { identifier: 'number', dataType: { type: 'int' } },
      ],
    } as unknown as Json);
    const samples = (input: unknown, own: typeof shapes | undefined) =>
      Object.fromEntries(readPropertyReport(input, { model: own, now: NOW }).samples);
    const timed = [
      { value: 1, time: 1 },
      { value: 2, time: 2 },
    ];
    assert.deepEqual(samples({ reading: { value: 1, time: 2 } }, shapes), {
      reading: [{ value: { value: 1, time: 2 } }],
    });
    assert.deepEqual(samples({ place: { value: { x: 1 }, time: 2 } }, shapes), {
      place: [{ value: { x: 1 }, time: 2 }],
    });
    assert.deepEqual(samples({ list: timed }, shapes), { list: [{ value: timed }] });
    assert.deepEqual(samples({ number: [{ value: 1 }, { value: 2 }] }, shapes), {
      number: [{ value: 1 }, { value: 2 }],
    });
    assert.deepEqual(samples({ x: timed }, undefined), { x: timed });
    assert.deepEqual(samples({ x: [{ value: 1 }, { value: 2 }] }, undefined), {
      x: [{ value: [{ value: 1 }, { value: 2 }] }],
    });
    assert.deepEqual(samples({ x: { value: 1, unit: 'C' } }, undefined), {
      x: [{ value: { value: 1, unit: 'C' } }],
    });
  });

  it('gives samples without a time the one of the report', () => {
    const { samples } = read({ temperature: 1, count: { value: 2, time: 9 } }, 7);
    assert.deepEqual([...samples.values()], [[{ value: 1, time: 7 }], [{ value: 2, time: 9 }]]);
    assert.equal(
      encodePropertyReport(model, samples, NOW).params,
      '{"temperature":{"value":1.0,"time":7},"count":{"value":2,"time":9}}',
    );
  });

  it('names every rule that is broken', () => {
    assert.deepEqual(rules('text'), ['notObject']);
    assert.deepEqual(rules({}), ['empty']);
    assert.deepEqual(rules([]), ['empty']);
    assert.deepEqual(rules(undefined), ['notJsonValue']);
    assert.deepEqual(rules({ temperature: Number.NaN }), ['notJsonValue']);
    assert.deepEqual(rules({ temperature: null }), ['notJsonValue', 'empty'].slice(0, 1));
    assert.deepEqual(rules({ 'a b': 1 }), ['badIdentifier']);
    assert.deepEqual(rules({ pressure: 1 }), ['unknownIdentifier']);
    assert.deepEqual(rules({ temperature: { value: 1, time: NOW + 25 * 3_600_000 } }), ['timeAhead']);
    assert.deepEqual(rules({ temperature: { value: 1, time: 'soon' } }), ['badTime']);
    // Nanoseconds instead of milliseconds.
    assert.deepEqual(rules({ temperature: { value: 1, time: 1.7e18 } }), ['badTime']);
    assert.deepEqual(rules({ temperature: 1n }), ['notJsonValue']);
    assert.deepEqual(rules({ temperature: () => 1 }), ['notJsonValue']);
    const hostile = {
      get temperature(): number {
        throw new Error('no');
      },
    };
    assert.deepEqual(rules(hostile), ['notJsonValue']);
    const many = Object.fromEntries(Array.from({ length: 201 }, (_, i) => [`p${i}`, 1]));
    assert.ok(rules(many).includes('tooManyProperties'));
    const cycle: Record<string, unknown> = {};
    cycle.self = cycle;
    assert.deepEqual(rules({ temperature: cycle }), ['notJsonValue']);
    assert.deepEqual(rules(JSON.parse('{"__proto__": 1}')), ['unknownIdentifier']);
  });

  it('says it in words with the property’s name', () => {
    const [first] = read({ temperature: 130 }).modelProblems;
    assert.ok(first);
    assert.equal(problemMessage(first), 'temperature: 130 is above the maximum 120');
    const [low] = checkValue({ type: 'double', min: 0 }, -1, 'level');
    assert.ok(low);
    assert.equal(problemMessage(low), 'level: -1 is below the minimum 0');
    assert.equal(low.details.max, '∞');
  });

  it('survives anything', () => {
    fc.assert(
      fc.property(fc.anything(), (input) => {
        const { samples, problems, modelProblems } = read(input);
        if (problems.length === 0) JSON.parse(encodePropertyReport(model, samples, NOW).params);
        for (const found of [...problems, ...modelProblems]) assert.ok(problemMessage(found).length > 0);
      }),
      { numRuns: 500 },
    );
  });

  it('checks events with their required parameters', () => {
    const event = (identifier: string, input: unknown) =>
      readEventReport(identifier, input, { model, now: NOW });
    assert.deepEqual(event('overheat', { temperature: '99' }).values, { temperature: 99 });
    assert.equal(event('overheat', {}).modelProblems[0]?.rule, 'missing');
    assert.equal(event('overheat', { humidity: 1 }).modelProblems[0]?.rule, 'unknownMember');
    assert.equal(event('fire', {}).modelProblems[0]?.rule, 'unknownIdentifier');
    assert.equal(event('a/b', {}).problems[0]?.rule, 'badIdentifier');
    assert.equal(event('overheat', 5).problems[0]?.rule, 'notObject');
  });
});

/** A data type with a value that fits it; zero is never negative, because JSON text does not tell. */
function typedValue(): fc.Arbitrary<{ dataType: DataType; value: Json }> {
  const of = (dataType: DataType, value: fc.Arbitrary<Json>) =>
    value.map((found) => ({ dataType, value: found }));
  const real = (max: number) =>
    fc.double({ noNaN: true, min: -max, max, noDefaultInfinity: true }).map((value) => value + 0);
  const scalar = fc.oneof(
    of({ type: 'int' }, fc.integer()),
    of({ type: 'float' }, real(3e38)),
    of({ type: 'double' }, real(Number.MAX_VALUE)),
    of({ type: 'text', length: 64 }, fc.string({ maxLength: 20 })),
  );
  const member = fc.oneof(
    scalar,
    of({ type: 'bool', labels: {} }, fc.constantFrom(0, 1)),
    of({ type: 'enum', labels: { 1: 'a', 7: 'b' } }, fc.constantFrom(1, 7)),
    of({ type: 'date' }, fc.nat().map(String)),
  );
  const struct = fc.array(member, { maxLength: 5 }).map((members) => ({
    dataType: {
      type: 'struct' as const,
      members: members.map(({ dataType }, i) => ({
        identifier: `m${i}`,
        name: '',
        required: true,
        dataType,
      })),
    },
    value: Object.fromEntries(members.map(({ value }, i) => [`m${i}`, value])),
  }));
  const list = fc.oneof(scalar, struct).map(({ dataType, value }) => ({
    dataType: { type: 'array' as const, item: dataType },
    value: [value, value],
  }));
  return fc.oneof(member, struct, list);
}
