import assert from 'node:assert/strict';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { MqttClient } from 'mqtt';
import { type Emulator, startEmulator } from '../../../emulator';
import { LAMP_1, nextMessage, onlineLamp, PRODUCT, request } from '../../support/emulator';

const S = `/sys/${LAMP_1.productKey}/${LAMP_1.deviceName}`;
const NOW = Date.UTC(2026, 0, 1);

describe('emulator: what a device may ask for', () => {
  let emulator: Emulator;
  let lamp: MqttClient;

  beforeEach(async () => {
    emulator = await startEmulator({ clock: () => NOW, config: { products: [PRODUCT] } });
    lamp = await onlineLamp(emulator, LAMP_1, { parameters: { _ss: 1 } });
    await lamp.subscribeAsync([`${S}/#`, `/ext/ntp/${LAMP_1.productKey}/${LAMP_1.deviceName}/response`]);
  });

  afterEach(async () => {
    await lamp.endAsync(true);
    await emulator.close();
  });

  const view = () => {
    const found = emulator.devices.get(LAMP_1);
    assert.ok(found);
    return found;
  };
  const ask = (what: string, params: unknown) => request(lamp, `${S}/${what}`, params);
  const refused = async (what: string, cases: ReadonlyArray<readonly [unknown, number]>) => {
    for (const [params, code] of cases) {
      assert.equal((await ask(what, params)).code, code, JSON.stringify(params)?.slice(0, 200));
    }
  };

  it('keeps, gives and forgets tags', async () => {
    const tags = [
      { attrKey: 'room', attrValue: 'A1' },
      { attrKey: '_floor', attrValue: '2', domain: 'SYSTEM' },
    ];
    assert.equal((await ask('thing/deviceinfo/update', tags)).code, 200);
    assert.deepEqual(view().tags, { room: 'A1', _floor: '2' });
    assert.deepEqual((await ask('thing/deviceinfo/get', ['room', 'none'])).data, [
      { attrKey: 'room', attrValue: 'A1' },
    ]);
    assert.deepEqual((await ask('thing/deviceinfo/get', [])).data, [
      { attrKey: 'room', attrValue: 'A1' },
      { attrKey: '_floor', attrValue: '2' },
    ]);
    assert.equal((await ask('thing/deviceinfo/delete', [{ attrKey: 'room' }, { attrKey: 'x' }])).code, 200);
    assert.deepEqual(view().tags, { _floor: '2' });
  });

  it('refuses tags that break a rule, all or nothing', async () => {
    const many = (count: number, from = 0) =>
      Array.from({ length: count }, (_, i) => ({ attrKey: `t${from + i}`, attrValue: '' }));
    await refused('thing/deviceinfo/update', [
      [{}, 460],
      [[], 460],
      [
        [
          { attrKey: 'good', attrValue: '1' },
          { attrKey: '1bad', attrValue: '1' },
        ],
        460,
      ],
      [[{ attrKey: 'a-b', attrValue: '1' }], 460],
      [[{ attrKey: 'k'.repeat(101), attrValue: '1' }], 460],
      [[{ attrKey: 'a', attrValue: 1 }], 460],
      [[null], 460],
      [many(201), 460],
      [many(101), 460],
      [many(100), 200],
      [many(1, 100), 460],
      [many(100), 200],
    ]);
    assert.equal(Object.keys(view().tags).length, 100);
    await refused('thing/deviceinfo/delete', [
      [{ attrKey: 't1' }, 460],
      [[{}], 460],
    ]);
  });

  it('takes a tag called like a part of every object for what it is', async () => {
    lamp.publish(
      `${S}/thing/deviceinfo/update`,
      '{"id":"1","params":[{"attrKey":"__proto__","attrValue":"x"}]}',
    );
    assert.match((await nextMessage(lamp)).text, /"code":200/);
    assert.deepEqual(Object.entries(view().tags), [['__proto__', 'x']]);
  });

  it('answers for desired values that nobody set', async () => {
    assert.deepEqual((await ask('thing/property/desired/get', ['light', '__proto__'])).data, {});
    await refused('thing/property/desired/get', [
      [{}, 460],
      [[1], 460],
      [Array.from({ length: 201 }, (_, i) => `p${i}`), 6104],
    ]);
    await refused('thing/property/desired/delete', [
      [{ light: {} }, 200],
      [{ light: { version: 1 } }, 200],
      [{ light: { version: '1' } }, 460],
      [{ light: null }, 460],
      [[], 460],
    ]);
  });

  it('gives the thing model whole or reduced', async () => {
    const { data: whole } = await ask('thing/dsltemplate/get', {});
    assert.deepEqual(whole, PRODUCT.thingModel);
    const { data } = await ask('thing/dynamicTsl/get', { nodes: ['type', 'identifier'], addDefault: false });
    const reduced = data as { properties: unknown[]; events: unknown[]; services: unknown[] };
    assert.deepEqual(reduced.properties[0], { identifier: 'temperature', dataType: { type: 'float' } });
    assert.deepEqual(reduced.services, []);
    await refused('thing/dynamicTsl/get', [[{ nodes: 'type' }, 460]]);
  });

  it('tells the time of its clock', async () => {
    lamp.publish(
      `/ext/ntp/${LAMP_1.productKey}/${LAMP_1.deviceName}/request`,
      '{"deviceSendTime":"1571724098000"}',
    );
    const { text, topic } = await nextMessage(lamp);
    assert.equal(topic, `/ext/ntp/${LAMP_1.productKey}/${LAMP_1.deviceName}/response`);
    assert.deepEqual(JSON.parse(text), {
      deviceSendTime: '1571724098000',
      serverRecvTime: String(NOW),
      serverSendTime: String(NOW),
    });
  });

  it('has no remote configuration', () =>
    refused('thing/config/get', [
      [{ configScope: 'product', getType: 'file' }, 6710],
      [{}, 6710],
      [{ configScope: 'device', getType: 'file' }, 460],
    ]));

  it('keeps the log of a device and switches it on', async () => {
    assert.deepEqual((await ask('thing/config/log/get', {})).data, {
      getType: 'content',
      content: { mode: 0 },
    });
    const pushed = nextMessage(lamp);
    assert.equal(emulator.devices.setLogMode(LAMP_1, 1), 'sent');
    const { topic, text } = await pushed;
    assert.equal(topic, `${S}/thing/config/log/push`);
    assert.deepEqual(JSON.parse(text).params, { getType: 'content', content: { mode: 1 } });
    const entry = {
      utcTime: '2026-01-01T00:00:00.000+0000',
      logLevel: 'WARN',
      module: 'net',
      code: '12',
      traceContext: '1',
      logContent: 'slow',
    };
    assert.equal((await ask('thing/log/post', [entry])).code, 200);
    lamp.publish(`${S}/thing/config/log/post`, JSON.stringify({ id: '9', params: [entry] }));
    assert.equal((await nextMessage(lamp)).topic, `${S}/thing/log/post_reply`);
    assert.deepEqual(view().logs, [
      { ...entry, time: NOW },
      { ...entry, time: NOW },
    ]);
    await refused('thing/log/post', [
      [{}, 460],
      [[], 460],
      [[{ ...entry, logLevel: 'TRACE' }], 460],
      [[{ ...entry, utcTime: 'soon' }], 460],
      [[{ ...entry, logContent: 'é'.repeat(2049) }], 460],
      [[entry, { ...entry, module: 1 }], 460],
      [Array(41).fill(entry), 460],
      [Array(40).fill(entry), 200],
    ]);
    assert.equal(view().logs.length, 42);
  });

  it('keeps what a device tells of its network', async () => {
    const now = { wifi: { rssi: -60, snr: 20, per: 1, err_stats: '1,2,3' }, _time: NOW };
    assert.equal(
      (await ask('_thing/diag/post', { p: now, model: 'format=simple|quantity=single|time=now' })).code,
      200,
    );
    assert.deepEqual(view().diagnoses, [{ value: now, time: NOW }]);
    await refused('_thing/diag/post', [
      [{ p: [now], model: 'format=simple|quantity=batch|time=history' }, 200],
      [{ p: now, model: 'format=full' }, 460],
      [{ p: 1, model: 'format=simple' }, 460],
      [{ model: 'format=simple' }, 460],
      [{ p: { x: 'x'.repeat(20_000) }, model: 'format=simple' }, 460],
    ]);
  });

  it('answers consumer requests', async () => assert.equal((await ask('thing/reset', {})).code, 200));

  it('reads and writes compressed topics', async () => {
    const POST = `${S}/thing/event/property/post`;
    const topics = [
      { topic: POST, operation: 'decompress', format: 'gzip' },
      { topic: `${POST}_reply`, operation: 'compress' },
    ];
    assert.equal((await ask('codec/topic/update', topics)).code, 200);
    const answer = () =>
      new Promise<Buffer>((resolve) => {
        lamp.once('message', (_, payload) => resolve(payload));
      });
    const answered = answer();
    lamp.publish(POST, gzipSync('{"id":"1","params":{"light":1}}'));
    assert.match(gunzipSync(await answered).toString(), /"code":200/);
    assert.equal(view().properties.light?.value, 1);
    const { text } = emulator.exchanges.list(({ topic }) => topic === `${POST}_reply`).at(-1) ?? {};
    assert.match(text ?? '', /"code":200/);

    for (const payload of ['{"id":"2","params":{"light":0}}', gzipSync(Buffer.alloc(300 * 1024, 32))]) {
      const since = emulator.exchanges.latest;
      lamp.publish(POST, payload);
      const dropped = await emulator.exchanges.waitFor(({ kind }) => kind === 'up', { since });
      assert.match(dropped.note ?? '', /dropped: neither gzip nor small enough/);
    }
    assert.equal((await ask('codec/topic/update', [])).code, 200);
    assert.equal((await request(lamp, POST, { light: 0 })).code, 200);
    await refused('codec/topic/update', [
      [{}, 460],
      [[{ topic: '', operation: 'compress' }], 460],
      [[{ topic: `${S}/#`, operation: 'compress' }], 460],
      [[{ topic: POST, operation: 'explode' }], 460],
      [[{ topic: POST, operation: 'compress', format: 'zip' }], 460],
      [Array(101).fill(topics[0]), 460],
    ]);
  });

  it('survives what nobody should send', async () => {
    const operations = [
      'thing/deviceinfo/update',
      'thing/deviceinfo/delete',
      'thing/deviceinfo/get',
      'thing/property/desired/get',
      'thing/property/desired/delete',
      'thing/dynamicTsl/get',
      'thing/config/get',
      'thing/config/log/get',
      'thing/log/post',
      '_thing/diag/post',
      'thing/job/get',
      'thing/job/update',
      'thing/file/upload/mqtt/init',
      'thing/file/upload/mqtt/cancel',
    ];
    const odd: unknown[] = [null, 0, '', 'x', true, [null], [[[]]], { constructor: 1 }, { taskId: {} }];
    for (const operation of operations) {
      for (const params of odd) {
        const { code } = await ask(operation, params);
        assert.ok(
          code === 200 || code === 460 || code === 6710,
          `${operation} ${JSON.stringify(params)}: ${code}`,
        );
      }
      lamp.publish(`${S}/${operation}`, `{"id":"1","params":${'['.repeat(500)}${']'.repeat(500)}}`);
      assert.match((await nextMessage(lamp)).text, /"code":6207/);
    }
    assert.equal(({} as { polluted?: unknown }).polluted, undefined);
  });
});
