import assert from 'node:assert/strict';
import type Iot from '@alicloud/iot20180120';
import * as models from '@alicloud/iot20180120';
import type { MqttClient } from 'mqtt';
import { type Emulator, startEmulator } from '../../../emulator';
import { cloudClient } from '../../support/cloud';
import { onlineLamp, request, suback } from '../../support/emulator';
import {
  GATE_1,
  GATEWAYS,
  login,
  loginOf,
  logout,
  messageOn,
  onlineGateway,
  stand,
} from '../../support/gateway';

const PUMP = { productKey: 'a1Pumps', deviceName: 'pump-1' };
const VALVE = { productKey: 'a1Pumps', deviceName: 'valve-1' };
const S = `/sys/${PUMP.productKey}/${PUMP.deviceName}`;
const number = { type: 'int', specs: { min: '0', max: '1000' } };
const service = (identifier: string, callType: string) => ({
  identifier,
  name: identifier,
  callType,
  inputData: [{ identifier: 'number', name: 'Number', required: true, dataType: number }],
  outputData: [{ identifier: 'result', name: 'Result', required: true, dataType: number }],
});
const PUMPS = {
  productKey: PUMP.productKey,
  thingModel: {
    profile: { productKey: PUMP.productKey },
    properties: [{ identifier: 'level', name: 'Level', accessMode: 'rw', dataType: number }],
    events: [],
    services: [service('slowly', 'async'), service('quickly', 'sync')],
  },
  devices: [PUMP, VALVE].map(({ deviceName }) => ({ deviceName, deviceSecret: `secret-of-${deviceName}` })),
};

