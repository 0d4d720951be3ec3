import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'mocha';
import {
  type AlinkError,
  answerRequest,
  type ConfigurationListening,
  closeAllDevices,
  type Device,
  type DeviceOptions,
  fileConfigurationStore,
  openDevice,
  openRequests,
  type ReceivedConfiguration,
} from '../../../../sdk';
import { certificate } from '../../../support/certificates';
import { ConfigurationPlatform } from '../../../support/configuration-platform';
import { Inbox } from '../../../support/inbox';
import { isError, rejection, state } from '../../../support/sdk-device';

const IDENTITY = { productKey: 'a1Test', deviceName: 'lamp-1' };

describe('remote configuration', () => {
  let platform: ConfigurationPlatform;
  let folder: string;

  beforeEach(async () => {
    platform = await ConfigurationPlatform.start();
    folder = mkdtempSync(join(tmpdir(), 'alink-configuration-'));
  });

  afterEach(async () => {
    await closeAllDevices();
    await platform.stop();
    rmSync(folder, { recursive: true, force: true });
    assert.equal(openRequests(), 0, 'nothing waits for an answer any more');
  });

  function open(more: Partial<DeviceOptions> = {}): Device {
    return openDevice({
      identity: IDENTITY,
      platform: { kind: 'emulator', host: '127.0.0.1', ports: { tcp: platform.broker.port }, httpUrl: '' },
      transport: 'tcp',
      authentication: { kind: 'deviceSecret', deviceSecret: 'secret' },
      configurationStore: fileConfigurationStore(folder),
      ...more,
      timing: {
        backoff: { first: 10, longest: 20 },
        endMs: 50,
        takeoverMs: 300,
        configurationSettleMs: 20,
        configurationGraceMs: 150,
        ...more.timing,
      },
    });
  }

  interface Listening {
    device: Device;
    got: Inbox<ReceivedConfiguration>;
    problems: Inbox<AlinkError>;
    confirmed: Inbox<string>;
    stop: () => void;
  }

  async function listen(listening: ConfigurationListening = {}, device = open()): Promise<Listening> {
    const got = new Inbox<ReceivedConfiguration>();
    const problems = new Inbox<AlinkError>();
    const confirmed = new Inbox<string>();
    const stop = device.configuration.onPush(got.put, {
      onProblem: problems.put,
      onConfirmed: confirmed.put,
      ...listening,
    });
    device.connect();
    await state(device, 'online');
    return { device, got, problems, confirmed, stop };
  }

  /** Ends everything as a restart of the process does, and begins anew. */
  async function restart(listening: ConfigurationListening = {}): Promise<Listening> {
    await closeAllDevices();
    return listen(listening);
  }

  it('is loaded, checked, handed on, and answered only when it was accepted', async () => {
    const { got, device } = await listen();
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
    const { got, device } = await listen();
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
    const { got } = await listen();
    const first = platform.push(pushed);
    await (await got.next()).answer({});
    await platform.replyTo(first);
    const second = platform.push(pushed);
    assert.equal((await platform.replyTo(second)).code, 200);
    assert.equal(got.all.length, 1);

    const later = await restart();
    const third = platform.push(pushed);
    assert.equal((await platform.replyTo(third)).code, 200);
    assert.equal(later.got.all.length, 0);
    assert.equal(platform.fetched.length, 1);
    assert.deepEqual((await later.device.configuration.current())?.document, { rate: 5 });
  });

  it('is given again when the flow refused it and the platform pushes it again', async () => {
    const pushed = platform.describe({ rate: 5 });
    const { got } = await listen();
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
        const { got, problems } = await listen();
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
    const { got } = await listen();
    const pushed = platform.describe({ a: 1 });
    platform.push({ ...pushed, sign: String(pushed.sign).toUpperCase(), signMethod: 'SHA-256' });
    const configuration = await got.next();
    assert.equal(configuration.digest, pushed.sign);
    await configuration.answer({});
  });

  it('that was cut, or dribbles, is given up', async () => {
    const { problems } = await listen({ downloadMs: 200 });
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
    const { got, problems } = await listen();
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
      const device = open({
        platform: { kind: 'custom', host: '127.0.0.1' },
        port: platform.broker.port,
        ca: tls.cert,
      });
      const { got, problems } = await listen({ hosts: ['127.0.0.1'] }, device);
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
      const { problems, got } = await listen();
      platform.push(secure.describe({ rate: 5 }));
      assert.equal((await problems.next()).key, 'configurationNotLoaded');
      assert.equal(got.all.length, 0);
    } finally {
      await secure.stop();
    }
  });

  it('without an answer of the flow is refused, and its answer comes too late', async () => {
    const { got, problems } = await listen({ timeLimitMs: 30 });
    const id = platform.push(platform.describe({ rate: 5 }));
    const configuration = await got.next();
    assert.equal((await platform.replyTo(id)).code, 400);
    assert.equal((await problems.next()).key, 'notAnswered');
    await assert.rejects(configuration.answer({}), isError('tooLate'));
  });

  it('takes no code that a device must not answer with, and may be answered again then', async () => {
    const { got } = await listen();
    const id = platform.push(platform.describe({ rate: 5 }));
    const configuration = await got.next();
    await assert.rejects(configuration.answer({ code: 500 }), isError('invalidInput'));
    await configuration.answer({});
    await assert.rejects(configuration.answer({}), isError('alreadyAnswered'));
    assert.equal((await platform.replyTo(id)).code, 200);
  });

  it('is dealt with one after the other; of those that wait only the newest counts', async () => {
    const { got } = await listen();
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
    const { got, device } = await listen();
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
    const { got, device } = await listen({ ask: true });
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
    const first = await listen();
    platform.push(platform.describe({ rate: 5 }));
    await first.got.next();
    const second = await restart();
    const configuration = await second.got.next();
    assert.deepEqual(configuration.document, { rate: 5 });
    await configuration.answer({});
    assert.deepEqual((await second.device.configuration.current())?.document, { rate: 5 });
    const third = await restart();
    assert.deepEqual((await third.device.configuration.current())?.document, { rate: 5 });
    assert.equal(third.got.all.length, 0);
  });

  it('is handed to the listener that comes after a deploy, whose answer the platform gets', async () => {
    const { device, got, stop } = await listen();
    const id = platform.push(platform.describe({ rate: 5 }));
    await got.next();
    stop();
    const next = new Inbox<ReceivedConfiguration>();
    device.configuration.onPush(next.put);
    await (await next.next()).answer({});
    assert.equal((await platform.replyTo(id)).code, 200);
  });

  it('is refused when nobody comes', async () => {
    const { got, stop } = await listen();
    const id = platform.push(platform.describe({ rate: 5 }));
    await got.next();
    stop();
    assert.equal((await platform.replyTo(id)).code, 400);
  });

  it('that ends the process each time is given up after three runs', async () => {
    let now = await listen();
    platform.push(platform.describe({ rate: 5 }));
    await now.got.next();
    for (let run = 0; run < 2; run++) {
      now = await restart();
      await now.got.next();
    }
    now = await restart();
    const { key, details } = await now.problems.next();
    assert.deepEqual([key, details.rule], ['configurationTakenBack', 'takenBackNotAnsweredNothing']);
    const id = platform.push(platform.describe({ rate: 5 }));
    assert.equal((await platform.replyTo(id)).code, 400);
    assert.equal(now.got.all.length, 0);
  });

  it('survives a damaged file', async () => {
    const { got } = await listen();
    const id = platform.push(platform.describe({ rate: 5 }));
    await (await got.next()).answer({});
    await platform.replyTo(id);
    const [name = ''] = readdirSync(join(folder, 'remote'));
    for (const text of ['{', '[]', '{"good":5,"tried":{"configId":1},"takenBack":[{}]}']) {
      await closeAllDevices();
      writeFileSync(join(folder, 'remote', name), text);
      const later = await listen();
      assert.equal(await later.device.configuration.current(), undefined);
      const next = platform.push(platform.describe({ rate: text.length }));
      await (await later.got.next()).answer({});
      assert.equal((await platform.replyTo(next)).code, 200);
    }
    assert.doesNotMatch(readFileSync(join(folder, 'remote', name), 'utf8'), /SECRET/);
  });

  describe('guarded', () => {
    async function accepted(listening: Listening, document: object): Promise<string> {
      const pushed = platform.describe(document);
      const id = platform.push(pushed);
      await (await listening.got.next()).answer({});
      assert.equal((await platform.replyTo(id)).code, 200);
      return pushed.configId;
    }

    it('stands when the platform is reached again', async () => {
      const listening = await listen({ guardMs: 5000 });
      const configId = await accepted(listening, { rate: 5 });
      assert.equal(await listening.device.configuration.current(), undefined);
      assert.equal(await listening.confirmed.next(), configId);
      assert.deepEqual((await listening.device.configuration.current())?.document, { rate: 5 });
    });

    it('is taken back when it is not, and the last good one is delivered again', async () => {
      const listening = await listen({ guardMs: 120 });
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
      const first = await listen({ guardMs: 5000 }, open({ timing: { configurationSettleMs: 2000 } }));
      const configId = await accepted(first, { rate: 5 });
      const second = await restart({ guardMs: 5000 });
      assert.equal(await second.confirmed.next(), configId);
    });

    it('is taken back when the device never comes online after a restart', async () => {
      const first = await listen({ guardMs: 5000 });
      await accepted(first, { rate: 5 });
      await first.confirmed.next();
      await closeAllDevices();
      const second = await listen({ guardMs: 100 }, open({ timing: { configurationSettleMs: 2000 } }));
      await accepted(second, { rate: 6 });
      await closeAllDevices();
      platform.broker.script.connect = () => undefined;
      const device = open();
      const got = new Inbox<ReceivedConfiguration>();
      device.configuration.onPush(got.put, { guardMs: 100 });
      device.connect();
      const back = await got.next();
      assert.deepEqual([back.source, back.document], ['rollback', { rate: 5 }]);
      await back.answer({ code: 400 });
      await closeAllDevices();
      // The flow did not accept it: the next run delivers it once more.
      const last = new Inbox<ReceivedConfiguration>();
      const again = open();
      again.configuration.onPush(last.put);
      const once = await last.next();
      assert.equal(once.source, 'rollback');
      await once.answer({});
    });

    it('says so when there is nothing to go back to', async () => {
      const listening = await listen({ guardMs: 60 });
      platform.push(platform.describe({ rate: 5 }));
      const configuration = await listening.got.next();
      platform.silent = true;
      void configuration.answer({}).catch(() => undefined);
      assert.equal((await listening.problems.next()).details.rule, 'takenBackNoContactNothing');
      assert.equal(listening.got.all.length, 1);
    });
  });

  it('refuses settings that cannot work', () => {
    const device = open();
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
