import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { fromApiModel, toApiModel } from '../../../emulator/openapi/thing-model-json';
import { isJsonObject, type Json, type JsonObject, parseThingModel } from '../../../protocol';

const PK = 'a1Greenhouse';
const features = (document: JsonObject) => {
  const { properties, events, services } = parseThingModel(document);
  return { properties, events, services };
};

const identifier = fc
  .stringMatching(/^[a-z][a-z0-9]{0,8}$/)
  .filter((name) => !/^(set|get|post|property|event|time|value)$/.test(name));
const simple: fc.Arbitrary<Json> = fc.oneof(
  fc
    .record({ min: fc.nat(100), more: fc.nat(100), type: fc.constantFrom('int', 'float', 'double') })
    .map(({ min, more, type }) => ({
      type,
      specs: { min: String(min), max: String(min + more), unit: 'V', step: '1' },
    })),
  fc.constant({ type: 'bool', specs: { '0': 'off', '1': 'on' } }),
  fc
    .dictionary(fc.nat(9).map(String), fc.string({ minLength: 1 }), { minKeys: 1 })
    .map((specs) => ({ type: 'enum', specs })),
  fc.nat(1000).map((length) => ({ type: 'text', specs: { length: String(length) } })),
  fc.constant({ type: 'date', specs: {} }),
);
const member = (dataType: fc.Arbitrary<Json>) =>
  fc.record({ identifier, name: fc.string(), dataType }) as fc.Arbitrary<JsonObject>;
const struct = fc.array(member(simple), { maxLength: 4 }).map((specs) => ({ type: 'struct', specs }));
const array = fc
  .tuple(fc.oneof(fc.constant({ type: 'int', specs: {} }), struct), fc.integer({ min: 1, max: 512 }))
  .map(([item, size]) => ({ type: 'array', specs: { size: String(size), item } }));
const parameters = fc.array(member(fc.oneof(simple, struct, array as fc.Arbitrary<Json>)), { maxLength: 3 });
const document = fc.record({
  properties: fc.array(
    fc.record({
      identifier,
      name: fc.string(),
      required: fc.boolean(),
      accessMode: fc.constantFrom('r', 'rw'),
      dataType: fc.oneof(simple, struct, array as fc.Arbitrary<Json>),
    }),
    { maxLength: 4 },
  ),
  events: fc.array(
    fc.record({
      identifier,
      name: fc.string(),
      required: fc.boolean(),
      type: fc.constantFrom('info', 'alert', 'error'),
      outputData: parameters,
    }),
    { maxLength: 3 },
  ),
  services: fc.array(
    fc.record({
      identifier,
      name: fc.string(),
      required: fc.boolean(),
      callType: fc.constantFrom('sync', 'async'),
      inputData: parameters,
      outputData: parameters,
    }),
    { maxLength: 3 },
  ),
}) as unknown as fc.Arbitrary<JsonObject>;

describe('thing model in the form of the OpenAPI', () => {
  it('says the same in both forms', () => {
    fc.assert(
      fc.property(document, (model) => {
        const back = fromApiModel(PK, toApiModel(PK, model), undefined);
        assert.deepEqual(features(back), features(model));
      }),
    );
  });

  it('reads any object without an error of its own', () => {
    fc.assert(
      fc.property(fc.json(), fc.json(), (one, other) => {
        const model = JSON.parse(`{"properties":[${one}],"events":${other},"services":[${other}]}`) as Json;
        assert.ok(isJsonObject(model));
        fromApiModel(PK, model, undefined);
        toApiModel(PK, model);
      }),
    );
  });

  it('writes as the platform does', () => {
    const model: JsonObject = {
      properties: [
        {
          identifier: 'light',
          name: 'Light',
          accessMode: 'rw',
          required: true,
          dataType: { type: 'bool', specs: { '0': 'off', '1': 'on' } },
        },
      ],
      events: [{ identifier: 'post' }, { identifier: 'hot', name: 'Hot', type: 'alert', outputData: [] }],
      services: [{ identifier: 'set' }, { identifier: 'get' }],
    };
    assert.deepEqual(toApiModel(PK, model), {
      productKey: PK,
      properties: [
        {
          dataType: 'BOOL',
          dataSpecsList: [
            { dataType: 'BOOL', name: 'off', value: 0 },
            { dataType: 'BOOL', name: 'on', value: 1 },
          ],
          productKey: PK,
          identifier: 'light',
          required: true,
          custom: true,
          name: 'Light',
          rwFlag: 'READ_WRITE',
        },
      ],
      events: [
        {
          productKey: PK,
          identifier: 'hot',
          required: false,
          custom: true,
          eventName: 'Hot',
          eventType: 'ALERT_EVENT_TYPE',
          outputdata: [],
        },
      ],
      services: [],
    });
  });
});
