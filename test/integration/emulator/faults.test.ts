import assert from 'node:assert/strict';
import type { MqttClient } from 'mqtt';
import { type Emulator, type FaultRule, startEmulator } from '../../../emulator';
import { formatFileFrame } from '../../../protocol';
import {
  closed,
  connack,
  LAMP_1,
  LAMP_2,
  lampClient,
  nextMessage,
  onlineLamp,
  PRODUCT,
  request,
} from '../../support/emulator';

const S = `/sys/${LAMP_1.productKey}/${LAMP_1.deviceName}/thing`;
const POST = `${S}/event/property/post`;

describe('emulator: fault panel', () => {
  let emulator: Emulator;
  let lamp: MqttClient;

  beforeEach(async () => {
    emulator = await startEmulator({ doors: { mqtt: 0, ws: 0, http: 0 }, config: { products: [PRODUCT] } });
    lamp = await onlineLamp(emulator, LAMP_1, { parameters: { _ss: 1 } });
  });

  afterEach(async () => {
    await lamp.endAsync(true);
    await emulator.close();
  });

  /** Texts that arrive while a post and then an untouched one are made. */
  const arrivedDuringPost = async (value: number) => {
    const texts: string[] = [];
    const listener = (_topic: string, payload: Buffer) => texts.push(payload.toString());
    lamp.on('message', listener);
    lamp.publish(POST, JSON.stringify({ id: 'struck', params: { temperature: value } }), { qos: 1 });
    await request(lamp, POST, { light: 0 }, { id: 'after' });
    lamp.off('message', listener);
    return texts.slice(0, -1);
  };
  const temperature = () => emulator.devices.get(LAMP_1)?.properties.temperature?.value;
  const once = (rule: FaultRule) => emulator.faults.add({ ...rule, times: 1 });
  const codes = (texts: string[]) => texts.map((text) => (JSON.parse(text) as { code: number }).code);

  it('drops a message', async () => {
    once({ action: 'drop' });
    assert.deepEqual(await arrivedDuringPost(1.5), []);
    assert.equal(temperature(), undefined);
    assert.deepEqual(emulator.faults.list(), [], 'it was meant to strike once');
  });

  it('loses or breaks the reply of a message that was carried out', async () => {
    once({ action: 'loseReply' });
    assert.deepEqual(await arrivedDuringPost(1.5), []);
    assert.equal(temperature(), 1.5);
    once({ action: 'malformReply' });
    const [text = ''] = await arrivedDuringPost(2.5);
    assert.throws(() => JSON.parse(text));
    assert.equal(temperature(), 2.5);
  });

  it('refuses with a code and echoes the id', async () => {
    once({ action: 'refuse', code: 429 });
    const [text = ''] = await arrivedDuringPost(1.5);
    const { id, code } = JSON.parse(text) as { id: string; code: number };
    assert.deepEqual([id, code, temperature()], ['struck', 429, undefined]);
  });

  it('refuses a block and a shadow message in their own forms, and the time not at all', async () => {
    const [P, D] = [LAMP_1.productKey, LAMP_1.deviceName];
    await lamp.subscribeAsync([`${S}/file/upload/mqtt/send_reply`, `/ext/ntp/${P}/${D}/response`]);
    emulator.faults.add({ action: 'refuse', code: 429 });
    const refused = async (topic: string, payload: string | Buffer) => {
      const answered = nextMessage(lamp);
      lamp.publish(topic, payload);
      return JSON.parse((await answered).text);
    };
    const frame = formatFileFrame({ header: { id: 'b1', params: {} }, data: new Uint8Array(3) });
    const block = await refused(`${S}/file/upload/mqtt/send`, Buffer.from(frame));
    assert.deepEqual([block.id, block.code], ['b1', 429]);
    assert.equal((await refused(`${S}/file/upload/mqtt/send`, 'x')).code, 429);
    const shadow = await refused(`/shadow/update/${P}/${D}`, '{"method":"get"}');
    assert.deepEqual([shadow.payload.status, shadow.payload.content.errorcode], ['error', '429']);
    lamp.publish(`/ext/ntp/${P}/${D}/request`, '{"deviceSendTime":"1"}');
    assert.equal((await refused(POST, '{"id":"next","params":{}}')).id, 'next');
  });

  it('handles a message twice, or sends an answer twice', async () => {
    once({ action: 'duplicate' });
    assert.deepEqual(codes(await arrivedDuringPost(1.5)), [200, 200]);
    assert.equal(emulator.devices.get(LAMP_1)?.history('temperature').length, 2);
    once({ action: 'duplicate', match: { direction: 'down' } });
    assert.deepEqual(codes(await arrivedDuringPost(2.5)), [200, 200]);
    assert.equal(emulator.devices.get(LAMP_1)?.history('temperature').length, 3);
  });

  it('delays a message', async () => {
    once({ action: 'delay', ms: 30 });
    assert.deepEqual(await arrivedDuringPost(1.5), [], 'the later one overtakes it');
    await emulator.exchanges.waitFor(({ text, kind }) => kind === 'down' && text.includes('struck'));
    assert.equal(temperature(), 1.5);
  });

  it('strikes only what matches', async () => {
    emulator.faults.add({ action: 'drop', match: { deviceName: 'lamp-2' } });
    emulator.faults.add({ action: 'drop', match: { operation: 'thing.event.post' } });
    emulator.faults.add({ action: 'drop', match: { topic: `${S}/event/overheated/#` } });
    emulator.faults.add({ action: 'drop', match: { direction: 'down', topic: `${S}/+` } });
    assert.deepEqual(codes(await arrivedDuringPost(1.5)), [200]);
    const id = emulator.faults.add({ action: 'drop', match: { productKey: LAMP_1.productKey, topic: POST } });
    lamp.publish(POST, '{"id":"1","params":{"temperature":2.5}}', { qos: 1 });
    await emulator.exchanges.waitFor(({ note }) => note === 'dropped: fault: drop');
    assert.equal(emulator.faults.remove(id), true);
    assert.equal((await request(lamp, POST, { temperature: 3.5 })).code, 200);
  });

  it('kicks after what was answered before', async () => {
    emulator.faults.add({ action: 'kick', match: { operation: 'thing.deviceinfo.update' } });
    const answers: string[] = [];
    lamp.on('message', (_topic, payload: Buffer) => answers.push(payload.toString()));
    const gone = closed(lamp);
    // In one write, so that they are handled in one go.
    lamp.stream.cork();
    lamp.publish(POST, JSON.stringify({ id: 'before', params: { temperature: 3.5 } }));
    lamp.publish(`${S}/deviceinfo/update`, JSON.stringify({ id: 'kicks', params: [] }));
    setImmediate(() => lamp.stream.uncork());
    await gone;
    assert.deepEqual(
      answers.map((text) => (JSON.parse(text) as { id: string }).id),
      ['before'],
    );
  });

  it('kicks a device, by rule and by hand', async () => {
    let gone = closed(lamp);
    once({ action: 'kick' });
    lamp.publish(POST, '{"id":"1","params":{"temperature":2.5}}', { qos: 1 });
    await gone;
    lamp = await onlineLamp(emulator);
    gone = closed(lamp);
    assert.equal(emulator.faults.kick(LAMP_1), true);
    await gone;
    await emulator.exchanges.waitFor(({ kind }) => kind === 'disconnect');
    assert.equal(emulator.faults.kick(LAMP_2), false);
    assert.throws(() => emulator.faults.kick({ ...LAMP_1, deviceName: 'nobody' }), {
      name: 'UnknownDeviceError',
    });
  });

  it('goes away and comes back on the same ports', async () => {
    const gone = closed(lamp);
    const { ports } = emulator;
    await emulator.faults.stopListening();
    await gone;
    const refused = lampClient(emulator);
    const error = await new Promise<NodeJS.ErrnoException>((resolve) =>
      refused.once('error', (e) => resolve(e as NodeJS.ErrnoException)),
    );
    assert.equal(error.code, 'ECONNREFUSED');
    await emulator.faults.startListening();
    assert.deepEqual(emulator.ports, ports);
    lamp = await onlineLamp(emulator, LAMP_1, { door: 'ws' });
  });

  it('goes silent: connections stay, nothing is answered', async () => {
    emulator.faults.goSilent();
    const silent = lampClient(emulator, LAMP_2, { connectTimeout: 50 });
    lamp.publish(POST, '{"id":"1","params":{"temperature":2.5}}');
    const timedOut = closed(silent);
    await timedOut;
    assert.equal(temperature(), undefined);
    assert.equal(lamp.connected, true);
    await emulator.faults.clear();
    await emulator.exchanges.waitFor(({ kind }) => kind === 'up');
    assert.equal(temperature(), 2.5);
    const back = lampClient(emulator, LAMP_2);
    assert.equal(await connack(back), 0);
    await back.endAsync(true);
  });

  describe('over HTTP', () => {
    const ask = async (path: string, init: RequestInit = {}) => {
      const response = await fetch(`${emulator.httpUrl}/emulator/${path}`, init);
      const text = await response.text();
      const json = response.headers.get('content-type')?.includes('json') ? JSON.parse(text) : undefined;
      return { status: response.status, text, json };
    };
    const send = (body: unknown, headers = {}) =>
      ask('faults', { method: 'POST', body: JSON.stringify(body), headers });

    it('adds, lists and removes rules', async () => {
      const { status, json } = await send({
        action: 'refuse',
        code: 429,
        times: 2,
        match: { operation: 'session.login' },
      });
      assert.equal(status, 201);
      const expected = {
        action: 'refuse',
        code: 429,
        times: 2,
        match: { operation: 'session.login' },
        id: json.id,
        left: 2,
      };
      assert.deepEqual((await ask('faults')).json, { rules: [expected] });
      assert.equal((await ask(`faults/${json.id}`, { method: 'DELETE' })).status, 200);
      assert.equal((await ask(`faults/${json.id}`, { method: 'DELETE' })).status, 404);
      await send({ action: 'drop' });
      await ask('faults', { method: 'DELETE' });
      assert.deepEqual(emulator.faults.list(), []);
    });

    it('tells what is wrong with a rule', async () => {
      for (const [rule, message] of [
        [{ action: 'explode' }, /action is one of/],
        [{ action: 'delay' }, /ms must be/],
        [{ action: 'refuse', code: '429' }, /code must be/],
        [{ action: 'drop', times: 0 }, /times must be/],
        [{ action: 'drop', match: { device: 'x' } }, /match\.device is unknown/],
        [{ action: 'drop', match: { operation: 'session.logn' } }, /there is no operation session\.logn/],
        [{ command: 'dance' }, /command is one of/],
        [[], /is an object/],
      ] as const) {
        const { status, text } = await send(rule);
        assert.equal(status, 400);
        assert.match(text, message);
      }
      assert.equal((await ask('faults', { method: 'POST', body: '{' })).status, 400);
    });

    it('kicks', async () => {
      const gone = closed(lamp);
      assert.deepEqual((await send({ command: 'kick', ...LAMP_1 })).json, { kicked: true });
      await gone;
    });

    it('shows devices and exchanges, as JSON and as text', async () => {
      await request(lamp, POST, { temperature: 1.5 });
      assert.equal((await ask('devices/a1Greenhouse/lamp-1')).json.status, 'ONLINE');
      assert.equal((await ask('devices/a1Greenhouse/lamp-9')).status, 404);
      const { json } = await ask('exchanges?kind=up&deviceName=lamp-1');
      assert.deepEqual(
        json.map(({ operation, code }: Record<string, unknown>) => [operation, code]),
        [['thing.event.property.post', 200]],
      );
      assert.deepEqual((await ask('exchanges?deviceName=lamp-2')).json, []);
      const { text } = await ask('exchanges?format=text');
      assert.match(text, /up +a1Greenhouse\/lamp-1 .*property\/post thing\.event\.property\.post code 200/);
      assert.doesNotMatch(text + JSON.stringify(json), /secret-of/);
    });

    it('is closed to pages of other origins and to foreign names', async () => {
      const rule = { action: 'drop' };
      assert.equal((await send(rule, { origin: 'http://evil.example' })).status, 403);
      assert.equal((await send(rule, { origin: 'null' })).status, 403);
      assert.equal((await send(rule, { 'sec-fetch-site': 'cross-site' })).status, 403);
      assert.equal((await send(rule, { origin: emulator.httpUrl })).status, 201);
    });
  });
});
