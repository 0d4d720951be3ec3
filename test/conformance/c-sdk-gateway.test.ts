import assert from 'node:assert/strict';
import type Iot from '@alicloud/iot20180120';
import { InvokeThingServiceRequest, SetDevicePropertyRequest } from '@alicloud/iot20180120';
import type { MqttClient } from 'mqtt';
import { type Emulator, startEmulator } from '../../emulator';
import { cloudClient } from '../support/cloud';
import { connack, rawClient } from '../support/emulator';
import { GATEWAY, lampNames, PLANT } from '../support/vendor-gateway';
import { C_SDK_4_1, C_SDK_4_2 } from './c-sdk-recording';

const S = `/sys/${GATEWAY.productKey}/${GATEWAY.deviceName}/thing`;
const SESSION = `/ext/session/${GATEWAY.productKey}/${GATEWAY.deviceName}/combine`;
const LAMP_1 = lampNames(1);
const LAMP_2 = lampNames(2);
const LAMP = `/sys/${LAMP_1.productKey}/${LAMP_1.deviceName}/thing`;

/** Python SDK: as C SDK 4.2, with another text behind the bar. Composed after its source, signed by another program. */
const PYTHON_BATCH_LOGIN =
  '{"id": "7", "version": "1.0", "params": {"signMethod": "hmacSha256", "deviceList": [{"productKey": "a1Lamps", "deviceName": "lamp-1", "clientId": "a1Lamps.lamp-1|lan=Python,_v=2.2.1,_ss=1|", "timestamp": "1795254719644", "cleanSession": "false", "sign": "8f7c0afc1e193497770ae29a5d2ebff4fdeebaa5d8a8eb7f19ad7112d474f27e"}]}}';

/** C SDK 3: one at a time, with a method, the uptime as time stamp. Composed after its source too. */
const C3_LOGIN =
  '{"id":"8","version":"1.0","params":{"productKey":"a1Lamps","deviceName":"lamp-1","clientId":"a1Lamps.lamp-1|_v=sdk-c-3.0.1|","timestamp":"1234567","signMethod":"hmacSha1","sign":"892B8C48BE1D722C071CFFA81D92644692E486A8","cleanSession":"true"},"method":"combine.login"}';
const C3_LOGOUT =
  '{"id":"9","version":"1.0","params":{"productKey":"a1Lamps","deviceName":"lamp-1"},"method":"combine.logout"}';

interface Answer {
  id: unknown;
  code: unknown;
  message: unknown;
  data: unknown;
}

