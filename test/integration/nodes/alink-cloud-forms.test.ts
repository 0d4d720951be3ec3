import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { CLOUD_ACTIONS, signDevice } from '../../../protocol';
import { hmac } from '../../../protocol/hmac';
import { cloud } from '../../support/cloud-node';
import {
  catchAll,
  device,
  emulatorPlatform,
  eventOut,
  GREENHOUSE_MODEL,
  propertyPost,
  sink,
} from '../../support/flows';
import { type FlowMessage, type FlowNode, type Runtime, startRuntime } from '../../support/runtime';
import { topicIn } from '../../support/topic-nodes';

const litres = {
  identifier: 'litres',
  name: 'Litres',
  dataType: { type: 'int', specs: { min: '0', max: '9' } },
};
const service = (identifier: string, callType: string) => ({
  identifier,
  name: identifier,
  callType,
  inputData: [litres],
  outputData: [litres],
});
const MODEL = { ...GREENHOUSE_MODEL, services: [service('pour', 'sync'), service('drain', 'async')] };
/** A device that exists only for the cloud. */
const OTHER = { productKey: 'a1Greenhouse', deviceName: 'house-99' };
const NO_RELATION = 'iot.device.QueryTopoRelationFailed';

type Extra = Record<string, unknown>;
type Rows<T> = { List: Record<string, T[]> };

