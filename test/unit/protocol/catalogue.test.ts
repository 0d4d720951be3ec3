import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import {
  AUTO_SUBSCRIBED,
  explainCode,
  findOperation,
  findReply,
  formatTopic,
  OPERATIONS,
  operation,
  RESULT_CODES,
  topicMatches,
} from '../../../protocol';

const ROWS = [
  ...range(1, 18),
  20,
  21,
  ...range(30, 40),
  ...range(50, 60),
  ...range(70, 78),
  ...range(80, 91),
  ...range(100, 108),
];
// Answered with nothing of their own, or not specified by any source.
const name = fc.stringMatching(/^[A-Za-z0-9_-]{4,20}$/);

describe('catalogue of operations', () => {
  it('has every row of sections B.1–B.6 and B.8', () => {
    const rows = new Set(OPERATIONS.map(({ row }) => row));
    assert.deepEqual(
      ROWS.filter((row) => !rows.has(row)),
      [],
    );
  });

  it('names each operation once', () => {
    assert.equal(new Set(OPERATIONS.map((entry) => entry.name)).size, OPERATIONS.length);
    assert.throws(() => operation('thing.event.property.pots'), RangeError);
  });

  it('explains every code that an operation names', () => {
    for (const { name: operationName, codes } of OPERATIONS) {
      for (const code of codes) assert.ok(explainCode(code, operationName), `${operationName}: ${code}`);
    }
    for (const { en, zh, code } of RESULT_CODES) {
      assert.ok(en.length > 0, String(code));
      assert.match(zh, /\p{Script=Han}/u, String(code));
    }
  });

  it('tells meanings of one number apart by the operation', () => {
    assert.match(explainCode(401)?.en ?? '', /signature/);
    assert.match(explainCode(401, 'shadow.update')?.en ?? '', /method/);
    assert.equal(explainCode(100_500)?.retry, 'no');
    assert.equal(explainCode(123_456), undefined);
  });

  it('finds each operation again by its topic', () => {
    fc.assert(
      fc.property(name, name, name, (productKey, deviceName, other) => {
        const variables = {
          productKey,
          deviceName,
          event: other,
          service: other,
          msgId: '42',
          topic: `user/${other}`,
        };
        for (const entry of OPERATIONS) {
          if (entry.purpose === 'custom' && entry.topic.startsWith('/{pk}')) continue; // takes what nothing else took
          const topic = formatTopic(entry.topic, variables);
          const found = findOperation(entry.direction, topic);
          assert.equal(found?.operation.topic, entry.topic, topic);
          if (entry.replyTopic && entry.format !== 'opaque') {
            const reply = findReply(entry.direction, formatTopic(entry.replyTopic, variables));
            assert.equal(reply?.operation.replyTopic, entry.replyTopic);
          }
        }
      }),
      { numRuns: 20 },
    );
  });

  it('prefers the special topic to the general one', () => {
    const S = '/sys/pk/dn/thing';
    assert.equal(
      findOperation('up', `${S}/event/property/post`)?.operation.name,
      'thing.event.property.post',
    );
    assert.deepEqual(findOperation('up', `${S}/event/alarm/post`)?.variables.event, 'alarm');
    assert.equal(
      findOperation('down', `${S}/service/property/set`)?.operation.name,
      'thing.service.property.set',
    );
    assert.equal(findOperation('up', '/pk/dn/user/a/b')?.variables.topic, 'a/b');
    assert.equal(findOperation('up', '/nothing'), undefined);
  });

  it('refuses values that would change a topic', () => {
    for (const bad of ['', 'a/b', '+', '#', 'a\u0000']) {
      assert.throws(() => formatTopic('/sys/{pk}/x', { productKey: bad }), RangeError);
    }
    assert.throws(() => formatTopic('/sys/{constructor}/x', {}), RangeError);
  });

  it('matches MQTT wildcards', () => {
    assert.ok(topicMatches('/a/+/c', '/a/b/c'));
    assert.ok(topicMatches('/a/#', '/a'));
    assert.ok(topicMatches('/a/#', '/a/b/c'));
    assert.ok(!topicMatches('/a/+', '/a/b/c'));
    assert.ok(!topicMatches('/a/b/c', '/a/b'));
  });

  it('lists what is pushed without SUBSCRIBE', () => {
    assert.ok(AUTO_SUBSCRIBED.includes('/sys/{pk}/{dn}/thing/event/+/post_reply'));
    assert.ok(AUTO_SUBSCRIBED.includes('/sys/{pk}/{dn}/rrpc/request/+'));
    assert.ok(AUTO_SUBSCRIBED.includes('/sys/{pk}/{dn}/thing/service/+'));
  });
});

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}
