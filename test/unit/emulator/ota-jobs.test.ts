import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { DEFAULT_LIMITS } from '../../../emulator/options';
import { Firmware } from '../../../emulator/ota/firmware';
import { OtaJob, type OtaJobSettings, OtaJobStore, OtaTask } from '../../../emulator/ota/jobs';
import { OtaError } from '../../../emulator/ota/ota-error';
import { Registry } from '../../../emulator/registry/registry';

const DEVICES = 30_000;
const SETTINGS: OtaJobSettings = {
  type: 'UPGRADE_FIRMWARE',
  selection: 'STATIC',
  target: 'ALL',
  grayPercent: undefined,
  group: undefined,
  dynamicMode: undefined,
  srcVersions: [],
  protocol: 'HTTPS',
  needPush: true,
  needConfirm: false,
  overwrite: false,
  multiModule: false,
  timeoutMs: undefined,
  maximumPerMinute: undefined,
  retryCount: 0,
  retryMs: 0,
  scheduledAt: undefined,
  finishAt: undefined,
  tags: {},
};
const FIRMWARE = new Firmware(
  {
    productKey: 'pk',
    version: '2',
    module: 'default',
    isDiff: false,
    srcVersion: undefined,
    name: '',
    description: '',
    signMethod: 'SHA256',
    udi: undefined,
    needsVerification: false,
  },
  [],
  0,
);

describe('upgrades that the emulator keeps', () => {
  const registry = new Registry(DEFAULT_LIMITS, () => 7, false);
  const device = registry.provision({ productKey: 'pk', deviceName: 'dn' });
  const fill = (store: OtaJobStore) => {
    const job = new OtaJob(FIRMWARE, SETTINGS, 0, store.nextStream());
    store.add(job, DEVICES);
    for (let i = 0; i < DEVICES; i++) store.addTask(new OtaTask(job, device, '1', 0));
    return job;
  };

  it('are refused as a whole when there are too many, and fit when earlier ones are over', () => {
    const store = new OtaJobStore();
    const jobs = [fill(store), fill(store), fill(store)];
    assert.throws(
      () => fill(store),
      (thrown) => thrown instanceof OtaError && thrown.code === 'ExceedLimit',
    );
    assert.equal(store.list().length, 3);
    assert.equal(device.upgrades.size, 3 * DEVICES);
    const [, second] = jobs;
    for (const task of second?.tasks ?? []) task.change('FAILED', 0);
    const last = fill(store);
    assert.deepEqual(store.list(), [last, jobs[2], jobs[0]]);
    assert.equal(device.upgrades.size, 3 * DEVICES);
  });

  it('may be as many as there is room for', () => {
    const store = new OtaJobStore();
    const job = new OtaJob(FIRMWARE, SETTINGS, 0, store.nextStream());
    store.add(job, 100_000);
    for (let i = 0; i < 99_999; i++) store.addTask(new OtaTask(job, device, '1', 0));
    assert.equal(store.isFull, false);
    store.addTask(new OtaTask(job, device, '1', 0));
    assert.equal(store.isFull, true);
    store.remove(job);
    assert.equal(store.isFull, false);
  });
});
