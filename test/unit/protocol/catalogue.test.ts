import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import {
  AUTO_SUBSCRIBED,
  explainCode,
  filterProblem,
  findOperation,
  findReply,
  formatTopic,
  isOperationName,
  OPERATIONS,
  type Operation,
  operation,
  RESULT_CODES,
  subscriptions,
  topicMatches,
  topicProblem,
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
// Section A.9, without `disable_reply` (an answer that the device itself sends) and the families `lan`, `awss`.
const PUSHED = [
  ...[
    'model/down_raw model/up_raw_reply event/+/post_reply event/property/history/post_reply',
    'deviceinfo/update_reply deviceinfo/delete_reply dynamicTsl/get_reply dsltemplate/get_reply',
    'service/property/set service/property/get service/+ gateway/permit topo/change sub/register_reply',
    'sub/unregister_reply topo/add_reply topo/delete_reply topo/get_reply config/push config/get_reply',
    'property/desired/get_reply property/desired/delete_reply reset_reply cipher/get_reply',
    'proxy/provisioning/product_register_reply bootstrap/config/push job/notify job/get_reply job/update_reply',
  ].flatMap((line) => line.split(' ').map((topic) => `/sys/{pk}/{dn}/thing/${topic}`)),
  // Beyond A.9, which names only the history post of this family.
  '/sys/{pk}/{dn}/thing/event/property/pack/post_reply',
  // C SDK 4 never subscribes these, and gets them. What it does subscribe is not among the pushed ones: answers to batch
  // posts, to files, to `deviceinfo/get` and to `codec/topic/update`.
  '/sys/{pk}/{dn}/thing/config/log/get_reply',
  '/sys/{pk}/{dn}/thing/config/log/push',
  '/sys/{pk}/{dn}/thing/ota/firmware/get_reply',
  '/ext/ntp/{pk}/{dn}/response',
  '/ext/rrpc/+/sys/{pk}/{dn}/thing/service/+',
  '/ext/rrpc/+/sys/{pk}/{dn}/thing/model/down_raw',
  ...['login', 'logout', 'batch_login', 'batch_logout'].map(
    (session) => `/ext/session/{pk}/{dn}/combine/${session}_reply`,
  ),
  '/sys/{pk}/{dn}/rrpc/request/+',
  '/sys/{pk}/{dn}/_thing/event/notify',
  '/sys/{pk}/{dn}/_thing/service/post_reply',
  '/ota/device/upgrade/{pk}/{dn}',
  '/ota/device/request/{pk}/{dn}',
  '/shadow/get/{pk}/{dn}',
];
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
    assert.throws(
      () => operation('thing.event.property.pots'),
      (error) => error instanceof RangeError && error.message.includes('thing.event.property.post,'),
    );
    assert.throws(() => operation('x'.repeat(100_000)), RangeError);
    assert.ok(isOperationName('ext.ntp.request'));
    assert.ok(!isOperationName('constructor'));
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

  it('keeps its entries consistent', () => {
    for (const { name: at, ...entry } of OPERATIONS as readonly Operation[]) {
      assert.ok(entry.topic.startsWith('/'), at);
      if (entry.requestable) assert.equal(entry.direction, 'up', at);
      if (entry.autoSubscribed === 'request') assert.equal(entry.direction, 'down', at);
      if (entry.autoSubscribed === 'reply') assert.ok(entry.direction === 'up' && entry.replyTopic, at);
      if (entry.purpose === 'session' && entry.gatewayOnly) assert.equal(entry.qos, 0, at);
      const names = entry.parameters.map((parameter) => parameter.name);
      assert.equal(new Set(names).size, names.length, at);
    }
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
          for (const [key, value] of Object.entries(found?.variables ?? {})) {
            const expected =
              key === 'topic' ? [variables.topic, `user/${other}`] : [variables[key as 'event'], ''];
            assert.ok(expected.includes(value), `${topic}: ${key} = ${value}`);
          }
          if (entry.replyTopic && entry.format !== 'opaque') {
            const reply = findReply(entry.direction, formatTopic(entry.replyTopic, variables));
            assert.equal(reply?.operation.replyTopic, entry.replyTopic);
            if (entry.name === 'thing.service') assert.equal(reply?.variables.service, other);
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
    for (const topic of ['/nothing', '', '/', '/pk/dn/', '//dn/user/a', `${S}/nothing`, '/icsys/pk/dn/x']) {
      assert.equal(findOperation('up', topic), undefined, topic);
    }
    // No product is called like the platform's own first levels.
    assert.equal(findOperation('down', '/ext/pk/dn/x'), undefined);
    assert.equal(findReply('down', `${S}/service/restarted`), undefined);
  });

  it('takes the answer of the old pull for firmware on both topics (section J row 35)', () => {
    for (const topic of ['/ota/device/request/pk/dn', '/ota/device/upgrade/pk/dn']) {
      assert.equal(findReply('up', topic)?.operation.name, 'ota.request');
    }
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

  it('matches MQTT wildcards as the definition by levels does', () => {
    const byLevels = (filter: string, topic: string) => {
      const [wanted, given] = [filter.split('/'), topic.split('/')];
      for (const [i, level] of wanted.entries()) {
        if (level === '#') return true;
        if (i >= given.length || (level !== '+' && level !== given[i])) return false;
      }
      return wanted.length === given.length;
    };
    const level = fc.constantFrom('', 'a', 'b', 'ab', '+', 'a+', '#b');
    const path = fc.array(level, { minLength: 1, maxLength: 5 }).map((levels) => levels.join('/'));
    const open = path.map((levels) => `${levels}/#`);
    fc.assert(
      fc.property(fc.oneof(path, open), path, (filter, topic) => {
        assert.equal(topicMatches(filter, topic), byLevels(filter, topic), `${filter} on ${topic}`);
      }),
      { numRuns: 5000 },
    );
  });

  it('lists what is pushed without SUBSCRIBE (A.9)', () => {
    const listed = AUTO_SUBSCRIBED.filter(
      (filter) =>
        !/thing\/(lan|awss)\//.test(filter) &&
        !PUSHED.some((known) => known !== filter && topicMatches(known, filter)),
    );
    const expected = PUSHED.filter(
      (filter) => !PUSHED.some((known) => known !== filter && topicMatches(known, filter)),
    );
    assert.deepEqual(listed.sort(), expected.sort());
  });

  it('has a filter for everything that comes to a device, a gateway and a sub-device (B.10)', () => {
    const own = { productKey: 'pk', deviceName: 'dn', event: 'e', service: 's', msgId: '1', topic: 't' };
    const comes = OPERATIONS.filter(
      ({ purpose, row }) => purpose !== 'custom' && row !== 108 && row !== 105 && row !== 106 && row !== 40,
    ).filter(({ direction, replyTopic }) => direction === 'down' || replyTopic !== undefined);
    for (const entry of comes) {
      const kind = /^thing\.(disable|enable|delete)$/.test(entry.name)
        ? 'subDevice'
        : entry.gatewayOnly === true
          ? 'gateway'
          : 'device';
      const topic = formatTopic(
        (entry.direction === 'up' ? entry.replyTopic : undefined) ?? entry.topic,
        own,
      );
      const filters = subscriptions(kind).map((filter) => formatTopic(filter, own));
      assert.ok(
        filters.some((filter) => topicMatches(filter, topic)),
        `${entry.name} at ${topic}`,
      );
    }
    for (const kind of ['device', 'gateway', 'subDevice'] as const) {
      assert.ok(subscriptions(kind).length <= 100);
      for (const filter of subscriptions(kind))
        assert.equal(filterProblem(formatTopic(filter, own)), undefined);
    }
  });

  it('names what is wrong with a topic or a filter', () => {
    assert.equal(topicProblem('/a/b'), undefined);
    assert.equal(topicProblem(''), 'empty');
    assert.equal(topicProblem('/a/+'), 'badWildcard');
    assert.equal(topicProblem('/a\u0000'), 'badCharacter');
    assert.equal(topicProblem(`/${'x'.repeat(127)}`), undefined);
    assert.equal(topicProblem(`/${'x'.repeat(128)}`), 'tooLong');
    assert.equal(topicProblem(`/${'温'.repeat(43)}`), 'tooLong');
    for (const good of ['#', '+', '/a/+/b', '/a/#', '/+/+/#'])
      assert.equal(filterProblem(good), undefined, good);
    for (const bad of ['/a/#/b', '/a#', '/a/b+', '##']) assert.equal(filterProblem(bad), 'badWildcard', bad);
    assert.equal(filterProblem(''), 'empty');
  });
});

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}
