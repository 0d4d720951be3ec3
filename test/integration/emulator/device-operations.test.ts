import assert from 'node:assert/strict';
import type Iot from '@alicloud/iot20180120';
import * as models from '@alicloud/iot20180120';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { type Emulator, startEmulator } from '../../../emulator';
import { closeAllDevices, type Device, openDevice } from '../../../sdk';
import { cloudClient } from '../../support/cloud';
import { LAMP_1, PRODUCT } from '../../support/emulator';
import { rejection } from '../../support/sdk-device';

describe('SDK and emulator: operations', () => {
  let emulator: Emulator;
  let device: Device;
  let cloud: Iot;

  beforeEach(async () => {
    emulator = await startEmulator({ config: { products: [PRODUCT] } });
    cloud = cloudClient(emulator);
    const { mqtt = '' } = emulator.addresses;
    device = openDevice({
      identity: LAMP_1,
      platform: { kind: 'custom', host: '127.0.0.1' },
      transport: 'tcp',
      port: Number(new URL(mqtt).port),
      authentication: { kind: 'deviceSecret', deviceSecret: 'secret-of-lamp-1' },
    });
  });

  afterEach(async () => {
    await closeAllDevices();
    await emulator.close();
  });

  it('the shadow is updated, read and deleted, also while offline', async () => {
    const early = device.request('shadow.update', {
      method: 'update',
      state: { reported: { color: 'red', power: 1 } },
      version: 1,
    });
    device.connect();
    assert.deepEqual((await early).data, { status: 'success', version: 1 });
    const stale = await rejection(
      device.request('shadow.update', {
        method: 'update',
        state: { reported: { color: 'blue' } },
        version: 1,
      }),
    );
    assert.deepEqual([stale.key, stale.code], ['platformRefused', 409]);
    await device.request('shadow.update', {
      method: 'delete',
      state: { reported: { power: 'null' } },
      version: 2,
    });
    const { data } = await device.request('shadow.update', { method: 'get' });
    assert.deepEqual((data as { state: unknown }).state, { reported: { color: 'red' } });
  });

  it('a wish for the shadow is a notice, in the middle of requests too', async () => {
    device.connect();
    const noticed = new Promise<unknown>((resolve) => {
      device.onRequest({ kind: 'notice', operation: 'shadow.control' }, ({ params }) => resolve(params));
    });
    await device.request('shadow.update', { method: 'get' });
    const asked = device.request('shadow.update', { method: 'get' });
    await cloud.updateDeviceShadow(
      new models.UpdateDeviceShadowRequest({
        ...LAMP_1,
        shadowMessage: JSON.stringify({
          method: 'update',
          state: { desired: { color: 'green' } },
          version: 1,
        }),
      }),
    );
    assert.equal((await asked).code, 200);
    assert.deepEqual(((await noticed) as { state: unknown }).state, { desired: { color: 'green' } });
  });

  it("the platform's clock is read", async () => {
    device.connect();
    const { data } = await device.request('ext.ntp.request', {});
    const { offset, roundTrip, ...times } = data as Record<string, number>;
    assert.deepEqual(Object.keys(times), [
      'deviceSendTime',
      'serverRecvTime',
      'serverSendTime',
      'deviceRecvTime',
    ]);
    assert.ok(Math.abs(offset ?? NaN) < 1000 && (roundTrip ?? NaN) >= 0 && (roundTrip ?? NaN) < 1000);
  });
});
