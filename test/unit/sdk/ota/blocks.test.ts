import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { generate } from 'mqtt-packet';
import { formatFileFrame, type JsonObject } from '../../../../protocol';
import {
  closeAllDevices,
  type Device,
  type DownloadOptions,
  type FirmwareOffer,
  openDevice,
} from '../../../../sdk';
import { digestOf, madeUpContent } from '../../../support/firmware-server';
import { answer, type Peer, ScriptedBroker } from '../../../support/scripted-broker';
import { rejection, state } from '../../../support/sdk-device';

const IDENTITY = { productKey: 'a1Test', deviceName: 'lamp-1' };
const TOPIC = '/sys/a1Test/lamp-1/thing/file/download';
const BLOCK = 1000;

interface Wanted {
  id: string;
  size: number;
  offset: number;
}

type BlockAnswer = (peer: Peer, wanted: Wanted) => void;

describe('firmware in blocks over MQTT', () => {
  let broker: ScriptedBroker;
  let folder: string;
  let content: Buffer;
  /** Offsets that were asked for. */
  let asked: number[];
  /** Answers in order; the right block when none is left. */
  let script: BlockAnswer[];
  let open: number;
  let mostOpen: number;

  beforeEach(async () => {
    broker = await ScriptedBroker.start();
    folder = mkdtempSync(join(tmpdir(), 'alink-blocks-'));
    content = madeUpContent(10 * BLOCK + 7);
    asked = [];
    script = [];
    open = 0;
    mostOpen = 0;
    broker.script.packet = (peer, packet) => {
      if (packet.cmd !== 'publish' || packet.topic !== TOPIC) return answer(peer, packet);
      if (packet.qos === 1) peer.send({ cmd: 'puback', messageId: packet.messageId ?? 0 });
      const { id, params } = JSON.parse(packet.payload.toString()) as {
        id: string;
        params: { fileToken: string; fileInfo: object; fileBlock: { size: number; offset: number } };
      };
      assert.deepEqual([params.fileToken, params.fileInfo], ['default', { streamId: 5, fileId: 1 }]);
      asked.push(params.fileBlock.offset);
      (script.shift() ?? block())(peer, { id, ...params.fileBlock });
    };
  });

  afterEach(async () => {
    await closeAllDevices();
    await broker.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  function push(peer: Peer, payload: Uint8Array): void {
    const topic = `${TOPIC}_reply`;
    const message = Buffer.from(payload);
    peer.stream.write(
      generate({ cmd: 'publish', topic, payload: message, qos: 0, dup: false, retain: false }),
    );
  }

  /** @param more changes the header, @param damage the frame */
  function block(more: JsonObject = {}, damage: (frame: Uint8Array) => void = () => undefined): BlockAnswer {
    return (peer, { id, offset, size }) => {
      const data = content.subarray(offset, offset + size);
      const about = { fileToken: 'default', fileLength: content.length, bSize: data.length, bOffset: offset };
      const frame = formatFileFrame({
        header: { id, code: 200, msg: 'success', data: { ...about, ...more } },
        data,
      });
      damage(frame);
      push(peer, frame);
    };
  }

  const refuse =
    (code: number): BlockAnswer =>
    (peer, { id }) =>
      push(peer, formatFileFrame({ header: { id, code, msg: 'no', data: {} }, data: new Uint8Array() }));

  function offer(file: Partial<FirmwareOffer['files'][number]> = {}): FirmwareOffer {
    return {
      version: '1.0.1',
      module: 'default',
      isDiff: false,
      files: [
        {
          name: 'a.bin',
          size: content.length,
          digest: { method: 'md5', value: digestOf(content, 'md5') },
          stream: { streamId: 5, fileId: 1 },
          ...file,
        },
      ],
      source: 'push',
      receivedAt: Date.now(),
    };
  }

  async function online(): Promise<Device> {
    const device = openDevice({
      identity: IDENTITY,
      platform: { kind: 'custom', host: '127.0.0.1' },
      transport: 'tcp',
      port: broker.port,
      authentication: { kind: 'deviceSecret', deviceSecret: 'secret' },
      timing: {
        backoff: { first: 10, longest: 20 },
        endMs: 50,
        blockMs: 200,
        blockGapMs: 0,
        downloadBackoff: { first: 1, longest: 4 },
      },
    });
    device.connect();
    await state(device, 'online');
    return device;
  }

  const run = (device: Device, given = offer(), options: Partial<DownloadOptions> = {}) =>
    device.ota.download(given, { folder, keepFreeBytes: 0, blockBytes: BLOCK, ...options });

  it('asks for several at a time and puts them in order', async () => {
    const held: Array<() => void> = [];
    // The last of each four is answered first.
    const late: BlockAnswer = (peer, wanted) => {
      open++;
      mostOpen = Math.max(mostOpen, open);
      held.push(() => {
        open--;
        block()(peer, wanted);
      });
      if (held.length === 4 || wanted.offset + wanted.size === content.length) {
        for (const go of held.splice(0).reverse()) go();
      }
    };
    script = Array.from({ length: 11 }, () => late);
    const { files } = await run(await online());
    assert.deepEqual(readFileSync(files[0]?.path ?? ''), content);
    assert.deepEqual(
      asked,
      Array.from({ length: 11 }, (_, i) => i * BLOCK),
    );
    assert.equal(mostOpen, 4);
  });

  const faults: Array<[string, () => BlockAnswer]> = [
    ['a wrong CRC', () => block({}, (frame) => frame.fill(0, -1))],
    ['no answer', () => () => undefined],
    ['another block', () => block({ bOffset: 7 })],
    ['a shorter block', () => (peer, wanted) => block()(peer, { ...wanted, size: 10 })],
    [
      'no frame',
      () =>
        (peer, { id }) =>
          push(peer, Buffer.from(JSON.stringify({ id, code: 429 }))),
    ],
    ['bytes that mean nothing', () => (peer) => push(peer, Buffer.from([0, 200, 1, 2]))],
    ['too many requests', () => refuse(429)],
  ];
  for (const [name, fault] of faults) {
    it(`asks again for a block after ${name}, three times`, async () => {
      const device = await online();
      const inFlight = { blocksInFlight: 1 };
      script = [block(), fault(), fault(), fault()];
      const { files } = await run(device, offer(), inFlight);
      assert.deepEqual(readFileSync(files[0]?.path ?? ''), content);
      assert.deepEqual(asked.slice(0, 6), [0, 1000, 1000, 1000, 1000, 2000]);
    });
  }

  it('goes on at the offset where the connection was lost', async () => {
    const device = await online();
    script = [block(), block(), (peer) => peer.kick()];
    const { files } = await run(device, offer(), { blocksInFlight: 1 });
    assert.deepEqual(readFileSync(files[0]?.path ?? ''), content);
    assert.deepEqual(asked.slice(0, 4), [0, 1000, 2000, 2000]);
  });

  it('goes on later where it was given up', async () => {
    const device = await online();
    const ending = new AbortController();
    script = [block(), block(), () => ending.abort()];
    const error = await rejection(run(device, offer(), { blocksInFlight: 1, signal: ending.signal }));
    assert.equal(error.key, 'aborted');
    asked = [];
    await run(device);
    // Nothing from the start: the digest of what is there was worked out again.
    assert.deepEqual(
      asked,
      Array.from({ length: 9 }, (_, i) => (i + 2) * BLOCK),
    );
  });

  it('ends with its handle, and goes on for another that joined', async () => {
    const [device, other] = [await online(), await online()];
    script = Array.from({ length: 4 }, () => () => undefined);
    const alone = rejection(run(device));
    while (asked.length < 4) await broker.next('publish');
    const joined = run(other);
    await device.release();
    assert.equal((await alone).key, 'aborted');
    assert.ok(readFileSync((await joined).files[0]?.path ?? '').equals(content));
    assert.equal(new Set(asked).size, 11);
    assert.equal(asked.length, 15, 'each block once, and four that were not answered');
    script = Array.from({ length: 100 }, () => () => undefined);
    const last = rejection(run(other, { ...offer(), version: '2' }));
    await closeAllDevices();
    assert.match((await last).key, /^(aborted|closed)$/);
  });

  it('fails with the step to report', async () => {
    const device = await online();
    script = [block({ fileLength: 5 }), block({ fileLength: 5 })];
    const wrong = await rejection(run(device, offer(), { blocksInFlight: 1 }));
    assert.deepEqual([wrong.key, wrong.details.step], ['firmwareMismatch', -3]);
    const value = '0'.repeat(32);
    const digest = await rejection(run(device, offer({ digest: { method: 'md5', value } })));
    assert.deepEqual([digest.key, digest.details.step], ['firmwareMismatch', -3]);
    script = Array.from({ length: 100 }, () => refuse(460));
    const refused = await rejection(run(device, offer(), { blocksInFlight: 1 }));
    assert.deepEqual([refused.key, refused.details.step], ['downloadExpired', -2]);
    script = Array.from({ length: 100 }, () => refuse(429));
    const busy = await rejection(run(device, offer(), { blocksInFlight: 1, retries: 1 }));
    assert.deepEqual([busy.key, busy.details.step], ['downloadFailed', -2]);
  });
});
