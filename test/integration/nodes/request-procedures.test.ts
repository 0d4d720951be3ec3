import assert from 'node:assert/strict';
import { UpdateDeviceShadowRequest } from '@alicloud/iot20180120';
import { afterEach, before, beforeEach, describe, it } from 'mocha';
import { type Emulator, startEmulator } from '../../../emulator';
import { cloudClient } from '../../support/cloud';
import { catchAll, device, GREENHOUSE_MODEL, propertyPost, sink, statusOf } from '../../support/flows';
import { type FlowMessage, type FlowNode, type Runtime, startRuntime } from '../../support/runtime';

const SECRET = '0123456789abcdef0123456789abcdef';
const HOUSE = { productKey: 'a1Greenhouse', deviceName: 'house-01' };
/** How far this machine is behind the platform, ms. */
const BEHIND = 3_600_000;

describe('alink-request: more than question and answer', () => {
  let red: Runtime;
  let emulator: Emulator;
  before(async function () {
    red = await startRuntime();
    this.test?.parent?.afterAll(() => red.stop());
  });
  beforeEach(async () => {
    const devices = [{ deviceName: HOUSE.deviceName, deviceSecret: SECRET }];
    emulator = await startEmulator({
      config: { products: [{ productKey: HOUSE.productKey, thingModel: GREENHOUSE_MODEL, devices }] },
      clock: () => Date.now() + BEHIND,
    });
  });
  afterEach(() => emulator.close());

  async function deploy(deviceSettings: object, ...nodes: FlowNode[]): Promise<void> {
    await red.deploy([
      {
        id: 'platform',
        type: 'alink-platform',
        kind: 'custom',
        host: '127.0.0.1',
        mqttPort: String(emulator.ports.mqtt),
      },
      { ...device(deviceSettings), credentials: { deviceSecret: SECRET } },
      ...nodes,
      sink(),
      ...catchAll(),
    ]);
  }

  const request = (operation: string, extra: object = {}): FlowNode => ({
    id: 'request',
    z: 'tab',
    type: 'alink-request',
    device: 'device',
    operation,
    source: 'payload',
    entries: [],
    pushes: false,
    timeout: '',
    wires: [['sink']],
    ...extra,
  });

  async function ask(payload: unknown, to = 'sink', node = 'request'): Promise<FlowMessage> {
    const answered = red.next(to);
    red.send(node, { payload });
    return answered;
  }

  const wish = (version: number) =>
    cloudClient(emulator).updateDeviceShadow(
      new UpdateDeviceShadowRequest({
        ...HOUSE,
        shadowMessage: JSON.stringify({ method: 'update', state: { desired: { color: 'red' } }, version }),
      }),
    );
  const report = (value: unknown) => ({ method: 'update', state: { reported: { value } } });

  describe('shadow', () => {
    it('versions are counted up by the node, also across nodes, and read when they are not known', async () => {
      await deploy({}, request('shadow.update'), request('shadow.update', { id: 'other' }));
      assert.deepEqual((await ask(report(1))).payload, { status: 'success', version: 1 });
      assert.deepEqual((await ask(report(2), 'sink', 'other')).payload, { status: 'success', version: 2 });
      const all: FlowMessage[] = [];
      const third = red.next('sink', (msg) => all.push(msg) === 3);
      for (const value of [3, 4, 5]) red.send('request', { payload: report(value) });
      await third;
      assert.deepEqual(
        all.map(({ payload }) => Reflect.get(Object(payload), 'version')),
        [3, 4, 5],
      );
      // Nobody asked for the version but the first.
      const gets = emulator.exchanges.list(({ json }) => Reflect.get(Object(json), 'method') === 'get');
      assert.equal(gets.length, 1);
    });

    it('somebody else has changed it: the version is read again', async () => {
      await deploy({}, request('shadow.update'));
      await ask(report(1));
      await wish(7);
      assert.deepEqual((await ask(report(2))).payload, { status: 'success', version: 8 });
    });

    it('a version that is given goes as it is; a conflict is refused with its code', async () => {
      await deploy({}, request('shadow.update'));
      await ask({ ...report(1), version: 5 });
      const refused = await ask({ ...report(2), version: 5 }, 'errors');
      assert.deepEqual([refused.alink?.status, refused.alink?.code], ['refused', 409]);
      assert.deepEqual((await ask(report(3))).payload, { status: 'success', version: 6 });
    });

    it('is read, and cleared key by key', async () => {
      await deploy({}, request('shadow.update'));
      await ask(report(1));
      const { payload, alink } = await ask({ method: 'get' });
      const { state, version } = payload as { state: unknown; version: number };
      assert.deepEqual([state, version], [{ reported: { value: 1 } }, 1]);
      assert.equal(alink?.operation, 'shadow.update');
      await ask({ method: 'delete', state: { reported: { value: 'null' } } });
      assert.deepEqual(emulator.devices.get(HOUSE)?.shadow?.state, {});
    });

    it('a change without anything reported is refused', async () => {
      await deploy({}, request('shadow.update'));
      const refused = await ask({ method: 'update', state: { reported: {} } }, 'errors');
      assert.deepEqual([refused.alink?.status, refused.alink?.code], ['refused', 405]);
    });
  });

  it('the platform’s time, and how far this machine is behind', async () => {
    await deploy({}, request('ext.ntp.request'));
    const { payload, alink } = await ask('ignored');
    const { offset, serverTime, roundTrip, ...rest } = payload as Record<string, number>;
    assert.deepEqual(rest, {});
    assert.ok(Math.abs((offset ?? 0) - BEHIND) < 2000);
    assert.ok(Math.abs((serverTime ?? 0) - Date.now() - BEHIND) < 2000);
    assert.ok(roundTrip !== undefined && roundTrip >= 0 && roundTrip < 2000);
    assert.equal(alink?.status, 'acknowledged');
  });

  it('the device corrects times of reports when it is told to', async () => {
    const post = propertyPost({ identifier: 'temperature', time: 'time', timeType: 'msg' });
    const reported = async () => {
      const acknowledged = red.next('sink');
      const time = Date.now();
      red.send('post', { payload: 20, time });
      await acknowledged;
      return (emulator.devices.get(HOUSE)?.properties.temperature?.time ?? 0) - time;
    };
    await deploy({ correctTime: false }, post);
    assert.equal(await reported(), 0);
    await deploy({ correctTime: true }, post);
    assert.ok(Math.abs((await reported()) - BEHIND) < 2000);
  });

  describe('file upload', () => {
    const upload = (extra: object = {}): FlowNode => {
      const entry = {
        fileName: { value: 'filename', type: 'msg' },
        content: { value: 'payload', type: 'msg' },
        conflictStrategy: { value: 'reject', type: 'str' },
      };
      return request('thing.file.upload.mqtt.init', { entries: [entry], ...extra });
    };
    const send = async (payload: unknown, filename: string, to = 'sink'): Promise<FlowMessage> => {
      const answered = red.next(to);
      red.send('request', { payload, filename });
      return answered;
    };
    const uploaded = (name: string) => Buffer.from(emulator.devices.get(HOUSE)?.file(name) ?? []);

    it('takes a buffer or text and says how far it is', async () => {
      await deploy({}, upload(), ...statusOf('request'));
      emulator.faults.add({
        match: { direction: 'up', operation: 'thing.file.upload.mqtt.send' },
        action: 'delay',
        ms: 200,
        times: 8,
      });
      const texts: string[] = [];
      const listen = (msg: FlowMessage) => {
        const { text } = Object(Reflect.get(msg, 'status')) as { text?: string };
        texts.push(String(text));
        return /uploading/.test(String(text));
      };
      const said = red.next('statuses', listen);
      const content = Buffer.alloc(500_000, 'alink');
      const { payload, alink } = await send(content, 'a.bin');
      const { uploadId, ...rest } = payload as Record<string, unknown>;
      assert.equal(typeof uploadId, 'string');
      assert.deepEqual(rest, { fileName: 'a.bin', bytes: 500_000 });
      assert.deepEqual([alink?.status, alink?.operation], ['acknowledged', 'thing.file.upload.mqtt.init']);
      assert.ok(uploaded('a.bin').equals(content));
      await said;
      assert.match(texts.at(-1) ?? '', /^uploading, \d+ %$/);
      await send('some text', 'b.txt');
      assert.equal(uploaded('b.txt').toString(), 'some text');
    });

    it('refused by the platform because the name exists', async () => {
      await deploy({}, upload());
      await send('first', 'c.txt');
      const refused = await send('second', 'c.txt', 'errors');
      assert.equal(refused.alink?.status, 'refused');
      assert.equal(typeof refused.alink?.code, 'number');
      assert.equal(uploaded('c.txt').toString(), 'first');
    });

    for (const [what, payload, filename] of [
      ['something that is no bytes', { a: 1 }, 'd.txt'],
      ['a name that the platform does not take', 'text', '../d.txt'],
      ['no name', 'text', ''],
    ] as const) {
      it(`${what} never leaves the node`, async () => {
        await deploy({}, upload());
        const failed = await send(payload, filename, 'errors');
        assert.equal(failed.alink?.code, 'invalidInput');
        assert.deepEqual(emulator.devices.get(HOUSE)?.files, []);
      });
    }

    it('a deploy ends it, and the platform is told', async () => {
      await deploy({}, upload());
      emulator.faults.add({
        match: { direction: 'up', operation: 'thing.file.upload.mqtt.send' },
        action: 'delay',
        ms: 300,
      });
      red.send('request', { payload: Buffer.alloc(1_000_000), filename: 'f.bin' });
      await emulator.exchanges.waitFor(({ operation }) => operation === 'thing.file.upload.mqtt.send');
      const cancelled = emulator.exchanges.waitFor(
        ({ operation }) => operation === 'thing.file.upload.mqtt.cancel',
      );
      await deploy({}, propertyPost());
      await cancelled;
      assert.deepEqual(emulator.devices.get(HOUSE)?.files, []);
    });

    it('without a field for it the payload is the content', async () => {
      const entries = [{ fileName: { value: 'e.txt', type: 'str' } }];
      await deploy({}, upload({ entries }));
      await send('plain', 'ignored');
      assert.equal(uploaded('e.txt').toString(), 'plain');
    });
  });

  describe('pushes', () => {
    const pushed = (msg: FlowMessage) => msg.alink?.status === 'pushed';
    const cases: Array<[string, string, () => unknown, RegExp]> = [
      ['shadow.update', 'shadow.control', () => wish(1), /"color":"red"/],
      ['thing.job.get', 'thing.job.notify', () => emulator.jobs.create([HOUSE]), /"taskId"/],
      [
        'thing.config.log.get',
        'thing.config.log.push',
        () => emulator.devices.setLogMode(HOUSE, 1),
        /"mode":1/,
      ],
    ];
    for (const [operation, notice, push, content] of cases) {
      it(`${notice} comes from the node of ${operation}`, async () => {
        await deploy({}, request(operation, { pushes: true }));
        const online = ask(operation === 'thing.job.get' ? { taskId: '$next' } : { method: 'get' });
        assert.equal((await online).alink?.status, 'acknowledged');
        const seen = red.next('sink', pushed);
        await push();
        const { payload, alink } = await seen;
        assert.match(JSON.stringify(payload), content);
        assert.equal(alink?.deviceName, HOUSE.deviceName);
        assert.equal(alink?.operation, notice);
      });
    }
  });
});
