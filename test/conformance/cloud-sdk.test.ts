import assert from 'node:assert/strict';
import Iot, * as models from '@alicloud/iot20180120';
import { Config } from '@alicloud/openapi-client';
import { type Emulator, startEmulator } from '../../emulator';
import { LAMP_1, onlineLamp, PRODUCT, request } from '../support/emulator';

const { productKey, deviceName } = LAMP_1;
// The SDK is CommonJS with a default export of its own.
const Client = (Iot as unknown as { default?: typeof Iot }).default ?? Iot;

describe("the vendor's cloud SDK on the emulator", () => {
  let emulator: Emulator;
  let cloud: Iot;

  const open = (accessKeyId: string, accessKeySecret: string) =>
    new Client(
      new Config({
        accessKeyId,
        accessKeySecret,
        endpoint: new URL(emulator.httpUrl).host,
        protocol: 'http',
        regionId: 'cn-shanghai',
      }),
    );

  before(async () => {
    emulator = await startEmulator({
      config: { products: [PRODUCT], accessKeys: [{ id: 'key', secret: 'secret of key' }] },
    });
    cloud = open('key', 'secret of key');
  });

  after(() => emulator.close());

  it('reads status, values and events of a device', async () => {
    const { body: before } = await cloud.getDeviceStatus(new models.GetDeviceStatusRequest(LAMP_1));
    assert.equal(before?.data?.status, 'UNACTIVE');

    const lamp = await onlineLamp(emulator, LAMP_1, { parameters: { _ss: 1 } });
    try {
      const S = `/sys/${productKey}/${deviceName}/thing/event`;
      const time = 1_700_000_000_000;
      await request(lamp, `${S}/property/post`, { temperature: { value: 20.5, time } });
      await request(lamp, `${S}/property/post`, {
        temperature: { value: 21.5, time: time + 1000 },
        light: 1,
      });
      await request(lamp, `${S}/overheated/post`, { value: { temperature: 99.5 }, time });

      const { body: status } = await cloud.getDeviceStatus(new models.GetDeviceStatusRequest(LAMP_1));
      assert.equal(status?.success, true);
      assert.equal(status?.data?.status, 'ONLINE');

      const { body: detail } = await cloud.queryDeviceDetail(new models.QueryDeviceDetailRequest(LAMP_1));
      assert.equal(detail?.data?.productName, PRODUCT.name);
      assert.equal(detail?.data?.deviceSecret, 'secret-of-lamp-1');

      const { body: latest } = await cloud.queryDevicePropertyStatus(
        new models.QueryDevicePropertyStatusRequest(LAMP_1),
      );
      const rows = latest?.data?.list?.propertyStatusInfo ?? [];
      assert.deepEqual(
        rows.map(({ identifier, value, unit, dataType }) => ({ identifier, value, unit, dataType })),
        [
          { identifier: 'temperature', value: '21.5', unit: '°C', dataType: 'float' },
          { identifier: 'light', value: '1', unit: '', dataType: 'bool' },
        ],
      );

      const range = { startTime: time, endTime: time + 10_000, pageSize: 1, asc: 1 };
      const { body: history } = await cloud.queryDevicePropertyData(
        new models.QueryDevicePropertyDataRequest({ ...LAMP_1, identifier: 'temperature', ...range }),
      );
      assert.deepEqual(
        history?.data?.list?.propertyInfo?.map(({ time: at, value }) => [at, value]),
        [[String(time), '20.5']],
      );
      assert.deepEqual([history?.data?.nextValid, history?.data?.nextTime], [true, time + 1000]);

      const { body: events } = await cloud.queryDeviceEventData(
        new models.QueryDeviceEventDataRequest({
          ...LAMP_1,
          startTime: time,
          endTime: time,
          eventType: 'alert',
        }),
      );
      const [event] = events?.data?.list?.eventInfo ?? [];
      assert.deepEqual(
        [event?.identifier, event?.eventType, event?.outputData],
        ['overheated', 'alert', '{"temperature":99.5}'],
      );

      const { body: states } = await cloud.batchGetDeviceState(
        new models.BatchGetDeviceStateRequest({ productKey, deviceName: ['lamp-1', 'lamp-2'] }),
      );
      assert.deepEqual(
        states?.deviceStatusList?.deviceStatus?.map((row) => [row.deviceName, row.status]),
        [
          ['lamp-1', 'ONLINE'],
          ['lamp-2', 'UNACTIVE'],
        ],
      );
    } finally {
      await lamp.endAsync(true);
    }
  });

  it('registers, disables and deletes devices', async () => {
    const identity = { productKey, deviceName: 'made-by-cloud' };
    const { body: made } = await cloud.registerDevice(new models.RegisterDeviceRequest(identity));
    const deviceSecret = made?.data?.deviceSecret ?? '';
    assert.equal(deviceSecret.length, 32);
    const lamp = await onlineLamp(emulator, identity, { deviceSecret });
    const closed = new Promise<void>((resolve) => lamp.once('close', () => resolve()));
    await cloud.disableThing(new models.DisableThingRequest(identity));
    await closed;
    const { body: disabled } = await cloud.getDeviceStatus(new models.GetDeviceStatusRequest(identity));
    assert.equal(disabled?.data?.status, 'DISABLE');
    const { body: again } = await cloud.registerDevice(new models.RegisterDeviceRequest(identity));
    assert.deepEqual([again?.success, again?.code], [false, 'iot.device.AlreadyExistedDeviceName']);
    await cloud.deleteDevice(new models.DeleteDeviceRequest(identity));
    const { body: gone } = await cloud.getDeviceStatus(new models.GetDeviceStatusRequest(identity));
    assert.deepEqual([gone?.success, gone?.code], [false, 'iot.device.NotExistedDevice']);
  });

  it('is refused with a wrong access key or secret', async () => {
    const status = new models.GetDeviceStatusRequest(LAMP_1);
    await assert.rejects(open('nobody', 'x').getDeviceStatus(status), {
      code: 'InvalidAccessKeyId.NotFound',
    });
    await assert.rejects(open('key', 'wrong').getDeviceStatus(status), { code: 'SignatureDoesNotMatch' });
  });
});
