import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'mocha';
import type { Packet } from 'mqtt-packet';
import {
  AlinkError,
  closeAllDevices,
  type Device,
  type DeviceOptions,
  type ErrorKey,
  type LogLine,
  openConnections,
  openDevice,
  type SessionState,
} from '../../../sdk';
import { answer, reply, ScriptedBroker } from '../../support/scripted-broker';

const IDENTITY = { productKey: 'a1Test', deviceName: 'lamp-1' };
const SYS = '/sys/a1Test/lamp-1/thing';

describe('device', () => {
  let broker: ScriptedBroker;

  beforeEach(async () => {
    broker = await ScriptedBroker.start();
  });

  afterEach(async () => {
    await closeAllDevices();
    await broker.stop();
  });

  function open(more: Partial<DeviceOptions> = {}): Device {
    return openDevice({
      identity: IDENTITY,
      platform: { kind: 'custom', host: '127.0.0.1' },
      transport: 'tcp',
      port: broker.port,
      authentication: { kind: 'deviceSecret', deviceSecret: 'secret' },
      ...more,
      timing: { backoff: { first: 10, longest: 20 }, endMs: 50, ...more.timing },
    });
  }

  describe('connection', () => {
    it('sends the documented CONNECT, one SUBSCRIBE, and says goodbye', async () => {
      const device = open();
      device.connect();
      await state(device, 'online');
      const [connect, subscribe] = broker.last.received;
      assert.ok(connect?.cmd === 'connect' && subscribe?.cmd === 'subscribe');
      assert.match(
        connect.clientId,
        /^a1Test\.lamp-1\|securemode=3,signmethod=hmacsha256,timestamp=\d{13},_ss=1,ext=1,lan=NodeJS\|$/,
      );
      assert.equal(connect.username, 'lamp-1&a1Test');
      assert.equal(connect.protocolVersion, 4);
      assert.equal(connect.clean, false);
      assert.equal(connect.will, undefined);
      assert.deepEqual(
        subscribe.subscriptions.map(({ topic }) => topic),
        [`${SYS}/event/+/post_reply`, `${SYS}/event/property/+/post_reply`],
      );
      await device.release();
      await broker.quiet();
      assert.equal(broker.last.received.at(-1)?.cmd, 'disconnect');
      assert.equal(openConnections(), 0);
    });

    it('is shared by handles of one definition and outlives all but the last', async () => {
      const [first, second] = [open(), open()];
      first.connect();
      second.connect();
      await state(second, 'online');
      await first.release();
      await first.release();
      assert.equal(second.state.name, 'online');
      assert.throws(() => first.connect(), isError('closed'));
      await second.release();
      await broker.quiet();
      assert.equal(broker.peers.length, 1);
    });

    it('is refused to a second definition that differs, with the field named', () => {
      open();
      assert.throws(
        () => open({ authentication: { kind: 'deviceSecret', deviceSecret: 'other' } }),
        (error: unknown) =>
          isError('definitionConflict')(error) &&
          (error as AlinkError).details.field === 'authentication' &&
          !String((error as AlinkError).message).includes('other'),
      );
    });

    it('lingers for the next definition, which takes it over when it is the same', async () => {
      const before = open({ lingerMs: 60_000 });
      before.connect();
      await state(before, 'online');
      await before.release();
      const after = open({ lingerMs: 60_000 });
      assert.equal(after.state.name, 'online');
      await after.release();
      const other = open({ keepAliveSeconds: 60 });
      other.connect();
      await state(other, 'online');
      assert.equal(broker.peers.length, 2);
      assert.equal(broker.last.connect?.keepalive, 60);
    });

    it('ends within its time limit when the platform never closes', async () => {
      broker.script.packet = (peer, packet) => {
        if (packet.cmd === 'subscribe') answer(peer, packet);
      };
      const device = open();
      device.connect();
      await state(device, 'online');
      const post = device.postProperties({ a: 1 });
      const released = device.release();
      await assert.rejects(post, isError('closed'));
      await released;
      await broker.quiet();
    });

    it('goes on without a subscription that was refused and tells who asked for it', async () => {
      broker.script.packet = (peer, packet) => {
        if (packet.cmd !== 'subscribe') return answer(peer, packet);
        const granted = packet.subscriptions.map(({ topic }) => (topic.startsWith('/no/') ? 0x80 : 1));
        peer.send({ cmd: 'suback', messageId: packet.messageId ?? 0, granted } as Packet);
      };
      const device = open();
      const refused: string[] = [];
      const received: string[] = [];
      device.onMessage(
        '/no/a',
        () => undefined,
        ({ key }) => refused.push(`a ${key}`),
      );
      device.onMessage('/yes/+', ({ topic }) => received.push(topic));
      device.connect();
      await state(device, 'online');
      assert.deepEqual(refused, ['a subscriptionRefused']);
      const told = new Promise((resolve) => device.onMessage('/no/b', () => undefined, resolve));
      assert.ok(isError('subscriptionRefused')(await told));
      broker.last.push('/yes/1', 'x');
      await device.postProperties({ a: 1 });
      assert.deepEqual(received, ['/yes/1']);
    });

    it('subscribes what is asked for while it is connecting', async () => {
      const device = open();
      const seen = broker.next('subscribe');
      broker.script.packet = (peer, packet) => {
        if (packet.cmd !== 'subscribe') return answer(peer, packet);
        if (broker.last.received.filter(({ cmd }) => cmd === 'subscribe').length === 1) {
          device.onMessage('/late', () => undefined);
          setImmediate(() => answer(peer, packet));
        } else answer(peer, packet);
      };
      device.connect();
      await seen;
      const { packet } = await broker.next('subscribe');
      assert.deepEqual(packet.cmd === 'subscribe' && packet.subscriptions.map(({ topic }) => topic), [
        '/late',
      ]);
    });

    it('unsubscribes after the last listener, and survives listeners that throw', async () => {
      const lines: LogLine[] = [];
      const device = open({ log: (line) => lines.push(line) });
      device.connect();
      await state(device, 'online');
      const seen: string[] = [];
      const off = device.onMessage('/t/#', () => {
        throw new Error('mine');
      });
      const offToo = device.onMessage('/t/#', ({ topic }) => seen.push(topic));
      broker.last.push('/t/1', 'x', 1);
      await broker.next('puback');
      assert.deepEqual(seen, ['/t/1']);
      assert.equal(lines.find(({ event }) => event === 'listenerFailed')?.details.reason, 'mine');
      off();
      off();
      const unsubscribed = broker.next('unsubscribe');
      offToo();
      const { packet } = await unsubscribed;
      assert.deepEqual(packet.cmd === 'unsubscribe' && packet.unsubscriptions, ['/t/#']);
      assert.throws(() => device.onMessage('/a/#/b', () => undefined), isError('badSettings'));
    });

    it('comes back with a new signature and the same subscriptions', async () => {
      const device = open();
      device.onMessage('/mine', () => undefined);
      device.connect();
      await state(device, 'online');
      const first = broker.last;
      first.kick();
      await state(device, 'waiting');
      await state(device, 'online');
      assert.notEqual(broker.last, first);
      assert.notEqual(broker.last.connect?.clientId, first.connect?.clientId);
      assert.deepEqual(topicsOf(broker.last.received[1]), topicsOf(first.received[1]));
    });

    it('takes three quick kicks for another client with the same identity', async () => {
      broker.script.packet = (peer, packet) =>
        packet.cmd === 'subscribe' ? peer.kick() : answer(peer, packet);
      const device = open({ timing: { backoff: { first: 1, longest: 2 } } });
      device.connect();
      const { reason, retryAt = 0 } = await state(device, 'conflict');
      assert.equal(reason?.key, 'conflict');
      assert.equal(broker.peers.length, 3);
      const minutes = (retryAt - Date.now()) / 60_000;
      assert.ok(minutes > 4.9 && minutes < 10.1, `waits ${minutes} minutes`);
    });

    it('leaves a connection on which bytes arrive that are not MQTT', async () => {
      const device = open();
      device.connect();
      await state(device, 'online');
      broker.last.stream.write(Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'));
      const { reason } = await state(device, 'waiting');
      assert.ok(reason);
      await state(device, 'online');
      assert.equal(broker.peers.length, 2);
    });

    it('never shows a secret', async () => {
      const lines: string[] = [];
      const device = open({ log: (line) => lines.push(JSON.stringify(line)) });
      broker.script.connect = (peer) => {
        peer.send({ cmd: 'connack', returnCode: 4, sessionPresent: false });
        peer.stream.end();
      };
      device.connect();
      const { reason } = await state(device, 'refused');
      assert.ok(lines.length > 0);
      const password = String(broker.last.connect?.password);
      for (const text of [...lines, JSON.stringify(reason), String(reason?.stack)]) {
        assert.ok(!text.includes('"secret"') && !text.includes(password), text);
      }
    });
  });

  describe('requests', () => {
    it('resolve with the answer of their id, in whatever order answers come', async () => {
      const held: Packet[] = [];
      broker.script.packet = (peer, packet) => {
        if (packet.cmd !== 'publish') return answer(peer, packet);
        held.push(packet);
        if (held.length === 3) for (const one of held.reverse()) answer(peer, one);
      };
      const device = open();
      device.connect();
      await state(device, 'online');
      const outcomes = await Promise.all([1, 2, 3].map((a) => device.postProperties({ a })));
      const ids = outcomes.map(({ reply: { id } }) => Number(id));
      assert.deepEqual(
        ids,
        [...ids].sort((x, y) => x - y),
      );
      assert.equal(new Set(ids).size, 3);
    });

    it('fail with code, explanation and retry when the platform refuses', async () => {
      answering(broker, (request) => reply(request, { code: 429, message: 'too many requests' }));
      const device = open();
      device.connect();
      const error = await rejection(device.postProperties({ a: 1 }));
      assert.deepEqual(
        [error.key, error.code, error.platformMessage, error.retry],
        ['platformRefused', 429, 'too many requests', 'slow'],
      );
      assert.match(error.message, /429/);
    });

    it('fail when the answer has no code, and time out when there is none or nobody can read it', async () => {
      const answers = [
        (request: string) => JSON.stringify({ id: (JSON.parse(request) as { id: string }).id }),
        () => 'not json',
        () => '{"id":"0","code":200}',
      ];
      answering(broker, (request) => answers.shift()?.(request) ?? '');
      const device = open({ requestTimeoutMs: 50 });
      device.connect();
      await state(device, 'online');
      const keys = ['malformedReply', 'timeout', 'timeout'];
      for (const key of keys) assert.equal((await rejection(device.postProperties({ a: 1 }))).key, key);
    });

    it('fail at disconnect when they were sent, and are not sent again', async () => {
      broker.script.packet = (peer, packet) =>
        packet.cmd === 'publish' ? peer.kick() : answer(peer, packet);
      const device = open();
      device.connect();
      await state(device, 'online');
      const error = await rejection(device.postProperties({ a: 1 }));
      assert.deepEqual([error.key, error.retry], ['disconnected', 'slow']);
      broker.script.packet = answer;
      await state(device, 'online');
      await device.postProperties({ a: 2 });
      const published = broker.last.received.filter(({ cmd }) => cmd === 'publish');
      assert.equal(published.length, 1);
    });

    it('wait for the connection in order, with the time at which they were made', async () => {
      const device = open();
      const states: number[] = [];
      device.onState(({ waiting }) => states.push(waiting));
      const before = Date.now();
      const all = Promise.all([1, 2, 3].map((a) => device.postProperties({ a })));
      assert.equal(device.state.waiting, 3);
      device.connect();
      await all;
      const sent = broker.last.received.flatMap((packet) =>
        packet.cmd === 'publish' ? [JSON.parse(packet.payload.toString())] : [],
      ) as Array<{ params: { a: { value: number; time: number } } }>;
      assert.deepEqual(
        sent.map(({ params }) => params.a.value),
        [1, 2, 3],
      );
      for (const { params } of sent) assert.ok(params.a.time >= before && params.a.time <= Date.now());
      assert.ok(states.includes(3) && states.at(-1) === 0);
    });

    it('are refused when too many wait, and given up after their time limit', async () => {
      const device = open({ waitingLimit: 2 });
      const waiting = [1, 2].map((a) => rejection(device.postProperties({ a }, { timeoutMs: 30 })));
      assert.equal((await rejection(device.postProperties({ a: 3 }))).key, 'waitingFull');
      const keys = (await Promise.all(waiting)).map(({ key }) => key);
      assert.deepEqual(keys, ['waitingTimeout', 'waitingTimeout']);
      assert.equal(device.state.waiting, 0);
    });

    it('keep at most 150 unanswered and lose none', async () => {
      let open150 = 0;
      let most = 0;
      broker.script.packet = (peer, packet) => {
        if (packet.cmd !== 'publish') return answer(peer, packet);
        most = Math.max(most, ++open150);
        setImmediate(() => {
          open150--;
          answer(peer, packet);
        });
      };
      const device = open();
      device.connect();
      await state(device, 'online');
      const outcomes = await Promise.all(Array.from({ length: 400 }, (_, a) => device.postProperties({ a })));
      assert.equal(outcomes.length, 400);
      assert.ok(most > 1 && most <= 150, `${most} at once`);
    });

    it('are checked before they are sent', async () => {
      const device = open();
      device.connect();
      await state(device, 'online');
      const long = 'x'.repeat(256 * 1024);
      const cases: Array<[Promise<unknown>, ErrorKey]> = [
        [device.request('thing.deviceinfo.update', [{ attrKey: 'a', attrValue: long }]), 'payloadTooLarge'],
        [device.request('thing.nonsense', {}), 'unknownOperation'],
        [device.request('thing.service.property.set', {}), 'unknownOperation'],
        [device.request('thing.event.post', {}, { variables: { event: 'a/b' } }), 'invalidInput'],
        [device.postProperties({ 'a b': 1 }), 'invalidInput'],
        [device.publish('/a/+', 'x', 0), 'invalidInput'],
        [device.publish('/a', long + long, 0), 'payloadTooLarge'],
        [device.postProperties({ a: 1 }, { signal: AbortSignal.abort() }), 'aborted'],
      ];
      for (const [promise, key] of cases) assert.equal((await rejection(promise)).key, key);
      await device.postProperties({ a: 1 });
      const published = broker.last.received.filter(({ cmd }) => cmd === 'publish');
      assert.equal(published.length, 1);
    });

    it('end with their signal, whose listeners do not pile up', async () => {
      const device = open();
      const controller = new AbortController();
      const post = device.postProperties({ a: 1 }, { signal: controller.signal });
      controller.abort();
      assert.equal((await rejection(post)).key, 'aborted');
      assert.equal(device.state.waiting, 0);
    });

    it('tell a publisher whose message was not acknowledged before the connection ended', async () => {
      broker.script.packet = (peer, packet) =>
        packet.cmd === 'publish' ? peer.kick() : answer(peer, packet);
      const device = open();
      assert.equal((await rejection(device.publish('/a', 'x', 1))).key, 'disconnected');
      device.connect();
      await state(device, 'online');
      assert.equal((await rejection(device.publish('/a', 'x', 1))).key, 'disconnected');
    });
  });
});

function topicsOf(packet: Packet | undefined): string[] {
  return packet?.cmd === 'subscribe' ? packet.subscriptions.map(({ topic }) => topic) : [];
}

/** Every request gets an answer with this payload. */
function answering(broker: ScriptedBroker, payload: (request: string) => string): void {
  broker.script.packet = (peer, packet) => {
    if (packet.cmd !== 'publish') return answer(peer, packet);
    peer.push(`${packet.topic}_reply`, payload(packet.payload.toString()));
  };
}

function state(device: Device, name: SessionState['name']): Promise<SessionState> {
  return new Promise((resolve) => {
    let off: (() => void) | undefined;
    let done = false;
    off = device.onState((now) => {
      if (done || now.name !== name) return;
      done = true;
      setImmediate(() => off?.());
      resolve(now);
    });
  });
}

async function rejection(promise: Promise<unknown>): Promise<AlinkError> {
  try {
    await promise;
  } catch (error) {
    assert.ok(error instanceof AlinkError, String(error));
    return error;
  }
  throw new assert.AssertionError({ message: 'it did not fail' });
}

function isError(key: ErrorKey): (error: unknown) => boolean {
  return (error) => error instanceof AlinkError && error.key === key;
}
