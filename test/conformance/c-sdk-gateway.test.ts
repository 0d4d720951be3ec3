import assert from 'node:assert/strict';
import type { MqttClient } from 'mqtt';
import { type Emulator, startEmulator } from '../../emulator';
import { connack, rawClient } from '../support/emulator';

const GATEWAY = { productKey: 'a1GwGwGwGwG', deviceName: 'gw-01' };
const SUB_1 = { productKey: 'a1B2c3D4e5F', deviceName: 'sub-01' };
const SUB_2 = { productKey: 'a1B2c3D4e5F', deviceName: 'sub-02' };
const PRODUCTS = [
  {
    productKey: GATEWAY.productKey,
    nodeType: 'gateway',
    devices: [{ deviceName: 'gw-01', deviceSecret: 'gwsecret' }],
  },
  {
    productKey: SUB_1.productKey,
    productSecret: 'productsecret',
    dynamicRegistration: true,
    devices: [
      { deviceName: 'sub-01', deviceSecret: 'subsecret' },
      { deviceName: 'sub-02', deviceSecret: 'subsecret2' },
    ],
  },
];

const S = `/sys/${GATEWAY.productKey}/${GATEWAY.deviceName}/thing`;
const SESSION = `/ext/session/${GATEWAY.productKey}/${GATEWAY.deviceName}/combine`;
const POST = `/sys/${SUB_1.productKey}/${SUB_1.deviceName}/thing/event/property/post`;

// Texts as the vendor's other clients write them, signed once by another program with the secrets above. The clients
// themselves are no packages that this project could install.

/** C SDK 4: no `method`, constant time stamp, upper-case password. */
const C4 = {
  clientId:
    'a1GwGwGwGwG.gw-01|timestamp=2524608000000,_ss=1,_v=sdk-c-4.1.0,securemode=3,signmethod=hmacsha256,ext=3,|',
  password: '8D1F6675BE2FBCD1B83A361ABE98E253194CB4C383FAFE7F3D16D6B88E1A0EFF',
  topoAdd:
    '{"id":"1","version":"1.0","params":[{"productKey":"a1B2c3D4e5F","deviceName":"sub-01","clientId":"a1B2c3D4e5F.sub-01","timestamp":"2524608000000","signmethod":"hmacSha256","sign":"c821c41ddc781e515b9e037208512dfea08fa30c1877a017df8f12ae2f067b21"},{"productKey":"a1B2c3D4e5F","deviceName":"sub-02","clientId":"a1B2c3D4e5F.sub-02","timestamp":"2524608000000","signmethod":"hmacSha256","sign":"95c6ae4458c06a8c900a3ea3523e327e62a09ae51963ad11df4575960d671efd"}]}',
  /** It takes no id of its own here, but that of the message before, and none when it is the first. */
  firstTopoGet: '{"id":"","version":"1.0","params":"{}"}',
  topoGet: '{"id":"1","version":"1.0","params":"{}"}',
  topoDelete: '{"id":"2","version":"1.0","params":[{"productKey":"a1B2c3D4e5F","deviceName":"sub-02"}]}',
  batchLogin:
    '{"id":"3","version":"1.0","params":{"signMethod":"hmacSha256","deviceList":[{"productKey":"a1B2c3D4e5F","deviceName":"sub-01","clientId":"a1B2c3D4e5F.sub-01|_ss=1,_v=sdk-c-4.1.0|","timestamp":"2524608000000","cleanSession":"false","sign":"b0ba5efaff4cc49e9008d1e05f287d58f9e874ea8b7a835aeb3ca187f8f7a0c5"},{"productKey":"a1B2c3D4e5F","deviceName":"sub-02","clientId":"a1B2c3D4e5F.sub-02|_ss=1,_v=sdk-c-4.1.0|","timestamp":"2524608000000","cleanSession":"false","sign":"fdbce1b2849d5a7c1ca8d204835f34a93b428d6a848806e8d6a51f6139a9401c"}]}}',
  /** Its first versions: without the part behind the bar. */
  olderBatchLogin:
    '{"id":"3","version":"1.0","params":{"signMethod":"hmacSha256","deviceList":[{"productKey":"a1B2c3D4e5F","deviceName":"sub-01","clientId":"a1B2c3D4e5F.sub-01","timestamp":"2524608000000","cleanSession":"false","sign":"c821c41ddc781e515b9e037208512dfea08fa30c1877a017df8f12ae2f067b21"}]}}',
  batchLogout:
    '{"id":"4","version":"1.0","params":{"deviceList":[{"productKey":"a1B2c3D4e5F","deviceName":"sub-01"},{"productKey":"a1B2c3D4e5F","deviceName":"sub-02"}]}}',
  olderBatchLogout:
    '{"id":"4","version":"1.0","params":[{"productKey":"a1B2c3D4e5F","deviceName":"sub-01"},{"productKey":"a1B2c3D4e5F","deviceName":"sub-02"}]}',
  subRegister:
    '{"id":"5","version":"1.0","params":[{"productKey":"a1B2c3D4e5F","deviceName":"sub-01"},{"productKey":"a1B2c3D4e5F","deviceName":"sub-02"}]}',
  productRegister:
    '{"id":"6","version":"1.0","params":{"proxieds":[{"productKey":"a1B2c3D4e5F","deviceName":"sub-01","random":"0123456789ABCDEF0123","signMethod":"hmacSha256","sign":"2708bce294336b34f36d561369bfae9839118a9df26e2481d4b80c2ac0c9157a"},{"productKey":"a1B2c3D4e5F","deviceName":"sub-02","random":"0123456789ABCDEF0123","signMethod":"hmacSha256","sign":"c58b40e3baad28415521e522c23a94ea568ab7bc2fc66c54bbc0b7e4ce662228"}]}}',
  post: '{"id":"1","version":"1.0","params":{"LightSwitch":0}}',
};

