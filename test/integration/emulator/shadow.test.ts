import assert from 'node:assert/strict';
import type Iot from '@alicloud/iot20180120';
import * as models from '@alicloud/iot20180120';
import type { MqttClient } from 'mqtt';
import { type Emulator, startEmulator } from '../../../emulator';
import { cloudClient } from '../../support/cloud';
import { LAMP_1, LAMP_2, nextMessage, onlineLamp, PRODUCT } from '../../support/emulator';

const TOPIC = `/shadow/update/${LAMP_1.productKey}/${LAMP_1.deviceName}`;
const NOW = Date.UTC(2026, 0, 1);
const SECONDS = NOW / 1000;

describe('emulator: shadow', () => {
  let emulator: Emulator;
  let lamp: MqttClient;
  let cloud: Iot;

  beforeEach(async () => {
    emulator = await startEmulator({ clock: () => NOW, config: { products: [PRODUCT] } });
    lamp = await onlineLamp(emulator, LAMP_1, { parameters: { _ss: 1 } });
    cloud = cloudClient(emulator);
  });

  afterEach(async () => {
    await lamp.endAsync(true);
    await emulator.close();
  });

  /** @returns what comes back on the topic of answers */
  const send = async (message: unknown) => {
    const answered = nextMessage(lamp);
    lamp.publish(TOPIC, typeof message === 'string' ? message : JSON.stringify(message), { qos: 1 });
    const { topic, text } = await answered;
    assert.equal(topic, `/shadow/get/${LAMP_1.productKey}/${LAMP_1.deviceName}`);
    return JSON.parse(text);
  };
  const update = (reported: unknown, version: unknown) =>
    send({ method: 'update', state: { reported }, version });
  const document = () => emulator.devices.get(LAMP_1)?.shadow;
  const want = async (desired: unknown, version: number, deltaUpdate = false, device = LAMP_1) => {
    const { body } = await cloud.updateDeviceShadow(
      new models.UpdateDeviceShadowRequest({
        ...device,
        deltaUpdate,
        shadowMessage: JSON.stringify({ method: 'update', state: { desired }, version }),
      }),
    );
    return body;
  };

  it('merges what the device reports and tells the version', async () => {
    assert.deepEqual(await update({ color: 'red' }, 1), {
      method: 'reply',
      payload: { status: 'success', version: 1 },
      timestamp: SECONDS,
    });
    await update({ power: 1 }, 5);
    assert.deepEqual(document(), {
      state: { reported: { color: 'red', power: 1 } },
      metadata: { reported: { color: { timestamp: SECONDS }, power: { timestamp: SECONDS } } },
      timestamp: SECONDS,
      version: 5,
    });
    const got = await send({ method: 'get' });
    assert.deepEqual(got.payload.state, { reported: { color: 'red', power: 1 } });
    assert.deepEqual(
      [got.method, got.payload.status, got.payload.version, got.version],
      ['reply', 'success', 5, 5],
    );
  });

  it('refuses an old version and changes nothing', async () => {
    await update({ color: 'red' }, 3);
    for (const version of [3, 2, 0]) {
      const { payload } = await update({ color: 'blue' }, version);
      assert.equal(payload.status, 'error');
      assert.equal(payload.content.errorcode, '409');
    }
    assert.deepEqual(document()?.state, { reported: { color: 'red' } });
  });

  it('names what is wrong with a message', async () => {
    const reported = Object.fromEntries(Array.from({ length: 129 }, (_, i) => [`k${i}`, 1]));
    const cases: Array<[unknown, string]> = [
      ['{', '400'],
      ['[]', '400'],
      [{ state: {} }, '401'],
      [{ method: 'update', version: 1 }, '402'],
      [{ method: 'update', state: [], version: 1 }, '402'],
      [{ method: 'update', state: { reported: { a: 1 } }, version: 'x' }, '403'],
      [{ method: 'update', state: { reported: { a: 1 } } }, '403'],
      [{ method: 'update', state: {}, version: 1 }, '404'],
      [{ method: 'update', state: { reported: 7 }, version: 1 }, '404'],
      [{ method: 'update', state: { reported: {} }, version: 1 }, '405'],
      [{ method: 'replace', state: {}, version: 1 }, '406'],
      [{ method: 'update', state: { reported }, version: 1 }, '408'],
    ];
    for (const [message, code] of cases) {
      const { payload } = await send(message);
      assert.equal(payload.content?.errorcode, code, JSON.stringify(message).slice(0, 100));
    }
    assert.equal((await send('')).payload.content.errorcode, '407');
    assert.equal(document()?.version, 0);
  });

  it('bounds the document', async () => {
    await update({ a: 'x'.repeat(200_000) }, 1);
    assert.equal((await update({ b: 'x'.repeat(100_000) }, 2)).payload.content.errorcode, '500');
    assert.equal(document()?.version, 1);
  });

  it('deletes one reported key, or all, with the text null or the JSON value', async () => {
    await update({ a: 1, b: 2, c: 3 }, 1);
    await send({ method: 'delete', state: { reported: { a: 'null', b: null, c: 'other' } }, version: 2 });
    assert.deepEqual(document()?.state, { reported: { c: 3 } });
    await send({ method: 'delete', state: { reported: 'null' }, version: 3 });
    assert.deepEqual(document()?.state, {});
    assert.equal(document()?.version, 3);
  });

  it('starts anew with version -1', async () => {
    await update({ a: 1 }, 9);
    const { payload } = await update({ b: 2 }, -1);
    assert.deepEqual(payload, { status: 'success', version: 0 });
    assert.deepEqual(document()?.state, { reported: { b: 2 } });
    assert.equal((await update({ b: 3 }, 1)).payload.status, 'success');
  });

  it('pushes what the cloud wants, until the device clears it', async () => {
    await update({ color: 'red' }, 1);
    const pushed = nextMessage(lamp);
    assert.equal((await want({ color: 'green' }, 2))?.success, true);
    const { text } = await pushed;
    assert.deepEqual(JSON.parse(text), {
      method: 'control',
      payload: {
        state: { reported: { color: 'red' }, desired: { color: 'green' } },
        metadata: { reported: { color: { timestamp: SECONDS } }, desired: { color: { timestamp: SECONDS } } },
      },
      version: 2,
      timestamp: SECONDS,
    });
    assert.equal((await want({ color: 'blue' }, 2))?.success, false);
    await update({ color: 'green' }, 3);
    await send({ method: 'update', state: { desired: 'null' }, version: 4 });
    const { body } = await cloud.getDeviceShadow(new models.GetDeviceShadowRequest(LAMP_1));
    assert.deepEqual(JSON.parse(body?.shadowMessage ?? '').state, { reported: { color: 'green' } });
  });

  it('keeps a wish for a device that is away; it asks for it', async () => {
    const { state } = JSON.parse(
      (await cloud.getDeviceShadow(new models.GetDeviceShadowRequest(LAMP_2))).body?.shadowMessage ?? '',
    );
    assert.deepEqual(state, {});
    await want({ a: 1 }, 0, false, LAMP_2);
    await want({ b: 2 }, 0, true, LAMP_2);
    const other = await onlineLamp(emulator, LAMP_2, { parameters: { _ss: 1 } });
    try {
      const answered = nextMessage(other);
      other.publish(`/shadow/update/${LAMP_2.productKey}/${LAMP_2.deviceName}`, '{"method":"get"}');
      assert.deepEqual(JSON.parse((await answered).text).payload.state, { desired: { a: 1, b: 2 } });
      await want({ c: 3 }, 0, false, LAMP_2);
      assert.deepEqual(emulator.devices.get(LAMP_2)?.shadow.state, { desired: { c: 3 } });
    } finally {
      await other.endAsync(true);
    }
  });

  it('names what is wrong with a wish as the platform does', async () => {
    await update({ a: 1 }, 5);
    const state = { desired: { a: 1 } };
    const cases: Array<[unknown, string]> = [
      ['{', 'ShadowMessageIsNotJson'],
      [[], 'ShadowMessageIsNotJson'],
      [{ state, version: 0 }, 'NotFoundMethodInShadowMessage'],
      [{ method: 'get', state, version: 0 }, 'MethodValueIsNotUpdate'],
      [{ method: 'update', state }, 'NotFoundVersionOrNullVersionValue'],
      [{ method: 'update', state, version: 5 }, 'InvalidVersionValueInShadowMessage'],
      [{ method: 'update', state, version: 'x' }, 'InvalidVersionValueInShadowMessage'],
      [{ method: 'update', version: 0 }, 'NotFoundStateInShadowMessage'],
      [{ method: 'update', state: { reported: {} }, version: 0 }, 'NotFoundDesireInShadowMessage'],
      [{ method: 'update', state: { desired: {} }, version: 0 }, 'NoneElementInDesire'],
    ];
    for (const [message, code] of cases) {
      const shadowMessage = typeof message === 'string' ? message : JSON.stringify(message);
      const { body } = await cloud.updateDeviceShadow(
        new models.UpdateDeviceShadowRequest({ ...LAMP_1, shadowMessage }),
      );
      assert.equal(body?.code, `iot.messagebroker.${code}`, shadowMessage);
    }
    assert.equal(document()?.version, 5);
  });

  it('takes keys of every object for what they are', async () => {
    await send('{"method":"update","state":{"reported":{"__proto__":{"polluted":1}}},"version":1}');
    assert.equal(({} as { polluted?: unknown }).polluted, undefined);
    assert.match(JSON.stringify(document()), /"__proto__":\{"polluted":1\}/);
  });
});
