import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { type Json, type JsonObject, parseThingModel, problemMessage } from '../../../protocol';
import { checkInput, checkOutput } from '../../../sdk/downlink/check';

const TYPES: Json[] = [
  { type: 'int', specs: { min: '0', max: '5' } },
  { type: 'double', specs: {} },
  { type: 'bool', specs: { '0': 'off', '1': 'on' } },
  { type: 'enum', specs: { '1': 'a', '2': 'b' } },
  { type: 'text', specs: { length: '5' } },
  { type: 'date', specs: {} },
  {
    type: 'struct',
    specs: [member('a', { type: 'int', specs: {} }), member('toString', { type: 'date', specs: {} })],
  },
  { type: 'array', specs: { size: '3', item: { type: 'int' } } },
];
const MEMBERS = TYPES.map((dataType, i) => member(`p${i}`, dataType));
const MODEL = parseThingModel({
  profile: { productKey: 'a1Test' },
  properties: MEMBERS,
  events: [],
  services: [{ identifier: 'all', name: 'a', callType: 'async', inputData: MEMBERS, outputData: MEMBERS }],
});

function member(identifier: string, dataType: Json): JsonObject {
  return { identifier, name: identifier, accessMode: 'rw', required: true, dataType };
}

/** Objects whose members have the names of what every object inherits. */
const HOSTILE = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    fc.constantFrom<Json>(null, true, '', '5', '1e400', -0, 2 ** 60),
    fc.dictionary(fc.constantFrom('toString', 'valueOf', '__proto__', 'toJSON', 'a'), tie('value'), {
      noNullPrototype: true,
      maxKeys: 3,
    }),
    fc.array(tie('value'), { maxLength: 3 }),
  ),
})).value;

describe('values of requests and answers', () => {
  it('are named as wrong or fitted, whatever they are, and never throw', () => {
    const names = fc.constantFrom('__proto__', 'toString', ...TYPES.map((_, i) => `p${i}`));
    fc.assert(
      fc.property(fc.dictionary(names, HOSTILE, { noNullPrototype: true, maxKeys: 5 }), (params) => {
        for (const mode of ['strict', 'warn', 'off'] as const) {
          for (const kind of ['propertySet', 'propertyGet', 'service'] as const) {
            const input = checkInput({ ...READ, kind, params }, MODEL, mode);
            assert.ok(
              [...input.notWritable, ...input.wrong].every((problem) => problemMessage(problem) !== ''),
            );
            JSON.parse(checkOutput({ kind, identifier: 'all' }, params, MODEL, mode).dataJson);
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});

const READ = {
  identifier: 'all',
  operation: 'thing.service',
  topic: '',
  payload: new Uint8Array(),
  sync: false,
  wantsAnswer: true,
  duplicate: false,
} as const;
