import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'mocha';
import { listenToLog } from '../../support/node-red-log';
import { OtaFlows } from '../../support/ota-flows';

describe('alink-ota-progress', () => {
  let flows: OtaFlows;
  before(async () => {
    flows = await OtaFlows.start();
  });
  beforeEach(() => void flows.fresh());
  after(() => flows.stop());

  const QUIET = { versionType: 'none' };

  it('reports progress, which turns the upgrade to under way', async () => {
    await flows.deploy(
      { ...QUIET, work: 'offer' },
      { action: 'progress', description: 'flashing', descriptionType: 'str' },
    );
    const offered = flows.red.next('sink');
    const jobId = await flows.offer('1.1.0');
    await offered;
    const { alink, payload } = await flows.say('41.6', { kept: true });
    assert.deepEqual(
      [alink?.status, alink?.method, alink?.step, alink?.module, payload],
      ['acknowledged', 'ota.progress', 42, 'default', '41.6'],
    );
    assert.deepEqual(flows.sent('ota.progress'), [{ step: '42', desc: 'flashing' }]);
    const { status, progress, description } = flows.task(jobId) ?? {};
    assert.deepEqual([status, progress, description], ['IN_PROGRESS', 42, 'flashing']);
  });

  it('reports each kind of failure', async () => {
    for (const step of ['-1', '-2', '-3', '-4']) {
      flows.fresh();
      await flows.deploy(QUIET, { action: 'failure', step, description: 'payload', descriptionType: 'msg' });
      await flows.say('why');
      assert.deepEqual(flows.sent('ota.progress'), [{ step, desc: 'why' }]);
    }
  });

  it('takes version and module out of a message of the ota in node', async () => {
    await flows.deploy(
      { ...QUIET, module: 'mcu', wires: [['report', 'sink']] },
      { action: 'version', value: 'payload.version' },
    );
    const jobId = await flows.offer('7.0', { module: 'mcu' });
    assert.equal((await flows.ended(jobId)).status, 'SUCCEEDED');
    assert.deepEqual(flows.sent('ota.inform'), [{ version: '7.0', module: 'mcu' }]);
  });

  it('an upgrade that was applied and does not run is told in the log, by whichever node reports the version', async () => {
    await flows.deploy({ ...QUIET, work: 'offer' }, { action: 'version' });
    await flows.say('1.0.0');
    const given = flows.red.next('sink');
    await flows.offer('1.1.0');
    await given;
    const { lines, stop } = listenToLog('ota', 'report');
    await flows.say('1.0.0');
    await flows.say('1.0.0');
    const { deviceName } = flows.identity;
    assert.equal(lines.length, 1, lines.join());
    assert.match(lines[0] ?? '', new RegExp(`^report .*${deviceName} was applied, but 1\\.0\\.0 runs`));
    stop();
  });

  it('the message says what, and about which module', async () => {
    await flows.deploy(QUIET);
    const steps: unknown[] = [];
    for (const payload of [
      { percent: 0, module: 'a' },
      { step: -3, description: 'digest', module: 'b' },
      { failure: '-4', module: 'c' },
      { step: 100, module: 'd' },
      { version: 12, module: 'e' },
    ]) {
      const { alink } = await flows.say(payload);
      steps.push(alink?.step ?? alink?.version);
    }
    assert.deepEqual(steps, [1, -3, -4, 100, '12']);
    assert.deepEqual(flows.sent('ota.progress'), [
      { step: '1', module: 'a' },
      { step: '-3', desc: 'digest', module: 'b' },
      { step: '-4', module: 'c' },
      { step: '100', module: 'd' },
    ]);
    assert.deepEqual(flows.sent('ota.inform'), [{ version: '12', module: 'e' }]);
  });

  it('tells no more than one a second, and the last in any case', async () => {
    await flows.deploy(QUIET, { action: 'progress' });
    const out: unknown[] = [];
    const last = flows.red.next('reported', ({ payload }) => {
      out.push(payload);
      return out.length === 30;
    });
    const begin = performance.now();
    for (let percent = 1; percent <= 30; percent++) flows.red.send('report', { payload: percent });
    await last;
    const sent = flows.sent('ota.progress').map((params) => (params as { step: string }).step);
    assert.ok(sent.length <= 1 + (performance.now() - begin) / 1000, sent.join());
    assert.equal(sent.at(-1), '30');
  });

  it('says what is wrong with a message, in words', async () => {
    await flows.deploy(QUIET);
    for (const [payload, words] of [
      ['text', /exactly one of version/],
      [{}, /exactly one of version/],
      [{ percent: 1, version: '2' }, /exactly one of version/],
      [{ percent: 101 }, /percent is no number from 0 to 100/],
      [{ percent: 'much' }, /percent is no number from 0 to 100/],
      [{ failure: -5 }, /failure is none of -1/],
      [{ step: -9 }, /step is none of -1/],
      [{ version: '' }, /version must be text of 1–64/],
      [{ version: 'v'.repeat(65) }, /version must be text of 1–64/],
      [{ version: '1', module: 'm\u0000' }, /module must be text/],
      [{ version: '1', module: ['m'] }, /module must be text/],
    ] as const) {
      const failed = flows.red.next('errors');
      flows.red.send('report', { payload });
      const { error, alink } = await failed;
      assert.match(String(error?.message), words, JSON.stringify(payload));
      assert.deepEqual([error?.code, alink?.status], ['invalidInput', 'failed']);
    }
    assert.deepEqual([...flows.sent('ota.progress'), ...flows.sent('ota.inform')], []);
  });
});