/** What the vendor's clients in other languages send as a gateway, word for word, over a bare MQTT client. */
describe("gateway messages of the vendor's C and Python SDKs", () => {
  let emulator: Emulator;
  let cloud: Iot;
  let client: MqttClient;

  async function connect({ clientId, password } = C_SDK_4_2): Promise<void> {
    const username = `${GATEWAY.deviceName}&${GATEWAY.productKey}`;
    client = rawClient(emulator, { clientId, password, username, clean: true, keepalive: 60 });
    assert.equal(await connack(client), 0);
  }

  beforeEach(async () => {
    emulator = await startEmulator({ config: PLANT });
    cloud = cloudClient(emulator);
  });

  afterEach(async () => {
    await client.endAsync(true);
    await emulator.close();
  });

  /** Nothing is ever subscribed: these clients leave that to the platform (`_ss=1`). */
  async function answerTo(topic: string, text: string): Promise<Answer> {
    const answered = next(`${topic}_reply`);
    client.publish(topic, text, { qos: 0 });
    const answer = JSON.parse((await answered).text) as Answer;
    // C SDK 4 reads all four, or drops the answer.
    for (const field of ['id', 'code', 'message', 'data']) assert.ok(Object.hasOwn(answer, field), field);
    return answer;
  }

  function next(end: string): Promise<{ topic: string; text: string }> {
    return new Promise((resolve) => {
      const listener = (topic: string, payload: Buffer) => {
        if (!topic.endsWith(end)) return;
        client.off('message', listener);
        resolve({ topic, text: payload.toString() });
      };
      client.on('message', listener);
    });
  }

  const statuses = () => [LAMP_1, LAMP_2].map((names) => emulator.devices.get(names)?.status);
  const secrets = (list: unknown) =>
    (list as Array<{ deviceSecret: string }>).map(({ deviceSecret }) => deviceSecret);

  async function online({ topoAdd, batchLogin } = C_SDK_4_2): Promise<void> {
    assert.equal((await answerTo(`${S}/topo/add`, topoAdd)).code, 200);
    assert.equal(Number((await answerTo(`${SESSION}/batch_login`, batchLogin)).code), 200);
    assert.deepEqual(statuses(), ['ONLINE', 'ONLINE']);
  }

  for (const [version, recorded] of [
    ['4.1', C_SDK_4_1],
    ['4.2', C_SDK_4_2],
  ] as const) {
    describe(`C SDK ${version}`, () => {
      beforeEach(() => connect(recorded));

      it('topology', async () => {
        if (recorded === C_SDK_4_1) {
          const { id, code, data } = await answerTo(`${S}/topo/get`, C_SDK_4_1.firstTopoGet);
          assert.deepEqual([id, code, data], ['', 200, []]);
        }
        const added = await answerTo(`${S}/topo/add`, recorded.topoAdd);
        assert.deepEqual([added.id, added.code], [JSON.parse(recorded.topoAdd).id, 200]);
        const got = await answerTo(`${S}/topo/get`, recorded.topoGet);
        assert.deepEqual([got.code, got.data], [200, [LAMP_1, LAMP_2]]);
        assert.equal((await answerTo(`${S}/topo/delete`, recorded.topoDelete)).code, 200);
        assert.deepEqual((await answerTo(`${S}/topo/get`, recorded.topoGet)).data, [LAMP_2]);
      });

      it('registration, both ways', async () => {
        const { code, data } = await answerTo(`${S}/sub/register`, recorded.subRegister);
        assert.deepEqual([code, secrets(data)], [200, ['secret-of-lamp-1', 'secret-of-lamp-2']]);
        const proxied = await answerTo(`${S}/proxy/provisioning/product_register`, recorded.productRegister);
        const { successes, failures } = proxied.data as { successes: unknown; failures: unknown };
        assert.deepEqual(
          [proxied.code, secrets(successes), failures],
          [200, ['secret-of-lamp-1', 'secret-of-lamp-2'], []],
        );
      });

      it('batch login with one signMethod beside the list, batch logout', async () => {
        await online(recorded);
        const out = await answerTo(`${SESSION}/batch_logout`, recorded.batchLogout);
        assert.deepEqual([Number(out.code), out.data], [200, [LAMP_1, LAMP_2]]);
        assert.deepEqual(statuses(), ['OFFLINE', 'OFFLINE']);
        const again = await answerTo(`${SESSION}/batch_logout`, recorded.batchLogout);
        assert.deepEqual([Number(again.code), again.data], [520, [LAMP_1]]);
      });

      it('a batch with one wrong signature is refused as a whole, and the answer names it', async () => {
        assert.equal((await answerTo(`${S}/topo/add`, recorded.topoAdd)).code, 200);
        const text = recorded.batchLogin.replace(/"sign":"..([^"]*"\}\]\}\})$/, '"sign":"00$1');
        assert.notEqual(text, recorded.batchLogin);
        const { code, data } = await answerTo(`${SESSION}/batch_login`, text);
        assert.deepEqual([Number(code), data], [6287, [LAMP_2]]);
        assert.ok(!statuses().includes('ONLINE'));
      });

      it('the change of the topology comes without a subscription', async () => {
        await online(recorded);
        const changed = next(`${S}/topo/change`);
        emulator.devices.setEnabled(LAMP_1, false);
        const { id, params } = JSON.parse((await changed).text) as { id: string; params: unknown };
        // It reads the id as a number.
        assert.match(id, /^\d{1,10}$/);
        assert.deepEqual(params, { status: 8, subList: [LAMP_1] });
      });
    });
  }

  describe('C SDK 4.2, whose sub-devices log in with _ss=1', () => {
    beforeEach(async () => {
      await connect();
      await online();
    });

    it('reports', async () => {
      // Its demo subscribes this answer, and none besides.
      await client.subscribeAsync(`${LAMP}/event/property/batch/post_reply`);
      const codes: unknown[] = [];
      for (const [topic, text] of [
        ['event/property/post', C_SDK_4_2.propertyPost],
        ['event/burnt/post', C_SDK_4_2.eventPost],
        ['event/property/batch/post', C_SDK_4_2.batchPost],
      ] as const) {
        codes.push((await answerTo(`${LAMP}/${topic}`, text)).code);
      }
      assert.deepEqual(codes, [200, 200, 200]);
      const desired = await answerTo(`${LAMP}/property/desired/get`, C_SDK_4_2.desiredGet);
      assert.deepEqual([desired.code, desired.data], [200, {}]);
      const lamp = emulator.devices.get(LAMP_1);
      assert.deepEqual(
        lamp?.history('level').map(({ value }) => value),
        [7, 1],
      );
      // Its demo puts no `value` around what an event says.
      assert.deepEqual(
        lamp?.events.map(({ identifier, value }) => ({ identifier, value })),
        [{ identifier: 'burnt', value: { level: 9 } }],
      );
    });

    it('is asked without subscriptions: property set, asynchronous service', async () => {
      for (const [end, call] of [
        [
          '/service/property/set',
          () => cloud.setDeviceProperty(new SetDevicePropertyRequest({ ...LAMP_1, items: '{"level":7}' })),
        ],
        [
          '/service/slowly',
          () =>
            cloud.invokeThingService(
              new InvokeThingServiceRequest({ ...LAMP_1, identifier: 'slowly', args: '{"number":4}' }),
            ),
        ],
      ] as const) {
        const asked = next(end);
        const { body } = await call();
        assert.equal(body?.success, true, body?.errorMessage);
        const { id } = JSON.parse((await asked).text) as { id: string };
        client.publish(`${LAMP}${end}_reply`, `{"id":"${id}","code":200,"data":{}}`);
        const answer = await emulator.exchanges.waitFor(
          ({ kind, topic }) => kind === 'up' && topic === `${LAMP}${end}_reply`,
        );
        assert.equal(answer.note, undefined);
      }
    });

    it('synchronous services come on /ext/rrpc, which the gateway’s CONNECT asked for (ext=3)', async () => {
      const asked = next('/thing/service/quickly');
      const result = cloud.invokeThingService(
        new InvokeThingServiceRequest({ ...LAMP_1, identifier: 'quickly', args: '{"number":5}' }),
      );
      const { topic, text } = await asked;
      assert.match(topic, /^\/ext\/rrpc\/\d+\/sys\/a1Lamps\/lamp-1\/thing\/service\/quickly$/);
      const { id } = JSON.parse(text) as { id: string };
      client.publish(topic, `{"id":"${id}","code":200,"data":{"result":10}}`);
      const { body } = await result;
      assert.equal(body?.data?.result, '{"result":10}');
    });
  });

  describe('others', () => {
    beforeEach(async () => {
      await connect();
      assert.equal((await answerTo(`${S}/topo/add`, C_SDK_4_2.topoAdd)).code, 200);
    });

    it('Python SDK: batch login, whose answers need no subscription either', async () => {
      const { code, data } = await answerTo(`${SESSION}/batch_login`, PYTHON_BATCH_LOGIN);
      assert.deepEqual([Number(code), data], [200, [LAMP_1]]);
      assert.equal((await answerTo(`${LAMP}/event/property/post`, C_SDK_4_2.propertyPost)).code, 200);
    });

    it('C SDK 3: login and logout of one', async () => {
      const { id, code } = await answerTo(`${SESSION}/login`, C3_LOGIN);
      assert.deepEqual([id, code], ['8', 200]);
      assert.equal(statuses()[0], 'ONLINE');
      assert.equal((await answerTo(`${SESSION}/logout`, C3_LOGOUT)).code, 200);
      assert.equal(statuses()[0], 'OFFLINE');
    });

    it('batch logout with a deviceList, which the reference has of another client', async () => {
      await online();
      const { params, ...rest } = JSON.parse(C_SDK_4_2.batchLogout) as { params: unknown };
      const text = JSON.stringify({ ...rest, params: { deviceList: params } });
      const { code, data } = await answerTo(`${SESSION}/batch_logout`, text);
      assert.deepEqual([Number(code), data], [200, [LAMP_1, LAMP_2]]);
    });
  });
});
