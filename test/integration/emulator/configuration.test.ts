import assert from 'node:assert/strict';
import type { MqttClient } from 'mqtt';
import { type Emulator, startEmulator } from '../../../emulator';
import { decryptOpcUaPassword } from '../../../sdk/model-configuration/opcua-password';
import { LAMP_1, nextMessage, onlineLamp, PRODUCT, request } from '../../support/emulator';
import { sha256 } from '../../support/firmware';

const S = `/sys/${LAMP_1.productKey}/${LAMP_1.deviceName}/thing`;
const { productKey } = PRODUCT;
const REFUSAL = 'interval is not 1-3600';

interface Described {
  configId: string;
  configSize: number;
  sign: string;
  signMethod: string;
  url: string;
  getType: string;
}

describe('emulator: remote configuration', () => {
  let emulator: Emulator;
  let lamp: MqttClient;

  beforeEach(async () => {
    emulator = await startEmulator({ config: { products: [PRODUCT] } });
    lamp = await onlineLamp(emulator, LAMP_1, { parameters: { _ss: 1 } });
  });

  afterEach(async () => {
    await lamp.endAsync(true);
    await emulator.close();
  });

  const get = (params: object = { configScope: 'product', getType: 'file' }) =>
    request(lamp, `${S}/config/get`, params);
  /** The push that came, answered with a code. */
  const answer = async (code: number): Promise<Described> => {
    const { topic, text } = await nextMessage(lamp);
    assert.equal(topic, `${S}/config/push`);
    const { id, params, method } = JSON.parse(text);
    assert.equal(method, 'thing.config.push');
    await lamp.publishAsync(
      `${S}/config/push_reply`,
      JSON.stringify({ id, code, data: {}, message: code === 200 ? 'success' : REFUSAL }),
      { qos: 1 },
    );
    return params;
  };

  it('has none, then one, then one that is switched off', async () => {
    assert.equal((await get()).code, 6710);
    emulator.configuration.set(productKey, { content: { interval: 5 } });
    const { code, data } = await get();
    const { url, ...described } = data as Described;
    const text = await (await fetch(url)).text();
    assert.deepEqual(JSON.parse(text), { interval: 5 });
    const { configId } = emulator.configuration.get(productKey);
    assert.equal(code, 200);
    assert.deepEqual(described, {
      configId,
      configSize: text.length,
      sign: sha256(Buffer.from(text)),
      signMethod: 'Sha256',
      getType: 'file',
    });
    emulator.configuration.set(productKey, { enabled: false });
    assert.equal((await get()).code, 6713);
    assert.deepEqual(await emulator.configuration.push(productKey), []);
    emulator.configuration.set(productKey, { enabled: true });
    assert.equal(((await get()).data as Described).configId, configId);
    for (const params of [{ configScope: 'device' }, { getType: 'content' }]) {
      assert.equal((await get(params)).code, 460);
    }
  });

  it('gives another content another id, and serves the last five: a device may be on its way to one of them', async () => {
    const told: Described[] = [];
    for (let n = 0; n < 6; n++) {
      emulator.configuration.set(productKey, { content: JSON.stringify({ n }) });
      told.push((await get()).data as Described);
    }
    assert.equal(new Set(told.map(({ configId }) => configId)).size, told.length);
    const answers = await Promise.all(told.map(async ({ url }) => fetch(url)));
    assert.deepEqual(
      answers.map(({ status }) => status),
      [404, 200, 200, 200, 200, 200],
    );
    assert.equal(await answers[1]?.text(), '{"n":1}');
  });

  it('refuses what is no configuration', () => {
    for (const content of ['{', `"${'x'.repeat(65_535)}"`]) {
      assert.throws(() => emulator.configuration.set(productKey, { content }), RangeError);
    }
    emulator.configuration.set(productKey, { content: `"${'x'.repeat(65_534)}"` });
    assert.throws(() => emulator.configuration.set('none', { enabled: true }), RangeError);
  });

  it('pushes to those that are there, and takes the answer', async () => {
    emulator.configuration.set(productKey, { content: { a: 1 } });
    // Answered, so that the session is under way.
    await get();
    const answered = answer(200);
    const pushes = await emulator.configuration.push(productKey);
    assert.deepEqual(
      pushes.map(({ delivery, configId }) => [delivery, configId]),
      [['sent', emulator.configuration.get(productKey).configId]],
    );
    const { url } = await answered;
    assert.equal((await fetch(url)).status, 200);
    const { json } = await emulator.messages.waitFor(({ topic }) =>
      topic.endsWith('/downlink/reply/message'),
    );
    assert.equal((json as { code: number }).code, 200);
    assert.equal(emulator.devices.get(LAMP_1)?.configuration?.code, 200);
    const refused = answer(100001);
    await emulator.configuration.push(LAMP_1);
    await refused;
    await emulator.messages.waitFor(({ json: body }) => (body as { code?: number }).code === 100001);
    const seen = emulator.devices.get(LAMP_1)?.configuration;
    assert.deepEqual([seen?.code, seen?.message], [100001, REFUSAL]);
  });

  it('the panel says why nothing is pushed', async () => {
    const panel = `${emulator.addresses.http}/emulator/products/${productKey}/configuration`;
    const push = async () => {
      const response = await fetch(`${panel}/push`, { method: 'POST', body: '{}' });
      return [response.status, ((await response.json()) as { error?: string }).error];
    };
    assert.deepEqual(await push(), [409, 'no configuration is stored']);
    emulator.configuration.set(productKey, { content: { a: 1 } });
    assert.equal((await push())[0], 200);
    emulator.configuration.set(productKey, { enabled: false });
    assert.deepEqual(await push(), [409, 'the configuration is switched off']);
  });

  it('says when a device is away', async () => {
    emulator.configuration.set(productKey, { content: { a: 1 } });
    const [push] = await emulator.configuration.push({ productKey, deviceName: 'lamp-2' });
    assert.deepEqual([push?.delivery, push?.code], ['notSubscribed', 9200]);
  });

  it('tells a wrong digest and size on request, and an address that expired', async () => {
    emulator.configuration.set(productKey, { content: '{"a":1}' });
    const match = { operation: 'thing.config.push' };
    emulator.faults.add({ action: 'wrongDigest', match, times: 1 });
    emulator.faults.add({ action: 'wrongSize', match, times: 1 });
    const { sign, configSize, url } = (await get()).data as Described;
    assert.notEqual(sign, sha256(Buffer.from('{"a":1}')));
    assert.equal(configSize, 8);
    emulator.faults.add({ action: 'urlExpired', match, times: 1 });
    assert.equal((await fetch(url)).status, 403);
    assert.equal(((await get()).data as Described).sign, sha256(Buffer.from('{"a":1}')));
  });
});

