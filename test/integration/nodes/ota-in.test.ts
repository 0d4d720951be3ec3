import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'mocha';
import { OtaFlows } from '../../support/ota-flows';
import type { FlowMessage } from '../../support/runtime';

interface Payload {
  version: string;
  module: string;
  path?: string;
  paths: string[];
  size: number;
  isDiff: boolean;
  extData: object;
  files: Array<{ name: string; path: string; size: number; url?: string }>;
}

describe('alink-ota-in', () => {
  let flows: OtaFlows;
  before(async () => {
    flows = await OtaFlows.start();
  });
  beforeEach(() => void flows.fresh());
  afterEach(() => flows.emulator.faults.clear());
  after(() => flows.stop());

  const firmware = async (fits?: (msg: FlowMessage) => boolean) => {
    const msg = await flows.red.next('sink', fits, 15_000);
    return { msg, payload: msg.payload as Payload };
  };

  it('loads and checks what is pushed; the upgrade succeeds by its version', async () => {
    await flows.deploy();
    const came = firmware();
    const jobId = await flows.offer('1.1.0', {}, { tags: { note: 'spring' } });
    const { msg, payload } = await came;
    assert.deepEqual(
      [payload.version, payload.module, payload.isDiff, payload.size, payload.extData],
      ['1.1.0', 'default', false, flows.image.length, { note: 'spring' }],
    );
    const { path = '' } = payload;
    assert.deepEqual(payload.paths, [path]);
    assert.ok(readFileSync(path).equals(flows.image));
    assert.ok(!relative(join(flows.red.userDir, 'alink', 'firmware'), path).startsWith('..'), path);
    const { alink } = msg;
    assert.deepEqual(
      [alink?.status, alink?.version, alink?.module, alink?.source, alink?.deviceName],
      ['downloaded', '1.1.0', 'default', 'push', flows.identity.deviceName],
    );
    assert.deepEqual(flows.sent('ota.inform'), [{ version: '1.0.0' }]);
    assert.doesNotMatch(JSON.stringify(msg), /https?:/);

    await flows.say({ version: '1.1.0' });
    assert.equal((await flows.ended(jobId)).status, 'SUCCEEDED');
    assert.equal((flows.sent('ota.progress').at(-1) as { step: string }).step, '100');
  });

  it('asks on connecting, and on a message', async () => {
    const jobId = await flows.offer('1.1.0', {}, { needPush: false });
    const first = firmware();
    await flows.deploy();
    assert.equal((await first).msg.alink?.source, 'get');
    // The version comes before the question.
    const order = flows.exchanges('ota.inform', 'thing.ota.firmware.get').map(({ operation }) => operation);
    assert.deepEqual(order, ['ota.inform', 'thing.ota.firmware.get']);
    const again = firmware();
    flows.red.send('ota', { payload: 'now', topic: 'kept' });
    const { msg, payload } = await again;
    assert.deepEqual([msg.topic, payload.version], ['kept', '1.1.0']);
    await flows.say({ failure: -4, description: 'no room' });
    assert.deepEqual(await flows.ended(jobId).then(({ status, desc }) => [status, desc]), [
      'FAILED',
      'no room',
    ]);
  });

  it('says that there is none when it was asked and nothing is offered', async () => {
    await flows.deploy();
    const status = flows.red.next('statuses', ({ status: shown }) => /no firmware/.test(shown?.text ?? ''));
    flows.red.send('ota', {});
    const { fill, text } = (await status).status ?? {};
    assert.deepEqual([fill, text], ['green', 'online, no firmware offered']);
    const again = flows.red.next('statuses', ({ status: shown }) => shown?.text === 'online');
    const came = firmware();
    await flows.offer('1.1.0');
    await came;
    await again;
  });

  it('says why it waits for the next try of a download', async () => {
    await flows.deploy();
    const status = flows.red.next('statuses', ({ status: shown }) => shown?.fill === 'yellow', 15_000);
    flows.emulator.faults.add({ action: 'status', status: 500, times: 2 });
    const came = firmware();
    await flows.offer('1.1.0');
    assert.match((await status).status?.text ?? '', /^loading again in \d+ s – the server answered 500$/);
    await came;
  });

  it('does not ask by itself when told so', async () => {
    await flows.offer('1.1.0', {}, { needPush: false });
    await flows.deploy({ askOnStart: false });
    assert.deepEqual(flows.exchanges('thing.ota.firmware.get'), []);
    const came = firmware();
    flows.red.send('ota', {});
    assert.equal((await came).payload.version, '1.1.0');
  });

  it('asks by the old topic, with the version that runs', async () => {
    await flows.offer('1.1.0', {}, { needPush: false });
    const came = firmware();
    await flows.deploy({ askBy: 'request' });
    assert.equal((await came).msg.alink?.source, 'request');
    assert.deepEqual(flows.sent('ota.request'), [{ version: '1.0.0' }]);
  });

  it('hands an offer on as it is when told so, and is silent about its address elsewhere', async () => {
    await flows.deploy({ work: 'offer' });
    const came = firmware();
    const jobId = await flows.offer('1.1.0', { isDiff: true, srcVersion: '1.0.0', udi: '{"a":1}' });
    const { msg, payload } = await came;
    const [file] = payload.files;
    assert.match(file?.url ?? '', /^https:\/\/127\.0\.0\.1:/);
    assert.deepEqual([payload.isDiff, payload.size], [true, flows.image.length]);
    assert.equal(msg.alink?.status, 'offered');
    assert.doesNotMatch(JSON.stringify(msg.alink), /https/);
    assert.equal(flows.task(jobId)?.status, 'NOTIFIED');
    assert.equal(
      flows.emulator.firmware.downloads().filter((one) => one.deviceName === flows.identity.deviceName)
        .length,
      0,
    );
  });

  it('loads several files', async () => {
    await flows.deploy({ progressMessages: true });
    const came = firmware(({ alink }) => alink?.status === 'downloaded');
    const progress = firmware(({ alink }) => alink?.status === 'downloading');
    const files = ['a.bin', 'b.bin'].map((name, i) => ({ name, content: flows.image.subarray(i) }));
    await flows.offer('1.1.0', { files });
    const { payload } = await came;
    assert.equal(payload.path, undefined);
    assert.equal(payload.paths.length, 2);
    for (const [i, path] of payload.paths.entries()) {
      assert.ok(readFileSync(path).equals(flows.image.subarray(i)), path);
      assert.ok(path.startsWith(join(flows.red.userDir, 'alink', 'firmware')), path);
    }
    const { percent } = (await progress).payload as unknown as { percent: number };
    assert.ok(percent >= 1 && percent <= 99);
  });

  it('tells what is wrong with a file, to the platform and to a catch node', async () => {
    await flows.deploy();
    const failed = flows.red.next('errors');
    const status = flows.red.next('statuses', ({ status: shown }) => shown?.fill === 'red');
    flows.emulator.faults.add({ action: 'wrongDigest', times: 1 });
    const jobId = await flows.offer('1.1.0');
    const { error, alink } = await failed;
    assert.deepEqual([error?.code, alink?.step, alink?.status], ['firmwareMismatch', -3, 'failed']);
    assert.equal((await status).status?.text, 'firmware check failed');
    assert.equal((await flows.ended(jobId)).status, 'FAILED');
    assert.equal((flows.sent('ota.progress').at(-1) as { step: string }).step, '-3');
  });

  it('refuses what is too large, and hosts that are not allowed', async () => {
    for (const [settings, key, step] of [
      [{ mostMegabytes: '0.1' }, 'firmwareTooLarge', -2],
      [{ hosts: 'oss.example.com, *.example.org' }, 'firmwareNotAllowed', -2],
    ] as const) {
      flows.fresh();
      await flows.deploy(settings);
      const failed = flows.red.next('errors');
      await flows.offer('1.1.0');
      const { error, alink } = await failed;
      assert.deepEqual([error?.code, alink?.step], [key, step]);
      assert.doesNotMatch(JSON.stringify([error, alink]), /https:/);
    }
  });

  it('an offer that is pushed again is handed on once', async () => {
    await flows.deploy();
    const came: unknown[] = [];
    const listen = (msg: unknown) => void came.push(msg);
    flows.red.events.on('test-sink:sink', listen);
    flows.emulator.faults.add({
      action: 'duplicate',
      match: { direction: 'down', operation: 'ota.upgrade' },
      times: 1,
    });
    const first = firmware();
    const jobId = await flows.offer('1.1.0');
    await first;
    assert.ok(flows.emulator.firmware.push(flows.identity));
    await flows.say({ version: '1.1.0' });
    await flows.ended(jobId);
    flows.red.events.off('test-sink:sink', listen);
    assert.equal(came.length, 1);
  });

  it('gives up what was tried so often, until it is told to forget that', async () => {
    await flows.deploy({ attempts: '1' });
    const came = firmware();
    const jobId = await flows.offer('1.1.0');
    await came;
    const failed = flows.red.next('errors');
    flows.red.send('ota', {});
    const { error, alink } = await failed;
    assert.deepEqual([error?.code, alink?.step, alink?.module], ['firmwareGivenUp', -1, 'default']);
    assert.equal((await flows.ended(jobId)).status, 'FAILED');
    const [first] = flows.emulator.firmware
      .list()
      .filter(({ productKey }) => productKey === flows.identity.productKey);
    flows.emulator.firmware.upgrade(first?.firmwareId ?? '', { devices: [flows.identity], needPush: false });
    const again = firmware();
    flows.red.send('ota', { reset: true });
    assert.equal((await again).payload.version, '1.1.0');
  });

  it('goes on over a lost connection and a deploy, and does not repeat the old version meanwhile', async () => {
    const large = { files: { size: 24_000_000, seed: 3 } };
    flows.emulator.faults.add({ action: 'slow', bytesPerSecond: 8_000_000, times: 2 });
    await flows.deploy({ progressMessages: true });
    const begun = firmware(({ alink }) => alink?.status === 'downloading');
    const jobId = await flows.offer('1.1.0', large);
    await begun;
    const asked = flows.next('thing.ota.firmware.get');
    flows.emulator.faults.dropConnections();
    await asked;
    const came = firmware(({ alink }) => alink?.status === 'downloaded');
    await flows.deploy({ progressMessages: true, name: 'changed' });
    const { payload } = await came;
    assert.equal(payload.size, 24_000_000);
    await flows.say({ version: '1.1.0' });
    assert.equal((await flows.ended(jobId)).status, 'SUCCEEDED');
    assert.deepEqual(flows.sent('ota.inform'), [{ version: '1.0.0' }, { version: '1.1.0' }]);
    const [first, second, ...more] = flows.emulator.firmware
      .downloads()
      .filter(({ deviceName }) => deviceName === flows.identity.deviceName)
      .map(({ offset }) => offset);
    assert.deepEqual([first, more], [0, []]);
    assert.ok(Number(second) > 0, `it went on at ${second}`);
  });

  it('goes on after a deploy also when it does not ask by itself, of any module', async () => {
    flows.emulator.faults.add({ action: 'slow', bytesPerSecond: 8_000_000, times: 2 });
    const settings = { progressMessages: true, askOnStart: false };
    await flows.deploy(settings);
    await flows.say({ version: '1.0.0', module: 'mcu' });
    const begun = firmware(({ alink }) => alink?.status === 'downloading');
    const jobId = await flows.offer('1.1.0', { files: { size: 16_000_000, seed: 4 }, module: 'mcu' });
    await begun;
    const came = firmware(({ alink }) => alink?.status === 'downloaded');
    await flows.deploy({ ...settings, name: 'changed' });
    assert.deepEqual([(await came).payload.module, (await came).msg.alink?.source], ['mcu', 'get']);
    await flows.say({ version: '1.1.0', module: 'mcu' });
    assert.equal((await flows.ended(jobId)).status, 'SUCCEEDED');
  });

  it('tells the version after all when the platform has withdrawn what was being loaded', async () => {
    flows.emulator.faults.add({ action: 'slow', bytesPerSecond: 2_000_000, times: 1 });
    await flows.deploy({ progressMessages: true });
    const begun = firmware(({ alink }) => alink?.status === 'downloading');
    const jobId = await flows.offer('1.1.0', { files: { size: 16_000_000, seed: 5 } });
    await begun;
    flows.emulator.firmware.cancel(jobId);
    const asked = flows.next('thing.ota.firmware.get');
    const told = flows.next('ota.inform');
    await flows.install({ progressMessages: true, name: 'changed' });
    await asked;
    assert.deepEqual(await told, { version: '1.0.0' });
  });

  it('remembers the version that was reported last, over a restart of the flows', async () => {
    await flows.deploy();
    await flows.say({ version: '1.4.2' });
    const told = flows.next('ota.inform');
    await flows.deploy({}, {}, [{ id: 'other', type: 'comment', z: 'tab', wires: [] }]);
    assert.deepEqual(await told, { version: '1.4.2' });
  });

  it('reads the version from a file, and says when there is none', async () => {
    const file = join(flows.red.userDir, 'version.txt');
    writeFileSync(file, '\n 3.2.1 \nsecond line\n');
    const told = flows.next('ota.inform');
    await flows.deploy({ version: 'version.txt', versionType: 'file', module: 'mcu' });
    assert.deepEqual(await told, { version: '3.2.1', module: 'mcu' });
    flows.fresh();
    const failed = flows.red.next('errors');
    await flows.deploy({ version: 'nowhere.txt', versionType: 'file' });
    assert.match(String((await failed).error?.message), /ENOENT/);
  });

  it('says which setting cannot work', async () => {
    const failed = flows.red.next('errors');
    await flows.install({ hosts: 'not a host!' });
    const { error } = await failed;
    assert.deepEqual([error?.code, /host/.test(String(error?.message))], ['badSettings', true]);
  });
});
