import assert from 'node:assert/strict';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { EnvelopeError, OPERATIONS } from '../../../protocol';
import { AlinkError } from '../../../sdk';
import { WIRE_FORMATS, wireFormat } from '../../../sdk/operations';
import { Dispatcher } from '../../../sdk/report/dispatcher';
import { DeviceIdentityTopics } from '../../../sdk/topics';
import { rejection } from '../../support/sdk-device';

const SHADOW = '/shadow/get/pk/dn';
const TIME = '/ext/ntp/pk/dn/response';

describe('formats of requests', () => {
  let sent: Array<{ topic: string; payload: string; qos: number }>;
  let dispatcher: Dispatcher;
  let online: boolean;

  beforeEach(() => {
    sent = [];
    online = true;
    const link = {
      publish: (topic: string, payload: string | Uint8Array, qos: 0 | 1) => {
        sent.push({ topic, payload: String(payload), qos });
      },
    };
    dispatcher = new Dispatcher({
      topics: new DeviceIdentityTopics({ productKey: 'pk', deviceName: 'dn' }),
      link: () => (online ? link : undefined),
      waitingLimit: 10,
      defaultTimeoutMs: 1000,
      onWaiting: () => undefined,
    });
  });

  afterEach(() => dispatcher.close(new AlinkError('closed', 'end of the test')));

  const submit = (operation: string, params: unknown) =>
    dispatcher.submit({ operation, params: JSON.stringify(params), options: {} });
  const shadow = (params: unknown) => submit('shadow.update', params);
  const time = (params: unknown = {}) => submit('ext.ntp.request', params);
  const receive = (topic: string, message: unknown) =>
    dispatcher.receive(topic, Buffer.from(typeof message === 'string' ? message : JSON.stringify(message)));
  const success = (more: object = {}) => ({
    method: 'reply',
    payload: { status: 'success', ...more },
    timestamp: 1,
  });

  it('know every operation that a flow may request', () => {
    const unknown = OPERATIONS.filter(
      (entry) => entry.direction === 'up' && entry.requestable && wireFormat(entry) === undefined,
    );
    assert.deepEqual(unknown, []);
  });

  it('shadow: no envelope, the oldest gets the answer, wishes are none', async () => {
    const first = shadow({ method: 'get' });
    const second = shadow({ method: 'update', state: { reported: { a: 1 } }, version: 3 });
    assert.deepEqual(sent, [
      { topic: '/shadow/update/pk/dn', payload: '{"method":"get"}', qos: 1 },
      {
        topic: '/shadow/update/pk/dn',
        payload: '{"method":"update","state":{"reported":{"a":1}},"version":3}',
        qos: 1,
      },
    ]);
    assert.equal(receive(SHADOW, { method: 'control', payload: {}, version: 1 }), undefined);
    assert.equal(receive(SHADOW, success({ state: { reported: {} }, version: 2 })), 'answered');
    assert.equal(receive(SHADOW, success({ version: 3 })), 'answered');
    assert.deepEqual(await first, {
      id: '',
      code: 200,
      data: { status: 'success', state: { reported: {} }, version: 2 },
    });
    assert.deepEqual((await second).data, { status: 'success', version: 3 });
    assert.equal(receive(SHADOW, success()), 'unknownId');
    assert.equal(receive(SHADOW, { method: 'control', payload: {} }), undefined);
  });

  it('shadow: an answer that can be told apart goes where it belongs, a late one to nobody', async () => {
    const update = (version: number) => shadow({ method: 'update', state: { reported: { a: 1 } }, version });
    const get = shadow({ method: 'get' });
    const sixth = update(6);
    const seventh = update(7);
    assert.equal(receive(SHADOW, success({ version: 7 })), 'answered');
    assert.deepEqual((await seventh).data, { status: 'success', version: 7 });
    assert.equal(receive(SHADOW, success({ version: 6 })), 'answered');
    assert.equal((await sixth).code, 200);
    const eighth = update(8);
    assert.equal(receive(SHADOW, { ...success({ state: {} }), version: 7 }), 'answered');
    assert.deepEqual((await get).data, { status: 'success', state: {}, version: 7 });
    assert.equal(receive(SHADOW, success({ version: 5 })), 'unknownId');
    assert.equal(receive(SHADOW, success({ state: {}, version: 7 })), 'unknownId');
    // A platform that counts in its own way, or tells no version, is believed.
    assert.equal(receive(SHADOW, success({ version: 9 })), 'answered');
    assert.equal((await eighth).code, 200);
    const [tenth, read] = [update(10), shadow({ method: 'get' })];
    receive(SHADOW, success({ state: {}, version: 10 }));
    assert.deepEqual((await read).data, { status: 'success', state: {}, version: 10 });
    receive(SHADOW, success({ version: 10 }));
    assert.equal((await tenth).code, 200);
    const [reset, ninth] = [update(-1), update(9)];
    assert.equal(receive(SHADOW, success({ version: 0 })), 'answered');
    assert.equal((await reset).code, 200);
    assert.equal(receive(SHADOW, success()), 'answered');
    assert.equal((await ninth).code, 200);
  });

  it("shadow: a refusal has the shadow's code and words", async () => {
    const answers: Array<[unknown, number, string | undefined]> = [
      [{ errorcode: '409', errormessage: 'version conflict' }, 409, 'version conflict'],
      [{ errorcode: 408 }, 408, undefined],
      [{ errorcode: '200' }, 500, undefined],
      [{ errorcode: 'x' }, 500, undefined],
      [null, 500, undefined],
    ];
    for (const [content, code, words] of answers) {
      const refused = rejection(shadow({ method: 'get' }));
      receive(SHADOW, { method: 'reply', payload: { status: 'error', content } });
      const error = await refused;
      assert.deepEqual([error.key, error.code, error.platformMessage], ['platformRefused', code, words]);
    }
    const conflict = rejection(shadow({ method: 'get' }));
    receive(SHADOW, { method: 'reply', payload: { status: 'error', content: { errorcode: '409' } } });
    assert.match((await conflict).message, /newer version/);
  });

  it('shadow: an answer that says nothing fails the oldest, bytes fail nobody', async () => {
    const first = rejection(shadow({ method: 'get' }));
    const second = shadow({ method: 'get' });
    assert.equal(receive(SHADOW, 'not json'), 'malformed');
    assert.equal(receive(SHADOW, '[]'), 'malformed');
    assert.equal(receive(SHADOW, { method: 'reply', payload: { status: 'perhaps' } }), 'answered');
    assert.equal((await first).key, 'malformedReply');
    receive(SHADOW, success());
    assert.equal((await second).code, 200);
  });

  it('time: each answer finds its request, whatever the order', async () => {
    const all = [
      time({ deviceSendTime: '1000' }),
      time({ deviceSendTime: 2000 }),
      time({ deviceSendTime: '1000' }),
    ];
    assert.deepEqual(
      sent.map(({ topic, payload, qos }) => [topic, JSON.parse(payload), qos]),
      ['1000', '2000', '1000'].map((deviceSendTime) => ['/ext/ntp/pk/dn/request', { deviceSendTime }, 0]),
    );
    const answer = (deviceSendTime: unknown, more = 0) =>
      receive(TIME, { deviceSendTime, serverRecvTime: String(5000 + more), serverSendTime: 5004 + more });
    assert.equal(answer('2000'), 'answered');
    assert.equal(answer(1000, 1), 'answered');
    assert.equal(answer('1000', 2), 'answered');
    assert.equal(answer('1000', 3), 'unknownId');
    const received = (await Promise.all(all)).map(({ data }) => data as Record<string, number>);
    assert.deepEqual(
      received.map(({ serverRecvTime }) => serverRecvTime),
      [5001, 5000, 5002],
    );
    for (const {
      deviceSendTime = NaN,
      serverRecvTime = NaN,
      serverSendTime = NaN,
      deviceRecvTime = NaN,
      ...rest
    } of received) {
      assert.deepEqual(rest, {
        offset: Math.round((serverRecvTime + serverSendTime - deviceSendTime - deviceRecvTime) / 2),
        roundTrip: deviceRecvTime - deviceSendTime - 4,
      });
    }
  });

  it('time: the time of sending is that of sending, not of waiting', async () => {
    online = false;
    const asked = time();
    const before = Date.now();
    while (Date.now() === before) await new Promise(setImmediate);
    const sentFrom = Date.now();
    online = true;
    dispatcher.drain();
    const { deviceSendTime } = JSON.parse(sent[0]?.payload ?? '') as { deviceSendTime: string };
    assert.ok(Number(deviceSendTime) >= sentFrom);
    receive(TIME, { deviceSendTime, serverRecvTime: deviceSendTime, serverSendTime: deviceSendTime });
    assert.equal((await asked).code, 200);
  });

  it('time: an answer without times fails its request, one of somebody else nobody', async () => {
    const asked = rejection(time({ deviceSendTime: '1000' }));
    assert.equal(
      receive(TIME, { deviceSendTime: '1001', serverRecvTime: '1', serverSendTime: '1' }),
      'unknownId',
    );
    for (const bad of ['{', '[]', '{}', { deviceSendTime: '1000 1' }, { deviceSendTime: {} }])
      assert.equal(receive(TIME, bad), 'malformed');
    assert.equal(
      receive(TIME, { deviceSendTime: '1000', serverRecvTime: '-1', serverSendTime: '1' }),
      'answered',
    );
    assert.equal((await asked).key, 'malformedReply');
  });

  it('survive every JSON value', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), fc.constantFrom('reply', 'control'), (value, method) => {
        for (const format of Object.values(WIRE_FORMATS)) {
          for (const message of [value, { method, payload: value }, { deviceSendTime: value, id: value }]) {
            const bytes = Buffer.from(JSON.stringify(message));
            const waiting = new Map([['1000 1', null]]);
            try {
              const answer = format.read(bytes);
              if (answer) format.keyOf(answer, waiting);
            } catch (thrown) {
              assert.ok(thrown instanceof EnvelopeError);
              format.keyOfUnreadable(bytes, waiting);
            }
          }
          const message = { method: undefined, params: JSON.stringify(value) };
          format.write(format.key('1', message), message);
        }
      }),
    );
  });
});
