import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'mocha';
import type { Packet } from 'mqtt-packet';
import {
  type AlinkError,
  closeAllDevices,
  type Device,
  type DeviceOptions,
  type FirmwareOffer,
  openDevice,
} from '../../../../sdk';
import { answer, type Peer, reply, ScriptedBroker } from '../../../support/scripted-broker';
import { rejection, state } from '../../../support/sdk-device';

const IDENTITY = { productKey: 'a1Test', deviceName: 'lamp-1' };
const NAMES = 'a1Test/lamp-1';
const UPGRADE = `/ota/device/upgrade/${NAMES}`;
const GET = `/sys/${NAMES}/thing/ota/firmware/get`;
const MD5 = '93230c3bde425a9d7984a594ac55ea1e';
const DATA = { version: '1.0.1', size: 7, url: 'https://files.example.com/a.bin?s=SECRET', md5: MD5 };

describe('firmware over the air', () => {
  let broker: ScriptedBroker;
  /** What the platform has, by module. */
  let offers: Record<string, object>;

  beforeEach(async () => {
    broker = await ScriptedBroker.start();
    offers = {};
    broker.script.packet = (peer, packet) => {
      if (packet.cmd !== 'publish' || packet.topic !== GET) return answer(peer, packet);
      const { params } = JSON.parse(packet.payload.toString()) as { params: { module?: string } };
      if (packet.qos === 1) peer.send({ cmd: 'puback', messageId: packet.messageId ?? 0 });
      peer.push(
        `${GET}_reply`,
        reply(packet.payload.toString(), { data: offers[params.module ?? ''] ?? {} }),
      );
    };
  });

  afterEach(async () => {
    await closeAllDevices();
    await broker.stop();
  });

  function open(more: Partial<DeviceOptions> = {}): Device {
    const device = openDevice({
      identity: IDENTITY,
      platform: { kind: 'custom', host: '127.0.0.1' },
      transport: 'tcp',
      port: broker.port,
      authentication: { kind: 'deviceSecret', deviceSecret: 'secret' },
      ...more,
      timing: { backoff: { first: 10, longest: 20 }, endMs: 50, progressMs: 20, ...more.timing },
    });
    return device;
  }

  async function online(more: Partial<DeviceOptions> = {}): Promise<Device> {
    const device = open(more);
    device.connect();
    await state(device, 'online');
    return device;
  }

  const published = (start: string, peers: readonly Peer[] = broker.peers) =>
    peers
      .flatMap(({ received }) => received)
      .filter((packet) => packet.cmd === 'publish')
      .filter(({ topic }) => topic.startsWith(start))
      .map(({ payload }) => JSON.parse(payload.toString()) as { id: string; params: object });

  /** Waits for an offer, or what is wrong with it. */
  function next(device: Device, module?: string): Promise<FirmwareOffer | AlinkError> {
    return new Promise((resolve) => {
      device.ota.onOffer(module, resolve, resolve);
    });
  }

  const push = (data: object, code: unknown = '1000') =>
    broker.last.push(UPGRADE, JSON.stringify({ code, data, id: 1507707025, message: 'success' }));

  it('reports versions with ids as text, one module each, and resolves with the acknowledgement', async () => {
    const device = await online();
    await device.ota.reportVersion('1.0.0');
    await device.ota.reportVersion('2.0', 'MCU');
    const sent = published('/ota/device/inform/');
    assert.deepEqual(
      sent.map(({ params }) => params),
      [{ version: '1.0.0' }, { version: '2.0', module: 'MCU' }],
    );
    assert.match(String(sent[0]?.id), /^\d+$/);
    assert.notEqual(sent[0]?.id, sent[1]?.id);
  });

  it('makes up for a version that could not be told, in the next session', async () => {
    const device = open();
    const error = await rejection(device.ota.reportVersion('1.0.0', undefined, { timeoutMs: 20 }));
    assert.equal(error.key, 'waitingTimeout');
    device.connect();
    await state(device, 'online');
    // Answered after everything that the session begins with.
    await device.ota.ask();
    broker.last.kick();
    await new Promise<void>((resolve) => device.onOnline(resolve));
    await device.ota.ask();
    assert.equal(published('/ota/device/inform/').length, 1);
  });

  it('reports progress as text, and refuses what is no step', async () => {
    const device = await online();
    await Promise.all([1, 50, 99, 100].map((step) => device.ota.reportProgress(step)));
    await device.ota.reportProgress(-4, 'flash is worn out', 'MCU');
    assert.deepEqual(
      published('/ota/device/progress/').map(({ params }) => params),
      [{ step: '1' }, { step: '100' }, { step: '-4', desc: 'flash is worn out', module: 'MCU' }],
    );
    for (const step of [0, 101, -5, 1.5, Number.NaN]) {
      assert.equal((await rejection(device.ota.reportProgress(step))).key, 'invalidInput');
    }
    for (const name of ['', ' a', 'x'.repeat(65), 'a\n']) {
      assert.equal((await rejection(device.ota.reportVersion(name))).key, 'invalidInput');
      assert.equal((await rejection(device.ota.ask(name))).key, 'invalidInput');
    }
  });

  it('asks on demand, and after each connect for what is listened to, after the versions', async () => {
    const device = open();
    const first = next(device);
    const mcu = next(device, 'MCU');
    const told = device.ota.reportVersion('1.0.0', undefined, { eachSession: true });
    offers = { '': DATA, MCU: { ...DATA, module: 'MCU' } };
    device.connect();
    const [a, b] = (await Promise.all([first, mcu])) as FirmwareOffer[];
    await told;
    assert.deepEqual([a?.module, a?.source, b?.module], ['default', 'get', 'MCU']);
    const again = next(device);
    broker.last.kick();
    assert.equal(((await again) as FirmwareOffer).version, '1.0.1');
    const topics = broker.last.received
      .filter((packet) => packet.cmd === 'publish')
      .map(({ topic }) => topic);
    assert.deepEqual(topics[0], `/ota/device/inform/${NAMES}`);
    assert.equal((await device.ota.ask('MCU'))?.module, 'MCU');
    offers = {};
    assert.equal(await device.ota.ask(), undefined);
  });

  it('asks for nothing by itself for who wants to, and tells him of pushed offers all the same', async () => {
    const device = await online();
    const heard = new Promise<FirmwareOffer>((resolve) => {
      device.ota.onOffer(undefined, resolve, undefined, { ask: false });
    });
    await subscribed(UPGRADE);
    // Whatever was asked for in the same turn would be before it.
    await device.ota.reportVersion('1.0.0');
    assert.deepEqual(published(`/sys/${NAMES}/thing/ota/firmware/get`), []);
    push(DATA);
    assert.equal((await heard).source, 'push');
  });

  it('hears of pushed offers, not of those that run already', async () => {
    const device = await online();
    const lines: string[] = [];
    await device.ota.reportVersion('1.0.0');
    device.ota.onOffer('MCU', () => lines.push('MCU'));
    const heard = next(device);
    await subscribed(UPGRADE);
    push({ ...DATA, version: '1.0.0' });
    push(DATA, 500);
    broker.last.push(UPGRADE, 'not json');
    push(DATA);
    const offer = (await heard) as FirmwareOffer;
    assert.deepEqual([offer.version, offer.source], ['1.0.1', 'push']);
    assert.deepEqual(lines, []);
  });

  it('reports an offer that cannot be used, and tells of it', async () => {
    const device = await online();
    const heard = next(device, 'MCU');
    await subscribed(UPGRADE);
    const reported = broker.next('publish');
    push({ ...DATA, module: 'MCU', md5: 'x' });
    const error = (await heard) as AlinkError;
    assert.deepEqual([error.key, error.details.step], ['firmwareOffer', -3]);
    await reported;
    assert.deepEqual(
      published('/ota/device/progress/').map(({ params }) => params),
      [{ step: '-3', desc: error.message, module: 'MCU' }],
    );
    offers = { '': { ...DATA, size: 0 } };
    const asked = await rejection(device.ota.ask());
    assert.deepEqual([asked.key, asked.details.step], ['firmwareOffer', -2]);
  });

  for (const answersOn of ['request', 'upgrade']) {
    it(`asks the old way and is answered on the topic ${answersOn}`, async () => {
      const device = await online();
      const answers: string[] = [];
      onRequest((peer, request) => {
        // A broker that knows nothing of the platform sends our own request back.
        peer.push(`/ota/device/request/${NAMES}`, request);
        peer.push(`/ota/device/${answersOn}/${NAMES}`, answers.shift() ?? '');
      });
      answers.push(JSON.stringify({ code: '1000', data: DATA, id: 1 }));
      const offer = await device.ota.request('1.0.0');
      assert.deepEqual([offer?.version, offer?.source], ['1.0.1', 'request']);
      assert.deepEqual(published('/ota/device/request/')[0]?.params, { version: '1.0.0' });
      if (answersOn === 'upgrade') return;
      answers.push(JSON.stringify({ code: 500, id: 1, message: 'none upgrade operation of the device.' }));
      assert.equal(await device.ota.request('1.0.0'), undefined);
      answers.push(JSON.stringify({ code: 9112, id: 1, message: 'no' }));
      const error = await rejection(device.ota.request('1.0.0'));
      assert.deepEqual([error.key, error.code, error.retry], ['platformRefused', 9112, 'slow']);
      answers.push('{}');
      assert.equal((await rejection(device.ota.request('1.0.0', { timeoutMs: 30 }))).key, 'timeout');
      const signal = AbortSignal.abort();
      assert.equal((await rejection(device.ota.request('1.0.0', { signal }))).key, 'aborted');
    });
  }

  it('ends with its handle, and other handles go on', async () => {
    const device = await online();
    const other = await online();
    device.ota.onOffer(undefined, () => assert.fail('it was given back'));
    const heard = next(other);
    await subscribed(UPGRADE);
    const { ota } = device;
    await device.release();
    push(DATA);
    await heard;
    assert.equal((await rejection(ota.ask())).key, 'closed');
    assert.equal((await rejection(ota.reportVersion('1'))).key, 'closed');
  });

  function onRequest(answering: (peer: Peer, request: string) => void): void {
    const before = broker.script.packet;
    broker.script.packet = (peer, packet) => {
      before(peer, packet);
      if (packet.cmd === 'publish' && packet.topic.startsWith('/ota/device/request/')) {
        answering(peer, packet.payload.toString());
      }
    };
  }

  async function subscribed(topic: string): Promise<void> {
    const has = (packet: Packet) =>
      packet.cmd === 'subscribe' && packet.subscriptions.some((entry) => entry.topic === topic);
    while (!broker.last.received.some(has)) await broker.next('subscribe');
  }
});