/** Python SDK: as C SDK 4, but another text behind the bar, signed as a whole too. */
const PYTHON_BATCH_LOGIN =
  '{"id": "7", "version": "1.0", "params": {"signMethod": "hmacSha256", "deviceList": [{"productKey": "a1B2c3D4e5F", "deviceName": "sub-01", "clientId": "a1B2c3D4e5F.sub-01|lan=Python,_v=2.2.1,_ss=1|", "timestamp": "2524608000000", "cleanSession": "false", "sign": "539bcf417f0d2edebbef1db6fae0e827f91ceaab52d4b849be704fe86269b9d0"}]}}';

/** C SDK 3: one at a time, with a method, hmacsha1 in capitals, the uptime as time stamp. */
const C3_LOGIN =
  '{"id":"8","version":"1.0","params":{"productKey":"a1B2c3D4e5F","deviceName":"sub-01","clientId":"a1B2c3D4e5F.sub-01|_v=sdk-c-3.0.1|","timestamp":"1234567","signMethod":"hmacSha1","sign":"AFE2CA48424438C93087B3E3DCD77F7D193C4694","cleanSession":"true"},"method":"combine.login"}';
const C3_LOGOUT =
  '{"id":"9","version":"1.0","params":{"productKey":"a1B2c3D4e5F","deviceName":"sub-01"},"method":"combine.logout"}';

interface Answer {
  id: unknown;
  code: unknown;
  message: unknown;
  data: unknown;
}

