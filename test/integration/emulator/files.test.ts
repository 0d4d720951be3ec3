import assert from 'node:assert/strict';
import * as models from '@alicloud/iot20180120';
import type { MqttClient } from 'mqtt';
import { type Emulator, startEmulator } from '../../../emulator';
import { crc64, formatFileFrame } from '../../../protocol';
import { cloudClient } from '../../support/cloud';
import { LAMP_1, LAMP_2, onlineLamp, PRODUCT, request } from '../../support/emulator';

const S = `/sys/${LAMP_1.productKey}/${LAMP_1.deviceName}/thing/file/upload/mqtt`;
const HOUR = 3_600_000;

interface Reply {
  id: unknown;
  code: number;
  data: Record<string, unknown>;
}

describe('emulator: uploads', () => {
  let emulator: Emulator;
  let lamp: MqttClient;
  let now: number;
  let ids = 0;

  beforeEach(async () => {
    now = Date.UTC(2026, 0, 1);
    emulator = await startEmulator({
      clock: () => now,
      config: { products: [PRODUCT] },
      limits: { fileBytes: 100_000 },
    });
    lamp = await onlineLamp(emulator, LAMP_1);
    await lamp.subscribeAsync([`${S}/init_reply`, `${S}/send_reply`, `${S}/cancel_reply`]);
  });

  afterEach(async () => {
    await lamp.endAsync(true);
    await emulator.close();
  });

  const files = () => emulator.devices.get(LAMP_1)?.files.map(({ name, sizeBytes }) => [name, sizeBytes]);
  const bytes = (length: number, start = 0) => Uint8Array.from({ length }, (_, i) => (i * 7 + start) & 0xff);
  const init = (params: object) => request(lamp, `${S}/init`, params) as Promise<Reply>;
  const start = async (params: object) => {
    const { code, data } = await init(params);
    assert.equal(code, 200);
    return String(data.uploadId);
  };
  const raw = (frame: Uint8Array): Promise<Reply> =>
    new Promise((resolve) => {
      lamp.once('message', (_, payload) => resolve(JSON.parse(payload.toString())));
      lamp.publish(`${S}/send`, Buffer.from(frame));
    });
  const block = (uploadId: string, offset: number, data: Uint8Array, more: object = {}) => {
    const params = { uploadId, offset, bSize: data.length, isComplete: false, ...more };
    return formatFileFrame({ header: { id: `b${++ids}`, params }, data });
  };
  const send = (uploadId: string, offset: number, data: Uint8Array, more?: object) =>
    raw(block(uploadId, offset, data, more));

  it('puts the blocks together and checks the whole', async () => {
    const content = bytes(1000);
    const ficValue = crc64(content);
    const { data } = await init({ fileName: 'a.bin', fileSize: 1000, ficMode: 'crc64', ficValue });
    assert.deepEqual([data.fileName, data.offset, data.fileSize], ['a.bin', 0, 1000]);
    const uploadId = String(data.uploadId);
    const first = await send(uploadId, 0, content.subarray(0, 512));
    assert.deepEqual([first.code, first.id], [200, `b${ids}`]);
    assert.deepEqual(first.data, { uploadId, offset: 0, bSize: 512, complete: false });
    assert.deepEqual(files(), []);
    const last = await send(uploadId, 512, content.subarray(512), { isComplete: true });
    assert.deepEqual(last.data, {
      uploadId,
      offset: 512,
      bSize: 488,
      complete: true,
      ficMode: 'crc64',
      ficValueClient: ficValue,
      ficValueServer: ficValue,
    });
    assert.deepEqual(Buffer.from(emulator.devices.get(LAMP_1)?.file('a.bin') ?? []), Buffer.from(content));
    assert.equal((await send(uploadId, 1000, bytes(300))).code, 78124);
  });

  it('takes a file of unknown size until it is complete', async () => {
    const uploadId = await start({ fileName: 'log.txt', fileSize: -1 });
    await send(uploadId, 0, bytes(256));
    assert.equal((await send(uploadId, 256, bytes(3), { isComplete: true })).data.complete, true);
    assert.deepEqual(files(), [['log.txt', 259]]);
  });

  it('refuses a block with the code for its fault, and goes on', async () => {
    const uploadId = await start({ fileName: 'a.bin', fileSize: 90_000 });
    await send(uploadId, 0, bytes(300));
    const wrongCrc = block(uploadId, 300, bytes(300));
    wrongCrc[wrongCrc.length - 1] = (wrongCrc[wrongCrc.length - 1] as number) ^ 1;
    assert.equal((await raw(wrongCrc)).code, 78121);
    const misplaced = await send(uploadId, 0, bytes(300));
    assert.deepEqual([misplaced.code, misplaced.data], [78119, { uploadId, offset: 300 }]);
    assert.equal((await send(uploadId, 300, bytes(255))).code, 78120);
    assert.equal((await send(uploadId, 300, bytes(128 * 1024 + 1))).code, 78118);
    assert.equal((await send('unknown', 0, bytes(300))).code, 78122);
    assert.equal((await send(uploadId, 300, bytes(300), { bSize: 299 })).code, 460);
    assert.equal((await send(uploadId, 300, bytes(300), { offset: '300' })).code, 460);
    assert.equal((await raw(Uint8Array.from([0]))).code, 460);
    assert.equal((await raw(formatFileFrame({ header: { id: 7, params: [] }, data: bytes(0) }))).id, 7);
    assert.equal((await send(uploadId, 300, bytes(300))).code, 200);
  });

  it('starts over when the whole does not fit', async () => {
    const wrong = { ficMode: 'crc64', ficValue: '0'.repeat(16) };
    const uploadId = await start({ fileName: 'a.bin', fileSize: 256, ...wrong });
    assert.equal((await send(uploadId, 0, bytes(256))).code, 78125);
    assert.equal((await send(uploadId, 0, bytes(256))).code, 78122);
    const short = await start({ fileName: 'a.bin', fileSize: 600 });
    assert.equal((await send(short, 0, bytes(256), { isComplete: true })).code, 78125);
    assert.deepEqual(files(), []);
  });

  it('does what the device wants when the name exists', async () => {
    const put = async (conflictStrategy: string) => {
      const { code, data } = await init({ fileName: 'a.bin', fileSize: 256, conflictStrategy });
      if (code !== 200) return code;
      return (await send(String(data.uploadId), 0, bytes(256))).code;
    };
    assert.equal(await put('reject'), 200);
    assert.equal(await put('reject'), 78123);
    assert.equal(await put('append'), 78123);
    assert.equal(await put('overwrite'), 200);
    assert.deepEqual(files(), [['a.bin', 256]]);
    const uploadId = await start({ fileName: 'b.bin', fileSize: 600, conflictStrategy: 'append' });
    await send(uploadId, 0, bytes(300));
    const again = await init({ fileName: 'b.bin', fileSize: 600, conflictStrategy: 'append' });
    assert.deepEqual([again.data.uploadId, again.data.offset], [uploadId, 300]);
    assert.equal((await init({ fileName: 'b.bin', fileSize: 600, conflictStrategy: 'reject' })).code, 78126);
    assert.notEqual(await start({ fileName: 'b.bin', fileSize: 600 }), uploadId);
    assert.equal((await send(uploadId, 300, bytes(300))).code, 78122);
  });

  it('knows a start that came twice', async () => {
    const params = { fileName: 'a.bin', fileSize: 600, initUid: 'u1' };
    const uploadId = await start(params);
    await send(uploadId, 0, bytes(300));
    assert.deepEqual((await init(params)).data.offset, 300);
    assert.equal(await start(params), uploadId);
    assert.notEqual(await start({ ...params, initUid: 'u2' }), uploadId);
  });

  it('forgets an upload that is cancelled or a day old', async () => {
    const cancelled = await start({ fileName: 'a.bin', fileSize: 600 });
    assert.equal((await request(lamp, `${S}/cancel`, { uploadId: cancelled })).code, 200);
    assert.equal((await request(lamp, `${S}/cancel`, { uploadId: cancelled })).code, 78122);
    const old = await start({ fileName: 'b.bin', fileSize: 600 });
    now += 24 * HOUR;
    assert.equal((await send(old, 0, bytes(300))).code, 78122);
  });

  it('bounds the memory of all devices, and gives it back', async () => {
    const uploadId = await start({ fileName: 'a.bin', fileSize: 80_000 });
    assert.equal((await send(uploadId, 0, bytes(80_000))).code, 200);
    const second = await start({ fileName: 'b.bin', fileSize: 80_000 });
    assert.equal((await send(second, 0, bytes(80_000))).code, 78127);
    const [file] = emulator.devices.get(LAMP_1)?.files ?? [];
    const cloud = cloudClient(emulator);
    await cloud.deleteDeviceFile(
      new models.DeleteDeviceFileRequest({ ...LAMP_1, fileId: file?.fileId ?? '' }),
    );
    assert.equal((await send(second, 0, bytes(80_000))).code, 200);
    emulator.devices.delete(LAMP_1);
    const other = await onlineLamp(emulator, LAMP_2);
    try {
      const topic = S.replace(LAMP_1.deviceName, LAMP_2.deviceName);
      await other.subscribeAsync(`${topic}/init_reply`);
      for (let i = 0; i < 190; i++) {
        const { code } = await request(
          other,
          `${topic}/init`,
          { fileName: `f${i}`, fileSize: 1 },
          { qos: 0 },
        );
        assert.equal(code, 200, `start ${i}`);
      }
    } finally {
      await other.endAsync(true);
    }
  });

  it('refuses a start that breaks a rule', async () => {
    const good = { fileName: 'a.bin', fileSize: 256 };
    const cases: Array<[object, number]> = [
      [{ ...good, fileName: '.hidden' }, 460],
      [{ ...good, fileName: '../a' }, 460],
      [{ ...good, fileName: `a${'b'.repeat(100)}` }, 460],
      [{ ...good, fileName: undefined }, 460],
      [{ ...good, fileSize: -2 }, 460],
      [{ ...good, fileSize: 1.5 }, 460],
      [{ ...good, fileSize: 16 * 1024 * 1024 + 1 }, 78117],
      [{ ...good, conflictStrategy: 'merge' }, 460],
      [{ ...good, ficMode: 'md5', ficValue: '0'.repeat(16) }, 460],
      [{ ...good, ficMode: 'crc64' }, 460],
      [{ ...good, fileSize: -1, ficMode: 'crc64', ficValue: '0'.repeat(16) }, 460],
    ];
    for (const [params, code] of cases) assert.equal((await init(params)).code, code, JSON.stringify(params));
  });

  it('shows files to the cloud', async () => {
    const cloud = cloudClient(emulator);
    for (const name of ['a.bin', 'b.bin']) {
      await send(await start({ fileName: name, fileSize: 256 }), 0, bytes(256, name.charCodeAt(0)));
    }
    const { body: list } = await cloud.queryDeviceFileList(
      new models.QueryDeviceFileListRequest({ ...LAMP_1, currentPage: 1, pageSize: 1 }),
    );
    assert.deepEqual([list?.total, list?.pageCount], [2, 2]);
    const [summary] = list?.data?.fileSummary ?? [];
    assert.deepEqual([summary?.name, summary?.size], ['b.bin', '256']);
    const { body: one } = await cloud.queryDeviceFile(
      new models.QueryDeviceFileRequest({ ...LAMP_1, fileId: summary?.fileId ?? '' }),
    );
    const response = await fetch(one?.data?.downloadUrl ?? '');
    assert.deepEqual(new Uint8Array(await response.arrayBuffer()), bytes(256, 'b'.charCodeAt(0)));
    assert.equal((await fetch(`${emulator.httpUrl}/files/none`)).status, 404);
  });
});
