import assert from 'node:assert/strict';
import type { MqttClient } from 'mqtt';
import { type Emulator, startEmulator } from '../../../emulator';
import { LAMP_1, onlineLamp, PRODUCT } from '../../support/emulator';
import { LAMP_SCRIPT } from '../../support/scripts';

const { productKey, deviceName } = LAMP_1;
const UP = `/sys/${productKey}/${deviceName}/thing/model/up_raw`;
const PASSTHROUGH = { ...PRODUCT, dataFormat: 'custom', script: LAMP_SCRIPT };

describe('emulator: passthrough products', () => {
  let emulator: Emulator;
  let lamp: MqttClient;

  beforeEach(async () => {
    emulator = await startEmulator({ config: { products: [PASSTHROUGH] } });
    lamp = await onlineLamp(emulator, LAMP_1, { parameters: { _ss: 1 } });
  });

  afterEach(async () => {
    await lamp.endAsync(true);
    await emulator.close();
  });

  const send = async (bytes: number[], topic = UP) => {
    await lamp.publishAsync(topic, Buffer.from(bytes), { qos: 1 });
  };
  /** Sends bytes. @returns the bytes of the answer */
  const ask = (bytes: number[]): Promise<number[]> =>
    new Promise((resolve, reject) => {
      lamp.once('message', (topic, payload) => {
        if (topic === `${UP}_reply`) resolve([...payload]);
        else reject(new Error(`message on ${topic}`));
      });
      send(bytes).catch(reject);
    });
  const codeOf = async (bytes: number[]) => {
    const since = emulator.exchanges.latest;
    await send(bytes);
    const { code, note } = await emulator.exchanges.waitFor(({ code }) => code !== undefined, { since });
    return [code, note];
  };
  const report = [0, 0, 0x22, 0x33, 0x44, 0, 205, 1];

  it('makes a report of bytes and bytes of the answer', async () => {
    assert.deepEqual(await ask(report), [2, 0, 0x22, 0x33, 0x44, 2]);
    const { properties } = emulator.devices.get(LAMP_1) ?? {};
    assert.deepEqual([properties?.temperature?.value, properties?.light?.value], [20.5, 1]);
    const { operation, code } = await emulator.exchanges.waitFor(
      ({ topic }) => topic === `/sys/${productKey}/${deviceName}/thing/event/property/post`,
    );
    assert.deepEqual([operation, code], ['thing.event.property.post', 200]);
    assert.match(emulator.messages.list().at(-1)?.text ?? '', /"items":\{"temperature":\{"value":20.5/);
  });

  it('makes an event of bytes, judged by the thing model', async () => {
    assert.deepEqual(await ask([4, 0, 0, 0, 7, 3, 232]), [2, 0, 0, 0, 7, 2]);
    assert.deepEqual(
      emulator.devices.get(LAMP_1)?.events.map(({ identifier, value }) => [identifier, value]),
      [['overheated', { temperature: 100 }]],
    );
  });

  it('answers many reports, each its own', async () => {
    const ids = Array.from({ length: 50 }, (_, i) => i);
    const answers = new Promise<number[]>((resolve) => {
      const got: number[] = [];
      lamp.on('message', (_, payload) => {
        got.push(payload.readUInt32BE(1));
        if (got.length === ids.length) resolve(got);
      });
    });
    await Promise.all(ids.map((id) => send([0, 0, 0, 0, id, 0, 10, 1])));
    assert.deepEqual(await answers, ids);
  });

  it('answers with the code of what was wrong, through the script when it can', async () => {
    assert.deepEqual(await ask([9, 0, 0, 0, 1]), [2, 0, 0, 0, 1, 0]);
    const refused = emulator.exchanges.list((exchange) => exchange.code === 6450).at(-1);
    assert.equal(refused?.note, 'the script gave no method');
    const [code, note] = await codeOf([0, 1]);
    assert.deepEqual([code, String(note).startsWith('RangeError')], [26002, true]);
  });

  const broken: Array<[string, string, number]> = [
    ['no script', '', 26001],
    ['a script that hangs', 'for (;;);', 26002],
    ['a script without the function', 'var nothing', 26006],
    ['a result that is no message', 'function rawDataToProtocol() { return 1 }', 26007],
    [
      'a method that does not exist',
      'function rawDataToProtocol() { return { id: "1", method: "thing.fly" } }',
      6300,
    ],
    [
      'the method of raw data',
      'function rawDataToProtocol() { return { id: "1", method: "thing.model.up_raw" } }',
      6300,
    ],
    [
      'a method that is a path',
      'function rawDataToProtocol() { return { id: "1", method: "thing.event.+.post" } }',
      6300,
    ],
    [
      'a message without id',
      'function rawDataToProtocol() { return { method: "thing.event.property.post" } }',
      460,
    ],
    [
      'a message too deep',
      'function rawDataToProtocol() { let o = {}; for (let i = 0; i < 50; i++) o = { o }; return o }',
      6207,
    ],
    [
      'params of another kind',
      'function rawDataToProtocol() { return { id: "1", method: "thing.event.property.post", params: 1 } }',
      460,
    ],
  ];
  for (const [what, script, code] of broken) {
    it(`has code ${code} for ${what}`, async () => {
      emulator.setScript(productKey, script);
      assert.equal((await codeOf(report))[0], code);
    });
  }

  it('says so when the answer cannot be made bytes', async () => {
    emulator.setScript(productKey, LAMP_SCRIPT.replace('function protocolToRawData', 'function other'));
    const since = emulator.exchanges.latest;
    await send(report);
    const { code, topic } = await emulator.exchanges.waitFor(({ kind }) => kind === 'down', { since });
    assert.deepEqual([code, topic], [26006, `${UP}_reply`]);
    assert.equal(emulator.devices.get(LAMP_1)?.properties.light?.value, 1);
  });

  it('lets faults strike', async () => {
    emulator.faults.add({ action: 'loseReply', times: 1 });
    await send(report);
    assert.deepEqual(await ask([0, 0, 0, 0, 2, 0, 10, 0]), [2, 0, 0, 0, 2, 2]);
  });

  it('refuses through the script when a fault says so', async () => {
    emulator.faults.add({ action: 'refuse', code: 429, times: 1 });
    assert.deepEqual(await ask(report), [2, 0, 0x22, 0x33, 0x44, 0]);
    assert.deepEqual(emulator.devices.get(LAMP_1)?.properties, {});
  });

  it('makes JSON of own topics that ask for it', async () => {
    const topic = `/${productKey}/${deviceName}/user/update`;
    await send([1, 2, 3], `${topic}?_sn=default`);
    const message = await emulator.messages.waitFor((entry) => entry.topic === topic);
    assert.deepEqual(message.json, { topic, sum: 6 });
    await send([1, 2, 3], topic);
    const { bytes } = await emulator.messages.waitFor((entry) => entry.topic === topic, {
      since: message.seq,
    });
    assert.deepEqual([...bytes], [1, 2, 3]);
    const since = emulator.exchanges.latest;
    await send([1], `${UP}?_sn=default`);
    const { note } = await emulator.exchanges.waitFor(({ kind }) => kind === 'up', { since });
    assert.match(note ?? '', /^dropped/);
  });

  it('leaves raw data of other products alone', async () => {
    const other = await startEmulator({ config: { products: [{ ...PASSTHROUGH, dataFormat: 'alink' }] } });
    const client = await onlineLamp(other);
    await client.publishAsync(UP, Buffer.from(report), { qos: 1 });
    const { note } = await other.exchanges.waitFor(({ kind }) => kind === 'up');
    assert.match(note ?? '', /^dropped/);
    await client.endAsync(true);
    await other.close();
  });

  it('refuses a script for a product that is not there, and a whole book', () => {
    assert.throws(() => emulator.setScript('nobody', LAMP_SCRIPT), RangeError);
    assert.throws(() => emulator.setScript(productKey, 'x'.repeat(200_000)), RangeError);
  });
});
