import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { calledTopic, fullTopic, topicRefusal } from '../../../protocol/own-topics';

const IDENTITY = { productKey: 'a1Pk', deviceName: 'dn-1' };

describe('topics of a device', () => {
  it('fills in what the short form leaves out', () => {
    for (const [text, source, full] of [
      ['user/get', 'topic', '/a1Pk/dn-1/user/get'],
      [' user/get ', 'topic', '/a1Pk/dn-1/user/get'],
      ['/a1Pk/dn-1/user/get', 'topic', '/a1Pk/dn-1/user/get'],
      [`/\${productKey}/\${deviceName}/user/get`, 'topic', '/a1Pk/dn-1/user/get'],
      ['news', 'broadcast', '/broadcast/a1Pk/news'],
      ['user/ask', 'rrpc', '/a1Pk/dn-1/user/ask'],
      ['/any/topic', 'rrpc', '/any/topic'],
      ['', 'topic', ''],
    ] as const) {
      assert.equal(fullTopic(text, source, IDENTITY), full);
    }
  });

  it('accepts nothing outside its own two levels', () => {
    fc.assert(
      fc.property(fc.string(), fc.constantFrom('topic', 'broadcast'), (text, source) => {
        for (const topic of [text, `/${text}`, fullTopic(text, source, IDENTITY)]) {
          const refusal = topicRefusal(topic, source, 'filter', IDENTITY);
          const own = source === 'topic' ? '/a1Pk/dn-1/' : '/broadcast/a1Pk/';
          if (!topic.startsWith(own)) assert.notEqual(refusal, undefined, topic);
          if (/[+#]/.test(topic))
            assert.notEqual(topicRefusal(topic, source, 'publish', IDENTITY), undefined);
        }
      }),
    );
    for (const [topic, refusal] of [
      ['/a1Pk/dn-1/', 'notOwn'],
      ['/a1Pk/dn-10/user/get', 'notOwn'],
      ['/a1Pk/+/user/get', 'notOwn'],
      ['/sys/a1Pk/dn-1/thing/event/x/post', 'notOwn'],
      ['/a1Pk/dn-1/1/2/3/4/5', undefined],
      ['/a1Pk/dn-1/1/2/3/4/5/6', 'tooDeep'],
    ] as const) {
      assert.equal(topicRefusal(topic, 'topic', 'filter', IDENTITY), refusal, topic);
    }
  });

  it('finds the topic that a caller named', () => {
    assert.equal(calledTopic('/ext/rrpc/123/a1Pk/dn-1/user/ask'), '/a1Pk/dn-1/user/ask');
    assert.equal(calledTopic('/sys/a1Pk/dn-1/rrpc/request/9'), '/sys/a1Pk/dn-1/rrpc/request/9');
  });
});
