import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'mocha';
import type { Packet } from 'mqtt-packet';
import {
  closeAllDevices,
  type Device,
  type DeviceOptions,
  type ErrorKey,
  type Json,
  openDevice,
} from '../../../sdk';
import { answer, reply, ScriptedBroker } from '../../support/scripted-broker';
import { rejection, state } from '../../support/sdk-device';

const IDENTITY = { productKey: 'a1Test', deviceName: 'lamp-1' };

describe('requests of a device', () => {
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
    broker.script.packet = (peer, packet) => (packet.cmd === 'publish' ? peer.kick() : answer(peer, packet));
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

  it('name the parameter that breaks the catalogue’s rules', async () => {
    const device = open();
    const tag = { attrKey: 'a', attrValue: 'b' };
    const wrong: Array<[string, Json, string]> = [
      ['thing.deviceinfo.update', [tag, { attrKey: 'a' }], 'params[1].attrValue'],
      ['thing.deviceinfo.update', Array(201).fill(tag) as Json, 'params'],
      ['thing.job.update', { taskId: '1', status: 'DONE' }, 'status'],
      ['thing.dynamicTsl.get', { addDefault: 1 }, 'addDefault'],
      ['shadow.update', {}, 'method'],
    ];
    for (const [operation, params, path] of wrong) {
      const { key, code, problems, details, message } = await rejection(device.request(operation, params));
      assert.deepEqual([key, code, details.field], ['invalidInput', 460, path]);
      assert.deepEqual(
        problems.map((problem) => problem.path),
        [path],
      );
      assert.ok(message.startsWith(`${path}: `), message);
    }
    assert.equal(device.state.waiting, 0);
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
    broker.script.packet = (peer, packet) => (packet.cmd === 'publish' ? peer.kick() : answer(peer, packet));
    const device = open();
    device.connect();
    await state(device, 'online');
    assert.equal((await rejection(device.publish('/a', 'x', 1))).key, 'disconnected');
  });

  it('keep what is published while offline until the connection is there, in order', async () => {
    const device = open();
    const published = Promise.all([
      device.publish('/a', 'first', 1),
      device.publish('/b', Buffer.from([2]), 0),
      device.publish('/a', 'third', 1),
    ]);
    const late = rejection(device.publish('/a', 'never', 1, { timeoutMs: 1 }));
    assert.equal((await late).key, 'waitingTimeout');
    device.connect();
    await published;
    assert.deepEqual(
      broker.last.received.flatMap((packet) =>
        packet.cmd === 'publish' ? [[packet.topic, String(packet.payload), packet.qos]] : [],
      ),
      [
        ['/a', 'first', 1],
        ['/b', '\u0002', 0],
        ['/a', 'third', 1],
      ],
    );
  });

  it('give up what is not acknowledged in time, and what nobody wants any more', async () => {
    broker.script.packet = (peer, packet) => (packet.cmd === 'publish' ? undefined : answer(peer, packet));
    const device = open();
    device.connect();
    await state(device, 'online');
    assert.equal((await rejection(device.publish('/a', 'x', 1, { timeoutMs: 20 }))).key, 'timeout');
    const given = new AbortController();
    const aborted = rejection(device.publish('/a', 'x', 1, { signal: given.signal }));
    given.abort();
    assert.equal((await aborted).key, 'aborted');
  });

  it('give raw bytes the answers in the order they were sent', async () => {
    broker.script.packet = (peer, packet) => {
      if (packet.cmd !== 'publish') return answer(peer, packet);
      peer.push(`${packet.topic}_reply`, `re ${packet.payload}`);
    };
    const device = open();
    device.connect();
    const answers = await Promise.all(['a', 'b', 'c'].map((text) => device.sendRaw(Buffer.from(text))));
    assert.deepEqual(answers.map(String), ['re a', 're b', 're c']);
  });
});

/** Every request gets an answer with this payload. */
function answering(broker: ScriptedBroker, payload: (request: string) => string): void {
  broker.script.packet = (peer, packet) => {
    if (packet.cmd !== 'publish') return answer(peer, packet);
    peer.push(`${packet.topic}_reply`, payload(packet.payload.toString()));
  };
}
