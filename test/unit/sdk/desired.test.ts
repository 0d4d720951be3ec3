import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { Json } from '../../../protocol';
import type { AlinkError } from '../../../sdk';
import { Bench, MODEL, S } from '../../support/downlink-bench';

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('desired values', () => {
  it('come once per version, after each connect, and not again when they were pushed already', async () => {
    const bench = new Bench({ model: MODEL });
    bench.desired = { target: { value: '22', version: 3 } };
    const { requests } = bench.take({ kind: 'propertySet' }, { desired: true });
    await settled();
    assert.deepEqual(bench.asked, [['target', 'heater']]);
    assert.deepEqual(
      requests.map(({ params, versions, wantsAnswer }) => [params, versions, wantsAnswer]),
      [[{ target: 22 }, { target: 3 }, false]],
    );
    bench.downlink.online();
    await settled();
    assert.equal(requests.length, 1);
    // Pushed while online, then asked for after a reconnect.
    bench.receive(`${S}/thing/service/property/set`, { id: '1', params: { heater: 1 } });
    bench.desired = { target: { value: 23, version: 4 }, heater: { value: 1, version: 1 } };
    bench.downlink.online();
    await settled();
    assert.deepEqual(
      requests.map(({ params }) => params),
      [{ target: 22 }, { heater: 1 }, { target: 23 }],
    );
    bench.downlink.close();
  });

  it('reach the nodes that a deploy starts while they are on their way', async () => {
    const bench = new Bench({ model: MODEL });
    bench.desired = { target: { value: 22, version: 3 } };
    bench.take({ kind: 'propertySet' }, { desired: true }).stop();
    await settled();
    const { requests } = bench.take({ kind: 'propertySet' }, { desired: true });
    await settled();
    assert.deepEqual(
      requests.map(({ params }) => params),
      [{ target: 22 }],
    );
    // Whoever comes in the middle is asked for too.
    bench.asked.length = 0;
    for (let i = 0; i < 3; i++) bench.take({ kind: 'propertySet' }, { desired: true });
    await settled();
    assert.equal(bench.asked.length, 2);
    bench.take({ kind: 'propertyGet' }, { desired: true });
    await settled();
    assert.equal(bench.asked.length, 2, 'a node that takes gets too asks once');
    bench.downlink.close();
  });

  it('come although they were pushed before, when the device has changed since', async () => {
    const bench = new Bench({ model: MODEL });
    const { requests } = bench.take({ kind: 'propertySet' }, { desired: true });
    await settled();
    bench.receive(`${S}/thing/service/property/set`, { id: '1', params: { heater: '1', target: 20 } });
    // Somebody at the device has switched it off; what is wanted now was asked for while it was offline.
    bench.reported.set('heater', { value: 0 });
    bench.reported.set('target', { value: 20 });
    bench.desired = { heater: { value: '1', version: 7 }, target: { value: '20', version: 7 } };
    bench.downlink.online();
    await settled();
    assert.deepEqual(requests.at(-1)?.params, { heater: 1 });
    assert.deepEqual(requests.at(-1)?.versions, { heater: 7 });
    bench.downlink.close();
  });

  it('that break the thing model reach no flow when strict, and the handler hears of it', async () => {
    const desired: Json = { target: { value: 99, version: 1 }, heater: { value: '1', version: 1 } };
    for (const [mode, expected] of [
      ['strict', { heater: 1 }],
      ['warn', { target: 99, heater: 1 }],
    ] as const) {
      const bench = new Bench({ model: MODEL, mode });
      bench.desired = desired;
      const problems: AlinkError[] = [];
      const onProblem = (error: AlinkError) => problems.push(error);
      const { requests } = bench.take({ kind: 'propertySet' }, { desired: true, onProblem });
      await settled();
      assert.deepEqual(requests[0]?.params, expected);
      assert.equal(requests[0]?.problems.length, mode === 'warn' ? 1 : 0);
      assert.deepEqual(
        problems.map(({ key, details }) => [key, details.field]),
        mode === 'strict' ? [['thingModel', 'target']] : [],
      );
      bench.downlink.close();
    }
  });

  it('that nobody asked for are none, whatever the platform answers', async () => {
    const bench = new Bench({ model: MODEL });
    bench.desired = JSON.parse(
      '{"__proto__":{"value":1,"version":1},"other":{"value":1,"version":1},"target":7,"heater":{"value":1}}',
    );
    const { requests } = bench.take({ kind: 'propertySet' }, { desired: true });
    await settled();
    assert.deepEqual(requests, []);
    bench.downlink.close();
  });

  it('are not asked for unless a handler wants them, and need a thing model', async () => {
    const bench = new Bench();
    bench.take({ kind: 'propertySet' });
    assert.deepEqual(bench.asked, []);
    const problem = new Promise<AlinkError>((resolve) => {
      bench.take({ kind: 'propertySet' }, { desired: true, onProblem: resolve });
    });
    assert.equal((await problem).details.field, 'thingModel');
    bench.downlink.close();
  });
});
