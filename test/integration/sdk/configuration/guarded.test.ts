import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { closeAllDevices, openRequests, type ReceivedConfiguration } from '../../../../sdk';
import { ConfigurationPlatform } from '../../../support/configuration-platform';
import { ConfiguredDevice, type Listening } from '../../../support/configured-device';
import { Inbox } from '../../../support/inbox';
import { accept } from '../../../support/scripted-broker';

describe('guarded remote configuration', () => {
  let platform: ConfigurationPlatform;
  let folder: string;
  let own: ConfiguredDevice;

  beforeEach(async () => {
    platform = await ConfigurationPlatform.start();
    folder = mkdtempSync(join(tmpdir(), 'alink-guarded-'));
    own = new ConfiguredDevice(platform, folder);
  });

  afterEach(async () => {
    await closeAllDevices();
    await platform.stop();
    rmSync(folder, { recursive: true, force: true });
    assert.equal(openRequests(), 0, 'nothing waits for an answer any more');
  });

  async function accepted(listening: Listening, document: object): Promise<string> {
    const pushed = platform.describe(document);
    const id = platform.push(pushed);
    await (await listening.got.next()).answer({});
    assert.equal((await platform.replyTo(id)).code, 200);
    return pushed.configId;
  }

  it('stands when the platform is reached again', async () => {
    const timing = { configurationSettleMs: 1000 };
    const listening = await own.listen({ guardMs: 5000 }, own.open({ timing }));
    const before = Date.now();
    const configId = await accepted(listening, { rate: 5 });
    const current = () => listening.device.configuration.current();
    assert.deepEqual(await current(), { configId, document: { rate: 5 }, confirmed: false });
    const { configId: tried, until } = await listening.trials.next();
    assert.equal(tried, configId);
    assert.ok(until >= before + 5000 && until <= Date.now() + 5000, String(until - before));
    assert.equal(await listening.confirmed.next(), configId);
    assert.deepEqual(await current(), { configId, document: { rate: 5 }, confirmed: true });
  });

  it('stands as soon as a new session begins, without a wait', async () => {
    const timing = { configurationSettleMs: 15_000 };
    const listening = await own.listen({ guardMs: 18_000 }, own.open({ timing }));
    const configId = await accepted(listening, { rate: 5 });
    assert.equal(platform.gets, 0);
    platform.broker.last.stream.destroy();
    assert.equal(await listening.confirmed.next(), configId);
    assert.equal(platform.gets, 1);
  }).timeout(5000);

  it('stands by an answer that makes no sense as a configuration: the platform has been reached', async () => {
    platform.stored = { configId: 5 };
    const listening = await own.listen({ guardMs: 5000 });
    const configId = await accepted(listening, { rate: 5 });
    assert.equal(await listening.confirmed.next(), configId);
  });

  it('is taken back when it is not, and the last good one is delivered again', async () => {
    const listening = await own.listen({ guardMs: 120 });
    await accepted(listening, { rate: 5 });
    await listening.confirmed.next();
    const bad = platform.describe({ rate: 6 });
    platform.push(bad);
    const configuration = await listening.got.next();
    platform.silent = true;
    void configuration.answer({}).catch(() => undefined);
    const back = await listening.got.next();
    assert.deepEqual(back.document, { rate: 5 });
    assert.equal(back.source, 'rollback');
    assert.deepEqual(back.reason, { configId: bad.configId, problem: 'noContact' });
    assert.equal((await listening.problems.next()).details.rule, 'takenBackNoContact');
    await back.answer({});

    platform.silent = false;
    platform.broker.last.stream.destroy();
    await platform.broker.next('subscribe');
    platform.stored = bad;
    assert.equal((await listening.device.configuration.get()).status, 'rolledBack');
    assert.equal(listening.got.all.length, 3);
  });

  it('is confirmed after a restart in the middle', async () => {
    const first = await own.listen({ guardMs: 5000 }, own.open({ timing: { configurationSettleMs: 2000 } }));
    const configId = await accepted(first, { rate: 5 });
    const second = await own.restart({ guardMs: 5000 });
    assert.equal(await second.confirmed.next(), configId);
  });

  it('is taken back when the device never comes online after a restart', async () => {
    const first = await own.listen({ guardMs: 5000 });
    await accepted(first, { rate: 5 });
    await first.confirmed.next();
    await closeAllDevices();
    const second = await own.listen({ guardMs: 100 }, own.open({ timing: { configurationSettleMs: 2000 } }));
    await accepted(second, { rate: 6 });
    await closeAllDevices();
    platform.broker.script.connect = () => undefined;
    const device = own.open();
    const got = new Inbox<ReceivedConfiguration>();
    device.configuration.onPush(got.put, { guardMs: 100 });
    device.connect();
    const back = await got.next();
    assert.deepEqual([back.source, back.document], ['rollback', { rate: 5 }]);
    await closeAllDevices();
    // The flow did not answer it: the next run delivers it once more, and that is enough whatever the flow says.
    const last = new Inbox<ReceivedConfiguration>();
    own.open().configuration.onPush(last.put);
    const once = await last.next();
    assert.deepEqual([once.source, once.reason], ['rollback', back.reason]);
    await once.answer({ code: 400 });
    await closeAllDevices();
    platform.broker.script.connect = accept;
    const { got: none, device: later } = await own.listen();
    platform.stored = platform.describe({ rate: 5 });
    assert.equal((await later.configuration.get()).status, 'unchanged');
    assert.deepEqual(none.all, []);
  });

  it('that no run answers when it is taken back is not given for ever', async () => {
    const first = await own.listen({ guardMs: 100 });
    await accepted(first, { rate: 5 });
    await first.confirmed.next();
    platform.push(platform.describe({ rate: 6 }));
    const configuration = await first.got.next();
    platform.silent = true;
    void configuration.answer({}).catch(() => undefined);
    assert.equal((await first.got.next()).source, 'rollback');
    platform.silent = false;
    for (let run = 0; run < 2; run++) {
      const { got } = await own.restart();
      assert.equal((await got.next()).source, 'rollback');
    }
    const { got, device } = await own.restart();
    platform.stored = platform.describe({ rate: 5 });
    assert.equal((await device.configuration.get()).status, 'unchanged');
    assert.deepEqual(got.all, []);
  });

  it('is taken back in time although another one waits for its server', async () => {
    const listening = await own.listen(
      { guardMs: 200 },
      own.open({ timing: { downloadBackoff: { first: 60_000, longest: 60_000 } } }),
    );
    await accepted(listening, { rate: 5 });
    await listening.confirmed.next();
    platform.push(platform.describe({ rate: 6 }));
    const configuration = await listening.got.next();
    platform.silent = true;
    void configuration.answer({}).catch(() => undefined);
    platform.script.push((_, response) => response.writeHead(503).end());
    platform.push(platform.describe({ rate: 7 }));
    assert.equal((await listening.got.next()).source, 'rollback');
    const rules = [await listening.problems.next(), await listening.problems.next()];
    assert.deepEqual(
      rules.map(({ details }) => details.rule),
      ['gaveWay', 'takenBackNoContact'],
    );
  });

  it('says so when there is nothing to go back to', async () => {
    const listening = await own.listen({ guardMs: 60 });
    platform.push(platform.describe({ rate: 5 }));
    const configuration = await listening.got.next();
    platform.silent = true;
    void configuration.answer({}).catch(() => undefined);
    assert.equal((await listening.problems.next()).details.rule, 'takenBackNoContactNothing');
    assert.equal(listening.got.all.length, 1);
  });
});
