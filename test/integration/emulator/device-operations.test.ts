import assert from 'node:assert/strict';
import type Iot from '@alicloud/iot20180120';
import * as models from '@alicloud/iot20180120';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { type Emulator, startEmulator } from '../../../emulator';
import { OPERATIONS } from '../../../protocol';
import {
  type AlinkError,
  closeAllDevices,
  type Device,
  encodeLogEntries,
  type Json,
  openDevice,
} from '../../../sdk';
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

  it('every one that a flow may request is answered', async () => {
    const params: Record<string, Json> = {
      'thing.property.desired.get': ['light'],
      'thing.property.desired.delete': { light: {} },
      'shadow.update': { method: 'get' },
      'thing.deviceinfo.update': [{ attrKey: 'room', attrValue: '7' }],
      'thing.deviceinfo.delete': [{ attrKey: 'room' }],
      'thing.deviceinfo.get': ['room'],
      'thing.log.post': [
        { utcTime: '2026-01-31T08:05:09.007+0000', logLevel: 'INFO', module: 'm', logContent: 'c' },
      ],
      '_thing.diag.post': { p: { wifi: { rssi: -60 }, _time: 1 }, model: 'format=simple|quantity=single' },
      'thing.file.upload.mqtt.init': { fileName: 'a', fileSize: 1 },
      'thing.file.upload.mqtt.cancel': { uploadId: 'unknown' },
      'codec.topic.update': [{ topic: '/a1Greenhouse/lamp-1/user/a', operation: 'compress' }],
      'thing.job.get': { taskId: '$list' },
      'thing.job.update': { taskId: 'unknown', status: 'SUCCEEDED' },
    };
    // What the platform says to things that it does not have.
    const refusals: Record<string, string> = {
      'thing.config.get': 'platformRefused 6710',
      'thing.file.upload.mqtt.cancel': 'platformRefused 78122',
      'thing.job.update': 'platformRefused 460',
    };
    device.connect();
    const requestable = OPERATIONS.filter((entry) => entry.requestable);
    assert.ok(requestable.length >= 18, `${requestable.length} operations`);
    for (const { name } of requestable) {
      const end = await device.request(name, params[name] ?? {}).then(
        ({ code }) => code,
        ({ key, code }: AlinkError) => `${key} ${code}`,
      );
      assert.equal(end, refusals[name] ?? 200, name);
    }
  });

  it('the log arrives in as many requests as it takes, long lines cut', async () => {
    device.connect();
    const lines = Array.from({ length: 90 }, (_, i) => ({
      level: 'WARN' as const,
      module: 'pump',
      content: i === 89 ? '温'.repeat(2000) : `line ${i}`,
      time: i,
    }));
    const { requests, problems } = encodeLogEntries(lines, { now: Date.now() });
    assert.deepEqual([requests.map(({ length }) => length), problems], [[40, 40, 10], []]);
    for (const entries of requests) await device.request('thing.log.post', entries);
    const logs = emulator.devices.get(LAMP_1)?.logs ?? [];
    assert.deepEqual(
      logs.map(({ utcTime }) => Date.parse(utcTime)),
      lines.map(({ time }) => time),
    );
    assert.equal(logs.at(-1)?.logContent, '温'.repeat(1365));
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
