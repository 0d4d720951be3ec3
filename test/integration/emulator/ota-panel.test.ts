import assert from 'node:assert/strict';
import type { MqttClient } from 'mqtt';
import { type Emulator, startEmulator } from '../../../emulator';
import { LAMP_1, nextMessage, onlineLamp, PRODUCT, request } from '../../support/emulator';
import {
  IMAGE,
  inform,
  md5,
  type Offer,
  offers,
  progress,
  sha256,
  upgrade,
  upgradeTopic,
} from '../../support/firmware';

const { productKey } = PRODUCT;
const SENSOR = { productKey: 'a1Sensor', deviceName: 'sensor-1' };

describe('emulator: firmware by the panel', () => {
  let emulator: Emulator;
  let lamp: MqttClient;
  let next: () => Promise<Offer>;

  beforeEach(async () => {
    emulator = await startEmulator({ config: { products: [PRODUCT] } });
    lamp = await onlineLamp(emulator, LAMP_1, { parameters: { _ss: 1 } });
    next = offers(lamp);
  });

  afterEach(async () => {
    await lamp.endAsync(true);
    await emulator.close();
  });

  const call = async (method: string, path: string, body?: unknown) => {
    const response = await fetch(`${emulator.httpUrl}/emulator/${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  const add = (more = {}) =>
    call('POST', 'firmware', {
      productKey,
      version: '2.0.0',
      files: [{ base64: IMAGE.toString('base64') }],
      ...more,
    });

  it('adds a package, upgrades, follows and removes it', async () => {
    const added = await add();
    assert.equal(added.status, 201);
    const { firmwareId } = added.body as { firmwareId: string };
    const { body } = await call('POST', `firmware/${firmwareId}/upgrade`, {
      devices: [LAMP_1],
      tags: { a: 'b' },
      timeoutMs: 60_000,
    });
    const { jobId } = body as { jobId: string };
    const { url, extData, sign } = await next();
    assert.deepEqual([extData, sign], [{ a: 'b' }, sha256(IMAGE)]);
    await (await fetch(url)).arrayBuffer();
    const [download] = (await call('GET', 'downloads')).body as unknown as Array<{ sentBytes: number }>;
    assert.equal(download?.sentBytes, IMAGE.length);
    const [task] = (await call('GET', `upgrades/${jobId}`)).body as unknown as Array<{ status: string }>;
    assert.equal(task?.status, 'NOTIFIED');
    assert.equal((await call('DELETE', `firmware/${firmwareId}`)).status, 400);
    assert.equal((await call('DELETE', `upgrades/${jobId}`)).status, 200);
    assert.equal((await call('DELETE', 'upgrades/none')).status, 404);
    assert.equal((await call('DELETE', `firmware/${firmwareId}`)).status, 200);
    assert.deepEqual((await call('GET', 'firmware')).body, []);
  });

  it('takes a file as it is', async () => {
    const post = async (query: object, body: Uint8Array, type = 'application/octet-stream') => {
      const parameters = new URLSearchParams({ productKey, version: '2.0.0', ...query });
      const response = await fetch(`${emulator.httpUrl}/emulator/firmware?${parameters}`, {
        method: 'POST',
        headers: { 'content-type': type },
        body: Uint8Array.from(body),
      });
      return { status: response.status, body: (await response.json()) as Record<string, unknown> };
    };
    const large = Buffer.alloc(5_000_000, 7);
    const { status, body } = await post(
      { fileName: 'lamp.bin', signMethod: 'MD5', isDiff: 'true', srcVersion: '1' },
      large,
    );
    assert.equal(status, 201);
    const [made] = emulator.firmware.list();
    assert.equal(made?.firmwareId, body.firmwareId);
    assert.deepEqual(
      [made?.isDiff, made?.files],
      [true, [{ name: 'lamp.bin', size: large.length, digest: md5(large) }]],
    );
    for (const [query, content, reason] of [
      [{}, Buffer.alloc(0), /bytes/],
      [{ version: 'two words' }, IMAGE, /version/],
      [{ productKey: 'none' }, IMAGE, /no product/],
      [{ fileName: '../../etc/passwd' }, IMAGE, /file name/],
      [{ fileName: '..' }, IMAGE, /file name/],
      [{ path: '/etc/passwd' }, IMAGE, /unknown/],
      [{ signMethod: 'CRC' }, IMAGE, /signMethod/],
    ] as const) {
      const refused = await post(query, content);
      assert.equal(refused.status, 400, JSON.stringify(query));
      assert.match(String(refused.body.error), reason);
    }
    assert.equal(emulator.firmware.list().length, 1);
    // As `curl --data-binary` calls it by itself.
    const asForm = await post({ version: '2.1.0' }, IMAGE, 'application/x-www-form-urlencoded');
    assert.equal(asForm.status, 201);
  });

  it('agrees to tasks, and tries again', async () => {
    const { firmwareId } = (await add()).body as { firmwareId: string };
    const { body } = await call('POST', `firmware/${firmwareId}/upgrade`, {
      devices: [LAMP_1],
      needConfirm: true,
      retryCount: 1,
      retryMs: 0,
      maximumPerMinute: 10,
    });
    const { jobId } = body as { jobId: string };
    assert.deepEqual((await call('POST', `upgrades/${jobId}/retry`)).body, { retried: 0 });
    assert.deepEqual((await call('POST', `upgrades/${jobId}/confirm`)).body, { confirmed: 1 });
    await next();
    await progress(lamp, '-1');
    await next();
    await progress(lamp, '-1');
    assert.equal(upgrade(emulator)?.status, 'FAILED');
    assert.deepEqual((await call('POST', `upgrades/${jobId}/confirm`)).body, { confirmed: 0 });
    assert.deepEqual((await call('POST', `upgrades/${jobId}/retry`)).body, { retried: 1 });
    await next();
    assert.equal((await call('POST', 'upgrades/none/retry')).status, 400);
  });

  it('verifies', async () => {
    const { firmwareId } = (await add({ needsVerification: true })).body as { firmwareId: string };
    assert.equal((await call('POST', `firmware/${firmwareId}/upgrade`)).status, 400);
    assert.equal((await call('POST', `firmware/${firmwareId}/verify`)).status, 400);
    assert.equal((await call('POST', `firmware/${firmwareId}/verify`, { devices: [LAMP_1] })).status, 201);
    await next();
    await inform(lamp, '2.0.0');
    assert.equal((await call('POST', `firmware/${firmwareId}/upgrade`)).status, 201);
  });

  it('sets and pushes configurations', async () => {
    const path = `products/${productKey}/configuration`;
    const { configId } = (await call('POST', path, { content: { a: 1 } })).body;
    assert.equal((await call('GET', path)).body.configId, configId);
    const came = nextMessage(lamp);
    await call('POST', `${path}/push`, { deviceName: 'lamp-1' });
    assert.equal(JSON.parse((await came).text).params.configId, configId);
    const again = nextMessage(lamp);
    await call('POST', `${path}/push`);
    await again;
    assert.equal((await call('POST', path, { enabled: false })).body.enabled, false);
    await lamp.subscribeAsync(`/sys/${productKey}/lamp-1/thing/model/config/push`, { qos: 1 });
    const model = nextMessage(lamp);
    await call('POST', `devices/${productKey}/lamp-1/model-configuration`, { modelList: [] });
    assert.equal(JSON.parse((await model).text).method, 'thing.model.config.push');
  });

  it('refuses what makes no sense, and never reads a file for anybody', async () => {
    for (const more of [
      { productKey: 'none' },
      { productKey: 1 },
      { version: '' },
      { files: [] },
      { files: [{ path: __filename }] },
      { crc: 1 },
    ]) {
      assert.equal((await add(more)).status, 400, JSON.stringify(more));
    }
    const { firmwareId } = (await add()).body as { firmwareId: string };
    for (const settings of [
      { devices: [{ productKey }] },
      { devices: [{ productKey, deviceName: 'none' }] },
      { protocol: 'FTP' },
      { timeoutMs: 'long' },
      { tags: { a: 1 } },
      { devices: {} },
      { speed: 1 },
      [],
    ]) {
      const { status } = await call('POST', `firmware/${firmwareId}/upgrade`, settings);
      assert.equal(status, 400, JSON.stringify(settings));
    }
    for (const [method, path, body] of [
      ['POST', 'products/none/configuration', { enabled: true }],
      ['POST', `products/${productKey}/configuration`, { enabled: 'yes' }],
      ['POST', `products/${productKey}/configuration`, { switch: true }],
      ['POST', `products/${productKey}/configuration/push`, { deviceName: 'none' }],
      ['POST', 'devices/a/b/model-configuration', {}],
      ['GET', 'upgrades/none', undefined],
      ['DELETE', 'firmware/none', undefined],
      ['GET', 'firmware/%ZZ', undefined],
    ] as const) {
      assert.equal((await call(method, path, body)).status, 400, `${method} ${path}`);
    }
  });
});

describe('emulator: firmware of a sub-device', () => {
  it('goes over its gateway, on its own topics', async () => {
    const emulator = await startEmulator({
      config: {
        products: [
          { ...PRODUCT, nodeType: 'gateway' },
          {
            productKey: SENSOR.productKey,
            devices: [{ deviceName: SENSOR.deviceName, deviceSecret: 's', gateway: LAMP_1 }],
            firmware: [{ version: '2.0.0', files: [{ text: 'sensor' }] }],
          },
        ],
      },
    });
    const gate = await onlineLamp(emulator, LAMP_1, { parameters: { _ss: 1 } });
    const [firmware] = emulator.firmware.list();
    emulator.firmware.upgrade(firmware?.firmwareId ?? '');
    assert.equal(upgrade(emulator, SENSOR)?.status, 'QUEUED');
    const next = offers(gate, SENSOR);
    const { createHmac } = await import('node:crypto');
    const content = `clientIdcdeviceName${SENSOR.deviceName}productKey${SENSOR.productKey}timestamp1`;
    const sign = createHmac('sha256', 's').update(content).digest('hex');
    const { code } = await login(gate, {
      ...SENSOR,
      clientId: 'c',
      timestamp: '1',
      signMethod: 'hmacSha256',
      sign,
    });
    assert.equal(code, 200);
    await gate.subscribeAsync(upgradeTopic(SENSOR), { qos: 1 });
    const { url } = await next();
    assert.equal(await (await fetch(url)).text(), 'sensor');
    await inform(gate, '2.0.0', undefined, SENSOR);
    await request(gate, `/sys/${productKey}/lamp-1/thing/deviceinfo/delete`, []);
    assert.equal(upgrade(emulator, SENSOR)?.status, 'SUCCEEDED');
    await gate.endAsync(true);
    await emulator.close();
  });
});

async function login(gate: MqttClient, params: object): Promise<{ code: number }> {
  const topic = `/ext/session/${productKey}/lamp-1/combine/login`;
  await gate.subscribeAsync(`${topic}_reply`, { qos: 0 });
  const answered = nextMessage(gate);
  await gate.publishAsync(topic, JSON.stringify({ id: '1', params }), { qos: 0 });
  return JSON.parse((await answered).text);
}
