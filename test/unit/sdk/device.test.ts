import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'mocha';
import type { Packet } from 'mqtt-packet';
import {
  type AlinkError,
  closeAllDevices,
  type Device,
  type DeviceOptions,
  type IncomingRequest,
  type LogLine,
  openConnections,
  openDevice,
} from '../../../sdk';
import { answer, reply, ScriptedBroker } from '../../support/scripted-broker';
import { isError, rejection, state } from '../../support/sdk-device';

const IDENTITY = { productKey: 'a1Test', deviceName: 'lamp-1' };
const SYS = '/sys/a1Test/lamp-1/thing';

describe('connection of a device', () => {
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

  it('stays ended when all were closed, whatever its handles do', async () => {
    const device = open();
    device.connect();
    await state(device, 'online');
    await closeAllDevices();
    await broker.quiet();
    assert.throws(() => device.connect(), isError('closed'));
    assert.equal((await rejection(device.postProperties({ a: 1 }))).key, 'closed');
    await device.release();
    assert.equal(openConnections(), 0);
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
    const told = new Promise((resolve) => device.onMessage('/no/a', () => undefined, resolve));
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
    assert.deepEqual(packet.cmd === 'subscribe' && packet.subscriptions.map(({ topic }) => topic), ['/late']);
  });

  it('unsubscribes after the last listener, and survives listeners that throw', async () => {
    const lines: LogLine[] = [];
    const device = open({ log: (line) => lines.push(line), timing: { takeoverMs: 1 } });
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

  it('gives what came during a deploy to every listener that the deploy starts', async () => {
    const device = open();
    device.connect();
    await state(device, 'online');
    const leave = device.onMessage('/t/#', () => undefined);
    leave();
    broker.last.push('/t/1', 'x', 1);
    await broker.next('puback');
    const seen: string[] = [];
    for (const name of ['a', 'b']) device.onMessage('/t/#', ({ topic }) => seen.push(`${name}${topic}`));
    await Promise.resolve();
    assert.deepEqual(seen, ['a/t/1', 'b/t/1']);
  });

  it('takes nothing more after its end, also from who still waits for the thing model', async () => {
    const device = open({ thingModel: { mode: 'strict', cacheFile: '/nowhere/model.json' } });
    const posted = device.postProperties({ a: 1 });
    await device.release();
    assert.equal((await rejection(posted)).key, 'closed');
  });

  it('asks for desired values as soon as it has fetched the thing model that names them', async () => {
    const properties = [
      { identifier: 'level', name: 'l', accessMode: 'rw', dataType: { type: 'int', specs: {} } },
    ];
    const model = { profile: { productKey: 'a1Test' }, properties, events: [], services: [] };
    broker.script.packet = (peer, packet) => {
      if (packet.cmd !== 'publish') return answer(peer, packet);
      const data = packet.topic.endsWith('dsltemplate/get') ? model : { level: { value: 5, version: 1 } };
      peer.send({ cmd: 'puback', messageId: packet.messageId ?? 0 });
      peer.push(`${packet.topic}_reply`, reply(packet.payload.toString(), { data }));
    };
    const device = open({ thingModel: { mode: 'strict', fetch: true } });
    const problems: AlinkError[] = [];
    const desired = new Promise<IncomingRequest>((resolve) => {
      const onProblem = (error: AlinkError) => problems.push(error);
      device.onRequest({ kind: 'propertySet' }, resolve, { desired: true, onProblem });
    });
    device.connect();
    assert.deepEqual((await desired).params, { level: 5 });
    assert.deepEqual(problems, []);
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

function topicsOf(packet: Packet | undefined): string[] {
  return packet?.cmd === 'subscribe' ? packet.subscriptions.map(({ topic }) => topic) : [];
}
