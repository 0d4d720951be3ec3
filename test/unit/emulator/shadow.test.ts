import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { Shadow, ShadowError } from '../../../emulator/registry/shadow';
import type { Json, JsonObject } from '../../../protocol';

const attributes = fc.dictionary(fc.string({ maxLength: 5 }), fc.jsonValue() as fc.Arbitrary<Json>, {
  maxKeys: 4,
});
const part = fc.oneof(attributes, fc.constant('null'), fc.constant(null)) as fc.Arbitrary<Json>;
const change = fc.record({
  kind: fc.constantFrom('update', 'delete', 'want'),
  state: fc.oneof(
    fc.record({ reported: part, desired: part }, { requiredKeys: [] }),
    fc.jsonValue(),
  ) as fc.Arbitrary<Json>,
  version: fc.oneof(fc.integer({ min: -2, max: 20 }), fc.jsonValue()) as fc.Arbitrary<Json>,
});

function apply(
  shadow: Shadow,
  { kind, state, version }: { kind: string; state: Json; version: Json },
): boolean {
  try {
    if (kind === 'update') shadow.update({ state, version }, 1000);
    else if (kind === 'delete') shadow.delete({ state, version }, 1000);
    else shadow.want({ state, version }, true, 1000);
    return true;
  } catch (thrown) {
    assert.ok(thrown instanceof ShadowError, String(thrown));
    return false;
  }
}

describe('shadow document', () => {
  it('only ever grows in version, or starts at 0, and changes nothing when it refuses', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 20 }), (changes) => {
        const shadow = new Shadow();
        for (const one of changes) {
          const before = shadow.document();
          if (!apply(shadow, one)) assert.deepEqual(shadow.document(), before);
          else assert.ok(shadow.version === 0 || shadow.version > Number(before.version));
        }
      }),
    );
  });

  it('comes back from its document as it was', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 10 }), (changes) => {
        const shadow = new Shadow();
        for (const one of changes) apply(shadow, one);
        const restored = new Shadow();
        restored.restore(JSON.parse(JSON.stringify(shadow.document())) as Json);
        assert.deepEqual(JSON.stringify(restored.document()), JSON.stringify(shadow.document()));
      }),
    );
  });

  it('takes anything for a document', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), fc.jsonValue(), (state, metadata, version) => {
        const shadow = new Shadow();
        shadow.restore({ state, metadata, version, timestamp: 1 } as JsonObject);
        shadow.document();
      }),
    );
  });
});
