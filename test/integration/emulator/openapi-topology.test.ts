import assert from 'node:assert/strict';
import type Iot from '@alicloud/iot20180120';
import * as models from '@alicloud/iot20180120';
import type { MqttClient } from 'mqtt';
import { type Emulator, startEmulator } from '../../../emulator';
import type { DeviceIdentity } from '../../../protocol';
import { cloudClient } from '../../support/cloud';
import { onlineLamp, request } from '../../support/emulator';
import {
  GATEWAY_1,
  GATEWAY_2,
  PLAIN,
  PLANT,
  presented,
  SENSOR_1,
  SENSOR_2,
  SENSOR_3,
  SENSOR_4,
  thingTopic,
} from '../../support/plant';

const NAMES = ({ productKey, deviceName }: DeviceIdentity) => ({ productKey, deviceName });
const GATEWAY = { gwProductKey: GATEWAY_1.productKey, gwDeviceName: GATEWAY_1.deviceName };

describe("topology by the vendor's cloud SDK", () => {
  let emulator: Emulator;
  let cloud: Iot;
  let gateway: MqttClient;

  beforeEach(async () => {
    emulator = await startEmulator({
      config: { ...PLANT, limits: { subDevicesPerGateway: 3 } },
    });
    cloud = cloudClient(emulator);
    gateway = await onlineLamp(emulator, GATEWAY_1, { parameters: { _ss: 1 } });
    await gateway.subscribeAsync(thingTopic(GATEWAY_1, 'topo/add/notify'));
  });

  afterEach(async () => {
    await gateway.endAsync(true);
    await emulator.close();
  });

  const topoAdd = (...identities: DeviceIdentity[]) =>
    request(
      gateway,
      thingTopic(GATEWAY_1, 'topo/add'),
      identities.map((one) => presented(one)),
    );
  const changed = (status: number) =>
    emulator.exchanges.waitFor(
      ({ operation, text }) => operation === 'thing.topo.change' && text.includes(`"status":${status}`),
    );
  const login = (identity: DeviceIdentity) =>
    new Promise<void>((resolve, reject) => {
      const topic = `/ext/session/${GATEWAY_1.productKey}/${GATEWAY_1.deviceName}/combine/login`;
      const { signmethod, ...rest } = presented(identity);
      const listener = (from: string, payload: Buffer) => {
        if (from !== `${topic}_reply`) return;
        gateway.off('message', listener);
        const { code } = JSON.parse(payload.toString()) as { code: number };
        if (code === 200) resolve();
        else reject(new Error(`login refused with ${code}`));
      };
      gateway.on('message', listener);
      gateway.publish(topic, JSON.stringify({ id: '1', params: { ...rest, signMethod: signmethod } }));
    });

  it('pages the topology of a gateway', async () => {
    await topoAdd(SENSOR_1, SENSOR_2, SENSOR_3);
    const { body } = await cloud.getThingTopo(
      new models.GetThingTopoRequest({ ...GATEWAY_1, pageNo: 2, pageSize: 2 }),
    );
    const data = body?.data;
    assert.deepEqual(
      data?.list?.deviceInfo?.map(({ iotId, productKey, deviceName }) => ({ iotId, productKey, deviceName })),
      [{ iotId: emulator.devices.get(SENSOR_3)?.iotId, ...SENSOR_3 }],
    );
    assert.deepEqual([data?.total, data?.pageCount, data?.currentPage, data?.pageSize], [3, 2, 2, 2]);
    const { body: empty } = await cloud.getThingTopo(
      new models.GetThingTopoRequest({ ...GATEWAY_2, pageNo: 1, pageSize: 50 }),
    );
    assert.deepEqual([empty?.data?.total, empty?.data?.list?.deviceInfo], [0, []]);
  });

  it('tells the gateway of a sub-device', async () => {
    await topoAdd(SENSOR_1);
    const { body } = await cloud.getGatewayBySubDevice(new models.GetGatewayBySubDeviceRequest(SENSOR_1));
    const { deviceName, productKey, nodeType, status } = body?.data ?? {};
    assert.deepEqual(
      { deviceName, productKey, nodeType, status },
      { ...GATEWAY_1, nodeType: '1', status: 'ONLINE' },
    );
    const { body: none } = await cloud.getGatewayBySubDevice(
      new models.GetGatewayBySubDeviceRequest(SENSOR_2),
    );
    assert.deepEqual([none?.success, none?.code], [false, 'iot.device.QueryTopoRelationFailed']);
  });

  it('asks a gateway to add sub-devices, and tells applications what it answers', async () => {
    const asked = new Promise<{ id: string; params: unknown; method: string }>((resolve) => {
      gateway.on('message', (topic, payload) => {
        if (topic.endsWith('topo/add/notify')) resolve(JSON.parse(payload.toString()));
      });
    });
    const iotId = emulator.devices.get(SENSOR_2)?.iotId;
    const { body } = await cloud.notifyAddThingTopo(
      new models.NotifyAddThingTopoRequest({
        ...GATEWAY,
        deviceListStr: JSON.stringify([SENSOR_1, { IotId: iotId }]),
      }),
    );
    const { id, params, method } = await asked;
    assert.equal(body?.data?.messageId, id);
    assert.deepEqual([method, params], ['thing.topo.add.notify', [SENSOR_1, SENSOR_2]]);
    gateway.publish(
      thingTopic(GATEWAY_1, 'topo/add/notify_reply'),
      JSON.stringify({ id, code: 200, data: {} }),
    );
    const told = await emulator.messages.waitFor(({ topic }) => topic.endsWith('/downlink/reply/message'));
    const { requestId, code } = told.json as { requestId: string; code: number };
    assert.deepEqual([requestId, code], [id, 200]);
  });

  it('refuses to notify what is no gateway, or of what is no device', async () => {
    const notify = async (fields: Record<string, string>) => {
      const { body } = await cloud.notifyAddThingTopo(new models.NotifyAddThingTopoRequest(fields));
      return body?.code;
    };
    const list = JSON.stringify([SENSOR_1]);
    const plain = { gwProductKey: PLAIN.productKey, gwDeviceName: PLAIN.deviceName };
    assert.equal(await notify({ ...plain, deviceListStr: list }), 'iot.prod.InvalidNodeType');
    assert.equal(
      await notify({ ...GATEWAY, deviceListStr: '[{"productKey":"a1Sensor","deviceName":"nobody"}]' }),
      'iot.device.NotExistedDevice',
    );
    for (const bad of ['[]', '{}', 'no JSON']) {
      assert.equal(
        await notify({ ...GATEWAY, deviceListStr: bad }),
        'iot.common.InvalidFormattedParameter',
        bad,
      );
    }
    assert.equal(await notify({ ...GATEWAY }), 'MissingDeviceListStr');
  });

  it('removes a sub-device from the topology: its session ends with 6401, the gateway is told', async () => {
    await topoAdd(SENSOR_1, SENSOR_2);
    await login(SENSOR_1);
    assert.equal(emulator.devices.get(SENSOR_1)?.status, 'ONLINE');
    const kicked = emulator.exchanges.waitFor(
      ({ operation, text }) => operation === 'session.error' && text.includes('"code":6401'),
    );
    const { body } = await cloud.removeThingTopo(new models.RemoveThingTopoRequest(SENSOR_1));
    assert.deepEqual([body?.success, body?.data], [true, true]);
    await kicked;
    await changed(1);
    assert.equal(emulator.devices.get(SENSOR_1)?.status, 'OFFLINE');
    assert.deepEqual(emulator.topology.subDevices(GATEWAY_1), [SENSOR_2]);
  });

  it('removes all sub-devices of a gateway, and says so when there are none', async () => {
    await topoAdd(SENSOR_1, SENSOR_2);
    await cloud.removeThingTopo(new models.RemoveThingTopoRequest(GATEWAY_1));
    assert.deepEqual(emulator.topology.subDevices(GATEWAY_1), []);
    const { body } = await cloud.removeThingTopo(new models.RemoveThingTopoRequest(GATEWAY_1));
    assert.deepEqual([body?.success, body?.code], [false, 'iot.device.RemoveTopoRelationFailed']);
  });

  it('disables, enables and deletes a sub-device, and tells the gateway each time', async () => {
    await topoAdd(SENSOR_1);
    await login(SENSOR_1);
    await cloud.disableThing(new models.DisableThingRequest(SENSOR_1));
    await changed(8);
    assert.equal(emulator.devices.get(SENSOR_1)?.status, 'DISABLE');
    await cloud.enableThing(new models.EnableThingRequest(SENSOR_1));
    await changed(2);
    assert.equal(emulator.devices.get(SENSOR_1)?.status, 'OFFLINE');
    await login(SENSOR_1);
    await cloud.deleteDevice(new models.DeleteDeviceRequest(SENSOR_1));
    await changed(1);
    assert.deepEqual(emulator.topology.subDevices(GATEWAY_1), []);
    const { data } = await request(gateway, thingTopic(GATEWAY_1, 'topo/get'), {});
    assert.deepEqual(data, []);
  });

  it('lists devices by status, and tells the state of sub-devices', async () => {
    await topoAdd(SENSOR_1);
    await login(SENSOR_1);
    emulator.devices.setEnabled(SENSOR_4, false);
    const { productKey } = SENSOR_1;
    const listed = async (status: number, of: { productKey?: string } = { productKey }) => {
      const { body } = await cloud.queryDeviceByStatus(
        new models.QueryDeviceByStatusRequest({ status, ...of, pageSize: 50, currentPage: 1 }),
      );
      assert.equal(body?.total, body?.data?.simpleDeviceInfo?.length);
      return body?.data?.simpleDeviceInfo?.map(({ deviceName, status: as }) => `${deviceName} ${as}`);
    };
    assert.deepEqual(await listed(1), ['sensor-1 ONLINE']);
    assert.deepEqual(await listed(0), ['sensor-2 UNACTIVE', 'sensor-3 UNACTIVE']);
    assert.deepEqual(await listed(8), ['sensor-4 DISABLE']);
    assert.deepEqual(await listed(1, {}), ['gateway-1 ONLINE', 'sensor-1 ONLINE']);
    await gateway.endAsync(true);
    await emulator.messages.waitFor(
      ({ topic, text }) => topic === '/as/mqtt/status/a1Sensor/sensor-1' && text.includes('"offline"'),
    );
    assert.deepEqual(await listed(3), ['sensor-1 OFFLINE']);
    const { body: wrong } = await cloud.queryDeviceByStatus(
      new models.QueryDeviceByStatusRequest({ status: 2, productKey }),
    );
    assert.equal(wrong?.code, 'iot.common.InvalidFormattedParameter');
    const { body: states } = await cloud.batchGetDeviceState(
      new models.BatchGetDeviceStateRequest({ productKey, deviceName: ['sensor-1', 'sensor-4'] }),
    );
    assert.deepEqual(
      states?.deviceStatusList?.deviceStatus?.map(({ deviceName, status }) => `${deviceName} ${status}`),
      ['sensor-1 OFFLINE', 'sensor-4 DISABLE'],
    );
  });

  it('adds sub-devices at once, all or none, and moves them from another gateway', async () => {
    const add = async (...identities: DeviceIdentity[]) => {
      const topoAddItem = identities.map((identity) => {
        const { signmethod: signMethod, sign, clientId, timestamp } = presented(identity);
        return new models.BatchAddThingTopoRequestTopoAddItem({
          ...NAMES(identity),
          signMethod,
          sign,
          clientId,
          timestamp,
        });
      });
      const { body } = await cloud.batchAddThingTopo(
        new models.BatchAddThingTopoRequest({ ...GATEWAY, topoAddItem }),
      );
      return body?.success === true ? '' : body?.code;
    };
    emulator.topology.add(GATEWAY_2, [SENSOR_2]);
    assert.equal(await add(SENSOR_1, SENSOR_2), '');
    await changed(0);
    assert.deepEqual(emulator.topology.subDevices(GATEWAY_1), [SENSOR_1, SENSOR_2]);
    assert.deepEqual(emulator.topology.subDevices(GATEWAY_2), []);
    const nobody = { ...SENSOR_1, deviceName: 'nobody' };
    assert.equal(await add(SENSOR_3, nobody), 'iot.device.NotExistedDevice');
    assert.equal(await add(SENSOR_3, GATEWAY_1), 'iot.device.AddTopoRelationFailed');
    assert.equal(await add(SENSOR_3, SENSOR_4), 'iot.device.TopoRelationCountExceeded');
    assert.equal(await add(), 'MissingTopoAddItem');
    assert.deepEqual(emulator.topology.subDevices(GATEWAY_1), [SENSOR_1, SENSOR_2]);
  });
});
