import assert from 'node:assert/strict';
import type Iot from '@alicloud/iot20180120';
import * as models from '@alicloud/iot20180120';
import type { MqttClient } from 'mqtt';
import { type Emulator, startEmulator } from '../../../emulator';
import { cloudClient } from '../../support/cloud';
import { LAMP_1, onlineLamp, PRODUCT } from '../../support/emulator';
import { LAMP_SCRIPT } from '../../support/scripts';

const { productKey, deviceName } = LAMP_1;
const S = `/sys/${productKey}/${deviceName}`;
const DOWN = `${S}/thing/model/down_raw`;
const level = [
  { identifier: 'level', name: 'Level', dataType: { type: 'int', specs: { min: '0', max: '100' } } },
];
const service = (identifier: string, callType: string) => ({
  identifier,
  name: identifier,
  callType,
  method: `thing.service.${identifier}`,
  inputData: level,
  outputData: level,
});
const PASSTHROUGH = {
  ...PRODUCT,
  dataFormat: 'custom',
  script: LAMP_SCRIPT,
  thingModel: { ...PRODUCT.thingModel, services: [service('dim', 'async'), service('dimNow', 'sync')] },
};

describe('emulator: requests to passthrough products', () => {
  let emulator: Emulator;
  let cloud: Iot;
  let lamp: MqttClient;

  const connect = async (parameters: Record<string, number> = {}) => {
    lamp = await onlineLamp(emulator, LAMP_1, { parameters: { _ss: 1, ...parameters } });
  };

  beforeEach(async () => {
    emulator = await startEmulator({ config: { products: [PASSTHROUGH] } });
    cloud = cloudClient(emulator);
  });

  afterEach(async () => {
    await lamp.endAsync(true);
    await emulator.close();
  });

  /** Answers the next request. @returns its topic and bytes */
  const serve = (answer: (frame: number[]) => number[], on: (topic: string) => string) =>
    new Promise<[string, number[]]>((resolve) => {
      lamp.once('message', (topic, payload) => {
        resolve([topic, [...payload]]);
        lamp.publish(on(topic), Buffer.from(answer([...payload])), { qos: 1 });
      });
    });
  const set = (items = '{"light":1}') =>
    cloud.setDeviceProperty(new models.SetDevicePropertyRequest({ ...LAMP_1, items }));
  const invoke = (identifier: string) =>
    cloud.invokeThingService(
      new models.InvokeThingServiceRequest({ ...LAMP_1, identifier, args: '{"level":40}' }),
    );
  const result = (requestId: string | undefined) =>
    emulator.messages.waitFor(
      ({ topic, json }) =>
        topic.endsWith('/thing/downlink/reply/message') &&
        (json as { requestId: unknown }).requestId === requestId,
    );
  const idOf = (frame: number[]) => frame.slice(1, 5);

  for (const topic of [`${DOWN}_reply`, `${S}/thing/model/up_raw`]) {
    it(`sets a property; the answer on ${topic} reaches applications`, async () => {
      await connect();
      const served = serve(
        (frame) => [3, ...idOf(frame), 2],
        () => topic,
      );
      const { body } = await set();
      assert.equal(body?.success, true, body?.errorMessage);
      const messageId = body?.data?.messageId;
      const [from, frame] = await served;
      assert.deepEqual([from, frame[0], frame[5]], [DOWN, 1, 1]);
      assert.equal(Buffer.from(idOf(frame)).readUInt32BE(), Number(messageId));
      const { json } = await result(messageId);
      const { code, data } = json as { code: number; data: unknown };
      assert.deepEqual([code, data], [200, {}]);
    });
  }

  it('tells answers apart by the id that the script reads', async () => {
    await connect();
    const frames: number[][] = [];
    const both = new Promise<void>((resolve) => {
      lamp.on('message', (_, payload) => {
        if (frames.push([...payload]) === 2) resolve();
      });
    });
    const [first, second] = await Promise.all([set(), set('{"light":0}')]);
    await both;
    for (const frame of frames.reverse()) {
      const code = frame[5] === 1 ? 2 : 4;
      await lamp.publishAsync(`${DOWN}_reply`, Buffer.from([3, ...idOf(frame), code]), { qos: 1 });
    }
    const codes = await Promise.all(
      [first, second].map(async ({ body }) => (await result(body?.data?.messageId)).json),
    );
    assert.deepEqual(
      codes.map((json) => (json as { code: number }).code),
      [200, 400],
    );
  });

  it('carries out an asynchronous service', async () => {
    await connect();
    const served = serve(
      (frame) => [6, ...idOf(frame), 2, 40],
      () => `${DOWN}_reply`,
    );
    const { body } = await invoke('dim');
    assert.equal(body?.success, true, body?.errorMessage);
    assert.equal((await served)[1][0], 5);
    const { json } = await result(body?.data?.messageId);
    assert.deepEqual((json as { data: unknown }).data, { level: 40 });
  });

  for (const ext of [0, 1]) {
    it(`carries out a synchronous service with ext=${ext}`, async () => {
      await connect({ ext });
      if (ext === 0) await lamp.subscribeAsync(`${S}/rrpc/request/+`);
      else await lamp.subscribeAsync(`/ext/rrpc/+${DOWN}`);
      const served = serve(
        (frame) => [6, ...idOf(frame), 2, 41],
        (topic) => topic.replace('/rrpc/request/', '/rrpc/response/'),
      );
      const { body } = await invoke('dimNow');
      assert.equal(body?.success, true, body?.errorMessage);
      assert.deepEqual(JSON.parse(body?.data?.result ?? ''), { level: 41 });
      const [topic] = await served;
      assert.match(
        topic,
        ext === 0 ? /^\/sys\/.*\/rrpc\/request\/\d+$/ : /^\/ext\/rrpc\/\d+\/sys\/.*\/down_raw$/,
      );
    });
  }

  it('tells the caller when the script cannot make bytes, or nothing of the answer', async () => {
    await connect();
    await lamp.subscribeAsync(`${S}/rrpc/request/+`);
    emulator.setScript(productKey, LAMP_SCRIPT.replace('function rawDataToProtocol', 'function other'));
    const served = serve(
      () => [1],
      (topic) => topic.replace('/rrpc/request/', '/rrpc/response/'),
    );
    const unread = await invoke('dimNow');
    await served;
    assert.deepEqual([unread.body?.success, unread.body?.code], [false, '26006']);
    emulator.setScript(productKey, 'function protocolToRawData() { throw new Error("no frame") }');
    for (const { body } of [await set(), await invoke('dim'), await invoke('dimNow')]) {
      assert.equal(body?.success, false);
      assert.match(body?.errorMessage ?? '', /no frame/);
    }
  });

  it('takes its script by the API', async () => {
    await connect();
    const scriptContent = 'function protocolToRawData() { return [7] }';
    const request = { productKey, scriptType: 'JavaScript', scriptContent };
    const written = await cloud.updateThingScript(new models.UpdateThingScriptRequest(request));
    assert.equal(written.body?.success, true, written.body?.errorMessage);
    const { body } = await cloud.getThingScript(new models.GetThingScriptRequest({ productKey }));
    assert.equal(await (await fetch(body?.data?.scriptUrl ?? '')).text(), scriptContent);
    const arrived = new Promise<number[]>((resolve) => {
      lamp.once('message', (_, payload) => resolve([...payload]));
    });
    await set();
    assert.deepEqual(await arrived, [7]);
    const python = await cloud.createThingScript(
      new models.CreateThingScriptRequest({ ...request, scriptType: 'Python_27' }),
    );
    assert.equal(python.body?.success, false);
  });
});
