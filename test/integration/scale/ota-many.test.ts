import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setInterval as every } from 'node:timers/promises';
import { after, before, describe, it } from 'mocha';
import { type Emulator, startEmulator } from '../../../emulator';
import { gateway, METER, meters, plantProducts } from '../../support/gateway-flows';
import { type NodeRed, startNodeRed } from '../../support/node-red';
import { otaPlatform } from '../../support/ota-flows';
import { otaIn, otaProgress } from '../../support/ota-nodes';
import { grownBy, tellsMemory } from '../../support/process-memory';

const COUNT = 200;
/** Of the second upgrade over the first; with all at once, or with roots that TLS reads for each, it is far more. */
const MOST_MEGABYTES = 50;
/** Of all sub-devices together. */
const MOST_AT_ONCE = 4;
/** Reports of one device are a second apart when they are sent; on the way, and on a busy machine, they may catch up. */
const SHORTEST_MS = 500;

describe(`firmware for ${COUNT} sub-devices at once`, function () {
  this.timeout(120_000);
  let emulator: Emulator;
  let red: NodeRed | undefined;

  before(async function () {
    if (!tellsMemory) this.skip();
    emulator = await startEmulator({
      doors: { mqtt: 0, https: 0 },
      config: { products: plantProducts(COUNT) },
      limits: { exchanges: 100 * COUNT },
    });
    const devices = [gateway(), ...meters(COUNT, { thingModelSource: 'none', thingModel: '' })];
    const flow = [
      otaIn({ device: 'gate', subDevices: true, versionType: 'none', wires: [['report']] }),
      otaProgress({ device: 'gate', action: 'version', value: 'payload.version', wires: [[]] }),
    ];
    red = await startNodeRed({
      flows: [
        { id: 'tab', type: 'tab', label: 'ota' },
        otaPlatform(emulator),
        ...devices,
        ...flow.map((node) => ({ ...node, x: 100, y: 100 })),
      ],
      credentials: Object.fromEntries(
        devices.map(({ id, credentials }) => [id, { ...(credentials as object) }]),
      ),
    });
  });
  after(async () => {
    await red?.stop();
    await emulator?.close();
  });

  const sent = (operation: string) =>
    emulator.exchanges.list(({ kind, operation: name }) => kind === 'up' && name === operation);
  const until = async (isSo: () => boolean, look: () => void = () => undefined) => {
    for await (const _ of every(20, undefined, { signal: AbortSignal.timeout(60_000) })) {
      if (isSo()) return;
      look();
    }
  };

  it('is asked for once each, loaded a few at a time, and reported at the pace that the platform takes', async () => {
    assert.ok(red);
    const { pid, userDir } = red;
    await until(() => sent('thing.ota.firmware.get').length > COUNT);
    assert.equal(new Set(sent('thing.ota.firmware.get').map(({ topic }) => topic)).size, COUNT + 1);
    let most = 0;
    const upgrade = async (version: string) => {
      const files = { size: 64 * 1024, seed: 1 };
      const { firmwareId } = await emulator.firmware.add({ productKey: METER, version, files });
      const { jobId } = emulator.firmware.upgrade(firmwareId);
      const done = () => emulator.firmware.tasks(jobId).filter(({ status }) => status === 'SUCCEEDED').length;
      await until(
        () => done() === COUNT,
        () => {
          most = Math.max(most, partsIn(userDir));
        },
      );
    };
    await upgrade('2.0.0');
    const grown = await grownBy(pid, () => upgrade('2.0.1'));
    assert.ok(most > 0 && most <= MOST_AT_ONCE, `${most} at once`);
    assert.ok(grown < MOST_MEGABYTES, `it grew by ${grown.toFixed(0)} MB`);
    assert.equal(sent('ota.inform').length, 2 * COUNT);
    const last = new Map<string, number>();
    for (const { topic = '', time } of sent('ota.progress')) {
      assert.ok(time - (last.get(topic) ?? 0) >= SHORTEST_MS, `${time - (last.get(topic) ?? 0)} ms`);
      last.set(topic, time);
    }
    assert.equal(last.size, COUNT);
  });
});

/** Files that are being loaded. */
function partsIn(userDir: string): number {
  const folder = join(userDir, 'alink', 'firmware');
  if (!existsSync(folder)) return 0;
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.part-0'))
    .length;
}
