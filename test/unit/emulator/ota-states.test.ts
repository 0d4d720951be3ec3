import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { DEFAULT_LIMITS } from '../../../emulator/options';
import { addNewFirmware, createFirmwarePanel, type NewUpgrade } from '../../../emulator/ota/api';
import type { OtaTaskStatus } from '../../../emulator/ota/jobs';
import { OtaError } from '../../../emulator/ota/ota-error';
import { Platform } from '../../../emulator/platform';

const MODULES = ['default', 'MCU'];
const VERSIONS = ['1', '2', '3'];
const DEVICES = 3;

type Step =
  | { kind: 'upgrade'; firmware: number; settings: NewUpgrade }
  | { kind: 'version'; device: number; module: number; version: number }
  | { kind: 'progress'; device: number; module: number; step: number }
  | { kind: 'ask'; device: number; module: number }
  | { kind: 'confirm' | 'retry' | 'cancel'; job: number }
  | { kind: 'wait'; ms: number };

const device = fc.nat(DEVICES - 1);
const module = fc.nat(MODULES.length - 1);
const job = fc.nat(5);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constant('upgrade' as const),
    firmware: fc.nat(3),
    settings: fc.record({
      needConfirm: fc.boolean(),
      overwrite: fc.boolean(),
      retryCount: fc.nat(2),
      timeoutMs: fc.constantFrom(1000, 100_000),
    }),
  }),
  fc.record({ kind: fc.constant('version' as const), device, module, version: fc.nat(VERSIONS.length - 1) }),
  fc.record({
    kind: fc.constant('progress' as const),
    device,
    module,
    step: fc.integer({ min: -4, max: 100 }),
  }),
  fc.record({ kind: fc.constant('ask' as const), device, module }),
  fc.record({ kind: fc.constantFrom('confirm' as const, 'retry' as const, 'cancel' as const), job }),
  fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 2000 }) }),
);

async function plant() {
  const time = { now: 0 };
  const platform = new Platform(
    DEFAULT_LIMITS,
    () => time.now,
    false,
    () => undefined,
  );
  const devices = Array.from({ length: DEVICES }, (_, i) =>
    platform.registry.provision({ productKey: 'pk', deviceName: `dn-${i}` }),
  );
  const firmwares: string[] = [];
  for (const name of MODULES) {
    for (const version of ['2', '3']) {
      const files = { content: `${name} ${version}` };
      firmwares.push(
        (await addNewFirmware(platform, { productKey: 'pk', module: name, version, files })).firmwareId,
      );
    }
  }
  return { time, platform, devices, firmwares, panel: createFirmwarePanel(platform) };
}

describe('upgrades, whatever devices and applications do', () => {
  it('end once, succeed by their version alone, and are one at a time', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), async (steps) => {
        const { time, platform, devices, firmwares, panel } = await plant();
        const { ota } = platform;
        const before = new Map<string, OtaTaskStatus>();
        let ends = 0;
        for (const taken of steps) {
          const jobId = 'job' in taken ? (ota.jobs.list()[taken.job]?.jobId ?? '') : '';
          const reporter = 'device' in taken ? devices[taken.device] : undefined;
          const part = 'module' in taken ? (MODULES[taken.module] ?? '') : '';
          try {
            if (taken.kind === 'upgrade') panel.upgrade(firmwares[taken.firmware] ?? '', taken.settings);
            else if (taken.kind === 'wait') time.now += taken.ms;
            else if ('job' in taken) panel[taken.kind](jobId);
            else if (reporter === undefined) assert.fail();
            else if (taken.kind === 'version')
              ota.versionReported(reporter, part, VERSIONS[taken.version] ?? '');
            else if (taken.kind === 'progress') ota.progressReported(reporter, part, taken.step, '');
            else {
              const offer = ota.offerFor(reporter, part);
              if (offer !== undefined) assert.notEqual(ota.openTask(reporter, part)?.status, 'CONFIRM');
            }
          } catch (thrown) {
            if (!(thrown instanceof OtaError)) throw thrown;
          }
          const tasks = ota.jobs.list().flatMap((one) => one.tasks);
          for (const task of tasks) {
            const { status, progress, taskId } = task;
            const earlier = before.get(taskId);
            before.set(taskId, status);
            assert.ok(progress >= 0 && progress <= 100);
            if (status === earlier) continue;
            if (status === 'SUCCEEDED' || status === 'FAILED') ends++;
            if (status === 'SUCCEEDED') {
              assert.equal(taken.kind, 'version');
              const { version, module: wanted } = task.job.firmware.settings;
              assert.deepEqual([task.device, part], [reporter, wanted]);
              assert.equal(task.device.moduleVersions.get(wanted)?.version, version);
            }
            // What ended begins again only when somebody says so, and never after a success.
            if (earlier === 'FAILED' || earlier === 'CANCELED') assert.equal(taken.kind, 'retry');
            assert.notEqual(earlier, 'SUCCEEDED');
            // What nobody agreed to is not begun by its device.
            if (earlier === 'CONFIRM') assert.notEqual(taken.kind, 'progress');
          }
          for (const one of devices) {
            assert.ok(tasks.filter((task) => task.device === one && task.isOpen).length <= 1);
          }
        }
        const told = platform.forwarding.messages.list(({ topic }) => topic.endsWith('/ota/upgrade'));
        assert.equal(told.length, ends, 'applications hear of each end once');
        platform.close();
      }),
      { numRuns: 150 },
    );
  });
});
