import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { formatTopic, OPERATIONS, thingKey, topicOwner } from '../../../protocol';

const IDENTITY = { productKey: 'a1Product', deviceName: 'device-1' };
const FILLED: Readonly<Record<string, string>> = {
  ...IDENTITY,
  event: 'alarm',
  service: 'start',
  msgId: '77',
  topic: `${IDENTITY.productKey}/${IDENTITY.deviceName}/user/x`,
};
/** Topics of a connection, and of all devices of a product. */
const NOBODYS = new Set(['/ext/register', '/ext/regnwl', '/ext/auth/identity/response']);

describe('owner of a topic', () => {
  it('is the thing that each operation of the catalogue names', () => {
    let owned = 0;
    for (const { name, topic, replyTopic } of OPERATIONS) {
      for (const template of [topic, replyTopic]) {
        if (template === undefined || NOBODYS.has(template) || !/\{pk\}|\{topic\}/.test(template)) continue;
        if (template.startsWith('/broadcast/')) continue;
        const concrete = formatTopic(template, FILLED);
        assert.equal(topicOwner(concrete), thingKey(IDENTITY), `${name}: ${concrete}`);
        owned++;
      }
    }
    assert.ok(owned > 80, `${owned} topics`);
  });

  it('is nobody for broadcasts and what names nobody', () => {
    for (const topic of [
      '/broadcast/a1Product/news',
      '/ext/register',
      '/ext/regnwl',
      '/ext/rrpc/77',
      '/ext/rrpc/77/alone',
      '/sys/a1Product',
      '/sys/a1Product/',
      '/sys//x',
      '/ota/device/upgrade',
      '/a1Product',
      '',
      '/',
      'x',
    ]) {
      assert.equal(topicOwner(topic), undefined, topic);
    }
  });

  it('is told of filters as of topics', () => {
    assert.equal(topicOwner('/ext/rrpc/+/sys/p/d/thing/service/+'), 'p/d');
    assert.equal(topicOwner('/p/d/user/#'), 'p/d');
    assert.equal(topicOwner('/ota/device/upgrade/p/d'), 'p/d');
  });

  it('survives every text', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('sys', 'ext', 'rrpc', 'ota', 'device', 'a', '', '+'), { maxLength: 9 }),
        (levels) => {
          const topic = `/${levels.join('/')}`;
          const owner = topicOwner(topic);
          if (owner === undefined) return;
          assert.match(owner, /^[^/]+\/[^/]+$/, topic);
          assert.ok(topic.includes(`/${owner}`), topic);
        },
      ),
    );
  });
});
