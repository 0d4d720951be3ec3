import assert from 'node:assert/strict';
import type { MqttClient } from 'mqtt';
import { type Emulator, startEmulator } from '../../../emulator';
import { LAMP_1, LAMP_2, onlineLamp, PRODUCT, request } from '../../support/emulator';

const S = `/sys/${LAMP_1.productKey}/${LAMP_1.deviceName}/thing`;
const POST = `${S}/event/property/post`;
const EVENT = `${S}/event/overheated/post`;
const NOW = Date.UTC(2026, 0, 1);
const DAY = 24 * 3_600_000;

describe('emulator: reports', () => {
  let emulator: Emulator;
  let lamp: MqttClient;

  before(async () => {
    emulator = await startEmulator({ clock: () => NOW, config: { products: [PRODUCT] } });
    lamp = await onlineLamp(emulator, LAMP_1, { parameters: { _ss: 1 } });
  });

  after(async () => {
    await lamp.endAsync(true);
    await emulator.close();
  });

  const latest = () => emulator.devices.get(LAMP_1)?.properties ?? {};
  const lastNote = () => emulator.exchanges.list(({ kind }) => kind === 'up').at(-1)?.note;
  /** Sends text as it is. @returns the answer */
  const raw = async (topic: string, text: string) => {
    const since = emulator.exchanges.latest;
    lamp.publish(topic, text, { qos: 1 });
    const { json } = await emulator.exchanges.waitFor(({ kind }) => kind === 'down', { since });
    return json as { id: unknown; code: number };
  };

  it('stores values with and without time', async () => {
    const time = NOW - 5000;
    const { code, data, message } = await request(lamp, POST, {
      temperature: { value: 20.5, time },
      light: 1,
    });
    assert.deepEqual([code, data, message], [200, {}, 'success']);
    assert.deepEqual(latest(), { temperature: { value: 20.5, time }, light: { value: 1, time: NOW } });
  });

  it('echoes the id with its JSON type', async () => {
    for (const id of ['7', 7, '1|exp-topic|x', 4294967295]) {
      assert.equal((await request(lamp, POST, { light: 0 }, { id })).id, id);
    }
  });

  it('answers with the quality of service of the request, and not at all when sys.ack is 0', async () => {
    for (const qos of [0, 1]) {
      const since = emulator.exchanges.latest;
      await request(lamp, POST, { light: 1 }, { qos });
      assert.equal((await emulator.exchanges.waitFor(({ kind }) => kind === 'down', { since })).qos, qos);
    }
    const since = emulator.exchanges.latest;
    await lamp.publishAsync(POST, '{"id":"1","sys":{"ack":0},"params":{"light":0}}', { qos: 1 });
    await request(lamp, POST, { light: 0 }, { id: 'after' });
    const answers = emulator.exchanges.list(({ kind, seq }) => kind === 'down' && seq > since);
    assert.deepEqual(
      answers.map(({ json }) => (json as { id: string }).id),
      ['after'],
    );
  });

  it('drops invalid properties, stores the valid ones, answers 200 and says so in the log', async () => {
    await request(lamp, POST, { temperature: 1.5, light: 0 });
    const cases: Array<[object, RegExp]> = [
      [{ temperature: 121 }, /temperature/],
      [{ temperature: '20' }, /temperature/],
      [{ temperature: 20, nonsense: 1 }, /nonsense: not in the thing model/],
      [{ light: true }, /light/],
      [{ light: { value: 1, time: NOW + DAY + 1 } }, /light: time/],
      [{ light: { value: 1, time: 'soon' } }, /light: time/],
      [{ __proto__x: 1, constructor: 1 }, /constructor/],
    ];
    for (const [params, note] of cases) {
      assert.equal((await request(lamp, POST, params)).code, 200);
      assert.match(lastNote() ?? '', note);
    }
    assert.deepEqual([latest().temperature?.value, latest().light?.value], [20, 0]);
    assert.deepEqual(Object.keys(latest()).sort(), ['light', 'temperature']);
    await request(lamp, POST, { light: { value: 1, time: NOW + DAY } });
    assert.equal(latest().light?.value, 1);
  });

  it('refuses structural faults with their code', async () => {
    assert.equal((await raw(POST, 'not json')).code, 6207);
    assert.equal((await raw(POST, '[]')).code, 460);
    assert.equal((await raw(POST, '{"params":{"light":1}}')).code, 460);
    assert.equal((await raw(POST, '{"id":"1"}')).code, 460);
    assert.equal((await raw(POST, '{"id":"1","params":[1]}')).code, 460);
    const many = Object.fromEntries(Array.from({ length: 201 }, (_, i) => [`p${i}`, 1]));
    assert.equal((await request(lamp, POST, many)).code, 6106);
    delete many.p200;
    assert.equal((await request(lamp, POST, many)).code, 200);
    const deep = '['.repeat(100_000);
    assert.equal((await raw(POST, `{"id":"1","params":{"light":${deep}}}`)).code, 6207);
  });

  it('stores events that fit and refuses others with the code of the rule', async () => {
    const time = NOW - 1000;
    assert.equal((await request(lamp, EVENT, { value: { temperature: 90.5 }, time })).code, 200);
    const [event] = emulator.devices.get(LAMP_1)?.events ?? [];
    assert.deepEqual(event, {
      identifier: 'overheated',
      name: 'Overheated',
      type: 'alert',
      value: { temperature: 90.5 },
      time,
    });
    assert.equal((await request(lamp, EVENT, { value: { temperature: 'x' } })).code, 6307);
    assert.equal((await request(lamp, EVENT, { value: { other: 1 } })).code, 6304);
    assert.equal((await request(lamp, EVENT, { value: 1 })).code, 460);
    assert.equal((await request(lamp, EVENT, { value: { temperature: 1.5 }, time: -1 })).code, 6326);
    assert.equal((await request(lamp, `${S}/event/unknown/post`, { value: {} })).code, 6321);
    assert.equal(emulator.devices.get(LAMP_1)?.events.length, 1);
    assert.equal(
      (await request(lamp, EVENT, { temperature: 91.5 })).code,
      200,
      "as the vendor's SDK writes it",
    );
  });

  it('takes batches and late data', async () => {
    const before = emulator.devices.get(LAMP_1)?.history('temperature').length ?? 0;
    const batch = {
      properties: {
        temperature: [
          { value: 1.5, time: NOW - 3 },
          { value: 2.5, time: NOW - 2 },
          { value: 500, time: NOW - 1 },
        ],
      },
      events: { overheated: [{ value: { temperature: 70.5 }, time: NOW - 2 }] },
    };
    // The one answer of this family that is not pushed by itself.
    await lamp.subscribeAsync(`${S}/event/property/batch/post_reply`);
    assert.equal((await request(lamp, `${S}/event/property/batch/post`, batch)).code, 200);
    assert.match(lastNote() ?? '', /dropped: temperature/);
    const history = [
      {
        identity: LAMP_1,
        properties: [{ temperature: { value: 3.5, time: NOW - 1 } }],
        events: [{ overheated: { value: { temperature: 71.5 }, time: NOW - 1 } }],
      },
    ];
    assert.equal((await request(lamp, `${S}/event/property/history/post`, history)).code, 200);
    const stored = emulator.devices.get(LAMP_1);
    assert.deepEqual(
      stored
        ?.history('temperature')
        .slice(before)
        .map(({ value }) => value),
      [1.5, 2.5, 3.5],
    );
    assert.deepEqual(
      stored?.events.slice(-2).map(({ value }) => value),
      [{ temperature: 70.5 }, { temperature: 71.5 }],
    );
    const foreign = [{ identity: LAMP_2, properties: [{ temperature: { value: 3.5, time: NOW } }] }];
    assert.equal((await request(lamp, `${S}/event/property/history/post`, foreign)).code, 6401);
    assert.deepEqual(emulator.devices.get(LAMP_2)?.properties, {});
  });

  it('gives the thing model', async () => {
    const { code, data } = await request(lamp, `${S}/dsltemplate/get`, {});
    assert.equal(code, 200);
    assert.deepEqual(data, PRODUCT.thingModel);
  });

  it('contents consumer firmware', async () => {
    const { code, data } = await request(lamp, `${S}/lan/prefix/get`, '{}');
    assert.deepEqual([code, data], [200, {}]);
  });

  it('checks nothing without a thing model, within bounds', async () => {
    const guest = { productKey: 'noModel', deviceName: 'guest' };
    const { deviceSecret } = emulator.provisionDevice(guest);
    const client = await onlineLamp(emulator, guest, { deviceSecret, parameters: { _ss: 1 } });
    const topic = '/sys/noModel/guest/thing/event/property/post';
    await request(client, topic, { anything: 'goes', nested: { a: [1] }, __proto__: 1 });
    for (let i = 0; i < 6; i++) {
      await request(
        client,
        topic,
        Object.fromEntries(Array.from({ length: 200 }, (_, k) => [`p${i}_${k}`, k])),
      );
    }
    assert.equal(Object.keys(emulator.devices.get(guest)?.properties ?? {}).length, 1000);
    assert.equal(
      (await request(client, '/sys/noModel/guest/thing/event/any/post', { value: { a: 1 } })).code,
      200,
    );
    assert.equal((await request(client, '/sys/noModel/guest/thing/dsltemplate/get', {})).code, 6321);
    await client.endAsync(true);
  });
});