describe('emulator: model configuration of a gateway', () => {
  const GATE = { productKey: 'a1Gate', deviceName: 'gate-1' };
  const SECRET = 'testTNmjyWHQzniA8wEkTNmjyWHQtest';
  const DOCUMENT = {
    modelList: [],
    serverList: [
      { serverId: '1', name: 'plc', url: 'opc.tcp://plc', userName: 'u', password: 'test123' },
      { serverId: '2', protocol: 'TCP', ip: '127.0.0.1', port: 502 },
    ],
    deviceList: [],
    tslList: [],
  };
  let emulator: Emulator;
  let gate: MqttClient;

  beforeEach(async () => {
    emulator = await startEmulator({
      config: {
        products: [
          {
            productKey: GATE.productKey,
            nodeType: 'gateway',
            devices: [
              { deviceName: GATE.deviceName, deviceSecret: SECRET },
              { deviceName: 'gate-2', deviceSecret: 'short' },
            ],
          },
        ],
      },
    });
    gate = await onlineLamp(emulator, GATE, { deviceSecret: SECRET });
    await gate.subscribeAsync('/sys/a1Gate/gate-1/thing/model/config/push', { qos: 1 });
  });

  afterEach(async () => {
    await gate.endAsync(true);
    await emulator.close();
  });

  it('serves the document with its passwords encrypted', async () => {
    const came = nextMessage(gate);
    assert.equal(emulator.modelConfiguration.push(GATE, DOCUMENT), 'sent');
    const { method, data, params, id } = JSON.parse((await came).text);
    assert.deepEqual([method, params, typeof id], ['thing.model.config.push', undefined, 'number']);
    const text = await (await fetch(data.url)).text();
    assert.deepEqual([data.digestMethod, data.digest], ['sha256', sha256(Buffer.from(text))]);
    const document = JSON.parse(text);
    const [server] = document.serverList;
    // The vector of H.3.
    assert.equal(server.password, '7lBTkjb1RBAltOSgBBsCdA==');
    assert.equal(decryptOpcUaPassword(server.password, SECRET), 'test123');
    assert.deepEqual(document.serverList[1], DOCUMENT.serverList[1]);
    const again = nextMessage(gate);
    emulator.modelConfiguration.push(GATE, { serverList: [] });
    await again;
    assert.equal((await fetch(data.url)).status, 404);
  });

  it('refuses a secret that is no key, and what is too large', () => {
    const other = { ...GATE, deviceName: 'gate-2' };
    assert.throws(() => emulator.modelConfiguration.push(other, DOCUMENT), { problem: 'secretLength' });
    const limits = 'x'.repeat(9 * 1024 * 1024);
    assert.throws(() => emulator.modelConfiguration.push(GATE, { limits }), RangeError);
  });

  it('tells a wrong digest on request', async () => {
    emulator.faults.add({ action: 'wrongDigest', match: { operation: 'thing.model.config.push' } });
    const came = nextMessage(gate);
    emulator.modelConfiguration.push(GATE, DOCUMENT);
    const { data } = JSON.parse((await came).text);
    const text = await (await fetch(data.url)).text();
    assert.notEqual(data.digest, sha256(Buffer.from(text)));
  });
});