/** The platform's requests to sub-devices, called by the vendor's cloud SDK; the gateway is plain MQTT.js. */
describe('requests to sub-devices', () => {
  let emulator: Emulator;
  let cloud: Iot;
  let gate: MqttClient;

  beforeEach(async () => {
    emulator = await startEmulator({ config: { products: [GATEWAYS, PUMPS] } });
    cloud = cloudClient(emulator);
    stand(emulator, GATE_1, [PUMP, VALVE]);
    gate = await onlineGateway(emulator);
  });

  afterEach(async () => {
    gate.end(true);
    await emulator.close();
  });

  const status = async () =>
    (await cloud.getDeviceStatus(new models.GetDeviceStatusRequest({ ...PUMP }))).body?.data?.status;

  it('arrive over the connection of the gateway, and so do answers', async () => {
    assert.equal(await status(), 'UNACTIVE');
    await login(gate, GATE_1, loginOf(PUMP));
    assert.equal(await status(), 'ONLINE');
    const asked = messageOn(gate, `${S}/thing/service/property/set`);
    await cloud.setDeviceProperty(new models.SetDevicePropertyRequest({ ...PUMP, items: '{"level":7}' }));
    const { id, params } = JSON.parse(await asked);
    assert.deepEqual(params, { level: 7 });
    gate.publish(`${S}/thing/service/property/set_reply`, JSON.stringify({ id, code: 200, data: {} }));
    const told = await emulator.messages.waitFor(({ topic }) =>
      topic.endsWith('/thing/downlink/reply/message'),
    );
    assert.deepEqual(told.identity, PUMP);
    const down = emulator.exchanges.list(({ operation }) => operation === 'thing.service.property.set');
    assert.deepEqual(
      down.map(({ kind, identity }) => [kind, identity]),
      [
        ['down', PUMP],
        ['up', PUMP],
      ],
    );
    await logout(gate, GATE_1, PUMP);
    assert.equal(await status(), 'OFFLINE');
    const { body } = await cloud.invokeThingService(
      new models.InvokeThingServiceRequest({ ...PUMP, identifier: 'quickly', args: '{"number":1}' }),
    );
    assert.match(body?.code ?? '', /OFFLINE/i);
  });

  it('wait for synchronous services, on the topic that the login asked for', async () => {
    const calls: string[] = [];
    gate.on('message', (topic, payload) => {
      if (!topic.includes('rrpc')) return;
      calls.push(topic.replace(/\d{4,}/, 'ID'));
      const { id, params } = JSON.parse(payload.toString());
      const answer = JSON.stringify({ id, code: 200, data: { result: params.number + 1 } });
      gate.publish(topic.replace('/rrpc/request/', '/rrpc/response/'), answer);
    });
    const quickly = async () => {
      const { body } = await cloud.invokeThingService(
        new models.InvokeThingServiceRequest({ ...PUMP, identifier: 'quickly', args: '{"number":41}' }),
      );
      return body?.data?.result ?? body?.code;
    };
    await login(gate, GATE_1, loginOf(PUMP));
    assert.equal(await quickly(), '{"result":42}');
    await login(gate, GATE_1, loginOf(PUMP, { parameters: { _ss: 1, ext: 1 } }));
    assert.equal(await quickly(), '{"result":42}');
    await login(gate, GATE_1, loginOf(PUMP, { parameters: { ext: 1 } }));
    assert.match((await quickly()) ?? '', /HALFCONN/i);
    assert.deepEqual(await suback(gate, { [`/ext/rrpc/+${S}/thing/service/+`]: 0 }), [0]);
    assert.equal(await quickly(), '{"result":42}');
    await gate.unsubscribeAsync(`/ext/rrpc/+${S}/thing/service/+`);
    assert.deepEqual(await suback(gate, { '/ext/rrpc/#': 0 }), [0]);
    assert.equal(await quickly(), '{"result":42}');
    assert.deepEqual(calls, [
      `${S}/rrpc/request/ID`,
      `/ext/rrpc/ID${S}/thing/service/quickly`,
      `/ext/rrpc/ID${S}/thing/service/quickly`,
      `/ext/rrpc/ID${S}/thing/service/quickly`,
    ]);
  });

  it('wait for them where the CONNECT of their gateway asked for, when their login does not say', async () => {
    const gateway = await onlineLamp(emulator, GATE_1, { parameters: { _ss: 1, ext: 3 } });
    try {
      await login(gateway, GATE_1, loginOf(PUMP));
      gateway.on('message', (topic, payload) => {
        if (!topic.startsWith(`/ext/rrpc/`)) return;
        const { id } = JSON.parse(payload.toString());
        gateway.publish(topic, JSON.stringify({ id, code: 200, data: { result: 1 } }));
      });
      const { body } = await cloud.invokeThingService(
        new models.InvokeThingServiceRequest({ ...PUMP, identifier: 'quickly', args: '{"number":41}' }),
      );
      assert.equal(body?.data?.result, '{"result":1}');
    } finally {
      await gateway.endAsync(true);
    }
  });

  it('know the desired values, the shadow and the clock of each sub-device', async () => {
    await login(gate, GATE_1, loginOf(PUMP));
    await cloud.setDeviceDesiredProperty(
      new models.SetDeviceDesiredPropertyRequest({ ...PUMP, items: '{"level":9}', versions: '{"level":0}' }),
    );
    const { data } = await request(gate, `${S}/thing/property/desired/get`, ['level']);
    assert.deepEqual(data, { level: { value: 9, version: 1 } });
    const names = `${PUMP.productKey}/${PUMP.deviceName}`;
    await gate.subscribeAsync([`/shadow/get/${names}`, `/ext/ntp/${names}/response`]);
    const shadow = messageOn(gate, `/shadow/get/${names}`);
    gate.publish(`/shadow/update/${names}`, JSON.stringify({ method: 'get' }));
    assert.equal(JSON.parse(await shadow).method, 'reply');
    const clock = messageOn(gate, `/ext/ntp/${names}/response`);
    gate.publish(`/ext/ntp/${names}/request`, JSON.stringify({ deviceSendTime: '1' }));
    assert.equal(JSON.parse(await clock).deviceSendTime, '1');
  });

  it('use packet ids of the connection, and acknowledge each for its own device', async () => {
    const topics = [PUMP, VALVE].map(({ productKey, deviceName }) => `/${productKey}/${deviceName}/user/get`);
    const ids: number[] = [];
    gate.on('packetreceive', (packet) => {
      if (packet.cmd === 'publish' && packet.qos === 1) ids.push(packet.messageId ?? 0);
    });
    for (const device of [PUMP, VALVE]) await login(gate, GATE_1, loginOf(device));
    await gate.subscribeAsync(topics, { qos: 1 });
    const arrived = Promise.all(topics.map((topic) => messageOn(gate, topic)));
    emulator.publishToDevice(PUMP, topics[0] ?? '', 'a', 1);
    emulator.publishToDevice(VALVE, topics[1] ?? '', 'b', 1);
    assert.deepEqual(await arrived, ['a', 'b']);
    assert.equal(new Set(ids).size, 2);
    // An answer behind the acknowledgements: they were read before.
    await request(gate, `${S}/thing/event/property/post`, { level: 1 }, { qos: 0 });
    assert.deepEqual(
      [PUMP, VALVE].map((device) => emulator.devices.get(device)?.waiting),
      [0, 0],
    );
  });
});
