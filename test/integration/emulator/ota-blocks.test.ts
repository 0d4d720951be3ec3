import assert from 'node:assert/strict';
import type { MqttClient } from 'mqtt';
import { type Emulator, type FaultRule, startEmulator } from '../../../emulator';
import { parseFileFrame } from '../../../protocol';
import { LAMP_1, onlineLamp, PRODUCT } from '../../support/emulator';
import { addImage, IMAGE, inform, offers } from '../../support/firmware';

const DOWNLOAD = `/sys/${LAMP_1.productKey}/${LAMP_1.deviceName}/thing/file/download`;

describe('emulator: firmware over MQTT', () => {
  let emulator: Emulator;
  let lamp: MqttClient;
  let stream: { streamId?: number | undefined; fileId?: number | undefined };

  beforeEach(async () => {
    emulator = await startEmulator({ config: { products: [PRODUCT] } });
    lamp = await onlineLamp(emulator, LAMP_1, { parameters: { _ss: 1 } });
    const next = offers(lamp);
    await lamp.subscribeAsync(`${DOWNLOAD}_reply`, { qos: 1 });
    emulator.firmware.upgrade(await addImage(emulator), { protocol: 'MQTT' });
    const { url, dProtocol, streamId, streamFileId, size } = await next();
    assert.deepEqual([url, dProtocol, size], [undefined, 'mqtt', IMAGE.length]);
    stream = { streamId, fileId: streamFileId };
  });

  afterEach(async () => {
    await lamp.endAsync(true);
    await emulator.close();
  });

  const fault = (rule: FaultRule) => emulator.faults.add({ times: 1, ...rule });

  const exchange = async (payload: string) => {
    const answered = new Promise<Buffer>((resolve) => {
      const heard = (topic: string, bytes: Buffer) => {
        if (topic !== `${DOWNLOAD}_reply`) return;
        lamp.off('message', heard);
        resolve(bytes);
      };
      lamp.on('message', heard);
    });
    await lamp.publishAsync(DOWNLOAD, payload, { qos: 1 });
    return parseFileFrame(await answered);
  };
  const block = (size: unknown, offset: unknown, more = {}) => {
    const params = {
      fileToken: 'default',
      fileInfo: stream,
      fileBlock: { size, offset },
      ...more,
    };
    return exchange(JSON.stringify({ id: '9', version: '1.0', params }));
  };

  it('serves blocks', async () => {
    const parts: Uint8Array[] = [];
    for (let offset = 0; offset < IMAGE.length; offset += 128 * 1024) {
      const { header, data, crcFits } = await block(128 * 1024, offset);
      assert.deepEqual(header, {
        id: '9',
        code: 200,
        msg: 'success',
        data: {
          fileToken: 'default',
          fileLength: IMAGE.length,
          bSize: data.length,
          bOffset: offset,
        },
      });
      assert.ok(crcFits);
      parts.push(data);
    }
    assert.ok(Buffer.concat(parts).equals(IMAGE));
  });

  it('takes the comma of one SDK', async () => {
    const { header } = await exchange(
      `{"id":"3","version":"1.0","params":{"fileToken":"de,}fault","fileInfo":{"streamId":${stream.streamId},"fileId":${stream.fileId}, },"fileBlock":{"size":256,"offset":0}}}`,
    );
    assert.deepEqual([header.code, (header.data as { fileToken: string }).fileToken], [200, 'de,}fault']);
  });

  it('refuses what is no block of its own', async () => {
    const codes: unknown[] = [];
    for (const ask of [
      () => block(255, 0),
      () => block(128 * 1024 + 1, 0),
      () => block('256', 0),
      () => block(256, -1),
      () => block(256, IMAGE.length),
      () => block(256, 1.5),
      () => block(256, 0, { fileInfo: {} }),
      () => block(256, 0, { fileBlock: null }),
      () => block(256, 0, { fileInfo: { streamId: 99, fileId: 1 } }),
      () => block(256, 0, { fileInfo: { ...stream, fileId: 2 } }),
      () => exchange('no JSON'),
      () => exchange('{"id":"1","params":[]}'),
    ]) {
      const { header, data } = await ask();
      codes.push(header.code);
      assert.equal(data.length, 0);
    }
    assert.deepEqual(codes, [460, 460, 460, 460, 460, 460, 460, 460, 404, 404, 460, 460]);
  });

  it('is not kept busy by a request that is made to be read slowly', async () => {
    // Each quote could be the start of a text that never ends.
    const { header } = await exchange(`"${'\\"'.repeat(100_000)}`);
    assert.equal(header.code, 460);
    assert.equal((await block(256, 0)).header.code, 200);
  });

  it('serves no block of an upgrade that was cancelled, failed or is over', async () => {
    assert.equal((await block(256, 0)).header.code, 200);
    const [{ jobId } = { jobId: '' }] = emulator.devices.get(LAMP_1)?.upgrades ?? [];
    emulator.firmware.cancel(jobId);
    assert.equal((await block(256, 0)).header.code, 404);
    emulator.firmware.retry(jobId);
    assert.equal((await block(256, 0)).header.code, 200);
    await inform(lamp, '2.0.0');
    assert.equal((await block(256, 0)).header.code, 404);
  });

  it('sends a CRC or a byte that is wrong', async () => {
    fault({ action: 'wrongCrc' });
    assert.equal((await block(256, 0)).crcFits, false);
    fault({ action: 'corrupt', offset: 300 });
    assert.ok((await block(256, 0)).crcFits);
    const { data, crcFits } = await block(256, 256);
    assert.ok(crcFits);
    assert.notEqual(data[44], IMAGE[300]);
    assert.equal((await block(256, 256)).data[44], IMAGE[300]);
  });

  it('is not for large files or several', async () => {
    const limits = { mqttFirmwareBytes: 1000 };
    const small = await startEmulator({ config: { products: [PRODUCT] }, limits });
    const id = await addImage(small);
    assert.throws(() => small.firmware.upgrade(id, { protocol: 'MQTT' }), { code: 'InvalidJob' });
    await small.close();
  });
});
