import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as models from '@alicloud/iot20180120';
import { type Emulator, startEmulator } from '../../../emulator';
import { SnapshotError } from '../../../emulator/snapshot';
import { cloudClient } from '../../support/cloud';
import { LAMP_1, onlineLamp, PRODUCT, request } from '../../support/emulator';
import { GATEWAY_1, GATEWAY_2, PLANT, SENSOR_1, SENSOR_2 } from '../../support/plant';

const { productKey, deviceName } = LAMP_1;
const NOW = Date.UTC(2026, 0, 1);

describe('emulator: snapshot', () => {
  let directory: string;
  let file: string;
  const running: Emulator[] = [];

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'alink-snapshot-'));
    file = join(directory, 'state.json');
  });

  afterEach(async () => {
    await Promise.all(running.splice(0).map((emulator) => emulator.close()));
    await rm(directory, { recursive: true });
  });

  const start = async () => {
    const emulator = await startEmulator({
      clock: () => NOW,
      config: { products: [PRODUCT] },
      snapshotFile: file,
    });
    running.push(emulator);
    return emulator;
  };

  it('keeps the script of a product that the configuration does not name', async () => {
    const first = await start();
    const created = await cloudClient(first).createProduct(
      new models.CreateProductRequest({ productName: 'meter', nodeType: 0, dataFormat: 0 }),
    );
    const key = created.body?.data?.productKey ?? '';
    first.setScript(key, 'function rawDataToProtocol() { return {} }');
    first.setScript(productKey, 'function rawDataToProtocol() { return {} }');
    await first.close();
    const cloud = cloudClient(await start());
    const script = async (product: string) =>
      (await cloud.getThingScript(new models.GetThingScriptRequest({ productKey: product }))).body?.data
        ?.scriptUrl;
    assert.match((await script(key)) ?? '', /^data:/);
    assert.equal(await script(productKey), undefined);
    const { body } = await cloud.queryProduct(new models.QueryProductRequest({ productKey: key }));
    assert.equal(body?.data?.dataFormat, 0);
  });

  it('keeps the topology, also against what the configuration starts with', async () => {
    const plant = {
      ...PLANT,
      products: PLANT.products.map((product) => ({
        ...product,
        devices: product.devices.map((device) =>
          device.deviceName === SENSOR_1.deviceName ? { ...device, gateway: GATEWAY_1 } : device,
        ),
      })),
    };
    const begin = async () => {
      const emulator = await startEmulator({ config: plant, snapshotFile: file });
      running.push(emulator);
      return emulator;
    };
    const first = await begin();
    assert.deepEqual(first.topology.subDevices(GATEWAY_1), [SENSOR_1]);
    first.topology.remove([SENSOR_1]);
    first.topology.add(GATEWAY_2, [SENSOR_2]);
    await first.close();
    const second = await begin();
    assert.deepEqual(second.topology.subDevices(GATEWAY_1), []);
    assert.deepEqual(second.topology.subDevices(GATEWAY_2), [SENSOR_2]);
    assert.deepEqual(second.devices.get(SENSOR_2)?.gateway, GATEWAY_2);
    assert.deepEqual(second.devices.get(GATEWAY_2)?.subDevices, [SENSOR_2]);
  });

  it('keeps what devices wrote and what they were asked for', async () => {
    const first = await start();
    const lamp = await onlineLamp(first, LAMP_1, { parameters: { _ss: 1 } });
    const S = `/sys/${productKey}/${deviceName}/thing`;
    await request(lamp, `${S}/deviceinfo/update`, [{ attrKey: 'room', attrValue: 'A1' }]);
    await request(lamp, `${S}/event/property/post`, { light: 1 });
    const cloud = cloudClient(first);
    await cloud.updateDeviceShadow(
      new models.UpdateDeviceShadowRequest({
        ...LAMP_1,
        shadowMessage: '{"method":"update","state":{"desired":{"color":"red"}},"version":4}',
      }),
    );
    const tslStr = '{"properties":[]}';
    await cloud.importThingModelTsl(new models.ImportThingModelTslRequest({ productKey, tslStr }));
    const { jobId } = first.jobs.create([LAMP_1], { document: { clean: true }, inProgressMs: 60_000 });
    const [task] = first.devices.get(LAMP_1)?.tasks ?? [];
    await request(lamp, `${S}/job/update`, { taskId: task?.taskId, status: 'IN_PROGRESS', progress: 30 });
    first.devices.setLogMode(LAMP_1, 1);
    await lamp.endAsync(true);
    const before = first.devices.get(LAMP_1);
    await first.close();

    const second = await start();
    const after = second.devices.get(LAMP_1);
    assert.deepEqual(
      [after?.tags, after?.properties, after?.shadow, after?.tasks],
      [before?.tags, before?.properties, before?.shadow, before?.tasks],
    );
    assert.deepEqual(after?.tasks, [
      { taskId: task?.taskId, jobId, status: 'IN_PROGRESS', progress: 30, statusDetails: {} },
    ]);
    const again = cloudClient(second);
    const { body: draft } = await again.getThingModelTsl(new models.GetThingModelTslRequest({ productKey }));
    assert.equal(draft?.data?.tslStr, tslStr);
    const { body: job } = await again.queryJob(new models.QueryJobRequest({ jobId }));
    assert.deepEqual([job?.data?.jobDocument, job?.data?.status], ['{"clean":true}', 'IN_PROGRESS']);
    const other = await onlineLamp(second, LAMP_1);
    await other.subscribeAsync(`${S}/config/log/get_reply`);
    const { data } = await request(other, `${S}/config/log/get`, {});
    assert.deepEqual(data, { getType: 'content', content: { mode: 1 } });
    await other.endAsync(true);
  });

  it('keeps desired values, which the device reads and deletes by version', async () => {
    const desired = [
      { identifier: 'light', value: 1, version: 3, time: NOW },
      { identifier: 'temperature', value: 20.5, version: 1, time: NOW },
    ];
    await writeFile(file, JSON.stringify({ products: [{ productKey, devices: [{ deviceName, desired }] }] }));
    const emulator = await start();
    const lamp = await onlineLamp(emulator, LAMP_1, { parameters: { _ss: 1 } });
    const D = `/sys/${productKey}/${deviceName}/thing/property/desired`;
    const { data } = await request(lamp, `${D}/get`, ['light', 'temperature', 'none', 'light']);
    assert.deepEqual(data, { light: { value: 1, version: 3 }, temperature: { value: 20.5, version: 1 } });
    const stale = await request(lamp, `${D}/delete`, { light: { version: 2 }, none: {} });
    assert.deepEqual([stale.code, stale.data], [200, {}]);
    assert.ok(emulator.devices.get(LAMP_1)?.desired.light);
    await request(lamp, `${D}/delete`, { light: { version: 3 }, temperature: {} });
    assert.deepEqual(emulator.devices.get(LAMP_1)?.desired, {});
    await lamp.endAsync(true);
  });

  it('reads what a careless editor left, and refuses what is no JSON', async () => {
    const odd = { tags: 1, shadow: [], desired: [null, { identifier: 'a' }], properties: {}, logMode: 7 };
    const products = [null, { productKey, devices: [null, { deviceName, ...odd }] }];
    const jobs = [
      null,
      {},
      { jobId: 'j', createdAt: 1, target: {}, tasks: [null, { taskId: 't', queuedAt: 1 }] },
    ];
    await writeFile(file, JSON.stringify({ products, jobs }));
    const emulator = await start();
    assert.deepEqual(emulator.devices.get(LAMP_1)?.tasks, []);
    await writeFile(join(directory, 'broken.json'), '{');
    await assert.rejects(startEmulator({ snapshotFile: join(directory, 'broken.json') }), SnapshotError);
  });

  it('has its log mode changed by the panel too', async () => {
    const emulator = await start();
    const url = `${emulator.httpUrl}/emulator/devices/${productKey}/${deviceName}/log`;
    const post = async (body: string) => (await fetch(url, { method: 'POST', body })).status;
    assert.deepEqual([await post('{"mode":1}'), await post('{"mode":2}'), await post('[]')], [200, 400, 400]);
    assert.equal((await fetch(url)).status, 405);
    assert.equal(
      (await fetch(url.replace(deviceName, 'none'), { method: 'POST', body: '{"mode":1}' })).status,
      400,
    );
  });
});
