import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { largeTab, type Message, runningTab, WITH_BITS } from '../../../support/generated-flow';

describe('generated flow, running on a made-up Modbus server', () => {
  it('polls, decodes and reports each device', () => {
    const tab = runningTab();
    const { server } = tab;
    server.set(1, 4, 0x10, 215);
    // 1.5 as a float, registers reversed: by hand, not by the code under test.
    server.set(1, 4, 0x11, 0, 0x3fc0);
    server.set(1, 0, 3, 1);
    server.set(2, 4, 0x10, 65_535);
    tab.clock(1000);
    assert.deepEqual(tab.reports, [
      {
        topic: 'pump-1',
        device: { productKey: 'a1Pump', deviceName: 'pump-1' },
        payload: { temperature: 21.5, flow: 1.5, mode: 0, low: 0 },
      },
      { topic: 'pump-1', device: { productKey: 'a1Pump', deviceName: 'pump-1' }, payload: { valve: 1 } },
      {
        topic: 'pump-2',
        device: { productKey: 'a1Pump', deviceName: 'pump-2' },
        payload: { temperature: -0.1, flow: 0, mode: 0, low: 0 },
      },
      { topic: 'pump-2', device: { productKey: 'a1Pump', deviceName: 'pump-2' }, payload: { valve: 0 } },
    ]);
    assert.equal(server.requests.length, 4);
  });

  it('reports on change what is to be reported on change', () => {
    const tab = runningTab();
    tab.clock(1000);
    tab.reports.length = 0;
    tab.clock(1000);
    assert.deepEqual(
      tab.reports.map(({ payload }) => Object.keys(payload as object)),
      [
        ['temperature', 'flow', 'mode', 'low'],
        ['temperature', 'flow', 'mode', 'low'],
      ],
    );
    tab.server.set(2, 0, 3, 1);
    tab.clock(1000);
    assert.deepEqual(tab.reports.at(-1)?.payload, { valve: 1 });
  });

  it('reports again what the platform did not get', () => {
    const tab = runningTab();
    const reports = () => {
      tab.reports.length = 0;
      tab.clock(1000);
      return tab.reports.filter(({ payload }) => 'valve' in Object(payload)).map(({ topic }) => topic);
    };
    assert.deepEqual(reports(), ['pump-1', 'pump-2']);
    assert.deepEqual(reports(), []);
    const report = tab.node('alink-property-post');
    const caught = tab.node('catch', ({ scope }) => Array.isArray(scope) && scope.includes(report.id));
    const decode = tab.node('function', ({ id }) => id === caught.wires?.[0]?.[0]);
    const device = { productKey: 'a1Pump', deviceName: 'pump-2' };
    const error = { message: 'timeout', source: { id: report.id } };
    assert.deepEqual(tab.functions.run(decode, { topic: 'pump-2', device, error }), [[], []]);
    assert.deepEqual(reports(), ['pump-2']);
    assert.deepEqual(tab.functions.run(decode, { error }), [[], []]);
  });

  it('a device that is away is told once, and does not hold up the others', () => {
    const tab = runningTab();
    tab.server.away.add(1);
    for (let i = 0; i < 3; i++) tab.clock(1000);
    assert.deepEqual(new Set(tab.reports.map(({ topic }) => topic)), new Set(['pump-2']));
    assert.deepEqual(tab.functions.warnings, ['a1Pump/pump-1: does not answer (Timed out)']);
    assert.equal(tab.functions.status.fill, 'yellow');
    tab.server.away.clear();
    for (let i = 0; i < 15; i++) tab.clock(1000);
    assert.equal(tab.functions.status.fill, 'green');
    assert.equal(tab.functions.warnings.length, 1);
    assert.ok(tab.reports.some(({ topic }) => topic === 'pump-1'));
  });

  it('a device that is away is asked rarely, because each time-out costs the others', () => {
    const tab = runningTab();
    tab.server.away.add(1);
    const asked = (clocks: number) => {
      tab.server.requests.length = 0;
      for (let i = 0; i < clocks; i++) tab.clock(1000);
      return tab.server.requests.filter(({ unitid }) => unitid === 1).length;
    };
    asked(60);
    assert.ok(asked(120) <= 3);
    assert.equal(tab.server.requests.filter(({ unitid }) => unitid === 2).length, 240);
    tab.server.away.clear();
    asked(61);
    assert.equal(asked(10), 20);
  });

  it('a device that was away when the clock was set back is asked again', () => {
    const tab = runningTab();
    tab.server.away.add(1);
    for (let i = 0; i < 60; i++) tab.clock(1000);
    tab.server.away.clear();
    tab.functions.now -= 3_600_000;
    tab.reports.length = 0;
    for (let i = 0; i < 61; i++) tab.clock(1000);
    assert.ok(tab.reports.some(({ topic }) => topic === 'pump-1'));
  });

  it('a device that a gateway of serial lines cannot reach is away, not refusing', () => {
    const tab = runningTab();
    const read = tab.server.read.bind(tab.server);
    let asked = 0;
    tab.server.read = (request) => {
      if (request.unitid === 2) return read(request);
      asked++;
      throw new Error('Modbus exception 11: Gateway target device failed to respond');
    };
    for (let i = 0; i < 60; i++) tab.clock(1000);
    assert.ok(asked <= 5, `asked ${asked} times`);
    assert.equal(tab.functions.warnings.length, 1);
    assert.match(tab.functions.warnings[0] ?? '', /^a1Pump\/pump-1: does not answer/);
  });

  it('a lost connection is told once, as the fault of no device', () => {
    const tab = runningTab();
    const read = tab.server.read.bind(tab.server);
    let reasons = 0;
    tab.server.read = () => {
      throw new Error(
        reasons++ % 2 ? 'Client Not Ready To Read' : 'Inject while node is not ready for input.',
      );
    };
    for (let i = 0; i < 8; i++) tab.clock(1000);
    assert.deepEqual(tab.functions.warnings, []);
    for (let i = 0; i < 30; i++) tab.clock(1000);
    assert.equal(tab.functions.warnings.length, 1);
    assert.match(tab.functions.warnings[0] ?? '', /^the server: is not reached \(/);
    tab.server.read = read;
    tab.clock(1000);
    assert.equal(tab.functions.status.fill, 'green');
    assert.equal(tab.server.requests.length, 4);
  });

  it('a request that is refused is told once, while others of the device are answered', () => {
    const tab = runningTab();
    const read = tab.server.read.bind(tab.server);
    tab.server.read = (request) => {
      if (request.fc === 1 && request.unitid === 1)
        throw new Error('Modbus exception 2: Illegal data address');
      return read(request);
    };
    for (let i = 0; i < 3; i++) tab.clock(1000);
    assert.equal(tab.functions.warnings.length, 1);
    assert.equal(tab.reports.filter(({ topic }) => topic === 'pump-1').length, 3);
  });

  it('has one request on its way at a time, and does not ask again what has not been answered', () => {
    const tab = runningTab();
    const ask = tab.node('function', ({ name }) => name === 'what to read');
    const decode = tab.node('function', ({ name }) => name === 'decode');
    const run = (msg: Message) => tab.functions.run(ask, msg)[0] ?? [];
    const topics: unknown[] = [];
    for (let [asked] = run({ payload: 1000 }); asked !== undefined; ) {
      topics.push(asked.topic);
      assert.deepEqual(run({ payload: 'next' }), []);
      const [, [next] = []] = tab.functions.run(decode, {
        ...asked,
        payload: Array.from({ length: 5 }, () => 0),
      });
      [asked] = run(next ?? {});
    }
    assert.deepEqual(topics, ['a1Pump/pump-1/0', 'a1Pump/pump-1/1', 'a1Pump/pump-2/0', 'a1Pump/pump-2/1']);
  });

  it('an answer that is lost holds up the others for 10 s only', () => {
    const tab = runningTab();
    const ask = tab.node('function', ({ name }) => name === 'what to read');
    const run = () => tab.functions.run(ask, { payload: 1000 })[0]?.[0]?.topic;
    assert.equal(run(), 'a1Pump/pump-1/0');
    tab.functions.now += 9_999;
    assert.equal(run(), undefined);
    tab.functions.now += 1;
    assert.equal(run(), 'a1Pump/pump-1/1');
    // The clock of the machine was set back.
    tab.functions.now -= 3_600_000;
    assert.equal(run(), 'a1Pump/pump-2/0');
  });

  it('100 devices with 1,000 scattered registers: each once, however slow the server is', () => {
    const [tab, devices, reads] = largeTab();
    const ask = tab.node('function', ({ name }) => name === 'what to read');
    for (let tick = 0; tick < 60; tick++) tab.functions.run(ask, { payload: 1000 });
    assert.deepEqual(tab.server.requests, []);
    tab.functions.now += 10_000;
    tab.clock(1000);
    assert.equal(tab.server.requests.length, devices * reads);
    const asked = new Set(tab.server.requests.map(({ unitid, address }) => `${unitid}/${address}`));
    assert.equal(asked.size, devices * reads);
  });

  it('writes what the platform sets and answers when all of it is written', () => {
    const tab = runningTab();
    tab.set('pump-2', { temperature: 30.04, flow: 1.5, valve: 1 });
    assert.deepEqual(tab.server.get(2, 4, 0x10, 3), [300, 0, 0x3fc0]);
    assert.deepEqual(tab.server.get(2, 0, 3), [1]);
    assert.deepEqual(tab.replies, [
      {
        alink: { request: 'token' },
        device: { productKey: 'a1Pump', deviceName: 'pump-2' },
        payload: {},
        code: 200,
        reason: '',
      },
    ]);
  });

  it('writes some bits of a register and leaves the others as they are now, not as they were polled', () => {
    const tab = runningTab();
    tab.server.set(1, 4, 0x13, 0xab00);
    tab.clock(1000);
    tab.server.set(1, 4, 0x13, 0xcd00);
    tab.set('pump-1', { mode: 3 });
    assert.deepEqual(tab.server.get(1, 4, 0x13), [0xcd03]);
    assert.equal(tab.replies[0]?.code, 200);
  });

  it('writes several groups of bits of one register one after the other', () => {
    const tab = runningTab(WITH_BITS);
    tab.server.set(1, 4, 0x13, 0xa0b0);
    tab.set('pump-1', { mode: 3, low: 5, temperature: 1 });
    assert.deepEqual(tab.server.get(1, 4, 0x13), [0x0503]);
    assert.deepEqual(
      tab.replies.map(({ code }) => code),
      [200],
    );
  });

  it('two property sets at once do not undo the bits of each other', () => {
    const tab = runningTab(WITH_BITS);
    const encode = tab.node('function', ({ name }) => name === 'encode');
    const device = { productKey: 'a1Pump', deviceName: 'pump-1' };
    const run = (msg: Message) => tab.functions.run(encode, msg);
    const [, [read] = []] = run({ payload: { mode: 3 }, device, alink: { request: 'a' } });
    assert.deepEqual(read?.payload, { fc: 3, unitid: 1, address: 0x13, quantity: 1 });
    // The second one waits for the first.
    assert.deepEqual(run({ payload: { low: 5 }, device, alink: { request: 'b' } }), [[], [], []]);
    const [[write] = []] = run({ topic: read?.topic ?? '', payload: [0xa0b0] });
    assert.deepEqual(write?.payload, { fc: 6, unitid: 1, address: 0x13, quantity: 1, value: 0xa003 });
    const [, [next] = [], [first] = []] = run({ topic: write?.topic ?? '', payload: write?.payload });
    assert.deepEqual([first?.code, first?.alink], [200, { request: 'a' }]);
    // An answer that comes twice changes nothing.
    assert.deepEqual(run({ topic: write?.topic ?? '', payload: write?.payload }), [[], [], []]);
    const [, , [refused] = []] = run({
      topic: next?.topic ?? '',
      payload: '',
      error: new Error('Timed out'),
    });
    assert.deepEqual([refused?.code, refused?.reason], [400, 'the device does not answer (Timed out)']);
  });

  it('what is known of an earlier plan is forgotten when the functions are deployed', () => {
    const tab = runningTab();
    tab.server.away.add(1);
    tab.clock(1000);
    assert.notEqual(tab.functions.flow.get('absent'), undefined);
    tab.functions.start();
    for (const key of ['absent', 'polling', 'reported', 'told', 'bits']) {
      assert.equal(tab.functions.flow.get(key), undefined, key);
    }
    tab.server.away.clear();
    tab.clock(1000);
    assert.equal(tab.reports.at(-1)?.topic, 'pump-2');
    assert.ok(tab.reports.some(({ topic }) => topic === 'pump-1'));
  });

  it('writes nothing when one value cannot be written', () => {
    const cases = [
      [{ valve: 1, temperature: 1e6 }, /temperature: 1000000 is not from -3276\.8 to 3276\.7/],
      [{ valve: 1, other: 1 }, /other: cannot be written/],
      [[1], /not an object/],
    ] as const;
    for (const [payload, reason] of cases) {
      const tab = runningTab();
      tab.set('pump-1', payload);
      assert.equal(tab.server.requests.length, 0);
      assert.equal(tab.replies.length, 1);
      assert.equal(tab.replies[0]?.code, 460);
      assert.match(String(tab.replies[0]?.reason), reason);
    }
  });

  it('answers 400 once when the device does not take a value', () => {
    const tab = runningTab();
    tab.server.away.add(1);
    tab.set('pump-1', { temperature: 1, valve: 0 });
    assert.deepEqual(
      tab.replies.map(({ code, reason }) => [code, reason]),
      [[400, 'the device does not answer (Timed out)']],
    );
  });

  it('leaves requests to devices of other servers alone', () => {
    const tab = runningTab();
    tab.set('meter-1', { energy: 1 });
    tab.set('nobody', { valve: 1 });
    assert.deepEqual([tab.replies, tab.server.requests], [[], []]);
  });

  it('an empty property set is answered', () => {
    const tab = runningTab();
    tab.set('pump-1', {});
    assert.equal(tab.replies[0]?.code, 200);
  });
});
