import assert from 'node:assert/strict';
import { performance } from 'node:perf_hooks';
import { after, before, describe, it } from 'mocha';
import { catchAll, propertyPost, sink } from '../../support/flows';
import {
  gateway,
  meterIdentity,
  meterName,
  meters,
  plantProducts,
  platformOf,
} from '../../support/gateway-flows';
import { CloudSide } from '../../support/request-flows';
import { type FlowMessage, type Runtime, startRuntime } from '../../support/runtime';

const MANY = 1500;

describe('1,500 sub-devices that are config nodes', () => {
  let red: Runtime;
  let plant: CloudSide;
  before(async () => {
    plant = await CloudSide.start(plantProducts(MANY), { loginsPerSecond: 0, loginsPerMinute: 0 });
    red = await startRuntime();
  });
  after(async () => {
    await red.stop();
    await plant.emulator.close();
  });

  const flow = () => [
    platformOf(plant.emulator),
    gateway({ loginsPerSecond: '0' }),
    ...meters(MANY, { thingModelSource: 'none' }),
    propertyPost({ device: 'gate', timeout: '30' }),
    sink(),
    ...catchAll(),
  ];

  /** One message for each; seconds until all are acknowledged. */
  async function postAll(deviceOf: (n: number) => unknown): Promise<number> {
    const outcomes: FlowMessage[] = [];
    const failed = (msg: FlowMessage) => outcomes.push(msg);
    red.events.on('test-sink:errors', failed);
    const began = performance.now();
    const all = red.next('sink', (msg) => outcomes.push(msg) === MANY, 30_000);
    for (let n = 0; n < MANY; n++) red.send('post', { device: deviceOf(n), payload: { level: n % 1000 } });
    await all;
    red.events.off('test-sink:errors', failed);
    assert.deepEqual(new Set(outcomes.map(({ alink }) => alink?.status)), new Set(['acknowledged']));
    assert.equal(new Set(outcomes.map(({ alink }) => alink?.deviceName)).size, MANY);
    return (performance.now() - began) / 1000;
  }

  it('one node reports for all of them, by both names or by one', async function () {
    this.timeout(90_000);
    const began = performance.now();
    await red.deploy(flow());
    // The first reports wait until their sub-devices are online.
    await postAll(meterIdentity);
    const seconds = (performance.now() - began) / 1000;
    assert.ok(seconds < 10, `${seconds} s until all were online and had reported`);
    const both = await postAll(meterIdentity);
    const one = await postAll((n) => ({ deviceName: meterName(n) }));
    assert.ok(both < 5 && one < 5, `${both} s by both names, ${one} s by one`);
  });

  it('a full deploy of all keeps each session', async function () {
    this.timeout(90_000);
    const { latest } = plant.emulator.exchanges;
    await red.deploy(flow());
    await postAll(meterIdentity);
    const again = plant.emulator.exchanges.list(
      ({ seq, topic, kind }) => seq > latest && kind === 'up' && /log(in|out)$/.test(topic ?? ''),
    );
    assert.equal(again.length, 0);
  });
});
