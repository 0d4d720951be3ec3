import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'mocha';
import type { Packet } from 'mqtt-packet';
import { isJsonObject, parseFileFrame } from '../../../protocol';
import { closeAllDevices, type Device, openDevice } from '../../../sdk';
import { answer, type Peer, ScriptedBroker } from '../../support/scripted-broker';
import { rejection, state } from '../../support/sdk-device';

const SHADOW = '/shadow/get/pk/lamp';
const TIME = '/ext/ntp/pk/lamp/response';
const SENT_REPLY = '/sys/pk/lamp/thing/file/upload/mqtt/send_reply';
const SUCCESS = '{"method":"reply","payload":{"status":"success"}}';

interface Published {
  peer: Peer;
  topic: string;
  payload: Buffer;
}

describe('operations of a device on a broken line', () => {
  let broker: ScriptedBroker;
  let device: Device;
  let onPublish: (message: Published, count: number) => void;
  let published: Published[];

  beforeEach(async () => {
    broker = await ScriptedBroker.start();
    published = [];
    onPublish = () => undefined;
    broker.script.packet = (peer: Peer, packet: Packet) => {
      if (packet.cmd !== 'publish') return answer(peer, packet);
      if (packet.qos === 1) peer.send({ cmd: 'puback', messageId: packet.messageId ?? 0 });
      const message = { peer, topic: packet.topic, payload: Buffer.from(packet.payload) };
      published.push(message);
      onPublish(message, published.length);
    };
    device = openDevice({
      identity: { productKey: 'pk', deviceName: 'lamp' },
      platform: { kind: 'custom', host: '127.0.0.1' },
      transport: 'tcp',
      port: broker.port,
      authentication: { kind: 'deviceSecret', deviceSecret: 'secret' },
      requestTimeoutMs: 100,
      timing: { backoff: { first: 10, longest: 20 }, endMs: 50 },
    });
    device.connect();
    await state(device, 'online');
  });

  afterEach(async () => {
    await closeAllDevices();
    await broker.stop();
  });

  const shadow = (timeoutMs?: number) =>
    device.request('shadow.update', { method: 'get' }, timeoutMs === undefined ? {} : { timeoutMs });
  const time = (deviceSendTime: string) => device.request('ext.ntp.request', { deviceSendTime });

  it('subscribe where their answers come, before they are sent', async () => {
    onPublish = ({ peer }) => peer.push(SHADOW, SUCCESS);
    await shadow();
    const kinds = broker.last.received.flatMap((packet) =>
      packet.cmd === 'subscribe'
        ? packet.subscriptions.map(({ topic }) => topic)
        : packet.cmd === 'publish'
          ? [packet.topic]
          : [],
    );
    assert.deepEqual(kinds.slice(-2), [SHADOW, '/shadow/update/pk/lamp']);
  });

  it('end when their answer is lost, and the next one has its own', async () => {
    assert.equal((await rejection(shadow())).key, 'timeout');
    onPublish = ({ peer }) => peer.push(SHADOW, SUCCESS);
    assert.equal((await shadow()).code, 200);
    assert.equal((await rejection(time('1'))).key, 'timeout');
  });

  it('end with the connection, and are not sent again', async () => {
    onPublish = ({ peer }) => peer.kick();
    assert.equal((await rejection(shadow())).key, 'disconnected');
    onPublish = ({ peer }) => peer.push(SHADOW, SUCCESS);
    assert.equal((await shadow()).code, 200);
    assert.equal(published.length, 2);
  });

  it('find their answers when those come in another order, the shadow its oldest', async () => {
    const held: Published[] = [];
    let version = 5;
    onPublish = (message) => {
      held.push(message);
      if (held.length < 4) return;
      for (const { peer, topic, payload } of held.reverse()) {
        if (topic.startsWith('/shadow'))
          peer.push(SHADOW, `${SUCCESS.slice(0, -2)},"version":${--version}}}`);
        else
          peer.push(
            TIME,
            JSON.stringify({ ...JSON.parse(String(payload)), serverRecvTime: '5', serverSendTime: '5' }),
          );
      }
    };
    const [a, b, c, d] = await Promise.all([time('1'), time('2'), shadow(), shadow()]);
    assert.deepEqual(
      [a, b].map(({ data }) => isJsonObject(data) && data.deviceSendTime),
      [1, 2],
    );
    assert.deepEqual(
      [c, d].map(({ data }) => isJsonObject(data) && data.version),
      [4, 3],
    );
  });

  it('tell what cannot be read, and hand wishes on', async () => {
    const wish = '{"method":"control","payload":{"state":{"desired":{"a":1}}},"version":2}';
    const noticed = new Promise<unknown>((resolve) => {
      device.onRequest({ kind: 'notice', operation: 'shadow.control' }, ({ params }) => resolve(params));
    });
    onPublish = ({ peer }) => {
      for (const payload of ['', '{', '[]', '{"method":1}', wish, '{"method":"reply"}'])
        peer.push(SHADOW, payload);
    };
    assert.equal((await rejection(shadow())).key, 'malformedReply');
    assert.deepEqual(await noticed, { state: { desired: { a: 1 } }, version: 2 });
    onPublish = ({ peer }) => peer.push(TIME, '{"deviceSendTime":"7","serverRecvTime":"soon"}');
    assert.equal((await rejection(time('7'))).key, 'malformedReply');
  });

  it('upload: late answers of earlier tries and of strangers move nothing', async () => {
    const blocks: Array<{ id: unknown; offset: unknown; bytes: number }> = [];
    let held: string | undefined;
    onPublish = ({ peer, topic, payload }) => {
      if (topic.endsWith('/init')) {
        const { id } = JSON.parse(String(payload)) as { id: string };
        peer.push(`${topic}_reply`, JSON.stringify({ id, code: 200, data: { uploadId: 'u', offset: 0 } }));
        return;
      }
      const { header, data, crcFits } = parseFileFrame(payload);
      const { id, params } = header;
      assert.ok(crcFits && isJsonObject(params));
      blocks.push({ id, offset: params.offset, bytes: data.length });
      const reply = (of: unknown, code = 200, more: object = {}) =>
        peer.push(SENT_REPLY, JSON.stringify({ id: of, code, data: { uploadId: 'u', ...more } }));
      switch (blocks.length) {
        case 1:
          held = String(id); // answered after the block was sent again
          break;
        case 2:
          reply(held);
          reply('4294967295');
          reply(id, 78119, { offset: 300 });
          break;
        case 3:
          reply(held, 78125);
          peer.kick();
          break;
        default:
          reply(id);
      }
    };
    const progress: number[] = [];
    const result = await device.uploadFile(
      { name: 'a', content: new Uint8Array(700) },
      { blockBytes: 300, onProgress: (sent) => progress.push(sent) },
    );
    assert.equal(result.reply.code, 200);
    assert.deepEqual(
      blocks.map(({ offset, bytes }) => [offset, bytes]),
      [
        [0, 300],
        [0, 300],
        [300, 300],
        [300, 300],
        [600, 100],
      ],
    );
    assert.equal(new Set(blocks.map(({ id }) => id)).size, 5);
    assert.deepEqual(progress, [0, 300, 600, 700]);
  });

  it('upload: ends when the device is given back in the middle', async () => {
    const ended = rejection(device.uploadFile({ name: 'a', content: new Uint8Array(10) }));
    onPublish = () => void device.release();
    assert.equal((await ended).key, 'closed');
  });
});
