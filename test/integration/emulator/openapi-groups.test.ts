import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type Iot from '@alicloud/iot20180120';
import * as models from '@alicloud/iot20180120';
import { type Emulator, startEmulator } from '../../../emulator';
import { cloudClient } from '../../support/cloud';
import { LAMP_1, LAMP_2, PRODUCT } from '../../support/emulator';
import { addImage } from '../../support/firmware';

const { productKey } = PRODUCT;
const OTHER = { productKey: 'a1Other', deviceName: 'other-1' };

describe('emulator: groups of devices by the vendor’s cloud SDK', () => {
  let emulator: Emulator;
  let cloud: Iot;
  let folder: string;

  const start = async () => {
    emulator = await startEmulator({
      clock: () => Date.UTC(2026, 0, 1),
      snapshotFile: join(folder, 'state.json'),
      config: {
        products: [PRODUCT, { productKey: OTHER.productKey, devices: [{ deviceName: OTHER.deviceName }] }],
      },
    });
    cloud = cloudClient(emulator);
  };

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'alink-groups-'));
    await start();
  });

  afterEach(async () => {
    await emulator.close();
    await rm(folder, { recursive: true });
  });

  const create = async (groupName: string, superGroupId = '') => {
    const { body } = await cloud.createDeviceGroup(
      new models.CreateDeviceGroupRequest({ groupName, groupDesc: 'in the north', superGroupId }),
    );
    return { code: body?.code, groupId: body?.data?.groupId ?? '' };
  };
  const add = async (groupId: string, device: Array<typeof LAMP_1>) =>
    (
      await cloud.batchAddDeviceGroupRelations(
        new models.BatchAddDeviceGroupRelationsRequest({
          groupId,
          device: device.map((one) => new models.BatchAddDeviceGroupRelationsRequestDevice(one)),
        }),
      )
    ).body;
  const devices = async (groupId: string) => {
    const { body } = await cloud.queryDeviceListByDeviceGroup(
      new models.QueryDeviceListByDeviceGroupRequest({ groupId }),
    );
    return body?.data?.simpleDeviceInfo?.map(({ deviceName }) => deviceName);
  };
  const info = async (groupId: string) =>
    (await cloud.queryDeviceGroupInfo(new models.QueryDeviceGroupInfoRequest({ groupId }))).body;
  const names = async (fields = {}) => {
    const { body } = await cloud.queryDeviceGroupList(new models.QueryDeviceGroupListRequest(fields));
    return body?.data?.groupInfo?.map(({ groupName }) => groupName);
  };

  it('are made, filled, listed, emptied and deleted', async () => {
    const { groupId } = await create('north');
    const part = await create('north_1', groupId);
    assert.deepEqual(await names(), ['north']);
    assert.deepEqual(await names({ superGroupId: groupId }), ['north_1']);
    const added = await add(groupId, [LAMP_1, OTHER, { productKey, deviceName: 'none' }, LAMP_1]);
    assert.deepEqual(
      [added?.validDeviceCount, added?.successAddedDeviceCount, added?.alreadyRelatedGroupDeviceCount],
      [2, 2, 0],
    );
    assert.equal((await add(groupId, [LAMP_1]))?.alreadyRelatedGroupDeviceCount, 1);
    assert.deepEqual(await devices(groupId), ['lamp-1', 'other-1']);
    await cloud.updateDeviceGroup(new models.UpdateDeviceGroupRequest({ groupId, groupDesc: 'all of it' }));
    const { groupName, groupDesc, deviceCount, deviceOnline } = (await info(groupId))?.data ?? {};
    assert.deepEqual([groupName, groupDesc, deviceCount, deviceOnline], ['north', 'all of it', 2, 0]);
    const of = await cloud.queryDeviceGroupByDevice(new models.QueryDeviceGroupByDeviceRequest(LAMP_1));
    assert.deepEqual(
      of.body?.groupInfos?.groupInfo?.map((group) => group.groupId),
      [groupId],
    );
    const { body } = await cloud.batchDeleteDeviceGroupRelations(
      new models.BatchDeleteDeviceGroupRelationsRequest({
        groupId,
        device: [LAMP_1, LAMP_2].map((one) => new models.BatchDeleteDeviceGroupRelationsRequestDevice(one)),
      }),
    );
    assert.deepEqual([body?.validDeviceCount, body?.successDeviceCount], [2, 1]);
    await cloud.deleteDevice(new models.DeleteDeviceRequest(OTHER));
    assert.deepEqual(await devices(groupId), []);
    await cloud.deleteDeviceGroup(new models.DeleteDeviceGroupRequest({ groupId }));
    assert.equal((await info(part.groupId))?.code, 'iot.group.NotExistedGroup');
  });

  it('refuse what cannot be', async () => {
    const { groupId } = await create('north');
    assert.equal((await create('north')).code, 'iot.group.ExistedGroup');
    assert.equal((await create('no rth')).code, 'iot.group.InvalidFormattedGroupName');
    assert.equal((await create('south', 'none')).code, 'iot.group.NotExistedGroup');
    assert.equal((await add(groupId, []))?.code, 'iot.group.NoneDevices');
    for (let i = 0; i < 10; i++) await add((await create(`other_${i}`)).groupId, [LAMP_1]);
    assert.equal((await add(groupId, [LAMP_1]))?.exceedTenGroupDeviceCount, 1);
  });

  it('are upgraded, and kept by a snapshot', async () => {
    const { groupId } = await create('north');
    await add(groupId, [LAMP_2, OTHER]);
    const firmwareId = await addImage(emulator);
    const { body } = await cloud.createOTAStaticUpgradeJob(
      new models.CreateOTAStaticUpgradeJobRequest({
        firmwareId,
        productKey,
        targetSelection: 'GROUP',
        groupId,
      }),
    );
    const jobId = body?.data?.jobId ?? '';
    const check = async () => {
      const tasks = await cloud.listOTATaskByJob(new models.ListOTATaskByJobRequest({ jobId }));
      assert.deepEqual(
        tasks.body?.data?.simpleOTATaskInfo?.map(({ deviceName }) => deviceName),
        ['lamp-2'],
      );
      const job = (await cloud.queryOTAJob(new models.QueryOTAJobRequest({ jobId }))).body?.data;
      assert.deepEqual([job?.targetSelection, job?.groupId, job?.groupName], ['GROUP', groupId, 'north']);
      assert.deepEqual(await devices(groupId), ['lamp-2', 'other-1']);
    };
    await check();
    await emulator.close();
    await start();
    await check();
  });
});