/** Every action that has a form, called through it, and what comes of it at the device or as the answer. */
describe('forms of alink-cloud', () => {
  let red: Runtime;
  const tried = new Set<string>();
  const flow: FlowNode[] = [
    emulatorPlatform(),
    device({ thingModel: JSON.stringify(MODEL) }),
    propertyPost(),
    eventOut(),
    { id: 'set', z: 'tab', type: 'alink-property-set', device: 'device', wires: [['seen']] },
    ...serviceFlow(),
    topicIn({ wires: [['seen']] }),
    topicIn({ id: 'all', source: 'broadcast', topic: '', wires: [['seen']] }),
    topicIn({ id: 'ask', source: 'rrpc', topic: '', wires: [['reply']] }),
    topicIn({ id: 'own', source: 'rrpc', topic: 'user/ask', wires: [['reply']] }),
    ...CLOUD_ACTIONS.map(({ name }) => cloud(name, { id: name })),
    ...['sink', 'answers', 'seen'].map((id) => sink(id)),
    ...catchAll(),
  ];
  before(async () => {
    red = await startRuntime();
    await red.deploy(flow);
    for (const [node, payload] of [
      ['post', { temperature: 21.5, heater: 0 }],
      ['event', { temperature: 99 }],
    ] as const) {
      const posted = red.next('sink');
      red.send(node, { payload });
      await posted;
    }
  });
  after(() => red.stop());

  /** Sends through the form of an action, filled in as given. */
  async function call(action: string, msg: object = {}, extra: Extra = {}): Promise<FlowMessage> {
    tried.add(action);
    const answer = Promise.race([red.next('answers'), red.next('errors')]);
    const id = Object.keys(extra).length === 0 ? action : await fillIn(action, extra);
    red.send(id, msg);
    return answer;
  }

  async function fillIn(action: string, extra: Extra): Promise<string> {
    const id = `${action}-${flow.length}`;
    flow.push(cloud(action, { ...extra, id }));
    await red.deploy(flow, 'nodes');
    return id;
  }

  /** The answer of a call that has to succeed. */
  async function data<T = Record<string, string>>(action: string, msg?: object, extra?: Extra): Promise<T> {
    const { payload, error, alink } = await call(action, msg, extra);
    assert.equal(error, undefined, error?.message);
    assert.equal(alink?.status, 'acknowledged');
    return payload as T;
  }

  it('SetDeviceProperty: the value arrives at the device', async () => {
    const seen = red.next('seen');
    assert.ok((await data('SetDeviceProperty', { payload: { heater: 1 } })).MessageId);
    assert.deepEqual((await seen).payload, { heater: 1 });
  });

  it('SetDeviceDesiredProperty and QueryDeviceDesiredProperty: with versions', async () => {
    const seen = red.next('seen');
    const { Versions } = await data('SetDeviceDesiredProperty', { payload: { heater: 0 } });
    assert.equal(Versions, '{"heater":1}');
    assert.deepEqual((await seen).payload, { heater: 0 });
    const { error } = await call(
      'SetDeviceDesiredProperty',
      { payload: { heater: 1 } },
      { parameters: '{"Versions":{"heater":0}}' },
    );
    assert.equal(error?.code, 'iot.thing.DesiredPropertyVersionConflict');
    const { List } = await data<Rows<{ Identifier: string; Version: number }>>(
      'QueryDeviceDesiredProperty',
      {},
      { identifier: 'heater' },
    );
    assert.deepEqual(
      List.DesiredPropertyInfo?.map(({ Identifier, Version }) => [Identifier, Version]),
      [['heater', 1]],
    );
  });

  it('InvokeThingService: result of a synchronous one, id of an asynchronous one', async () => {
    assert.deepEqual(await data('InvokeThingService', { payload: { litres: 2 } }, { identifier: 'pour' }), {
      litres: 2,
    });
    const later = await data('InvokeThingService', {
      payload: { litres: 3 },
      alink: { identifier: 'drain' },
    });
    assert.ok(later.MessageId);
    const { error } = await call('InvokeThingService', { payload: {} });
    assert.match(error?.message ?? '', /identifier/);
  });

  it('QueryDeviceServiceData: what was called', async () => {
    const { List } = await data<Rows<{ Identifier: string; InputData: string }>>(
      'QueryDeviceServiceData',
      // An identifier that a message happens to carry does not narrow the question.
      { alink: { identifier: 'nothing' } },
    );
    assert.deepEqual(
      List.ServiceInfo?.map(({ Identifier, InputData }) => [Identifier, InputData]),
      [
        ['drain', '{"litres":3}'],
        ['pour', '{"litres":2}'],
      ],
    );
  });

  for (const [what, payload, expected] of [
    ['text', 'héllo', 'héllo'],
    ['an object', { level: 1 }, { level: 1 }],
    ['bytes', Buffer.from([0, 255]), Buffer.from([0, 255])],
  ] as const) {
    it(`Pub: ${what} to a topic of the device, named in short or by the message`, async () => {
      const seen = red.next('seen');
      await data('Pub', { payload }, { topic: 'user/get' });
      const message = await seen;
      assert.deepEqual(message.payload, expected);
      assert.equal(message.topic, '/a1Greenhouse/house-01/user/get');
      const again = red.next('seen');
      await data('Pub', { payload, topic: '/a1Greenhouse/house-01/user/get' });
      assert.deepEqual((await again).payload, expected);
    });
  }

  it('Pub: not without a topic', async () => {
    assert.match((await call('Pub', { payload: 'x' })).error?.message ?? '', /topic/);
  });

  it('PubBroadcast: reaches the device, whatever topic the message carries', async () => {
    const seen = red.next('seen');
    assert.ok((await data('PubBroadcast', { payload: 'all', topic: 'weather' })).MessageId);
    const { payload, topic } = await seen;
    assert.equal(payload, 'all');
    assert.match(String(topic), /broadcast\/request/);
  });

  it('RRpc: text and bytes there and back, on the own topic or the platform’s', async () => {
    const bytes = Buffer.from([0, 200, 255]);
    for (const topic of ['', 'user/ask']) {
      assert.equal(await data('RRpc', { payload: 'ping', topic: 'weather' }, { topic }), 'ping');
      assert.deepEqual(await data('RRpc', { payload: bytes }, { topic, timeout: '2' }), bytes);
    }
  });

  it('QueryDevicePropertyStatus, QueryDevicePropertyData, QueryDeviceEventData: what was reported', async () => {
    const status = await data<Rows<{ Identifier: string; Value?: string }>>('QueryDevicePropertyStatus');
    const temperature = status.List.PropertyStatusInfo?.find(
      ({ Identifier }) => Identifier === 'temperature',
    );
    assert.equal(temperature?.Value, '21.5');
    const past = await data<Rows<{ Value: string }>>(
      'QueryDevicePropertyData',
      {},
      { identifier: 'temperature' },
    );
    assert.deepEqual(
      past.List.PropertyInfo?.map(({ Value }) => Value),
      ['21.5'],
    );
    const { error } = await call('QueryDevicePropertyData');
    assert.match(error?.message ?? '', /identifier/);
    const events = await data<Rows<{ Identifier: string }>>('QueryDeviceEventData');
    assert.deepEqual(
      events.List.EventInfo?.map(({ Identifier }) => Identifier),
      ['overheat'],
    );
    const before = await data<Rows<object>>(
      'QueryDeviceEventData',
      {},
      { parameters: '{"StartTime":1000,"EndTime":2000,"Asc":1}' },
    );
    assert.deepEqual(before.List.EventInfo, [], 'times of one’s own count');
  });

  it('GetDeviceShadow and UpdateDeviceShadow: the document', async () => {
    const wanted = { method: 'update', state: { desired: { heater: 1 } }, version: 1 };
    await data('UpdateDeviceShadow', { payload: wanted });
    const shadow = await data<{ version: number; state: { desired: object } }>('GetDeviceShadow');
    assert.deepEqual([shadow.version, shadow.state.desired], [1, { heater: 1 }]);
    const { error } = await call('UpdateDeviceShadow', { payload: wanted });
    assert.equal(error?.code, 'iot.messagebroker.InvalidVersionValueInShadowMessage');
    assert.match(error?.message ?? '', /version is too low/);
  });

  it('SaveDeviceProp and QueryDeviceProp: tags', async () => {
    await data('SaveDeviceProp', { payload: { hall: '3' } });
    assert.deepEqual(await data('QueryDeviceProp'), { hall: '3' });
  });

  it('RegisterDevice to DeleteDevice: the life of a device', async () => {
    const msg = { device: OTHER };
    assert.ok((await data('RegisterDevice', msg)).DeviceSecret);
    assert.equal((await data('GetDeviceStatus', msg)).Status, 'UNACTIVE');
    await data('DisableThing', msg);
    assert.equal((await data('GetDeviceStatus', msg)).Status, 'DISABLE');
    await data('EnableThing', msg);
    assert.equal((await data('QueryDeviceDetail', msg)).DeviceName, 'house-99');
    await data('DeleteDevice', msg);
    const { error } = await call('GetDeviceStatus', msg);
    assert.equal(error?.code, 'iot.device.NotExistedDevice');
    assert.match(error?.message ?? '', /check ProductKey and DeviceName/);
  });

  it('NotifyAddThingTopo to RemoveThingTopo: sub-devices of a gateway', async () => {
    const sub = { productKey: 'a1Greenhouse', deviceName: 'sensor-01' };
    const { DeviceSecret = '' } = await data('RegisterDevice', { device: sub });
    assert.ok((await data('NotifyAddThingTopo', { payload: [sub] })).MessageId);
    assert.equal((await call('GetGatewayBySubDevice', { device: sub })).error?.code, NO_RELATION);
    const sign = signDevice(hmac, 'hmacsha256', DeviceSecret, sub);
    const parameters = {
      GwProductKey: 'a1Greenhouse',
      GwDeviceName: 'house-01',
      'TopoAddItem.1.ProductKey': sub.productKey,
      'TopoAddItem.1.DeviceName': sub.deviceName,
      'TopoAddItem.1.SignMethod': 'hmacsha256',
      'TopoAddItem.1.Sign': sign,
    };
    // One without a form.
    flow.push(cloud('BatchAddThingTopo', { id: 'batch', parameters: JSON.stringify(parameters) }));
    await red.deploy(flow, 'nodes');
    const added = Promise.race([red.next('answers'), red.next('errors')]);
    red.send('batch', {});
    assert.equal((await added).error, undefined);
    const { Total, List } = await data<{ Total: number; List: { deviceInfo: object[] } }>('GetThingTopo');
    assert.deepEqual([Total, List.deviceInfo.length], [1, 1]);
    assert.equal((await data('GetGatewayBySubDevice', { device: sub })).DeviceName, 'house-01');
    await data('RemoveThingTopo', { device: sub });
    assert.equal((await data<{ Total: number }>('GetThingTopo')).Total, 0);
    const { error } = await call('NotifyAddThingTopo', { payload: [sub] }, { device: '' });
    assert.match(error?.message ?? '', /device/);
  });

  it('QueryDeviceByStatus: those that are online, or whatever is asked for', async () => {
    type Devices = { SimpleDeviceInfo: Array<{ DeviceName: string }> };
    const names = ({ SimpleDeviceInfo }: Devices) => SimpleDeviceInfo.map(({ DeviceName }) => DeviceName);
    assert.deepEqual(names(await data<Devices>('QueryDeviceByStatus')), ['house-01']);
    const never = await data<Devices>('QueryDeviceByStatus', {}, { parameters: '{"Status":0}' });
    assert.ok(!names(never).includes('house-01'));
  });

  it('firmware: from the package to the cancelled upgrade', async () => {
    type Listed<T> = Record<string, T[]>;
    const asked = (identifier: string) => ({ alink: { identifier } });
    const { FirmwareId = '' } = await data('CreateOTAFirmware', {
      payload: Buffer.from('image'),
      ...asked('2.0.0'),
    });
    const package_ = async () => {
      const { FirmwareInfo } = await data<{ FirmwareInfo: { FirmwareSize: number; Status: number } }>(
        'QueryOTAFirmware',
        asked(FirmwareId),
      );
      return FirmwareInfo;
    };
    const { FirmwareSize, Status } = await package_();
    assert.deepEqual([FirmwareSize, Status], [5, 0]);
    const { FirmwareInfo } = await data<{ FirmwareInfo: Listed<{ DestVersion: string }> }>('ListOTAFirmware');
    assert.equal(FirmwareInfo.SimpleFirmwareInfo?.[0]?.DestVersion, '2.0.0');
    const { error } = await call('CreateOTAStaticUpgradeJob', asked(FirmwareId));
    assert.match(error?.message ?? '', /verified/);
    const { JobId = '' } = await data('CreateOTAVerifyJob', asked(FirmwareId));
    const { SimpleOTATaskInfo: open } = await data<Listed<{ JobId: string }>>(
      'ListOTAUnfinishedTaskByDevice',
    );
    assert.deepEqual(
      open?.map((task) => task.JobId),
      [JobId],
    );
    await data('CancelOTATaskByJob', asked(JobId));
    const { SimpleOTATaskInfo: tasks } = await data<Listed<{ TaskStatus: string; DeviceName: string }>>(
      'ListOTATaskByJob',
      asked(JobId),
    );
    assert.deepEqual(
      tasks?.map(({ TaskStatus, DeviceName }) => [TaskStatus, DeviceName]),
      [['CANCELED', 'house-01']],
    );
    assert.equal((await package_()).Status, 0);
    assert.deepEqual((await data<Listed<object>>('ListOTAModuleVersionsByDevice')).SimpleOTAModuleInfo, []);
  });

  it('RegisterDevice: a name of the platform’s choosing', async () => {
    const { DeviceName = '' } = await data(
      'RegisterDevice',
      { parameters: { ProductKey: 'a1Greenhouse' } },
      { device: '', parameters: 'parameters', parametersType: 'msg' },
    );
    assert.match(DeviceName, /^\w{4,}$/);
  });

  it('nothing is called without a device', async () => {
    const { error } = await call('GetDeviceStatus', {}, { device: '' });
    assert.match(error?.message ?? '', /device/);
  });

  it('none is left out', () => {
    const forms = CLOUD_ACTIONS.map(({ name }) => name);
    assert.deepEqual([...tried].sort(), forms.sort());
  });
});

function serviceFlow(): FlowNode[] {
  return [
    ...['pour', 'drain'].map((identifier) => ({
      id: identifier,
      z: 'tab',
      type: 'alink-service-in',
      device: 'device',
      identifier,
      reply: 'flow',
      timeLimit: '5',
      wires: [['reply']],
    })),
    {
      id: 'reply',
      z: 'tab',
      type: 'alink-service-reply',
      code: '200',
      codeType: 'num',
      message: '',
      messageType: 'str',
      value: 'payload',
      valueType: 'msg',
      wires: [],
    },
  ];
}
