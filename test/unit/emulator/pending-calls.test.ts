import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { PendingCalls } from '../../../emulator/downlink/calls';

const TOPIC = '/sys/a1/d/thing/service/go_reply';
const LONG = 60_000;

describe('requests that wait for a device', () => {
  function bench(most = 10, whenFull: 'refuse' | 'giveUpOldest' = 'refuse') {
    const calls = new PendingCalls(most, whenFull);
    const heard: string[] = [];
    const ask = (topic: string, id: string, owner: object = calls, timeoutMs = LONG) =>
      calls.add(topic, id, timeoutMs, {
        owner,
        answered: (payload) => heard.push(`${id}: ${Buffer.from(payload)}`),
        late: () => heard.push(`${id} late`),
      });
    return { calls, heard, ask };
  }

  it('gives an answer to the request of its topic and id, once', () => {
    const { calls, heard, ask } = bench();
    ask(TOPIC, '1');
    ask(TOPIC, '2');
    ask(`${TOPIC}2`, '1');
    assert.equal(calls.answer(TOPIC, '2', Buffer.from('b')), true);
    assert.equal(calls.answer(TOPIC, '2', Buffer.from('again')), false);
    assert.equal(calls.answer(TOPIC, '3', Buffer.from('unasked')), false);
    assert.equal(calls.answer(TOPIC, '', Buffer.from('without an id')), false);
    assert.deepEqual(heard, ['2: b']);
    assert.equal(calls.waiting, 2);
    calls.close();
  });

  it('hears nothing after the time is over, or after it was forgotten', async () => {
    const { calls, heard, ask } = bench();
    const forget = ask(TOPIC, '1');
    forget?.();
    await new Promise<void>((resolve) => {
      calls.add(TOPIC, '2', 1, { owner: calls, answered: () => heard.push('answered'), late: resolve });
      // The timers of requests do not keep a process alive.
      setTimeout(() => undefined, 1000).unref();
    });
    assert.equal(calls.answer(TOPIC, '1', Buffer.from('x')), false);
    assert.equal(calls.answer(TOPIC, '2', Buffer.from('x')), false);
    assert.deepEqual([heard, calls.waiting], [[], 0]);
  });

  it('refuses one more than it may hold', () => {
    const { calls, heard, ask } = bench(2);
    ask(TOPIC, '1');
    ask(TOPIC, '2');
    assert.equal(ask(TOPIC, '3'), undefined);
    assert.equal(calls.answer(TOPIC, '1', Buffer.from('a')), true);
    assert.notEqual(ask(TOPIC, '3'), undefined);
    assert.deepEqual(heard, ['1: a']);
    calls.close();
  });

  it('gives up the request that waits longest, where nobody is kept waiting by it', () => {
    const { calls, heard, ask } = bench(2, 'giveUpOldest');
    for (const id of ['1', '2', '3', '4']) assert.notEqual(ask(TOPIC, id), undefined);
    assert.deepEqual([heard, calls.waiting], [['1 late', '2 late'], 2]);
    assert.equal(calls.answer(TOPIC, '4', Buffer.from('d')), true);
    calls.close();
  });

  it('gives up all that one device is asked, and nothing of others', () => {
    const { calls, heard, ask } = bench();
    const [gone, here] = [{}, {}];
    ask(TOPIC, '1', gone);
    ask(TOPIC, '2', here);
    ask(TOPIC, '3', gone);
    calls.giveUp(gone);
    assert.deepEqual([heard, calls.waiting], [['1 late', '3 late'], 1]);
    calls.close();
  });
});
