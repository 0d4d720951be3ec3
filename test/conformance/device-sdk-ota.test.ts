import assert from 'node:assert/strict';
import { once } from 'node:events';
import type Iot from '@alicloud/iot20180120';
import * as models from '@alicloud/iot20180120';
import { type Device, device } from 'alibabacloud-iot-device-sdk';
import { type Emulator, startEmulator } from '../../emulator';
import { cloudClient } from '../support/cloud';
import { IMAGE, type Offer, sha256, upgradeTopic } from '../support/firmware';

const PUMP = { productKey: 'a1Workshop', deviceName: 'pump-1' };
const { productKey, deviceName } = PUMP;
const PRODUCT = { productKey, devices: [{ deviceName, deviceSecret: 'secret-of-pump-1' }] };
const CONFIGURATION = { interval: 30, sites: ['north', '南'] };

/** `data` of an answer to a request for the configuration. */
interface Configuration {
  configId: string;
  configSize: number;
  sign: string;
  signMethod: string;
  url: string;
  getType: string;
}

/** Firmware by the vendor's cloud SDK, on a device that is the vendor's device SDK, with the emulator between them. */
describe("the vendor's device SDK as a device that is upgraded and configured", () => {
  let emulator: Emulator;
  let cloud: Iot;
  let client: Device;

  beforeEach(async () => {
    emulator = await startEmulator({ config: { products: [PRODUCT] } });
    cloud = cloudClient(emulator);
    client = device({
      ...PUMP,
      deviceSecret: 'secret-of-pump-1',
      brokerUrl: emulator.addresses.mqtt ?? '',
    });
    await once(client as unknown as NodeJS.EventEmitter, 'connect');
    // Its subscriptions go out one by one; the one for RRPC is its last.
    await emulator.exchanges.waitFor(
      ({ kind, topic }) => kind === 'subscribe' && topic?.endsWith('/rrpc/request/+') === true,
    );
  });

  afterEach(async () => {
    await new Promise<void>((resolve) => client.end(true, resolve));
    await emulator.close();
  });

  const subscribe = (topic: string) =>
    new Promise<void>((resolve, reject) => {
      client.subscribe(topic, { qos: 1 }, (error) => (error === null ? resolve() : reject(error)));
    });
  const received = (wanted: string) =>
    new Promise<Record<string, unknown>>((resolve) => {
      client.on('message', (topic, payload) => {
        if (topic === wanted) resolve(JSON.parse(payload.toString()));
      });
    });
  /** The SDK publishes with QoS 0: the emulator's log tells when it came. */
  const tell = async (kind: 'inform' | 'progress', params: object) => {
    const topic = `/ota/device/${kind}/${productKey}/${deviceName}`;
    const since = emulator.exchanges.list().at(-1)?.seq ?? 0;
    client.publish(topic, JSON.stringify({ id: '1', params }));
    await emulator.exchanges.waitFor((exchange) => exchange.kind === 'up' && exchange.topic === topic, {
      since,
    });
  };
  const upload = async () => {
    const { body } = await cloud.generateOTAUploadURL(
      new models.GenerateOTAUploadURLRequest({ fileSuffix: 'bin' }),
    );
    const { host = '', key = '', policy = '', signature = '', OSSAccessKeyId = '' } = body?.data ?? {};
    const form = new FormData();
    for (const [name, value] of Object.entries({ key, policy, OSSAccessKeyId, Signature: signature })) {
      form.set(name, value);
    }
    form.set('file', new Blob([Uint8Array.from(IMAGE)]), 'pump.bin');
    assert.equal((await fetch(host, { method: 'POST', body: form })).status, 204);
    const made = await cloud.createOTAFirmware(
      new models.CreateOTAFirmwareRequest({
        productKey,
        firmwareName: 'pump',
        destVersion: '2.0.0',
        signMethod: 'SHA256',
        firmwareUrl: body?.data?.firmwareUrl ?? '',
        firmwareSign: sha256(IMAGE),
        firmwareSize: IMAGE.length,
      }),
    );
    return made.body?.data?.firmwareId ?? '';
  };
  const states = async (jobId: string) => {
    const { body } = await cloud.listOTATaskByJob(new models.ListOTATaskByJobRequest({ jobId }));
    return (body?.data?.simpleOTATaskInfo ?? []).map(({ taskStatus, progress }) => [taskStatus, progress]);
  };
  const packageState = async (firmwareId: string) => {
    const { body } = await cloud.queryOTAFirmware(new models.QueryOTAFirmwareRequest({ firmwareId }));
    return [body?.firmwareInfo?.status, body?.firmwareInfo?.verifyProgress];
  };

  it('is upgraded: verified, offered, fetched in two parts, told done by its version alone', async () => {
    await subscribe(upgradeTopic(PUMP));
    await tell('inform', { version: '1.0.0' });
    const firmwareId = await upload();
    const pushed = received(upgradeTopic(PUMP));
    const { body } = await cloud.createOTAVerifyJob(
      new models.CreateOTAVerifyJobRequest({ firmwareId, productKey, targetDeviceName: [deviceName] }),
    );
    const jobId = body?.data?.jobId ?? '';
    const { code, data } = await pushed;
    const offer = data as Offer;
    assert.deepEqual([code, offer.version, offer.size], ['1000', '2.0.0', IMAGE.length]);
    assert.deepEqual(await states(jobId), [['NOTIFIED', '0']]);

    const part = async (range: string) => {
      const response = await fetch(offer.url, { headers: { range } });
      assert.equal(response.status, 206);
      return Buffer.from(await response.arrayBuffer());
    };
    const image = Buffer.concat([await part('bytes=0-99999'), await part('bytes=100000-')]);
    assert.equal(sha256(image), offer.sign);
    await tell('progress', { step: '100', desc: '' });
    assert.deepEqual(await states(jobId), [['IN_PROGRESS', '100']]);
    assert.deepEqual(await packageState(firmwareId), [2, 0]);
    await tell('inform', { version: '2.0.0' });
    assert.deepEqual(await states(jobId), [['SUCCEEDED', '100']]);
    assert.deepEqual(await packageState(firmwareId), [1, 100]);
    const { body: versions } = await cloud.listOTAModuleVersionsByDevice(
      new models.ListOTAModuleVersionsByDeviceRequest(PUMP),
    );
    assert.equal(versions?.data?.simpleOTAModuleInfo?.[0]?.moduleVersion, '2.0.0');
  });

  it('asks for its upgrade on either topic', async () => {
    const get = `/sys/${productKey}/${deviceName}/thing/ota/firmware/get`;
    const old = `/ota/device/request/${productKey}/${deviceName}`;
    await subscribe(`${get}_reply`);
    await subscribe(old);
    const none = received(old);
    client.publish(old, JSON.stringify({ id: '3', params: { version: '1.0.0' } }));
    assert.equal((await none).code, 500);
    const { firmwareId } = await emulator.firmware.add({
      productKey,
      version: '2.0.0',
      files: { content: IMAGE },
    });
    await cloud.createOTAStaticUpgradeJob(
      new models.CreateOTAStaticUpgradeJobRequest({
        firmwareId,
        productKey,
        targetSelection: 'ALL',
        needPush: false,
      }),
    );
    const answered = received(`${get}_reply`);
    client.publish(get, JSON.stringify({ id: '4', version: '1.0', params: {} }));
    const { id, code, data } = await answered;
    assert.deepEqual([id, code, (data as Offer).version], ['4', 200, '2.0.0']);
  });

  it('gets its configuration when it asks, and when it is pushed', async () => {
    const ask = () =>
      new Promise<{ code: number; data: unknown }>((resolve) => {
        client.getConfig((reply) => resolve(reply));
      });
    assert.equal((await ask()).code, 6710);
    emulator.configuration.set(productKey, { content: CONFIGURATION });
    const { code, data } = await ask();
    assert.equal(code, 200);
    const told = data as Configuration;
    const bytes = Buffer.from(await (await fetch(told.url)).arrayBuffer());
    assert.deepEqual(JSON.parse(bytes.toString()), CONFIGURATION);
    assert.deepEqual(
      [told.sign, told.configSize, told.signMethod, told.getType],
      [sha256(bytes), bytes.length, 'Sha256', 'file'],
    );
    emulator.configuration.set(productKey, { enabled: false });
    assert.equal((await ask()).code, 6713);

    emulator.configuration.set(productKey, { enabled: true });
    const heard = new Promise<{ params?: object }>((resolve) => client.onConfig(resolve));
    await emulator.configuration.push(PUMP);
    const pushed = (await heard).params as Configuration;
    assert.equal(pushed.configId, told.configId);
    assert.equal((await fetch(pushed.url)).status, 200);
  });
});
