import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import mqttPacket from 'mqtt-packet';
import { Session } from '../../../emulator/broker/session';
import { DEFAULT_LIMITS } from '../../../emulator/options';
import { Registry } from '../../../emulator/registry/registry';

const IDENTITY = { productKey: 'pk', deviceName: 'dn' };

function session(sessionQueue = 3) {
  const limits = { ...DEFAULT_LIMITS, sessionQueue, subscriptionsPerSession: 2 };
  const device = new Registry(limits, () => 0, false).provision(IDENTITY);
  return new Session(device, limits, () => 0);
}

/** A connection that shows what was written. */
function wire() {
  const conn = new PassThrough();
  const written: string[] = [];
  const ids: number[] = [];
  const parser = mqttPacket.parser({ protocolVersion: 4 });
  parser.on('packet', (packet) => {
    if (packet.cmd !== 'publish') return;
    written.push(packet.payload.toString());
    ids.push(packet.messageId ?? 0);
  });
  const read = () => {
    for (let chunk = conn.read(); chunk !== null; chunk = conn.read()) parser.parse(chunk as Buffer);
    return written;
  };
  return { conn, closed: false, read, ids };
}

const CLEAN = { clean: true, autoSubscribe: false, ext: 0 };
const KEPT = { clean: false, autoSubscribe: false, ext: 0 };

describe('session of a device', () => {
  it('holds what comes between login and CONNACK, in order', () => {
    const one = session();
    const connection = wire();
    one.takeOver(connection, { ...CLEAN, autoSubscribe: true });
    const topic = '/sys/pk/dn/thing/event/property/post_reply';
    assert.equal(one.send(topic, 'a', 0), 'queued');
    assert.equal(one.send(topic, 'b', 1), 'queued');
    one.begin(connection);
    assert.equal(one.send(topic, 'c', 1), 'sent');
    assert.deepEqual(connection.read(), ['a', 'b', 'c']);
  });

  it('keeps no more unacknowledged messages than the queue is long', () => {
    const one = session();
    one.takeOver(wire(), KEPT);
    one.subscribe('t', 1);
    one.begin(wire());
    for (let i = 0; i < 10; i++) one.send('t', String(i), 1);
    assert.equal(one.waiting, 3);
    const again = wire();
    one.end();
    one.takeOver(again, KEPT);
    one.begin(again);
    assert.deepEqual(again.read(), ['7', '8', '9']);
    for (const id of again.ids) one.acknowledge(id);
    assert.equal(one.waiting, 0);
  });

  it('uses message ids of 1 to 65535, none twice at a time', () => {
    const one = session(70_000);
    const connection = wire();
    one.takeOver(connection, CLEAN);
    one.subscribe('t', 1);
    one.begin(connection);
    // The first one stays unacknowledged, so its id is not free when the counter comes round.
    for (let i = 0; i < 65_536; i++) {
      one.send('t', '', 1);
      if (i > 0) one.acknowledge(i + 1);
    }
    connection.read();
    assert.deepEqual(connection.ids.slice(0, 3), [1, 2, 3]);
    assert.deepEqual(connection.ids.slice(-3), [65_534, 65_535, 2]);
  });

  it('is forgotten when it was clean, or the next one is', () => {
    const one = session();
    one.takeOver(wire(), KEPT);
    one.subscribe('t', 1);
    one.end();
    assert.equal(one.send('t', 'a', 1), 'queued');
    one.takeOver(wire(), CLEAN);
    assert.deepEqual([one.waiting, one.send('t', 'b', 1)], [0, 'notSubscribed']);
    one.subscribe('t', 1);
    one.end();
    one.takeOver(wire(), KEPT);
    assert.equal(one.send('t', 'c', 1), 'notSubscribed');
    // Thrown out by a newcomer, a clean session ends without saying so.
    one.takeOver(wire(), CLEAN);
    one.subscribe('t', 1);
    one.takeOver(wire(), KEPT);
    assert.equal(one.send('t', 'd', 1), 'notSubscribed');
  });

  it('takes the highest quality of service of several subscriptions, up to a number of them', () => {
    const one = session();
    const connection = wire();
    one.takeOver(connection, CLEAN);
    assert.ok(one.subscribe('a/+', 0));
    assert.ok(one.subscribe('a/b', 1));
    assert.equal(one.subscribe('a/c', 1), false);
    one.begin(connection);
    one.send('a/b', 'x', 1);
    one.send('a/z', 'y', 1);
    assert.deepEqual(connection.read(), ['x', 'y']);
    assert.deepEqual(connection.ids, [1, 0]);
  });
});
