import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import {
  checkParams,
  isJsonObject,
  type Json,
  type JsonObject,
  OPERATIONS,
  type Operation,
  operation,
  type Parameter,
  problemMessage,
} from '../../../protocol';

const REQUESTABLE = OPERATIONS.filter(({ requestable }) => requestable);
const json = fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<Json>;
const identifier = fc.stringMatching(/^[A-Za-z]\w{0,10}$/);

/** A value that a parameter may have. */
function fitting({ type, values }: Parameter): fc.Arbitrary<Json> {
  if (values !== undefined) return fc.constantFrom(...values);
  switch (type) {
    case 'text':
      return fc.string({ maxLength: 20 });
    case 'number':
      return fc.integer({ min: -1, max: 1000 });
    case 'boolean':
      return fc.boolean();
    case 'object':
      return fc.dictionary(identifier, json, { maxKeys: 3 });
    case 'list':
      return fc.array(json, { maxLength: 3 });
    case 'identity':
      return fc.record({ productKey: identifier, deviceName: identifier });
    case 'time': {
      const time = fc.nat();
      return fc.oneof(time, time.map(String));
    }
    default:
      return json.filter((value) => value !== null);
  }
}

const entry = ({ parameters }: Operation) =>
  fc.record(Object.fromEntries(parameters.map((parameter) => [parameter.name, fitting(parameter)])), {
    requiredKeys: parameters.filter(({ required }) => required).map(({ name }) => name),
  }) as fc.Arbitrary<JsonObject>;

/** Params that an operation may have, with at least one entry. */
function params(of: Operation): fc.Arbitrary<Json> {
  switch (of.params) {
    case 'listOfObjects':
      return fc.array(entry(of), { minLength: 1, maxLength: 5 });
    case 'listOfTexts':
      return fc.array(identifier, { minLength: 1, maxLength: 5 });
    case 'map':
      return fc.dictionary(identifier, entry(of), { minKeys: 1, maxKeys: 5 });
    default:
      return entry(of);
  }
}

/** The first object whose parameters the catalogue describes, and the path in front of them. */
function firstEntry(of: Operation, value: Json): [JsonObject, string] | undefined {
  const [key, found] =
    of.params === 'listOfObjects' || of.params === 'map'
      ? (Object.entries(value ?? {})[0] ?? [])
      : ['', value];
  if (found === undefined || !isJsonObject(found)) return undefined;
  return [found, { listOfObjects: 'params[0].', map: `params.${key}.` }[String(of.params)] ?? ''];
}

