import assert from 'node:assert/strict';
import type Iot from '@alicloud/iot20180120';
import * as models from '@alicloud/iot20180120';
import type { MqttClient } from 'mqtt';
import { type Emulator, startEmulator } from '../../../emulator';
import { cloudClient } from '../../support/cloud';
import { LAMP_1, LAMP_2, onlineLamp, PRODUCT, request } from '../../support/emulator';

const { productKey } = LAMP_1;
const S = `/sys/${productKey}/${LAMP_1.deviceName}/thing`;

describe('emulator: thing model and tags by the cloud', () => {
  let emulator: Emulator;
  let lamp: MqttClient;
  let cloud: Iot;

  beforeEach(async () => {
    emulator = await startEmulator({ config: { products: [PRODUCT] } });
    lamp = await onlineLamp(emulator, LAMP_1, { parameters: { _ss: 1 } });
    cloud = cloudClient(emulator);
  });

  afterEach(async () => {
    await lamp.endAsync(true);
    await emulator.close();
  });

  const identifiers = async () => {
    const { data } = await request(lamp, `${S}/dsltemplate/get`, {});
    return (data as { properties: Array<{ identifier: string }> }).properties.map(
      ({ identifier }) => identifier,
    );
  };
  const HUMIDITY = {
    identifier: 'humidity',
    name: 'Humidity',
    rwFlag: 'READ_ONLY',
    required: false,
    dataType: 'INT',
    dataSpecs: { dataType: 'INT', min: '0', max: '100', step: '1', unit: '%' },
  };

  it('publishes an imported thing model; devices see it then', async () => {
    const tsl = { properties: [{ identifier: 'ph', name: 'pH', dataType: { type: 'double', specs: {} } }] };
    const imported = await cloud.importThingModelTsl(
      new models.ImportThingModelTslRequest({ productKey, tslStr: JSON.stringify(tsl) }),
    );
    assert.equal(imported.body?.success, true);
    const draft = await cloud.getThingModelTsl(new models.GetThingModelTslRequest({ productKey }));
    assert.deepEqual(JSON.parse(draft.body?.data?.tslStr ?? ''), tsl);
    assert.deepEqual(await identifiers(), ['temperature', 'light']);
    await cloud.publishThingModel(new models.PublishThingModelRequest({ productKey }));
    const published = await cloud.getThingModelTslPublished(
      new models.GetThingModelTslPublishedRequest({ productKey }),
    );
    assert.deepEqual(JSON.parse(published.body?.data?.tslStr ?? ''), tsl);
    assert.deepEqual(await identifiers(), ['ph']);
  });

  it('adds and changes features in the form of the API', async () => {
    const write = (kind: 'createThingModel' | 'updateThingModel', feature: object) => {
      const thingModelJson = JSON.stringify({ productKey, properties: [feature] });
      return kind === 'createThingModel'
        ? cloud.createThingModel(new models.CreateThingModelRequest({ productKey, thingModelJson }))
        : cloud.updateThingModel(
            new models.UpdateThingModelRequest({ productKey, identifier: 'humidity', thingModelJson }),
          );
    };
    assert.equal((await write('createThingModel', HUMIDITY)).body?.success, true);
    await write('updateThingModel', { ...HUMIDITY, dataSpecs: { ...HUMIDITY.dataSpecs, max: '90' } });
    await cloud.publishThingModel(new models.PublishThingModelRequest({ productKey }));
    assert.deepEqual(await identifiers(), ['temperature', 'light', 'humidity']);
    await request(lamp, `${S}/event/property/post`, { humidity: 95 });
    await request(lamp, `${S}/event/property/post`, { humidity: 85 });
    assert.deepEqual(
      emulator.devices
        .get(LAMP_1)
        ?.history('humidity')
        .map(({ value }) => value),
      [85],
    );
    const { body } = await cloud.queryThingModel(new models.QueryThingModelRequest({ productKey }));
    const { properties, events } = JSON.parse(body?.data?.thingModelJson ?? '');
    assert.equal(properties[2].dataSpecs.max, '90');
    assert.equal(events[0].eventType, 'ALERT_EVENT_TYPE');
  });

  it('refuses what is no thing model', async () => {
    for (const tslStr of ['{', '[]', '{"properties":[{}]}', '{"properties":[{"identifier":"set"}]}']) {
      const { body } = await cloud.importThingModelTsl(
        new models.ImportThingModelTslRequest({ productKey, tslStr }),
      );
      assert.equal(body?.success, false, tslStr);
    }
    const broken = { ...HUMIDITY, rwFlag: 'SOMETIMES' };
    const { body } = await cloud.createThingModel(
      new models.CreateThingModelRequest({
        productKey,
        thingModelJson: JSON.stringify({ properties: [broken] }),
      }),
    );
    assert.equal(body?.success, false);
    const inModule = await cloud.createThingModel(
      new models.CreateThingModelRequest({
        productKey,
        functionBlockId: 'more',
        thingModelJson: JSON.stringify({ properties: [HUMIDITY] }),
      }),
    );
    assert.equal(inModule.body?.success, false);
  });

  it('keeps tags, and finds devices by them', async () => {
    const save = async (props: unknown) => {
      const text = typeof props === 'string' ? props : JSON.stringify(props);
      return (await cloud.saveDeviceProp(new models.SaveDevicePropRequest({ ...LAMP_1, props: text }))).body
        ?.success;
    };
    assert.equal(await save({ room: 'A1', floor: '2' }), true);
    assert.equal(await save({ '1bad': 'x' }), false);
    assert.equal(await save({ good: 1 }), false);
    assert.equal(await save('['), false);
    await cloud.deleteDeviceProp(new models.DeleteDevicePropRequest({ ...LAMP_1, propKey: 'floor' }));
    const { body } = await cloud.queryDeviceProp(new models.QueryDevicePropRequest(LAMP_1));
    assert.deepEqual(JSON.parse(body?.props ?? ''), { room: 'A1' });
    await lamp.subscribeAsync(`${S}/deviceinfo/get_reply`);
    assert.deepEqual((await request(lamp, `${S}/deviceinfo/get`, ['room'])).data, [
      { attrKey: 'room', attrValue: 'A1' },
    ]);
    await cloud.saveDeviceProp(new models.SaveDevicePropRequest({ ...LAMP_2, props: '{"room":"B2"}' }));
    const find = async (tagValue?: string) => {
      const tag = [{ tagKey: 'room', ...(tagValue === undefined ? {} : { tagValue }) }];
      const found = await cloud.queryDeviceByTags(
        new models.QueryDeviceByTagsRequest({
          currentPage: 1,
          pageSize: 10,
          tag: tag as models.QueryDeviceByTagsRequestTag[],
        }),
      );
      return found.body?.data?.simpleDeviceInfo?.map(({ deviceName }) => deviceName);
    };
    assert.deepEqual(await find('B2'), ['lamp-2']);
    assert.deepEqual(await find(), ['lamp-1', 'lamp-2']);
  });
});
