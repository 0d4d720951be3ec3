import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { DEFAULT_LIMITS } from '../../../emulator/options';
import { JobLimitError } from '../../../emulator/registry/jobs';
import { Registry } from '../../../emulator/registry/registry';

const settings = {
  name: 'job',
  description: '',
  document: {},
  file: undefined,
  inProgressMs: undefined,
  target: {},
};

function registry() {
  const made = new Registry(DEFAULT_LIMITS, () => 7, false);
  return { jobs: made.jobs, made, device: made.provision({ productKey: 'pk', deviceName: 'dn' }) };
}

describe('jobs that the emulator keeps', () => {
  it('are forgotten when they have ended and there is no more room', () => {
    const { jobs, device } = registry();
    const first = jobs.create(settings, [device], 0);
    const second = jobs.create(settings, [device], 0);
    for (let i = 2; i < 1000; i++) jobs.create(settings, [device], 0);
    assert.throws(() => jobs.create(settings, [device], 0), JobLimitError);
    second.tasks[0]?.change('SUCCEEDED', 0);
    const last = jobs.create(settings, [device], 0);
    assert.deepEqual([jobs.get(second.jobId), jobs.get(first.jobId)], [undefined, first]);
    assert.equal(jobs.get(last.jobId), last);
    assert.equal(device.tasks.size, 1000);
  });

  it('have one task for a device that is named twice', () => {
    const { jobs, device } = registry();
    assert.equal(jobs.create(settings, [device, device], 0).tasks.length, 1);
  });

  it('do not wait for a device that was deleted', () => {
    const { jobs, made, device } = registry();
    const job = jobs.create(settings, [device], 0);
    made.removeDevice(device);
    assert.equal(job.tasks[0]?.status(8), 'REMOVED');
    assert.equal(job.status(8), 'COMPLETED');
  });
});