/** What the vendor's clients in other languages send as a gateway, word for word. */
describe("gateway messages of the vendor's C and Python SDKs", () => {
  let emulator: Emulator;
  let client: MqttClient;

  beforeEach(async () => {
    emulator = await startEmulator({ config: { products: PRODUCTS } });
    client = rawClient(emulator, {
      clientId: C4.clientId,
      username: 'gw-01&a1GwGwGwGwG',
      password: C4.password,
      clean: false,
      keepalive: 60,
    });
    assert.equal(await connack(client), 0);
  });

  afterEach(async () => {
    await client.endAsync(true);
    await emulator.close();
  });

  /** Nothing is ever subscribed: C SDK 4 leaves that to the platform (`_ss=1`). */
  async function answerTo(topic: string, text: string): Promise<Answer> {
    const answered = next(`${topic}_reply`);
    client.publish(topic, text, { qos: 0 });
    const answer = JSON.parse(await answered) as Answer;
    // C SDK 4 reads all four, and the id as a number, or drops the answer.
    assert.deepEqual(Object.keys(answer).filter((key) => /^(id|code|message|data)$/.test(key)).length, 4);
    return answer;
  }

  function next(topic: string): Promise<string> {
    return new Promise((resolve) => {
      const listener = (from: string, payload: Buffer) => {
        if (from !== topic) return;
        client.off('message', listener);
        resolve(payload.toString());
      };
      client.on('message', listener);
    });
  }

  const statuses = () => [SUB_1, SUB_2].map((names) => emulator.devices.get(names)?.status);

  async function behindTheGateway(): Promise<void> {
    assert.equal((await answerTo(`${S}/topo/add`, C4.topoAdd)).code, 200);
  }

  it('C SDK 4: topology', async () => {
    const empty = await answerTo(`${S}/topo/get`, C4.firstTopoGet);
    assert.deepEqual([empty.id, empty.code, empty.data], ['', 200, []]);
    const added = await answerTo(`${S}/topo/add`, C4.topoAdd);
    assert.deepEqual([added.id, added.code], ['1', 200]);
    const got = await answerTo(`${S}/topo/get`, C4.topoGet);
    assert.deepEqual([got.id, got.code, got.data], ['1', 200, [SUB_1, SUB_2]]);
    assert.equal((await answerTo(`${S}/topo/delete`, C4.topoDelete)).code, 200);
    assert.deepEqual((await answerTo(`${S}/topo/get`, C4.topoGet)).data, [SUB_1]);
  });

  it('C SDK 4: batch login with one signMethod beside the list and the whole clientId signed', async () => {
    await behindTheGateway();
    const { id, code, data } = await answerTo(`${SESSION}/batch_login`, C4.batchLogin);
    assert.deepEqual([id, Number(code), data], ['3', 200, [SUB_1, SUB_2]]);
    assert.deepEqual(statuses(), ['ONLINE', 'ONLINE']);
    // `_ss=1` in the login: the sub-device's answers need no subscription either.
    assert.equal((await answerTo(POST, C4.post)).code, 200);
  });

  it('C SDK 4: batch logout, the list in deviceList or by itself', async () => {
    await behindTheGateway();
    for (const logout of [C4.batchLogout, C4.olderBatchLogout]) {
      assert.equal(Number((await answerTo(`${SESSION}/batch_login`, C4.batchLogin)).code), 200);
      const { id, code, data } = await answerTo(`${SESSION}/batch_logout`, logout);
      assert.deepEqual([id, Number(code), data], ['4', 200, [SUB_1, SUB_2]]);
      assert.deepEqual(statuses(), ['OFFLINE', 'OFFLINE']);
    }
  });

  it('C SDK 4.0: batch login with a plain clientId', async () => {
    await behindTheGateway();
    assert.equal(Number((await answerTo(`${SESSION}/batch_login`, C4.olderBatchLogin)).code), 200);
    assert.equal(statuses()[0], 'ONLINE');
  });

  it('a batch with one wrong signature is refused as a whole', async () => {
    await behindTheGateway();
    const text = C4.batchLogin.replace('"sign":"fdbc', '"sign":"0000');
    const { code, data } = await answerTo(`${SESSION}/batch_login`, text);
    assert.deepEqual([Number(code), data], [6287, [SUB_2]]);
    assert.ok(!statuses().includes('ONLINE'));
  });

  it('C SDK 4: registration, both ways', async () => {
    const registered = await answerTo(`${S}/sub/register`, C4.subRegister);
    assert.equal(registered.code, 200);
    assert.deepEqual(secrets(registered.data), ['subsecret', 'subsecret2']);
    const topic = `${S}/proxy/provisioning/product_register`;
    const { code, data } = await answerTo(topic, C4.productRegister);
    assert.equal(code, 200);
    const { successes, failures } = data as { successes: unknown; failures: unknown };
    assert.deepEqual([secrets(successes), failures], [['subsecret', 'subsecret2'], []]);
  });

  const secrets = (list: unknown) =>
    (list as Array<{ deviceSecret: string }>).map(({ deviceSecret }) => deviceSecret);

  it('C SDK 4: the topology’s change comes without a subscription', async () => {
    await behindTheGateway();
    const changed = next(`${S}/topo/change`);
    emulator.devices.setEnabled(SUB_1, false);
    const { id, params } = JSON.parse(await changed) as { id: string; params: unknown };
    assert.match(id, /^\d+$/);
    assert.deepEqual(params, { status: 8, subList: [SUB_1] });
  });

  it('Python SDK: batch login', async () => {
    await behindTheGateway();
    const { code, data } = await answerTo(`${SESSION}/batch_login`, PYTHON_BATCH_LOGIN);
    assert.deepEqual([Number(code), data], [200, [SUB_1]]);
    assert.equal((await answerTo(POST, C4.post)).code, 200);
  });

  it('C SDK 3: login and logout of one', async () => {
    await behindTheGateway();
    const { id, code } = await answerTo(`${SESSION}/login`, C3_LOGIN);
    assert.deepEqual([id, code], ['8', 200]);
    assert.equal(statuses()[0], 'ONLINE');
    assert.equal((await answerTo(`${SESSION}/logout`, C3_LOGOUT)).code, 200);
    assert.equal(statuses()[0], 'OFFLINE');
  });
});
