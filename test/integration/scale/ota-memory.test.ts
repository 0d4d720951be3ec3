import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { after, afterEach, before, describe, it } from 'mocha';
import type { Emulator, NewUpgrade } from '../../../emulator';
import type { DeviceIdentity } from '../../../protocol';
import { device } from '../../support/flows';
import { type NodeRed, startNodeRed } from '../../support/node-red';
import { otaPlatform, startOtaEmulator, unit, unitNode } from '../../support/ota-flows';
import { otaIn, otaProgress } from '../../support/ota-nodes';
import { GATEWAY_1, SENSOR_1, SENSOR_2, SENSOR_3, SENSOR_4 } from '../../support/plant';
import { grownBy, tellsMemory } from '../../support/process-memory';
import type { FlowNode } from '../../support/runtime';

const MEGABYTE = 1024 * 1024;
/** Measured are about 20, which is room that the collector takes for itself; what is not let go would be hundreds. */
const MOST_MEGABYTES = 30;

describe('memory of Node-RED while firmware is loaded', function () {
  this.timeout(120_000);
  let emulator: Emulator;
  let red: NodeRed | undefined;
  let version = 0;
  before(async function () {
    if (!tellsMemory) this.skip();
    emulator = await startOtaEmulator({ mqttFirmwareBytes: 1024 * MEGABYTE });
  });
  afterEach(async () => {
    const { userDir } = red ?? {};
    await red?.stop();

    red = undefined;
    if (userDir !== undefined) rmSync(userDir, { recursive: true, force: true });
  });
  after(() => emulator?.close());

  const start = async (devices: readonly FlowNode[], ota: object = {}, timing: object = {}) => {
    const nodes = [
      otaIn({ keep: '0', wires: [['report']], ...ota }),
      otaProgress({ action: 'version', value: 'payload.version', wires: [[]], ...ota }),
    ];
    const credentials = Object.fromEntries(
      devices.map((node) => [node.id, (node as { credentials?: object }).credentials ?? {}]),
    );
    const flows = [
      { id: 'tab', type: 'tab', label: 'ota' },
      otaPlatform(emulator),
      ...devices,
      ...nodes.map((node) => ({ ...node, x: 100, y: 100 })),
    ];
    red = await startNodeRed({ flows, credentials, timing });
    return red.pid;
  };
  const asked = ({ deviceName }: DeviceIdentity) =>
    emulator.exchanges.waitFor(
      (one) => one.operation === 'thing.ota.firmware.get' && one.identity?.deviceName === deviceName,
      { timeoutMs: 15_000 },
    );

  /** Upgrades devices of a product, each to its end. */
  const upgrade = async (devices: readonly DeviceIdentity[], size: number, settings: NewUpgrade = {}) => {
    const [{ productKey } = unit(0)] = devices;
    const files = { size, seed: ++version };
    const { firmwareId } = await emulator.firmware.add({ productKey, version: `2.${version}`, files });
    const { jobId } = emulator.firmware.upgrade(firmwareId, { devices, ...settings });
    await Promise.all(
      devices.map(({ deviceName }) =>
        emulator.messages.waitFor(
          ({ topic, json }) => {
            const told = json as { jobId: string; deviceName: string; status: string };
            return topic.endsWith('/ota/upgrade') && told.jobId === jobId && told.deviceName === deviceName;
          },
          { timeoutMs: 100_000 },
        ),
      ),
    );
    assert.deepEqual([...new Set(emulator.firmware.tasks(jobId).map(({ status }) => status))], ['SUCCEEDED']);
  };
  /**
   * The path is warm before it is measured: what Node.js takes for the first firmware of its life it has, and it is no
   * more for a larger one.
   */
  const measure = async (
    pid: number,
    devices: readonly DeviceIdentity[],
    sizes: { warm: number; measured: number },
    settings: NewUpgrade = {},
  ) => {
    await upgrade(devices, sizes.warm * MEGABYTE, settings);
    const grown = await grownBy(pid, () => upgrade(devices, sizes.measured * MEGABYTE, settings));
    assert.ok(grown < MOST_MEGABYTES, `it grew by ${grown.toFixed(1)} MB`);
  };

  it('a gigabyte over HTTPS', async () => {
    const identity = unit(0);
    const pid = await start([unitNode(identity)]);
    await asked(identity);
    await measure(pid, [identity], { warm: 128, measured: 1024 });
  });

  it('64 MB in blocks over MQTT', async () => {
    const identity = unit(1);
    // A block each tenth of a second, as the platform wants it, would be two minutes.
    const pid = await start([unitNode(identity)], {}, { blockGapMs: 0 });
    await asked(identity);
    // What came over MQTT waits for the collector, which begins when there are some 60 MB; the platform sends 16 at most.
    await measure(pid, [identity], { warm: 64, measured: 64 }, { protocol: 'MQTT' });
  });

  it('four sub-devices of a gateway at once, 128 MB each over HTTPS', async () => {
    const sensors = [SENSOR_1, SENSOR_2, SENSOR_3, SENSOR_4];
    const pid = await start(
      [
        {
          ...device({ id: 'hub', ...GATEWAY_1, role: 'gateway', thingModelSource: 'none' }),
          credentials: { deviceSecret: `secret-of-${GATEWAY_1.deviceName}` },
        },
        ...sensors.map((identity) => ({
          ...device({
            id: `node-of-${identity.deviceName}`,
            ...identity,
            role: 'subDevice',
            platform: '',
            gateway: 'hub',
            thingModelSource: 'none',
          }),
          credentials: { deviceSecret: `secret-of-${identity.deviceName}` },
        })),
      ],
      { device: 'hub', subDevices: true },
    );
    await Promise.all(sensors.map(asked));
    await measure(pid, sensors, { warm: 32, measured: 128 });
  });
});
