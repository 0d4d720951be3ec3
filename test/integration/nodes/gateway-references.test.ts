import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { catchAll, device, emulatorPlatform, propertyPost, sink, statusOf } from '../../support/flows';
import { GATEWAY, gateway, meter, meterIdentity } from '../../support/gateway-flows';
import { listenToLog } from '../../support/node-red-log';
import { type FlowNode, type Runtime, startRuntime } from '../../support/runtime';

const NONE = { thingModelSource: 'none', credentials: undefined };

describe('sub-devices and the gateway they name', () => {
  let red: Runtime;
  before(async () => {
    red = await startRuntime();
  });
  after(() => red.stop());

  const plain = device({ id: 'plain', deviceName: 'plain-01' });
  const CASES: Array<[title: string, nodes: FlowNode[], reason: RegExp]> = [
    ['none', [meter(1, { ...NONE, gateway: '' })], /The setting “Gateway” cannot work: no gateway is chosen/],
    [
      'a gateway that is gone',
      [meter(1, { ...NONE, gateway: 'gone' })],
      /no gateway is chosen, or it is disabled/,
    ],
    ['a disabled one', [gateway({ d: true }), meter(1, NONE)], /no gateway is chosen, or it is disabled/],
    [
      'a device that is none',
      [plain, meter(1, { ...NONE, gateway: 'plain' })],
      /plain-01 is no gateway; change its role/,
    ],
    [
      'another sub-device',
      [gateway(NONE), meter(2, NONE), meter(1, { ...NONE, gateway: 'm-2' })],
      /meter-2 is no gateway/,
    ],
    ['itself by its names', [gateway(NONE), meter(1, { ...NONE, ...GATEWAY })], /cannot be its own gateway/],
    [
      'a way to a secret that sub-devices have not',
      [gateway(NONE), meter(1, { ...NONE, authentication: 'iotToken' })],
      /sub-devices do not authenticate in this way/,
    ],
    [
      'a way to a secret that only sub-devices have',
      [device({ id: 'm-1', authentication: 'subRegister' })],
      /only sub-devices are registered by a gateway/,
    ],
    [
      'a gateway with a batch that is too large',
      [gateway({ ...NONE, loginBatch: '51' }), meter(1, NONE)],
      /The setting “Logins at once” cannot work: 1–50/,
    ],
  ];
  for (const [title, nodes, reason] of CASES) {
    it(`${title}: said at deploy`, async () => {
      const failed = red.next('errors');
      const status = red.next('statuses', ({ status: shown }) => shown?.fill === 'red');
      await red.deploy([
        emulatorPlatform(),
        ...nodes,
        propertyPost({ device: 'm-1' }),
        sink(),
        ...catchAll(),
        ...statusOf('post'),
      ]);
      const { error, alink } = await failed;
      assert.match(error?.message ?? '', reason);
      assert.equal(error?.code, 'badSettings');
      assert.equal(alink?.status, 'failed');
      assert.match((await status).status?.text ?? '', /^bad setting: [A-Z]\w+/);
    });
  }

  it('a sub-device of a gateway on an emulator needs no secret, however it is to come to one', async () => {
    for (const authentication of ['deviceSecret', 'subRegister', 'productRegister']) {
      const answered = red.next('sink');
      await red.deploy([
        emulatorPlatform(),
        gateway(NONE),
        meter(authentication, { ...NONE, authentication }),
        propertyPost({ device: 'gate' }),
        sink(),
        ...catchAll(),
      ]);
      red.send('post', { device: meterIdentity(authentication), payload: { level: 1 } });
      const { alink } = await answered;
      assert.equal(alink?.status, 'acknowledged');
      assert.equal(alink.deviceName, meterIdentity(authentication).deviceName);
    }
  });

  it('one whose settings cannot work says so though no node names it', async () => {
    const { lines: said, stop } = listenToLog('m-1', 'm-3');
    const answered = red.next('sink');
    await red.deploy([
      emulatorPlatform(),
      gateway(NONE),
      meter(1, { ...NONE, gateway: 'gone' }),
      meter(2, NONE),
      meter(3, { ...NONE, clientId: 'a|b' }),
      propertyPost({ device: 'gate' }),
      sink(),
      ...catchAll(),
    ]);
    red.send('post', { device: meterIdentity(2), payload: { level: 1 } });
    assert.equal((await answered).alink?.status, 'acknowledged');
    stop();
    assert.match(said.find((line) => line.startsWith('m-1')) ?? '', /no gateway is chosen/);
    assert.match(said.find((line) => line.startsWith('m-3')) ?? '', /a1Meter\/meter-3: .*Client ID/);
    assert.equal(said.length, 2);
  });
});
