import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import {
  catchAll,
  device,
  emulatorPlatform,
  eventOut,
  lifecycle,
  propertyPost,
  sink,
  statusOf,
} from '../../support/flows';
import { type Runtime, startRuntime } from '../../support/runtime';

describe('reports through a real Node-RED', () => {
  let red: Runtime;
  before(async () => {
    red = await startRuntime();
  });
  after(() => red.stop());

  const flow = (...nodes: ReturnType<typeof sink>[]) => [
    emulatorPlatform(),
    device(),
    sink(),
    ...catchAll(),
    ...nodes,
  ];

  it('acknowledges properties and tells how', async () => {
    await red.deploy(flow(propertyPost()));
    const answered = red.next('sink');
    red.send('post', { payload: { temperature: 21, heater: true }, topic: 'kept' });
    const msg = await answered;
    assert.deepEqual(msg.payload, { temperature: 21, heater: true });
    assert.equal(msg.topic, 'kept');
    assert.equal(msg.alink?.status, 'acknowledged');
    assert.equal(msg.alink?.code, 200);
    assert.equal(msg.alink?.productKey, 'a1Greenhouse');
    assert.equal(msg.alink?.deviceName, 'house-01');
    assert.equal(msg.alink?.method, 'thing.event.property.post');
    assert.match(String(msg.alink?.id), /^\d+$/);
  });

  it('acknowledges an event', async () => {
    await red.deploy(flow(eventOut()));
    const answered = red.next('sink');
    red.send('event', { payload: { temperature: 90.5 } });
    const msg = await answered;
    assert.equal(msg.alink?.status, 'acknowledged');
    assert.equal(msg.alink?.identifier, 'overheat');
  });

  it('refuses what breaks the thing model, naming property and rule, and goes on', async () => {
    await red.deploy(flow(propertyPost()));
    for (const [payload, words] of [
      [{ temperature: 130 }, /temperature.*120/],
      [{ pressure: 1 }, /pressure/],
      [{ temperature: 'warm' }, /temperature/],
      [{ count: { value: 1, time: Date.now() + 25 * 3_600_000 } }, /count/],
      [Object.fromEntries(Array.from({ length: 201 }, (_, i) => [`p${i}`, i])), /200/],
      ['text', /./],
      [{}, /./],
    ] as const) {
      const caught = red.next('errors');
      red.send('post', { payload });
      const msg = await caught;
      assert.match(msg.error?.message ?? '', words);
      assert.equal(msg.alink?.status, 'failed');
    }
    const answered = red.next('sink');
    red.send('post', { payload: { temperature: 20 } });
    assert.equal((await answered).alink?.status, 'acknowledged');
  });

  it('with the thing model set to warn: sent as asked, and the broken rules are told', async () => {
    await red.deploy([
      emulatorPlatform(),
      device({ thingModelMode: 'warn' }),
      propertyPost(),
      sink(),
      ...catchAll(),
    ]);
    const answered = red.next('sink');
    red.send('post', { payload: { temperature: 130, pressure: 1 } });
    const msg = await answered;
    assert.equal(msg.alink?.status, 'acknowledged');
    assert.match(JSON.stringify(msg.alink?.problems), /temperature.*120.*pressure/);
  });

  it('with the thing model switched off: sent as asked, nothing is told', async () => {
    await red.deploy([
      emulatorPlatform(),
      device({ thingModelMode: 'off' }),
      propertyPost(),
      sink(),
      ...catchAll(),
    ]);
    const answered = red.next('sink');
    red.send('post', { payload: { temperature: 130 } });
    const msg = await answered;
    assert.equal(msg.alink?.status, 'acknowledged');
    assert.equal(msg.alink?.problems, undefined);
  });

  it('refuses what can never be sent, whatever the thing model’s mode', async () => {
    await red.deploy([
      emulatorPlatform(),
      device({ thingModelMode: 'off' }),
      propertyPost(),
      sink(),
      ...catchAll(),
    ]);
    for (const payload of [{ a: Number.NaN }, { a: () => 1 }, { a: Buffer.from('x') }, { 'a b': 1 }]) {
      const caught = red.next('errors');
      red.send('post', { payload });
      assert.match((await caught).error?.message ?? '', /a/);
    }
  });

  it('takes one property from any typed input and a time', async () => {
    await red.deploy(
      flow(
        propertyPost({ identifier: 'count', value: '7', valueType: 'num', time: 'stamp', timeType: 'msg' }),
      ),
    );
    const answered = red.next('sink');
    red.send('post', { stamp: '2026-01-02T03:04:05Z' });
    const msg = await answered;
    assert.equal(msg.alink?.identifier, 'count');
    assert.equal(msg.alink?.time, Date.parse('2026-01-02T03:04:05Z'));
  });

  it('tells online in status and lifecycle', async () => {
    const online = red.next('states');
    const status = red.next('statuses', (msg) => msg.status?.fill === 'green');
    await red.deploy([...flow(propertyPost()), lifecycle(), sink('states'), ...statusOf('post')]);
    assert.equal((await online).payload, 'online');
    assert.equal((await status).status?.text, 'online');
  });
});
