import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { thingKey } from '../../../../protocol';
import { Members } from '../../../../sdk/gateway/members';

function member(productKey: string, deviceName: string) {
  const identity = { productKey, deviceName };
  return { identity, key: thingKey(identity) };
}

describe('sub-devices of a gateway', () => {
  it('are found by both names, and by the DeviceName alone as far as it goes', () => {
    const members = new Members<ReturnType<typeof member>>();
    const [lamp, other, door] = [member('pk1', 'lamp'), member('pk2', 'lamp'), member('pk1', 'door')];
    for (const each of [lamp, other, door]) assert.equal(members.put(each), undefined);
    assert.equal(members.get(other.key), other);
    assert.deepEqual(members.named('lamp'), [lamp, other]);
    assert.deepEqual(members.named('door'), [door]);
    assert.deepEqual(members.named('__proto__'), []);
    assert.deepEqual(members.all, [lamp, other, door]);
  });

  it('leave nothing behind, and make room for a successor', () => {
    const members = new Members<ReturnType<typeof member>>();
    const [old, successor, other] = [member('pk1', 'lamp'), member('pk1', 'lamp'), member('pk2', 'lamp')];
    members.put(old);
    members.put(other);
    assert.equal(members.put(successor), old);
    assert.deepEqual(members.named('lamp'), [other, successor]);
    assert.equal(members.delete(successor.key), successor);
    assert.equal(members.delete(successor.key), undefined);
    assert.deepEqual(members.named('lamp'), [other]);
    members.delete(other.key);
    assert.deepEqual([members.named('lamp'), members.all], [[], []]);
  });
});
