import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { MessageListeners } from '../../../sdk/listeners';
import type { IncomingMessage } from '../../../sdk/types';

function message(topic: string, text = ''): IncomingMessage {
  return { topic, payload: Buffer.from(text), qos: 1, duplicate: false };
}

/** Whoever leaves in a deploy keeps its place for who comes after. */
describe('listeners of a filter', () => {
  const lost: Array<[string, number]> = [];
  const listeners = () => {
    lost.length = 0;
    return new MessageListeners(5000, (filter, count) => lost.push([filter, count]));
  };
  const nobody = { listener: () => undefined };

  it('get what came while nobody listened, in order, and only that of their filter', () => {
    const all = listeners();
    assert.deepEqual(all.add('a/+', nobody), []);
    assert.equal(all.remove('a/+', nobody), true);
    all.keep('a/+', nobody, () => undefined);
    assert.deepEqual([...all.filters], ['a/+']);
    for (const topic of ['a/1', 'b/1', 'a/2']) all.keepMessage(message(topic));
    const kept = all.add('a/+', nobody);
    assert.deepEqual(
      kept.map(({ topic }) => topic),
      ['a/1', 'a/2'],
    );
    assert.deepEqual([...all.filters], ['a/+']);
    all.remove('a/+', nobody);
    assert.deepEqual(all.add('a/+', nobody), [], 'once only');
    all.clear();
    assert.deepEqual(lost, []);
  });

  it('keep no messages for who only held the subscription', () => {
    const all = listeners();
    all.add('a', {});
    all.remove('a', {});
    all.keep('a', {}, () => undefined);
    all.keepMessage(message('a'));
    assert.deepEqual(all.add('a', nobody), []);
    all.clear();
  });

  it('are told how much was lost when nobody took over, and memory is bounded', () => {
    const all = listeners();
    all.keep('a', nobody, () => undefined);
    for (let i = 0; i < 1001; i++) all.keepMessage(message('a'));
    assert.deepEqual(lost, [['a', 1]]);
    all.clear();
    assert.deepEqual(lost, [
      ['a', 1],
      ['a', 1000],
    ]);
    all.keep('b', nobody, () => undefined);
    for (let i = 0; i < 40; i++) all.keepMessage(message('b', 'x'.repeat(250_000)));
    assert.ok(lost.length > 2, 'bytes count too');
    all.clear();
  });
});
