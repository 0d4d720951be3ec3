import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'mocha';
import {
  answerRequest,
  type ConfigurationListening,
  closeAllDevices,
  openRequests,
  type ReceivedConfiguration,
} from '../../../../sdk';
import { certificate } from '../../../support/certificates';
import { ConfigurationPlatform } from '../../../support/configuration-platform';
import { ConfiguredDevice } from '../../../support/configured-device';
import { Inbox } from '../../../support/inbox';
import { isError, rejection, state } from '../../../support/sdk-device';

describe('remote configuration', () => {
  let platform: ConfigurationPlatform;
  let folder: string;
  let own: ConfiguredDevice;

  beforeEach(async () => {
    platform = await ConfigurationPlatform.start();
    folder = mkdtempSync(join(tmpdir(), 'alink-configuration-'));
    own = new ConfiguredDevice(platform, folder);
  });

  afterEach(async () => {
    await closeAllDevices();
    await platform.stop();
    rmSync(folder, { recursive: true, force: true });
    assert.equal(openRequests(), 0, 'nothing waits for an answer any more');
  });

  it('is loaded, checked, handed on, and answered only when it was accepted', async () => {
    const { got, device } = await own.listen();
    const id = platform.push(platform.describe({ rate: 5 }));
    const configuration = await got.next();
    assert.deepEqual(configuration.document, { rate: 5 });
    assert.equal(configuration.source, 'push');
    assert.equal(configuration.size, 10);
    assert.equal(await device.configuration.current(), undefined);
    assert.deepEqual(platform.replies, []);
    await configuration.answer({});
    assert.deepEqual(await platform.replyTo(id), { id, code: 200, data: {} });
    assert.deepEqual((await device.configuration.current())?.document, { rate: 5 });
  });

  it('is answered with what the flow says, by its token too', async () => {
    const { got, device } = await own.listen();
    const first = platform.push(platform.describe({ rate: 5 }));
    await answerRequest((await got.next()).token, { code: 200 });
    assert.equal((await platform.replyTo(first)).code, 200);
    const second = platform.push(platform.describe({ rate: 6 }));
    await (await got.next()).answer({ code: 100_001, message: 'no' });
    const { code, message } = await platform.replyTo(second);
    assert.deepEqual({ code, message }, { code: 100_001, message: 'no' });
    assert.deepEqual((await device.configuration.current())?.document, { rate: 5 });
  });

  it('is handed on once by its configId, also after a restart', async () => {
    const pushed = platform.describe({ rate: 5 });
    const { got } = await own.listen();
    const first = platform.push(pushed);
    await (await got.next()).answer({});
    await platform.replyTo(first);
    const second = platform.push(pushed);
    assert.equal((await platform.replyTo(second)).code, 200);
    assert.equal(got.all.length, 1);

    const later = await own.restart();
    const third = platform.push(pushed);
    assert.equal((await platform.replyTo(third)).code, 200);
    assert.equal(later.got.all.length, 0);
    assert.equal(platform.fetched.length, 1);
    assert.deepEqual((await later.device.configuration.current())?.document, { rate: 5 });
  });

  it('is given again when the flow refused it and the platform pushes it again', async () => {
    const pushed = platform.describe({ rate: 5 });
    const { got } = await own.listen();
    platform.push(pushed);
    await (await got.next()).answer({ code: 400 });
    platform.push(pushed);
    assert.equal((await got.next()).configId, pushed.configId);
    got.all[1]?.answer({});
  });

  describe('that cannot be used is refused with the reason, and the flow gets nothing', () => {
    const cases: Array<[string, () => object, string, number]> = [
      [
        'a wrong digest',
        () => platform.describe({ a: 1 }, { sign: '0'.repeat(64) }),
        'configurationMismatch',
        460,
      ],
      ['a wrong size', () => platform.describe({ a: 1 }, { configSize: 9 }), 'configurationMismatch', 460],
      [
        'too many bytes',
        () => platform.describe(Buffer.from(`"${'x'.repeat(65_536)}"`)),
        'configurationTooLarge',
        400,
      ],
      [
        'too many bytes that nobody told',
        () => platform.describe(Buffer.from(`"${'x'.repeat(65_536)}"`), { configSize: undefined }),
        'configurationTooLarge',
        400,
      ],
      ['no JSON', () => platform.describe(Buffer.from('{"a":')), 'configurationNotJson', 460],
      [
        'broken UTF-8',
        () => platform.describe(Buffer.from([0x22, 0xff, 0xfe, 0x22])),
        'configurationNotJson',
        460,
      ],
      [
        'deep nesting',
        () => platform.describe(Buffer.from('['.repeat(5000) + ']'.repeat(5000))),
        'configurationNotJson',
        460,
      ],
      ['no digest', () => platform.describe({ a: 1 }, { sign: undefined }), 'configurationOffer', 460],
      [
        'another digest method',
        () => platform.describe({ a: 1 }, { signMethod: 'MD5' }),
        'configurationOffer',
        460,
      ],
      ['no url', () => platform.describe({ a: 1 }, { url: 5 }), 'configurationOffer', 460],
      ['no configId', () => platform.describe({ a: 1 }, { configId: '' }), 'configurationOffer', 460],
      [
        'a file address',
        () => platform.describe({ a: 1 }, { url: 'file:///etc/passwd' }),
        'configurationNotAllowed',
        400,
      ],
      ['no address', () => platform.describe({ a: 1 }, { url: 'hello' }), 'configurationNotAllowed', 400],
    ];
    for (const [name, params, key, code] of cases) {
      it(name, async () => {
        const { got, problems } = await own.listen();
        const id = platform.push(params());
        const answered = await platform.replyTo(id);
        assert.equal(answered.code, code);
        const problem = await problems.next();
        assert.equal(problem.key, key);
        assert.doesNotMatch(
          `${problem.message} ${answered.message} ${JSON.stringify(problem.details)}`,
          /SECRET/,
        );
        assert.equal(got.all.length, 0);
      });
    }
  });

  it('takes the digest without case, whatever the method is spelled like', async () => {
    const { got } = await own.listen();
    const pushed = platform.describe({ a: 1 });
    platform.push({ ...pushed, sign: String(pushed.sign).toUpperCase(), signMethod: 'SHA-256' });
    const configuration = await got.next();
    assert.equal(configuration.digest, pushed.sign);
    await configuration.answer({});
  });

  it('that was cut, or dribbles, is given up', async () => {
    const { problems } = await own.listen({ downloadMs: 200, retryMs: 0 });
    platform.script.push((_, response) => {
      response.writeHead(200, { 'content-length': '10' });
      response.write('{"a"', () => response.destroy());
    });
    const cut = platform.push(platform.describe({ aaaa: 1 }));
    assert.equal((await platform.replyTo(cut)).code, 400);
    assert.equal((await problems.next()).key, 'configurationNotLoaded');
    platform.script.push((_, response) => void response.write('{'));
    const slow = platform.push(platform.describe({ bbbb: 1 }));
    assert.equal((await platform.replyTo(slow)).code, 400);
    const { key, message } = await problems.next();
    assert.equal(key, 'configurationNotLoaded');
    assert.match(message, /0\.2 s/);
  });

  it('whose address has expired is asked for anew, once', async () => {
    const { got, problems } = await own.listen();
    const fresh = platform.describe({ rate: 5 });
    platform.stored = fresh;
    platform.script.push((_, response) => response.writeHead(403).end());
    platform.push(fresh);
    await (await got.next()).answer({});
    assert.equal(platform.gets, 1);

    platform.script.push((_, response) => response.writeHead(403).end());
    const other = platform.push(platform.describe({ rate: 6 }));
    assert.equal((await platform.replyTo(other)).code, 400);
    assert.equal((await problems.next()).key, 'configurationExpired');
  });

  it('comes over HTTPS with the trusted certificate, and not from other hosts or over http', async () => {
    const tls = await certificate();
    const secure = await ConfigurationPlatform.start(tls);
    try {
      const device = own.open({
        platform: { kind: 'custom', host: '127.0.0.1' },
        port: platform.broker.port,
        ca: tls.cert,
      });
      const { got, problems } = await own.listen({ hosts: ['127.0.0.1'] }, device);
      platform.push(secure.describe({ rate: 5 }));
      await (await got.next()).answer({});
      platform.push(platform.describe({ rate: 6 }));
      assert.equal((await problems.next()).key, 'configurationNotAllowed');
      secure.script.push((_, response) =>
        response.writeHead(302, { location: platform.describe({ rate: 7 }).url as string }).end(),
      );
      platform.push(secure.describe({ rate: 7 }));
      assert.equal((await problems.next()).key, 'configurationNotAllowed');
      platform.push(secure.describe({ rate: 8 }, { url: 'https://example.invalid/x' }));
      const { key, details } = await problems.next();
      assert.deepEqual([key, details.host], ['configurationNotAllowed', 'example.invalid']);
      assert.deepEqual(platform.fetched, []);
    } finally {
      await secure.stop();
    }
  });

  it('is not loaded from a server whose certificate nobody trusts', async () => {
    const secure = await ConfigurationPlatform.start(await certificate());
    try {
      const { problems, got } = await own.listen();
      platform.push(secure.describe({ rate: 5 }));
      assert.equal((await problems.next()).key, 'configurationNotLoaded');
      assert.equal(got.all.length, 0);
    } finally {
      await secure.stop();
    }
  });

  it('without an answer of the flow is refused, and its answer comes too late', async () => {
    const { got, problems } = await own.listen({ timeLimitMs: 30 });
    const id = platform.push(platform.describe({ rate: 5 }));
    const configuration = await got.next();
    assert.equal((await platform.replyTo(id)).code, 400);
    assert.equal((await problems.next()).key, 'notAnswered');
    await assert.rejects(configuration.answer({}), isError('tooLate'));
  });

  it('takes no code that a device must not answer with, and may be answered again then', async () => {
    const { got } = await own.listen();
    const id = platform.push(platform.describe({ rate: 5 }));
    const configuration = await got.next();
    await assert.rejects(configuration.answer({ code: 500 }), isError('invalidInput'));
    await configuration.answer({});
    await assert.rejects(configuration.answer({}), isError('alreadyAnswered'));
    assert.equal((await platform.replyTo(id)).code, 200);
  });

  it('is dealt with one after the other; of those that wait only the newest counts', async () => {
    const { got } = await own.listen();
    const first = platform.push(platform.describe({ rate: 0 }));
    const configuration = await got.next();
    const ids = Array.from({ length: 20 }, (_, i) => platform.push(platform.describe({ rate: i + 1 })));
    const last = ids.pop() ?? '';
    for (const id of ids) assert.equal((await platform.replyTo(id)).code, 400);
    await configuration.answer({});
    assert.equal((await platform.replyTo(first)).code, 200);
    const newest = await got.next();
    assert.deepEqual(newest.document, { rate: 20 });
    await newest.answer({});
    assert.equal((await platform.replyTo(last)).code, 200);
    assert.equal(got.all.length, 2);
  });

  it('is asked for when wanted, and says when there is none', async () => {
    const { got, device } = await own.listen();
    assert.equal((await rejection(device.configuration.get())).code, 6710);
    platform.stored = 6713;
    assert.equal((await rejection(device.configuration.get())).code, 6713);
    platform.stored = platform.describe({ rate: 5 });
    const outcome = device.configuration.get();
    const configuration = await got.next();
    assert.equal(configuration.source, 'get');
    await configuration.answer({});
    assert.equal((await outcome).status, 'accepted');
    assert.equal((await device.configuration.get()).status, 'unchanged');
    const again = device.configuration.get({ again: true });
    await (await got.next()).answer({ code: 400 });
    assert.equal((await again).status, 'refused');
    assert.deepEqual((await device.configuration.current())?.document, { rate: 5 });
  });

  it('is asked for whenever a session begins, but not given again after the flow refused it', async () => {
    platform.stored = platform.describe({ rate: 5 });
    const { got, device } = await own.listen({ ask: true });
    await (await got.next()).answer({ code: 400 });
    const asked = platform.asked();
    platform.broker.last.stream.destroy();
    await asked;
    platform.stored = platform.describe({ rate: 6 });
    await state(device, 'online');
    platform.broker.last.stream.destroy();
    const next = await got.next();
    assert.deepEqual(next.document, { rate: 6 });
    await next.answer({});
  });

  it('that a restart interrupted is handed on again, with its answer for nobody', async () => {
    const first = await own.listen();
    platform.push(platform.describe({ rate: 5 }));
    await first.got.next();
    const second = await own.restart();
    const configuration = await second.got.next();
    assert.deepEqual(configuration.document, { rate: 5 });
    await configuration.answer({});
    assert.deepEqual((await second.device.configuration.current())?.document, { rate: 5 });
    const third = await own.restart();
    assert.deepEqual((await third.device.configuration.current())?.document, { rate: 5 });
    assert.equal(third.got.all.length, 0);
  });

  it('is handed to the listener that comes after a deploy, whose answer the platform gets', async () => {
    const { device, got, stop } = await own.listen();
    const id = platform.push(platform.describe({ rate: 5 }));
    await got.next();
    stop();
    const next = new Inbox<ReceivedConfiguration>();
    device.configuration.onPush(next.put);
    await (await next.next()).answer({});
    assert.equal((await platform.replyTo(id)).code, 200);
  });

  it('is refused when nobody comes', async () => {
    const { got, stop } = await own.listen();
    const id = platform.push(platform.describe({ rate: 5 }));
    await got.next();
    stop();
    assert.equal((await platform.replyTo(id)).code, 400);
  });

  it('that ends the process each time is given up after three runs', async () => {
    let now = await own.listen();
    platform.push(platform.describe({ rate: 5 }));
    await now.got.next();
    for (let run = 0; run < 2; run++) {
      now = await own.restart();
      await now.got.next();
    }
    now = await own.restart();
    const { key, details } = await now.problems.next();
    assert.deepEqual([key, details.rule], ['configurationTakenBack', 'takenBackNotAnsweredNothing']);
    const id = platform.push(platform.describe({ rate: 5 }));
    assert.equal((await platform.replyTo(id)).code, 400);
    assert.equal(now.got.all.length, 0);
  });

  it('survives a damaged file', async () => {
    const { got } = await own.listen();
    const id = platform.push(platform.describe({ rate: 5 }));
    await (await got.next()).answer({});
    await platform.replyTo(id);
    const [name = ''] = readdirSync(join(folder, 'remote'));
    for (const text of ['{', '[]', '{"good":5,"tried":{"configId":1},"takenBack":[{}]}']) {
      await closeAllDevices();
      writeFileSync(join(folder, 'remote', name), text);
      const later = await own.listen();
      assert.equal(await later.device.configuration.current(), undefined);
      const next = platform.push(platform.describe({ rate: text.length }));
      await (await later.got.next()).answer({});
      assert.equal((await platform.replyTo(next)).code, 200);
    }
    assert.doesNotMatch(readFileSync(join(folder, 'remote', name), 'utf8'), /SECRET/);
  });

  it('refuses settings that cannot work', () => {
    const device = own.open();
    const bad: ConfigurationListening[] = [
      { mostBytes: 0 },
      { guardMs: -1 },
      { timeLimitMs: Number.NaN },
      { hosts: [] },
    ];
    for (const listening of bad)
      assert.throws(() => device.configuration.onPush(() => undefined, listening), isError('badSettings'));
  });
});
