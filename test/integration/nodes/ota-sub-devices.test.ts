import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'mocha';
import type { DeviceIdentity } from '../../../protocol';
import { catchAll, device, sink, statusOf } from '../../support/flows';
import { OtaFlows, otaPlatform } from '../../support/ota-flows';
import { otaIn, otaProgress } from '../../support/ota-nodes';
import { GATEWAY_1, SENSOR_1, SENSOR_2, SENSOR_3, SENSOR_4 } from '../../support/plant';
import type { FlowNode } from '../../support/runtime';

describe('OTA nodes at a gateway', () => {
  let flows: OtaFlows;
  before(async () => {
    flows = await OtaFlows.start();
  });
  after(() => flows.stop());

  const sensor = (id: string, identity: DeviceIdentity): FlowNode => ({
    ...device({ id, ...identity, role: 'subDevice', platform: '', gateway: 'hub', thingModelSource: 'none' }),
    credentials: { deviceSecret: `secret-of-${identity.deviceName}` },
  });
  const deploy = (ota: object, more: readonly FlowNode[]) =>
    flows.red.deploy([
      otaPlatform(flows.emulator),
      {
        ...device({ id: 'hub', ...GATEWAY_1, role: 'gateway', thingModelSource: 'none' }),
        credentials: { deviceSecret: `secret-of-${GATEWAY_1.deviceName}` },
      },
      otaIn({ device: 'hub', subDevices: true, ...ota }),
      otaProgress({ device: 'hub' }),
      ...['sink', 'reported'].map((id) => sink(id)),
      ...catchAll(),
      ...more,
    ]);
  const asked = ({ deviceName }: DeviceIdentity, since = 0) =>
    flows.emulator.exchanges.waitFor(
      (one) => one.operation === 'thing.ota.firmware.get' && one.identity?.deviceName === deviceName,
      { since, timeoutMs: 15_000 },
    );

  it('take firmware for its sub-devices, also for those that come later, and report for them', async () => {
    await deploy({}, [sensor('s-1', SENSOR_1)]);
    await asked(SENSOR_1);
    await deploy({}, [sensor('s-1', SENSOR_1), sensor('s-2', SENSOR_2)]);
    await asked(SENSOR_2);
    for (const identity of [SENSOR_1, SENSOR_2]) {
      flows.identity = identity;
      const came = flows.red.next('sink', ({ alink }) => alink?.deviceName === identity.deviceName, 15_000);
      const version = `3.0.${identity.deviceName.slice(-1)}`;
      const jobId = await flows.offer(version);
      const msg = await came;
      const { path } = msg.payload as { path: string };
      assert.ok(readFileSync(path).equals(flows.image));
      assert.deepEqual(msg.device, identity);
      flows.red.send('report', { ...msg, payload: { version } });
      assert.equal((await flows.ended(jobId)).status, 'SUCCEEDED');
      assert.deepEqual(flows.sent('ota.inform'), [{ version }]);
    }
  });

  it('ask for a sub-device that a message names, and repeat the version that it reported last', async () => {
    flows.identity = SENSOR_1;
    const since = flows.emulator.exchanges.latest;
    await deploy({ attempts: '2' }, [sensor('s-1', SENSOR_1)]);
    await asked(SENSOR_1, since);
    assert.deepEqual(flows.sent('ota.inform').at(-1), { version: '3.0.1' });
    await flows.offer('3.1.0', {}, { needPush: false });
    const came = flows.red.next('sink', undefined, 15_000);
    flows.red.send('ota', { device: `${SENSOR_1.productKey}/${SENSOR_1.deviceName}` });
    const { device: named, payload } = await came;
    assert.deepEqual([named, (payload as { version: string }).version], [SENSOR_1, '3.1.0']);
  });

  it('show how many downloads go on, and not each as it ends', async () => {
    const since = flows.emulator.exchanges.latest;
    await deploy({}, [sensor('s-3', SENSOR_3), sensor('s-4', SENSOR_4), ...statusOf('ota')]);
    await Promise.all([SENSOR_3, SENSOR_4].map((identity) => asked(identity, since)));
    flows.emulator.faults.add({ action: 'slow', bytesPerSecond: 80_000, times: 1 });
    flows.emulator.faults.add({ action: 'slow', bytesPerSecond: 300_000, times: 1 });
    const loaded = () =>
      flows.emulator.exchanges.list(
        ({ seq, operation, text }) =>
          seq > since && operation === 'ota.progress' && text.includes('"step":"100"'),
      ).length;
    const shown: string[] = [];
    const over = flows.red.next(
      'statuses',
      ({ status }) => {
        const text = String(status?.text);
        // How far they have come is another matter.
        shown.push(text.replace(/\d+ %/, '… %'));
        return text === 'online' && loaded() === 2;
      },
      15_000,
    );
    const { productKey } = SENSOR_3;
    const files = { content: flows.image };
    const { firmwareId } = await flows.emulator.firmware.add({ productKey, version: '4.0.0', files });
    flows.emulator.firmware.upgrade(firmwareId, { devices: [SENSOR_3, SENSOR_4] });
    await over;
    const different = shown.filter((text, i) => text !== shown[i - 1]);
    assert.deepEqual(different.slice(different.findIndex((text) => text !== 'online')), [
      '2 downloading, 0 waiting, … %',
      'downloading, … %',
      'online',
    ]);
  });

  it('leave sub-devices alone unless told so', async () => {
    flows.identity = GATEWAY_1;
    const since = flows.emulator.exchanges.latest;
    await deploy({ subDevices: false, version: '9.1' }, [sensor('s-1', SENSOR_1)]);
    await asked(GATEWAY_1, since);
    const came = flows.red.next('sink', undefined, 15_000);
    await flows.offer('9.2');
    const { alink, device: named } = await came;
    assert.deepEqual([alink?.deviceName, named], [GATEWAY_1.deviceName, undefined]);
    const others = flows.emulator.exchanges.list(
      (one) =>
        one.seq > since &&
        one.operation === 'thing.ota.firmware.get' &&
        one.identity?.deviceName !== GATEWAY_1.deviceName,
    );
    assert.deepEqual(others, []);
  });
});
