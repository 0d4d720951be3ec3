import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import {
  follow,
  type Reference,
  readReferences,
  startOf,
} from '../../../../protocol/model-configuration/flow/opcua-find';
import {
  isGood,
  nodeIdText,
  toOpcUa,
  toReport,
  typeName,
} from '../../../../protocol/model-configuration/flow/opcua-values';

const reference = (displayName: string): Reference => ({
  nodeId: `ns=2;s=${displayName}`,
  displayName,
  browseName: `2:${displayName}`,
  nodeClass: 1,
  value: undefined,
  type: undefined,
});

describe('finding OPC UA nodes', () => {
  it('follows the longest name that fits, which may hold what separates names', () => {
    const step = (rest: string, ...names: string[]) => {
      const found = follow(names.map(reference), rest);
      return found && [found[0].displayName, found[1]];
    };
    assert.deepEqual(step('a.b/c', 'a', 'a.b'), ['a.b', 'c']);
    assert.deepEqual(step('a.b/c', 'a', 'a.bc'), ['a', 'b/c']);
    assert.deepEqual(step('a', 'a', 'a.b'), ['a', '']);
    assert.equal(step('ab/c', 'a'), undefined);
    assert.equal(step('a', ''), undefined);
  });

  it('begins at the objects folder, named or not', () => {
    for (const path of [
      'Hall/Pump',
      '/Hall/Pump',
      'Objects/Hall/Pump',
      '/Root/Objects/Hall/Pump',
      'Objects.Hall/Pump',
    ]) {
      assert.equal(startOf(path), 'Hall/Pump');
    }
    assert.equal(startOf('ObjectsOfHall/Pump'), 'ObjectsOfHall/Pump');
  });

  it('reads whatever a browse gives without failing', () => {
    fc.assert(fc.property(fc.anything(), (payload) => Array.isArray(readReferences(payload))));
  });
});

describe('values of OPC UA', () => {
  it('node ids of any form', () => {
    assert.equal(nodeIdText('ns=2;s=a'), 'ns=2;s=a');
    assert.equal(nodeIdText({ identifierType: 1, namespace: 0, value: 85 }), 'ns=0;i=85');
    assert.equal(nodeIdText({ identifierType: 2, namespace: 3, value: 'x' }), 'ns=3;s=x');
    for (const other of [undefined, null, 85, 'a', {}, [], { value: 1 }])
      assert.equal(nodeIdText(other), undefined);
  });

  it('types by number, node id and name', () => {
    assert.deepEqual(
      [11, { identifierType: 1, namespace: 0, value: 11 }, 'Double', 'ns=0;i=11'].map(typeName),
      ['Double', 'Double', 'Double', 'Double'],
    );
    assert.equal(typeName({ identifierType: 1, namespace: 2, value: 11 }), undefined);
  });

  it('status codes: the highest bit is bad', () => {
    for (const good of [undefined, 0, 0x40000000, { value: 0 }, { _value: 0x00a60000 }])
      assert.ok(isGood(good));
    for (const bad of [0x80000000, { value: 0x803b0000 }, { _value: 0x80340000 }, new Error('no'), 'x']) {
      assert.ok(!isGood(bad));
    }
  });

  it('values as the platform takes them', () => {
    assert.equal(toReport(true, undefined), 1);
    assert.equal(toReport(21.6, 'whole'), 22);
    assert.equal(toReport(21.6, 'text'), '21.6');
    assert.equal(toReport({ text: 'on', locale: 'en' }, undefined), 'on');
    assert.equal(toReport(new Date(1_700_000_000_000), undefined), '1700000000000');
    for (const none of [undefined, null, Number.NaN, [1, 2, 3], {}, ['a', 'b']]) {
      assert.equal(toReport(none, undefined), undefined);
    }
  });

  it('numbers of 64 bits survive both ways', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (whole) => {
        assert.equal(toOpcUa(String(whole), 'Int64'), String(whole));
        const halves = [Number(BigInt.asUintN(32, whole >> 32n)), Number(BigInt.asUintN(32, whole))];
        assert.equal(BigInt(toReport(halves, undefined, 'Int64') ?? ''), whole);
        const unsigned = BigInt.asUintN(64, whole);
        assert.equal(BigInt(toReport(halves, undefined, 'UInt64') ?? ''), unsigned);
      }),
    );
  });

  // On anything else the client throws where nobody catches it, and Node-RED ends.
  it('what is written is of the type and in its range, or refused', () => {
    const types = [
      'Boolean',
      'SByte',
      'Byte',
      'Int16',
      'UInt32',
      'UInt64',
      'Float',
      'Double',
      'DateTime',
      'String',
      'Guid',
      '',
    ];
    fc.assert(
      fc.property(
        fc.oneof(fc.anything(), fc.double(), fc.string()),
        fc.constantFrom(...types),
        (value, type) => {
          let written: unknown;
          try {
            written = toOpcUa(value, type);
          } catch (thrown) {
            assert.ok(thrown instanceof Error && thrown.message !== '');
            return;
          }
          if (type === 'Boolean') assert.equal(typeof written, 'boolean');
          else if (type === 'String') assert.equal(typeof written, 'string');
          else if (type === 'UInt64') assert.match(String(written), /^\d{1,20}$/);
          else assert.ok(Number.isFinite(written), `${String(written)} as ${type}`);
        },
      ),
    );
    assert.equal(toOpcUa('255', 'Byte'), 255);
    assert.throws(() => toOpcUa(256, 'Byte'), /0–255/);
    assert.throws(() => toOpcUa('x', 'Guid'), /type Guid cannot be written/);
    assert.throws(() => toOpcUa(1, ''), /unknown type/);
    assert.throws(() => toOpcUa(9e15, 'DateTime'), /too large/);
    assert.throws(() => toOpcUa(1e39, 'Float'), /too large/);
  });
});
