import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import mqttPacket from 'mqtt-packet';
import type { Line } from '../../../emulator/broker/line';
import { Session } from '../../../emulator/broker/session';
import { DEFAULT_LIMITS } from '../../../emulator/options';
import { Registry } from '../../../emulator/registry/registry';

interface Written {
  text: string;
  id: number;
  dup: boolean;
}

function wire() {
  const conn = new PassThrough();
  const written: Written[] = [];
  const parser = mqttPacket.parser({ protocolVersion: 4 });
  parser.on('packet', (packet) => {
    if (packet.cmd !== 'publish') return;
    written.push({ text: packet.payload.toString(), id: packet.messageId ?? 0, dup: packet.dup });
  });
  const read = () => {
    for (let chunk = conn.read(); chunk !== null; chunk = conn.read()) parser.parse(chunk as Buffer);
    return written.splice(0);
  };
  return { conn, closed: false, read };
}

const START = { clean: true, autoSubscribe: false, ext: 0 };
const KEPT = { ...START, clean: false };

function plant(limits: Partial<typeof DEFAULT_LIMITS> = {}) {
  const all = { ...DEFAULT_LIMITS, ...limits };
  const registry = new Registry(all, () => 0, false);
  const session = (deviceName: string) =>
    new Session(registry.provision({ productKey: 'pk', deviceName }), all, () => 0);
  const gateway = session('gateway');
  const connection = wire();
  gateway.takeOver({}, START);
  gateway.begin(connection);
  return { gateway, connection, session };
}

function logIn(line: Line | undefined, session: Session, start = START): void {
  session.takeOver({}, start, line);
  line?.join({ session });
  session.resume();
}

describe('line of a gateway', () => {
  it('gives no packet id twice at a time, and knows whose it is', () => {
    const { gateway, connection, session } = plant();
    const [one, two] = [session('one'), session('two')];
    for (const each of [one, two]) {
      logIn(gateway.line, each);
      each.subscribe('t', 1);
    }
    gateway.subscribe('t', 1);
    for (const each of [one, two, gateway, one]) each.send('t', each.device.identity.deviceName, 1);
    const written = connection.read();
    assert.deepEqual(
      written.map(({ text, id }) => [text, id]),
      [
        ['one', 1],
        ['two', 2],
        ['gateway', 3],
        ['one', 4],
      ],
    );
    gateway.line?.acknowledge(2);
    gateway.line?.acknowledge(2);
    gateway.line?.acknowledge(4711);
    assert.deepEqual([one.waiting, two.waiting, gateway.waiting], [2, 0, 1]);
  });

  it('sends again what was not acknowledged, marked as such, on whichever line comes next', () => {
    const { gateway, connection, session } = plant();
    const one = session('one');
    logIn(gateway.line, one, KEPT);
    one.subscribe('t', 1);
    one.send('t', 'a', 1);
    one.send('t', 'b', 1);
    gateway.line?.acknowledge(1);
    one.end();
    one.send('t', 'c', 1);
    assert.deepEqual(
      connection.read().map(({ text, dup }) => [text, dup]),
      [
        ['a', false],
        ['b', false],
      ],
    );
    // The id of `b` is free again, and taken before it comes back.
    gateway.subscribe('t', 1);
    for (let i = 0; i < 2; i++) gateway.send('t', 'x', 1);
    connection.read();
    logIn(gateway.line, one, KEPT);
    const again = connection.read();
    assert.deepEqual(
      again.map(({ text, dup }) => [text, dup]),
      [
        ['b', true],
        ['c', false],
      ],
    );
    assert.equal(new Set([3, 4, ...again.map(({ id }) => id)]).size, 4);
    for (const { id } of again) gateway.line?.acknowledge(id);
    assert.deepEqual([one.waiting, gateway.waiting], [0, 2]);
  });

  it('forgets a clean session with all that it had under way', () => {
    const { gateway, session } = plant();
    const one = session('one');
    logIn(gateway.line, one);
    one.subscribe('t', 1);
    one.send('t', 'a', 1);
    assert.equal(gateway.speaksFor({ productKey: 'pk', deviceName: 'one' }), one.device);
    one.end();
    assert.equal(gateway.speaksFor({ productKey: 'pk', deviceName: 'one' }), undefined);
    assert.deepEqual([one.waiting, one.send('t', 'b', 1)], [0, 'notSubscribed']);
  });

  it('has no more unacknowledged messages than there are packet ids', () => {
    const { gateway, connection, session } = plant({ sessionQueue: 40_000 });
    const all = [session('one'), session('two')];
    for (const each of all) {
      logIn(gateway.line, each);
      each.subscribe('t', 1);
      for (let i = 0; i < 40_000; i++) each.send('t', '', 1);
    }
    assert.equal(connection.read().length, 80_000);
    assert.deepEqual(
      all.map(({ waiting }) => waiting),
      [25_534, 40_000],
    );
  });

  it('has a bound for the subscriptions of each sub-device', () => {
    const { gateway, session } = plant();
    const one = session('one');
    logIn(gateway.line, one);
    const granted = Array.from({ length: 300 }, (_, i) => one.subscribe(`t/${i}`, 1)).filter(Boolean);
    assert.equal(granted.length, 200);
  });

  it('remembers a route as long as whoever it belongs to is there', () => {
    const { gateway, session } = plant();
    const one = session('one');
    const line = gateway.line;
    assert.ok(line);
    logIn(line, one);
    const route = { kind: 'request', device: one.device } as never;
    line.remember('t', { route, session: one });
    assert.equal(line.routeOf('t'), route);
    one.end();
    assert.equal(line.routeOf('t'), undefined);
  });

  it('remembers routes of 1,500 sub-devices at a time', () => {
    const { gateway, session } = plant();
    const { line } = gateway;
    assert.ok(line);
    const all = Array.from({ length: 1500 }, (_, i) => session(`sub-${i}`));
    for (const each of all) logIn(line, each);
    const topics = all.flatMap((each) =>
      Array.from({ length: 5 }, (_, i) => ({ each, topic: `${each.device.key}/${i}` })),
    );
    for (const { each, topic } of topics) line.remember(topic, { route: {} as never, session: each });
    assert.equal(topics.filter(({ topic }) => line.routeOf(topic) === undefined).length, 0);
  });
});
