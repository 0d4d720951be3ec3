import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'mocha';
import {
  type ConfigurationListening,
  closeAllDevices,
  type Device,
  openRequests,
  type ReceivedConfiguration,
} from '../../../../sdk';
import { strictest } from '../../../../sdk/configuration/listening';
import { ConfigurationPlatform } from '../../../support/configuration-platform';
import { ConfiguredDevice } from '../../../support/configured-device';
import { Inbox } from '../../../support/inbox';
import { isError, state } from '../../../support/sdk-device';

describe('listeners of a remote configuration', () => {
  let platform: ConfigurationPlatform;
  let folder: string;
  let own: ConfiguredDevice;

  beforeEach(async () => {
    platform = await ConfigurationPlatform.start();
    folder = mkdtempSync(join(tmpdir(), 'alink-listeners-'));
    own = new ConfiguredDevice(platform, folder);
  });

  afterEach(async () => {
    await closeAllDevices();
    await platform.stop();
    rmSync(folder, { recursive: true, force: true });
    assert.equal(openRequests(), 0, 'nothing waits for an answer any more');
  });

  function another(device: Device, listening: ConfigurationListening = {}) {
    const got = new Inbox<ReceivedConfiguration>();
    return { got, stop: device.configuration.onPush(got.put, listening) };
  }

  it('that are several: accepted when all have accepted it', async () => {
    const { device, got } = await own.listen();
    const other = another(device);
    const id = platform.push(platform.describe({ rate: 5 }));
    const first = await got.next();
    const second = await other.got.next();
    assert.notEqual(first.token, second.token);
    assert.notEqual(first.document, second.document);
    await first.answer({});
    await assert.rejects(first.answer({}), isError('alreadyAnswered'));
    assert.equal(await device.configuration.current(), undefined);
    assert.deepEqual([platform.replies, second.ended], [[], false]);
    await second.answer({});
    assert.equal((await platform.replyTo(id)).code, 200);
    assert.deepEqual((await device.configuration.current())?.document, { rate: 5 });
  });

  it('that are several: refused by the first that refuses, or that never answers', async () => {
    const { device, got, problems } = await own.listen({ timeLimitMs: 30 });
    const other = another(device, { timeLimitMs: 5000 });
    const refused = platform.push(platform.describe({ rate: 5 }));
    const left = await other.got.next();
    await (await got.next()).answer({ code: 100_001, message: 'no' });
    assert.equal((await platform.replyTo(refused)).code, 100_001);
    await assert.rejects(left.answer({}), isError('alreadyAnswered'));
    const expired = platform.push(platform.describe({ rate: 6 }));
    const willing = await other.got.next();
    await willing.answer({});
    assert.equal((await platform.replyTo(expired)).code, 400);
    assert.equal((await problems.next()).key, 'notAnswered');
    assert.equal(await device.configuration.current(), undefined);
    assert.equal(platform.replies.length, 2);
  });

  it('of whom one goes before it has answered: whoever comes in its place is asked, and so are the others', async () => {
    const { device, got } = await own.listen();
    const going = another(device);
    const id = platform.push(platform.describe({ rate: 5 }));
    await (await got.next()).answer({});
    await going.got.next();
    going.stop();
    const next = another(device);
    await (await next.got.next()).answer({});
    await (await got.next()).answer({});
    assert.equal((await platform.replyTo(id)).code, 200);
  });

  it('of whom one goes for good: the others alone are asked', async () => {
    const { device, got } = await own.listen();
    const going = another(device);
    const id = platform.push(platform.describe({ rate: 5 }));
    await got.next();
    await going.got.next();
    going.stop();
    await (await got.next()).answer({});
    assert.equal((await platform.replyTo(id)).code, 200);
  });

  it('of whom one goes before it has answered: what waits for another gives way to what is newer', async () => {
    const { device, got } = await own.listen({}, own.open({ timing: { takeoverMs: 10_000 } }));
    const [one, two] = [another(device), another(device)];
    const id = platform.push(platform.describe({ rate: 5 }));
    for (const inbox of [got, one.got, two.got]) await inbox.next();
    one.stop();
    platform.stored = platform.describe({ rate: 6 });
    const asked = device.configuration.get();
    for (const inbox of [got, two.got]) assert.deepEqual((await inbox.next()).document, { rate: 6 });
    two.stop();
    assert.equal((await asked).status, 'kept');
    assert.equal((await platform.replyTo(id)).code, 400);
  });

  it('load by the strictest of their settings, in whichever order they came', () => {
    const settings: ConfigurationListening[] = [
      { mostBytes: 100, hosts: ['*.example.com', 'a.example.org'], retryMs: 5 },
      { hosts: ['b.example.com', 'a.example.org', '*.example.net'], guardMs: 9, ask: true },
      { mostBytes: 10_000_000, guardMs: 7, downloadMs: 3, timeLimitMs: 1 },
    ];
    const expected: ConfigurationListening = {
      mostBytes: 100,
      hosts: ['b.example.com', 'a.example.org'],
      guardMs: 7,
      downloadMs: 3,
      retryMs: 5,
      ask: true,
    };
    assert.deepEqual(strictest(settings), expected);
    const { hosts, ...rest } = strictest(settings.toReversed());
    assert.deepEqual(
      { ...rest, hosts: hosts?.toSorted() },
      { ...expected, hosts: expected.hosts?.toSorted() },
    );
    assert.deepEqual(strictest([{ hosts: ['a.b'] }, { hosts: ['c.d'] }]).hosts, []);
    assert.deepEqual(strictest([]), { ask: false });
  });

  it('whose answer the connection loses: the platform is told when it is there again', async () => {
    const { device, got } = await own.listen({}, own.open({ requestTimeoutMs: 100 }));
    const id = platform.push(platform.describe({ rate: 5 }));
    const configuration = await got.next();
    platform.silent = true;
    const lost = configuration.answer({});
    assert.equal((await platform.replyTo(id)).code, 200);
    platform.silent = false;
    platform.broker.last.stream.destroy();
    await lost;
    assert.deepEqual(
      platform.replies.map((reply) => reply.id),
      [id, id],
    );

    const later = platform.push(platform.describe({ rate: 6 }));
    const second = await got.next();
    const { connect } = platform.broker.script;
    platform.broker.script.connect = () => undefined;
    platform.broker.last.stream.destroy();
    await state(device, 'connecting');
    const told = second.answer({ code: 100_001 });
    // What is not that patient has been given up long before.
    await assert.rejects(device.request('thing.config.get', {}), isError('waitingTimeout'));
    platform.broker.script.connect = connect;
    for (const { stream } of platform.broker.peers) stream.destroy();
    await told;
    assert.equal((await platform.replyTo(later)).code, 100_001);
  });

  it('on a disk that fails: told, and everything else goes on', async () => {
    rmSync(folder, { recursive: true });
    writeFileSync(folder, 'in the way');
    const { device, got, problems } = await own.listen();
    const pushed = platform.describe({ rate: 5 });
    const id = platform.push(pushed);
    await (await got.next()).answer({});
    assert.equal((await platform.replyTo(id)).code, 200);
    assert.equal((await problems.next()).key, 'configurationStorage');
    const again = platform.push(pushed);
    assert.equal((await platform.replyTo(again)).code, 200);
    assert.equal(got.all.length, 1);
    assert.deepEqual((await device.configuration.current())?.document, { rate: 5 });
  });
});
