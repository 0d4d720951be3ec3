import assert from 'node:assert/strict';
import type Iot from '@alicloud/iot20180120';
import * as models from '@alicloud/iot20180120';
import { after, afterEach, before, describe, it } from 'mocha';
import { type Emulator, startEmulator } from '../../../emulator';
import { cloudClient } from '../../support/cloud';
import { LAMP_1, PRODUCT } from '../../support/emulator';
import { catchAll, device, lifecycle, sink, statusOf } from '../../support/flows';
import { type FlowNode, type Runtime, startRuntime } from '../../support/runtime';
import { LAMP_SCRIPT } from '../../support/scripts';
import { rawIn, rawOut } from '../../support/topic-nodes';

const SECRET = '0123456789abcdef0123456789abcdef';
const { productKey } = LAMP_1;
const NAMES = Array.from({ length: 20 }, (_, i) => `raw-${i}`);

describe('raw data of a passthrough product', () => {
  let red: Runtime;
  let emulator: Emulator;
  let cloud: Iot;
  let used = 0;
  let deviceName = '';

  before(async () => {
    const devices = NAMES.map((name) => ({ deviceName: name, deviceSecret: SECRET }));
    emulator = await startEmulator({
      doors: { mqtt: 0, http: 0 },
      config: { products: [{ ...PRODUCT, dataFormat: 'custom', script: LAMP_SCRIPT, devices }] },
    });
    cloud = cloudClient(emulator);
    red = await startRuntime();
  });
  afterEach(() => emulator.faults.clear());
  after(async () => {
    await red.stop();
    await emulator.close();
  });

  /** Deploys with a device that no test used before. */
  async function deploy(nodes: FlowNode[]): Promise<void> {
    deviceName = NAMES[used++] ?? 'none';
    const online = red.next(
      'states',
      (msg) => msg.payload === 'online' && msg.alink?.deviceName === deviceName,
    );
    await red.deploy([
      {
        id: 'platform',
        type: 'alink-platform',
        kind: 'custom',
        host: '127.0.0.1',
        mqttPort: String(emulator.ports.mqtt),
        httpUrl: emulator.httpUrl,
      },
      {
        ...device({ productKey, deviceName, thingModelSource: 'none', requestTimeout: '2' }),
        credentials: { deviceSecret: SECRET },
      },
      ...nodes,
      { id: 'reply', z: 'tab', type: 'alink-service-reply', value: 'payload', valueType: 'msg', wires: [] },
      lifecycle(),
      ...['sink', 'answered', 'states'].map((id) => sink(id)),
      ...catchAll(),
      ...statusOf('raw-in', 'raw-out'),
    ]);
    await online;
  }

  const frame = (id: number) => [0, 0, 0, 0, id, 0, 205, 1];
  const answer = (id: number) => Buffer.from([2, 0, 0, 0, id, 2]);

  const FORMS: Array<[text: string, payload: unknown]> = [
    ['hex', Buffer.from(frame(1))],
    ['hex', frame(2)],
    ['hex', '00 00:00-00 03 0x00 CD,01'],
    ['base64', Buffer.from(frame(4)).toString('base64')],
    ['hex', JSON.parse(JSON.stringify(Buffer.from(frame(5))))],
    ['hex', new Uint8Array(frame(6))],
  ];
  it('sends bytes in every form and hands on what the script answers', async () => {
    await deploy([rawOut(), rawOut({ id: 'raw-base64', text: 'base64' })]);
    for (const [i, [text, payload]] of FORMS.entries()) {
      const answered = red.next('answered');
      red.send(text === 'hex' ? 'raw-out' : 'raw-base64', { payload, keep: i });
      const msg = await answered;
      assert.deepEqual(msg.payload, answer(i + 1));
      assert.equal(msg.keep, i);
      assert.deepEqual(msg.alink, {
        status: 'acknowledged',
        productKey,
        deviceName,
        method: 'thing.model.up_raw',
      });
    }
    const { properties } = emulator.devices.get({ productKey, deviceName }) ?? {};
    assert.equal(properties?.temperature?.value, 20.5);
  });

  it('fifty at once each get their own answer', async () => {
    await deploy([rawOut({ timeout: '20' })]);
    const seen: Array<[unknown, unknown]> = [];
    const all = red.next('answered', ({ payload, n }) => seen.push([n, payload]) === 50);
    for (let n = 0; n < 50; n++) red.send('raw-out', { payload: frame(n), n });
    await all;
    assert.deepEqual(
      seen.sort(([a], [b]) => Number(a) - Number(b)),
      Array.from({ length: 50 }, (_, n) => [n, answer(n)]),
    );
  });

  for (const [what, payload] of [
    ['text that is not hexadecimal', 'xyz'],
    ['half a byte', '123'],
    ['numbers beyond a byte', [256]],
    ['an object', { a: 1 }],
    ['nothing', undefined],
    ['no bytes', ''],
    ['256 KB and a byte', Buffer.alloc(262_145)],
  ] as const) {
    it(`refuses ${what}`, async () => {
      await deploy([rawOut()]);
      const caught = red.next('errors');
      red.send('raw-out', { payload });
      const { error, alink } = await caught;
      assert.match(String(error?.code), /^(invalidInput|payloadTooLarge)$/);
      assert.deepEqual([alink?.status, alink?.method], ['failed', 'thing.model.up_raw']);
    });
  }

  it('says when no answer comes, and the next answer is not taken for it', async () => {
    await deploy([rawOut({ timeout: '1' })]);
    emulator.faults.add({ action: 'drop', match: { operation: 'thing.model.up_raw' }, times: 1 });
    const caught = red.next('errors');
    red.send('raw-out', { payload: frame(1) });
    const { error } = await caught;
    assert.equal(error?.code, 'timeout');
    assert.match(error?.message ?? '', /script must take this message/);
    const answered = red.next('answered');
    red.send('raw-out', { payload: frame(2) });
    assert.deepEqual((await answered).payload, answer(2));
  });

  const setLight = () =>
    cloud.setDeviceProperty(
      new models.SetDevicePropertyRequest({ productKey, deviceName, items: '{"light":1}' }),
    );

  it('hands on bytes that the script made of a set, and the flow answers with bytes', async () => {
    const func = 'msg.payload = Buffer.from([3, ...msg.payload.subarray(1, 5), 2]); return msg;';
    await deploy([
      rawIn({ wires: [['sink', 'work']] }),
      { id: 'work', z: 'tab', type: 'function', func, outputs: 1, wires: [['reply']] },
    ]);
    const got = red.next('sink');
    const since = emulator.exchanges.latest;
    await setLight();
    const { payload, alink } = await got;
    assert.ok(Buffer.isBuffer(payload));
    assert.deepEqual([payload[0], payload[5]], [1, 1]);
    const { request, time, ...info } = alink ?? {};
    assert.equal(typeof request, 'string');
    assert.ok(Math.abs(Number(time) - Date.now()) < 5000);
    assert.deepEqual(info, { status: 'pending', productKey, deviceName, sync: false });
    const reply = await emulator.exchanges.waitFor(
      ({ topic }) => topic === `/sys/${productKey}/${deviceName}/thing/model/down_raw_reply`,
      { since },
    );
    assert.equal(reply.kind, 'up');
  });

  it('a flow that does not answer in time is no mistake, but its late answer is', async () => {
    await deploy([
      rawIn({ timeLimit: '0.1', wires: [['sink', 'delay']] }),
      {
        id: 'delay',
        z: 'tab',
        type: 'delay',
        pauseType: 'delay',
        timeout: '300',
        timeoutUnits: 'milliseconds',
        rate: '1',
        nbRateUnits: '1',
        rateUnits: 'second',
        randomFirst: '1',
        randomLast: '5',
        randomUnits: 'seconds',
        wires: [['reply']],
      },
    ]);
    const errors: Array<[unknown, unknown]> = [];
    const late = red.next('errors', ({ error }) => errors.push([error?.source.id, error?.code]) === 3);
    for (let i = 0; i < 3; i++) await setLight();
    await late;
    assert.deepEqual(
      errors,
      Array.from({ length: 3 }, () => ['reply', 'tooLate']),
    );
  });

  it('a node that only listens has nothing to answer', async () => {
    await deploy([rawIn({ reply: 'none' })]);
    const got = red.next('sink');
    await setLight();
    const { alink } = await got;
    assert.deepEqual([alink?.status, alink?.request], ['received', undefined]);
  });
});