describe('params of requests', () => {
  for (const of of REQUESTABLE) {
    describe(of.name, () => {
      it('pass as the catalogue describes them, with others beside them', () => {
        fc.assert(
          fc.property(params(of), json, (value, other) => {
            assert.deepEqual(checkParams(of, value), []);
            const [first] = firstEntry(of, value) ?? [];
            if (first === undefined) return;
            first.somethingNew = other;
            assert.deepEqual(checkParams(of, value), []);
          }),
          { numRuns: 50 },
        );
      });

      for (const { name, type, required, values } of of.parameters) {
        it(`name ${name} when it is missing or of the wrong type`, () => {
          fc.assert(
            fc.property(params(of), json, (value, wrong) => {
              const [first, path] = firstEntry(of, value) ?? assert.fail();
              delete first[name];
              const missing = required ? [[`${path}${name}`, 'missing']] : [];
              assert.deepEqual(told(of, value), missing);
              if (type === 'any' || wrong === null) return;
              fc.pre(
                values === undefined ? typeof wrong !== KIND[type] : !values.some((known) => known === wrong),
              );
              fc.pre(type !== 'time' || typeof wrong === 'object' || typeof wrong === 'boolean');
              fc.pre(!['object', 'identity', 'list'].includes(type) || typeof wrong !== 'object');
              first[name] = wrong;
              const [problem, ...more] = checkParams(of, value);
              assert.equal(problem?.path, `${path}${name}`);
              assert.ok(problemMessage(problem).startsWith(`${path}${name}: `));
              assert.deepEqual(more, []);
            }),
            { numRuns: 50 },
          );
        });
      }

      it('are never more than a message can name, whatever they are', () => {
        fc.assert(
          fc.property(json, fc.integer({ min: 1, max: 100 }), (value, count) => {
            for (const all of [value, Array(count).fill(value) as Json[]]) {
              const problems = checkParams(of, all);
              assert.ok(problems.length <= 20);
              for (const problem of problems) assert.ok(problemMessage(problem).length < 500);
            }
          }),
          { numRuns: 50 },
        );
      });
    });
  }

  it('have the shape of their operation', () => {
    const wrong: Array<[string, Json, string, string]> = [
      ['thing.deviceinfo.update', {}, 'params', 'notArray'],
      ['thing.deviceinfo.update', ['a'], 'params[0]', 'notStruct'],
      ['thing.deviceinfo.get', {}, 'params', 'notArray'],
      ['thing.property.desired.get', ['a', 1], 'params[1]', 'notText'],
      ['thing.property.desired.delete', [], 'params', 'notStruct'],
      ['thing.property.desired.delete', { a: 1 }, 'params.a', 'notStruct'],
      ['thing.dsltemplate.get', 'x', 'params', 'notStruct'],
      ['thing.config.get', { configScope: 'device' }, 'configScope', 'notEnum'],
    ];
    for (const [name, value, path, rule] of wrong) {
      assert.deepEqual(told(operation(name), value), [[path, rule]], name);
    }
    assert.deepEqual(checkParams(operation('user.publish'), 'anything'), []);
  });

  it('stay within the limits of section D, and may reach them', () => {
    const tag = { attrKey: 'k', attrValue: 'v' };
    const line = { utcTime: '', logLevel: 'INFO', module: '', logContent: '' };
    const attributes = (count: number) => ({
      method: 'update',
      state: { reported: Object.fromEntries(Array.from({ length: count }, (_, i) => [`a${i}`, i])) },
    });
    const limited: Array<[string, (size: number) => Json, number, string]> = [
      ['thing.deviceinfo.update', (size) => Array(size).fill(tag) as Json, 200, 'params'],
      ['thing.deviceinfo.delete', (size) => Array(size).fill(tag) as Json, 200, 'params'],
      [
        'thing.deviceinfo.update',
        (size) => [{ ...tag, attrKey: 'x'.repeat(size) }],
        100,
        'params[0].attrKey',
      ],
      ['thing.property.desired.get', (size) => Array(size).fill('p') as Json, 200, 'params'],
      ['thing.log.post', (size) => Array(size).fill(line) as Json, 40, 'params'],
      ['thing.log.post', (size) => [{ ...line, logContent: 'x'.repeat(size) }], 4096, 'params[0].logContent'],
      ['shadow.update', attributes, 128, 'state.reported'],
      ['thing.file.upload.mqtt.init', (fileSize) => ({ fileName: 'a', fileSize }), 2 ** 24, 'fileSize'],
    ];
    for (const [name, make, most, path] of limited) {
      assert.deepEqual(checkParams(operation(name), make(most)), [], name);
      const [problem] = checkParams(operation(name), make(most + 1));
      assert.deepEqual([problem?.path, problem?.details], [path, { value: most + 1, limit: most }], name);
    }
    const umlauts = [{ ...tag, attrKey: 'ä'.repeat(51) }];
    assert.deepEqual(checkParams(operation('thing.deviceinfo.update'), umlauts)[0]?.details.value, 102);
  });

  it('are not converted, which an object can prevent', () => {
    const params = JSON.parse('{"fileName":"a","fileSize":{"toString":0,"valueOf":0,"toJSON":0}}') as Json;
    assert.deepEqual(told(operation('thing.file.upload.mqtt.init'), params), [['fileSize', 'notNumber']]);
  });

  it('take nothing from the prototype', () => {
    const bare = JSON.parse('{"__proto__":{"method":"get"}}') as Json;
    assert.deepEqual(told(operation('shadow.update'), bare), [['method', 'missing']]);
    const odd = {
      ...operation('shadow.update'),
      parameters: [{ name: 'constructor', type: 'any', required: true }],
    };
    assert.deepEqual(told(odd as Operation, {}), [['constructor', 'missing']]);
  });
});

const KIND: Record<Parameter['type'], string> = {
  text: 'string',
  number: 'number',
  boolean: 'boolean',
  object: 'object',
  list: 'object',
  identity: 'object',
  time: 'number',
  any: 'any',
};

function told(of: Operation, value: Json): string[][] {
  return checkParams(of, value).map(({ path, rule }) => [path, rule]);
}
