import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { closeAllDevices, openRequests } from '../../../../sdk';
import { ConfigurationPlatform } from '../../../support/configuration-platform';
import { ConfiguredDevice } from '../../../support/configured-device';
import { isError } from '../../../support/sdk-device';

/** No wait of this back-off ends while a test runs. */
const FOR_EVER = { downloadBackoff: { first: 60_000, longest: 60_000 } };

describe('loading a remote configuration', () => {
  let platform: ConfigurationPlatform;
  let folder: string;
  let own: ConfiguredDevice;

  beforeEach(async () => {
    platform = await ConfigurationPlatform.start();
    folder = mkdtempSync(join(tmpdir(), 'alink-loading-'));
    own = new ConfiguredDevice(platform, folder);
  });

  afterEach(async () => {
    await closeAllDevices();
    await platform.stop();
    rmSync(folder, { recursive: true, force: true });
    assert.equal(openRequests(), 0, 'nothing waits for an answer any more');
  });

  it('is tried again while server or network fails, and answered when it came', async () => {
    const { got, retries, problems } = await own.listen();
    platform.script.push(
      (_, response) => response.destroy(),
      (_, response) => response.writeHead(503).end(),
      (_, response) => response.writeHead(429).end(),
      (_, response) => {
        response.writeHead(200, { 'content-length': '10' });
        response.write('{"a"', () => response.destroy());
      },
    );
    const id = platform.push(platform.describe({ rate: 5 }));
    await (await got.next()).answer({});
    assert.equal((await platform.replyTo(id)).code, 200);
    assert.deepEqual(
      retries.all.map(({ error: { key, details } }) => [key, details.rule]),
      ['httpsCut', 'documentStatus', 'documentStatus', 'httpsCut'].map((rule) => [
        'configurationNotLoaded',
        rule,
      ]),
    );
    assert.ok(retries.all.every(({ waitMs }) => waitMs > 0 && waitMs <= 20));
    assert.deepEqual(problems.all, []);
    assert.equal(platform.replies.length, 1);
  });

  it('is tried again while nobody listens at its address, or its host is not known', async () => {
    const { got, retries } = await own.listen();
    const offer = platform.describe({ rate: 5 });
    const url = new URL(String(offer.url));
    const late = createServer((_, response) => response.end('{"rate":5}'));
    await new Promise<void>((resolve) => late.listen(0, '127.0.0.1', resolve));
    const { port } = late.address() as { port: number };
    await new Promise((resolve) => late.close(resolve));
    url.port = String(port);
    platform.push({ ...offer, url: url.href });
    const { error } = await retries.next();
    assert.deepEqual([error.details.rule, error.details.why], ['httpsUnreachable', 'ECONNREFUSED']);
    late.listen(port, '127.0.0.1');
    await (await got.next()).answer({});
    late.close();
    platform.push(platform.describe({ rate: 6 }, { url: 'http://nowhere.invalid/x' }));
    let rule: unknown;
    while (rule !== 'httpsDns') rule = (await retries.next()).error.details.rule;
  });

  it('ends when its time is over, with what was wrong last', async () => {
    const { problems, retries } = await own.listen({ retryMs: 500 });
    for (let i = 0; i < 100; i++) platform.script.push((_, response) => response.writeHead(500 + i).end());
    const id = platform.push(platform.describe({ rate: 5 }));
    const { code, message } = await platform.replyTo(id);
    const tries = platform.fetched.length;
    assert.deepEqual([code, tries > 2 && tries < 100], [400, true]);
    assert.ok(message?.endsWith(`the server answered ${499 + tries}`), message);
    assert.equal((await problems.next()).key, 'configurationNotLoaded');
    assert.equal(retries.all.length, tries - 1);
  });

  for (const status of [400, 301, 204]) {
    it(`is not tried again when the server answers ${status}`, async () => {
      const { problems, retries } = await own.listen();
      platform.script.push((_, response) => response.writeHead(status, { location: '/loop' }).end());
      for (let i = 0; i < 8; i++)
        platform.script.push((_, response) => response.writeHead(301, { location: '/loop' }).end());
      const id = platform.push(platform.describe({ rate: 5 }));
      assert.equal((await platform.replyTo(id)).code, 400);
      assert.equal((await problems.next()).key, 'configurationNotLoaded');
      assert.deepEqual(retries.all, []);
    });
  }

  it('gives way to a newer one, of which alone there is news', async () => {
    const { got, retries, problems } = await own.listen({}, own.open({ timing: FOR_EVER }));
    platform.script.push((_, response) => response.writeHead(503).end());
    const first = platform.push(platform.describe({ rate: 5 }));
    await retries.next();
    const second = platform.push(platform.describe({ rate: 6 }));
    const { code, message } = await platform.replyTo(first);
    assert.deepEqual([code, message], [400, 'replaced by a newer configuration']);
    const configuration = await got.next();
    assert.deepEqual(configuration.document, { rate: 6 });
    await configuration.answer({});
    assert.equal((await platform.replyTo(second)).code, 200);
    assert.deepEqual(problems.all, []);
  });

  it('gives way to somebody who asks for it, and to the end of the device', async () => {
    const { device, got, retries, problems } = await own.listen({}, own.open({ timing: FOR_EVER }));
    platform.script.push((_, response) => response.writeHead(503).end());
    const pushed = platform.describe({ rate: 5 });
    platform.push(pushed);
    await retries.next();
    platform.stored = pushed;
    const outcome = device.configuration.get();
    await (await got.next()).answer({});
    assert.equal((await outcome).status, 'accepted');
    platform.script.push((_, response) => response.writeHead(503).end());
    platform.stored = platform.describe({ rate: 6 });
    const ended = assert.rejects(device.configuration.get(), isError('closed'));
    await retries.next();
    await closeAllDevices();
    await ended;
    assert.deepEqual(problems.all, []);
  });

  it('takes nothing packed: its size would say nothing', async () => {
    const { problems, got } = await own.listen();
    const document = { text: 'x'.repeat(1000) };
    platform.script.push((_, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' });
      response.end(gzipSync(JSON.stringify(document)));
    });
    const id = platform.push(platform.describe(document));
    assert.equal((await platform.replyTo(id)).code, 400);
    assert.equal((await problems.next()).details.rule, 'documentPacked');
    assert.deepEqual(got.all, []);
  });

  it('stops reading what is larger than allowed, whatever size was told', async () => {
    const { problems } = await own.listen({ mostBytes: 1000 });
    let isOpen = true;
    let sent = 0;
    platform.script.push((_, response) => {
      response.writeHead(200);
      response.on('close', () => {
        isOpen = false;
      });
      const more = () => {
        sent += 1000;
        if (isOpen) response.write('x'.repeat(1000), () => setImmediate(more));
      };
      more();
    });
    platform.push(platform.describe({ a: 1 }));
    assert.equal((await problems.next()).key, 'configurationTooLarge');
    assert.ok(sent < 10_000_000, `${sent} bytes`);
  });

  it('asks for nothing that is larger than allowed by what the platform says, and reads none by the server', async () => {
    const { problems } = await own.listen({ mostBytes: 1000 });
    platform.push(platform.describe({ a: 1 }, { configSize: 1001 }));
    assert.equal((await problems.next()).key, 'configurationTooLarge');
    assert.deepEqual(platform.fetched, []);
    let sent = 0;
    platform.script.push((_, response) => {
      response.writeHead(200, { 'content-length': '1001' });
      response.write('x', () => sent++);
    });
    platform.push(platform.describe({ a: 1 }));
    const { key, details } = await problems.next();
    assert.deepEqual([key, details.value, sent], ['configurationTooLarge', 1001, 1]);
  });

  it('hands on __proto__ as a member like any other', async () => {
    const { got } = await own.listen();
    platform.push(platform.describe(Buffer.from('{"__proto__":{"polluted":true},"a":1}')));
    const configuration = await got.next();
    const document = configuration.document as object;
    assert.deepEqual(Object.keys(document), ['__proto__', 'a']);
    assert.equal(Object.getPrototypeOf(document), Object.prototype);
    assert.equal(Reflect.get({}, 'polluted'), undefined);
    await configuration.answer({});
  });
});
